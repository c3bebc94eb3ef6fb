/**
 * A handshake as a generator, and what runs it.
 *
 * The four handshakes (`client-tls13.ts` and its siblings) read like the standards: they wait for a message in a state, or for
 * an answer, and end with proofs. `HandshakeRun` remembers what one waits for and hands it the message that came.
 */

import type { ConnectionInfo } from "./engine.ts";
import type { HandshakeMessage } from "./handshake-input.ts";
import type { HandshakeState } from "./handshake-state.ts";
import { handshakeByNumber, type HandshakeType } from "./handshake-type.ts";
import type { FinishedVerified, PeerProof } from "./proofs.ts";
import type { Traffic } from "./traffic.ts";

/** What a handshake waits for: a message in a state, or an answer. */
export type Suspension = HandshakeState | "answer";

/** A handshake, or a part of one. */
export type Handshake<Result> = Generator<Suspension, Result, void>;

/** What a finished handshake hands over. Without both proofs there is no traffic. */
export interface Established {
  readonly info: ConnectionInfo;
  readonly finished: FinishedVerified;
  readonly peer: PeerProof;
  readonly traffic: Traffic;
}

/** A handshake message and its name. */
export type NamedMessage = HandshakeMessage & { readonly name: HandshakeType };

export class HandshakeRun {
  #handshake: Handshake<Established> | undefined;
  #suspension: Suspension = "answer";
  #incoming: HandshakeMessage | undefined;

  /** Takes the handshake to run; `resume` starts it. */
  begin(handshake: Handshake<Established>): void {
    this.#handshake = handshake;
  }

  /** Whether there is a handshake that is not done. */
  get isRunning(): boolean {
    return this.#handshake !== undefined;
  }

  /** The state that a message is awaited in; undefined while an answer is awaited, and when the handshake is over. */
  get state(): HandshakeState | undefined {
    return this.#handshake === undefined || this.#suspension === "answer" ? undefined : this.#suspension;
  }

  get awaitsAnswer(): boolean {
    return this.#handshake !== undefined && this.#suspension === "answer";
  }

  /**
   * Goes on until the handshake waits again, or is done. `message` is what it waited for, if it was a message. Returns what a
   * handshake that is done hands over; throws what it throws.
   */
  resume(message?: HandshakeMessage): Established | undefined {
    const handshake = this.#handshake;
    if (handshake === undefined) return undefined;
    this.#incoming = message;
    const result = handshake.next();
    if (result.done === true) {
      this.#handshake = undefined;
      return result.value;
    }
    this.#suspension = result.value;
    return undefined;
  }

  /** Waits for a message in a state. */
  *receiveMessage(state: HandshakeState): Handshake<NamedMessage> {
    yield state;
    const message = this.#incoming;
    this.#incoming = undefined;
    const name = message && handshakeByNumber(message.type);
    if (message === undefined || name === undefined) throw new RangeError(`${state} was resumed without a message`);
    return { ...message, name };
  }

  /** Gives the handshake up. */
  end(): void {
    this.#handshake = undefined;
    this.#incoming = undefined;
  }
}
