/**
 * What a peer's records mean: messages, data, alerts, a change of keys (RFC 8446 §5, §6; RFC 5246 §7.1, §7.2).
 *
 * Records that mean nothing are dropped and counted. Everything that the state does not allow is `unexpected_message`. This
 * part reads; what follows from it is `connection.ts`'s to do.
 */

import { alertLevel, alertName } from "./alert.ts";
import type { Settings } from "./config.ts";
import { ContentType, contentTypeName } from "./content-type.ts";
import { illegalParameter, unexpectedMessage } from "./errors.ts";
import { FloodGuard } from "./flood-guard.ts";
import { HandshakeInput } from "./handshake-input.ts";
import { awaited, type Awaited, type HandshakeState } from "./handshake-state.ts";
import type { NamedMessage } from "./handshake-run.ts";
import { handshakeByNumber } from "./handshake-type.ts";
import type { ReceivedRecord, RecordLayer } from "./record-layer.ts";
import { readAlert } from "./record-protection.ts";

/** What came, as far as it means something. */
export type Incoming =
  | { readonly type: "message"; readonly message: NamedMessage }
  /** Empty data is there because it was protected: it counts for the key. */
  | { readonly type: "data"; readonly data: Uint8Array }
  /** The change_cipher_spec that TLS 1.2 waits for. */
  | { readonly type: "changeCipherSpec" }
  | { readonly type: "closeNotify" }
  /** The peer ended the connection. */
  | { readonly type: "fatalAlert"; readonly alert: string };

/** What decides how a record is read. */
export interface Situation {
  readonly state: HandshakeState;
  readonly version: "TLSv1.2" | "TLSv1.3" | undefined;
  readonly isOpen: boolean;
  /** TLS 1.3, from the first hello to the peer's Finished: change_cipher_spec in clear is dropped (RFC 8446 §5). */
  readonly dropsChangeCipherSpec: boolean;
}

export class IncomingReader {
  readonly floods: FloodGuard;
  readonly #settings: Settings;
  readonly #records: RecordLayer;
  readonly #messages: HandshakeInput;

  constructor(settings: Settings, records: RecordLayer) {
    this.floods = new FloodGuard(settings.limits);
    this.#settings = settings;
    this.#records = records;
    this.#messages = new HandshakeInput(settings.limits);
  }

  /**
   * Throws where the record of the last message goes on with another one, whole or not. RFC 8446 §5.1: handshake messages MUST
   * NOT span key changes. Nor does a peer say more before our flight came that it waits for, which the standards imply:
   * BoringSSL and rustls refuse it, too.
   */
  expectBetweenMessages(where: string): void {
    if (!this.#messages.isEmpty)
      throw unexpectedMessage(`A message goes on behind ${where}`, { clause: "RFC 8446 §5.1" });
  }

  /** The next thing that means something, or undefined where more octets are needed. Throws what is wrong with it. */
  next(situation: Situation): Incoming | undefined {
    for (;;) {
      const message = this.#messages.next();
      if (message !== undefined) {
        const name = handshakeByNumber(message.type);
        expect(situation.state, name);
        if (name !== undefined) return { type: "message", message: { ...message, name } };
      }
      const record = this.#records.next();
      if (record === undefined) return undefined;
      const incoming = this.#read(record, situation);
      if (incoming !== undefined) return incoming;
    }
  }

  #read(record: ReceivedRecord, situation: Situation): Incoming | undefined {
    const { type, content } = record;
    if (type === ContentType.alert) return this.#readAlert(content, situation.version);
    // RFC 8446 §5.1: no other records between the fragments of a handshake message.
    if (type !== ContentType.handshake && !this.#messages.isEmpty) {
      throw unexpectedMessage("A record between the parts of a handshake message", {
        found: contentTypeName(type),
        clause: "RFC 8446 §5.1",
      });
    }
    this.floods.noAlert();
    switch (type) {
      case ContentType.handshake:
        // RFC 8446 §5.1: no zero-length fragments of handshake messages.
        if (content.length === 0) throw unexpectedMessage("An empty handshake record", { clause: "RFC 8446 §5.1" });
        this.#messages.append(record.isProtected ? content : content.slice());
        return undefined;
      case ContentType.applicationData:
        return this.#readData(content, situation);
      case ContentType.changeCipherSpec:
        return this.#readChangeCipherSpec(record, situation);
      default:
        throw unexpectedMessage("A record of unknown type", { found: contentTypeName(type), clause: "RFC 8446 §5" });
    }
  }

  #readData(data: Uint8Array, { isOpen, state }: Situation): Incoming {
    if (!isOpen) {
      throw unexpectedMessage("Application data before the handshake is done", {
        found: "application_data",
        allowed: awaited(state).join(", "),
        clause: "RFC 8446 §2",
      });
    }
    if (data.length === 0) this.floods.countUseless();
    else this.floods.useful();
    return { type: "data", data };
  }

  #readChangeCipherSpec({ content, isProtected }: ReceivedRecord, situation: Situation): Incoming | undefined {
    const isAwaited = awaited(situation.state).includes("change_cipher_spec");
    const isDropped = situation.dropsChangeCipherSpec && !isProtected;
    if (!isDropped) expect(situation.state, "change_cipher_spec");
    // RFC 8446 §5, RFC 5246 §7.1: exactly one octet with the value 1.
    if (content.length !== 1 || content[0] !== 1) {
      throw unexpectedMessage("change_cipher_spec is not the one octet 1", { clause: "RFC 8446 §5" });
    }
    if (isAwaited) return { type: "changeCipherSpec" };
    this.floods.countChangeCipherSpec();
    return undefined;
  }

  #readAlert(content: Uint8Array, version: Situation["version"]): Incoming | undefined {
    const { level, description } = readAlert(content);
    const alert = alertName(description);
    this.#settings.trace?.({
      step: "alert",
      isOurs: false,
      level: level === alertLevel.warning ? "warning" : "fatal",
      description: alert,
    });
    if (level !== alertLevel.warning && level !== alertLevel.fatal) {
      throw illegalParameter("An alert has an unknown level", "RFC 8446 §6", { found: `${level}`, allowed: "1 or 2" });
    }
    if (alert === "close_notify") return { type: "closeNotify" };
    // RFC 8446 §6: in TLS 1.3 all but close_notify and user_canceled are fatal, whatever their level says.
    const isWarning = version === "TLSv1.3" ? alert === "user_canceled" : level === alertLevel.warning;
    if (!isWarning) return { type: "fatalAlert", alert };
    this.floods.countWarning();
    return undefined;
  }
}

/** Holds what came to the table of `handshake-state.ts`. Throws `ERR_TLS_UNEXPECTED_MESSAGE`. */
function expect(state: HandshakeState, found: Awaited | undefined): void {
  const allowed: readonly (Awaited | undefined)[] = awaited(state);
  if (allowed.includes(found)) return;
  throw unexpectedMessage(`A message that ${state} does not allow`, {
    found: found ?? "an unknown message",
    allowed: awaited(state).join(", "),
    clause: "RFC 8446 §4",
  });
}
