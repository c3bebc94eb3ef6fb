/**
 * Acknowledgements to a client, in the order of what they acknowledge (MQTT-4.6.0-2, -3), each held until what it promises is
 * committed.
 */

import { LazySet } from "../lazy-set.ts";

/** One that is held. */
interface Held {
  readonly bytes: Uint8Array;
  /** Position in the store that has to be committed; 0 for none. */
  readonly sequence: number;
  /** Packet identifier of the client's PUBLISH that is completed by it; 0 for none. */
  readonly completes: number;
}

/** What the acknowledgements of one connection need. */
export interface AcknowledgementsContext {
  /** Position in the store up to which everything is committed. */
  readonly committed: number;
  write(bytes: Uint8Array): void;
  /** Something is held until the store has committed. */
  waitForStore(): void;
}

/** The acknowledgements of one connection. */
export class Acknowledgements {
  readonly #context: AcknowledgementsContext;
  #held: Held[] = [];
  /** Identifiers of QoS 1 and 2 messages of this connection that are not completed (MQTT-3.3.4-7). */
  readonly #open = new LazySet<number>();

  constructor(context: AcknowledgementsContext) {
    this.#context = context;
  }

  /** Messages of the client that are not completed. */
  get openMessages(): number {
    return this.#open.size;
  }

  /** Acknowledgements that wait for the store. */
  get held(): number {
    return this.#held.length;
  }

  /** A PUBLISH came; true where it takes a slot of the Receive Maximum, false for a repeat. */
  open(packetIdentifier: number): boolean {
    if (this.#open.has(packetIdentifier)) return false;
    this.#open.add(packetIdentifier);
    return true;
  }

  /** Sends an acknowledgement as soon as `sequence` is committed and all before it are sent. */
  send(bytes: Uint8Array, sequence: number, completes: number): void {
    if (this.#held.length === 0 && sequence <= this.#context.committed) {
      if (completes > 0) this.#open.delete(completes);
      this.#context.write(bytes);
    } else {
      this.#held.push({ bytes, sequence, completes });
      this.#context.waitForStore();
    }
  }

  /** Something was committed: sends what waited for it. */
  release(): void {
    const committed = this.#context.committed;
    let count = 0;
    for (const { bytes, sequence, completes } of this.#held) {
      if (sequence > committed) break;
      if (completes > 0) this.#open.delete(completes);
      this.#context.write(bytes);
      count += 1;
    }
    if (count > 0) this.#held = this.#held.slice(count);
    if (this.#held.length > 0) this.#context.waitForStore();
  }
}
