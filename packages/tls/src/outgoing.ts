/** What goes out besides data: flights of handshake messages, change_cipher_spec, alerts (RFC 8446 §4, §5, §6). */

import { type AlertName, alertLevel, alertNumber } from "./alert.ts";
import { concatenate } from "./concatenate.ts";
import type { Settings } from "./config.ts";
import { ContentType } from "./content-type.ts";
import { encodeHandshake } from "./handshake-input.ts";
import type { HandshakeType } from "./handshake-type.ts";
import type { RecordLayer } from "./record-layer.ts";

/** For tests that play a hostile peer: what is sent in place of a handshake message, before it is protected. */
export interface OutgoingHooks {
  /** The messages to send instead, perhaps none. `transcript` is what counts as sent; default what is sent. */
  readonly message?: (name: HandshakeType, encoding: Uint8Array) => readonly Uint8Array[];
  /** Whether the transcript gets what was sent instead. Default true. */
  readonly editsTranscript?: boolean;
}

/** One for all connections. */
export const noHooks: OutgoingHooks = {};

/** A message that was put into a flight. */
interface QueuedMessage {
  readonly encoding: Uint8Array;
  /** The messages that count for the transcript: the one itself, but for hooks. */
  readonly counted: readonly Uint8Array[];
}

export class Outgoing {
  readonly #role: "client" | "server";
  readonly #settings: Settings;
  readonly #records: RecordLayer;
  readonly #hooks: OutgoingHooks;
  /** Handshake messages that go out together in as few records as they fit in. */
  #flight: Uint8Array[] = [];
  #hasSent = false;

  constructor(role: "client" | "server", settings: Settings, records: RecordLayer, hooks: OutgoingHooks) {
    this.#role = role;
    this.#settings = settings;
    this.#records = records;
    this.#hooks = hooks;
  }

  /** Puts a message into the flight that `flush` sends. */
  queue(name: HandshakeType, body: Uint8Array): QueuedMessage {
    const encoding = encodeHandshake(name, body);
    const sent = this.#hooks.message?.(name, encoding) ?? [encoding];
    this.#flight.push(...sent);
    return { encoding, counted: this.#hooks.editsTranscript === false ? [encoding] : sent };
  }

  /** Writes the messages that wait. */
  flush(): void {
    const flight = this.#flight;
    const [first] = flight;
    if (first === undefined) return;
    this.#flight = [];
    const whole = flight.length === 1 ? first : concatenate(flight);
    const { output, write } = this.#records;
    if (this.#role === "client" && !this.#hasSent) output.writeFirstHello(whole);
    else output.write(ContentType.handshake, whole, write, this.#settings.recordOctets);
    this.#hasSent = true;
  }

  /** Gives up the messages that wait. */
  drop(): void {
    this.#flight = [];
  }

  changeCipherSpec(): void {
    this.flush();
    this.#records.output.write(ContentType.changeCipherSpec, Uint8Array.of(1), undefined);
    this.#settings.trace?.({ step: "changeCipherSpec", by: this.#role, isOurs: true });
  }

  alert(level: number, name: AlertName): void {
    this.flush();
    this.#records.output.write(ContentType.alert, Uint8Array.of(level, alertNumber(name)), this.#records.write);
    this.#settings.trace?.({
      step: "alert",
      isOurs: true,
      level: level === alertLevel.warning ? "warning" : "fatal",
      description: name,
    });
  }
}
