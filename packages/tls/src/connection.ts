/**
 * One connection: records become messages, messages move the handshake, events come out.
 *
 * The four handshakes (`client-tls13.ts` and its siblings) are generators that read like the standards: they wait for a
 * message in a state, or for an answer, and end with proofs. This class runs them, holds every message to the table of
 * `handshake-state.ts`, and turns whatever they throw into one alert and one `failed` event.
 */

import type { CryptoProvider } from "@latchkey/crypto";
import { type AlertName, alertLevel, alertName, alertNumber } from "./alert.ts";
import type { CipherSuite } from "./cipher-suite.ts";
import type { Settings } from "./config.ts";
import { ContentType, contentTypeName } from "./content-type.ts";
import { describeMessage } from "./describe-message.ts";
import type { ConnectionInfo, TlsEngine, TlsEvent, TlsPhase } from "./engine.ts";
import { argument, illegalParameter, TlsError, unexpectedMessage } from "./errors.ts";
import { encodeHandshake, HandshakeInput, type HandshakeMessage, messageOf } from "./handshake-input.ts";
import { awaited, type Awaited, type HandshakeState } from "./handshake-state.ts";
import { handshakeByNumber, type HandshakeType } from "./handshake-type.ts";
import { hexOf, type KeyLogLabel, keyLogLine } from "./key-log.ts";
import { FinishedVerified, type PeerProof, PeerSignatureVerified } from "./proofs.ts";
import { RecordLayer, type ReceivedRecord } from "./record-layer.ts";
import { readAlert, recordProtection, type TrafficKeys } from "./record-protection.ts";
import type { Traffic } from "./traffic.ts";
import type { TraceEvent } from "./trace-event.ts";
import { Transcript } from "./transcript.ts";

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

/** For tests that play a hostile peer: what is sent in place of a handshake message, before it is protected. */
export interface OutgoingHooks {
  /** The messages to send instead, perhaps none. `transcript` is what counts as sent; default what is sent. */
  readonly message?: (name: HandshakeType, encoding: Uint8Array) => readonly Uint8Array[];
  /** Whether the transcript gets what was sent instead. Default true. */
  readonly editsTranscript?: boolean;
}

// oxlint-disable max-lines -- one state machine: its parts share the phase, the flight and the records
export class Connection implements TlsEngine {
  readonly role: "client" | "server";
  readonly settings: Settings;
  readonly provider: CryptoProvider;
  readonly #records: RecordLayer;
  readonly #handshakeInput: HandshakeInput;
  readonly #events: TlsEvent[] = [];
  readonly #hooks: OutgoingHooks;
  /** Handshake messages that go out together in as few records as they fit in. */
  #flight: Uint8Array[] = [];
  #handshake: Handshake<Established> | undefined;
  #suspension: Suspension = "answer";
  #incoming: HandshakeMessage | undefined;
  #transcript: Transcript | undefined;
  #traffic: Traffic | undefined;
  #phase: TlsPhase = "handshake";
  #info: ConnectionInfo | undefined;
  #error: TlsError | undefined;
  #isRunning = false;
  #hasSent = false;
  #useless = 0;
  #warnings = 0;
  #droppedChangeCipherSpecs = 0;
  #version: "TLSv1.2" | "TLSv1.3" | undefined;
  /** TLS 1.3, from the first hello to the peer's Finished: change_cipher_spec in clear is dropped (RFC 8446 §5). */
  dropsChangeCipherSpec: boolean = false;

  constructor(role: "client" | "server", settings: Settings, hooks: OutgoingHooks = {}) {
    this.role = role;
    this.settings = settings;
    this.provider = settings.provider;
    this.#hooks = hooks;
    this.#records = new RecordLayer(settings.limits);
    this.#handshakeInput = new HandshakeInput(settings.limits);
    this.#transcript = new Transcript(settings.provider);
  }

  /** Starts the handshake. */
  begin(handshake: Handshake<Established>): void {
    this.#handshake = handshake;
    this.#attempt(() => this.#resume());
  }

  // What users call.

  get phase(): TlsPhase {
    return this.#phase;
  }

  get info(): ConnectionInfo | undefined {
    return this.#info;
  }

  get error(): TlsError | undefined {
    return this.#error;
  }

  get outputOctets(): number {
    return this.#records.output.length;
  }

  receive(bytes: Uint8Array): void {
    if (!this.#isReading()) return;
    this.#records.input.append(plainArray(bytes));
    this.#attempt(() => this.#run());
    this.#records.input.keep();
    const { waitingInputOctets } = this.settings.limits;
    if (this.#isReading() && this.#isWaiting() && this.#records.input.waitingOctets > waitingInputOctets) {
      const error = new TlsError("ERR_TLS_LIMIT", "More came than is kept while an answer is awaited", {
        alert: "internal_error",
        found: `${this.#records.input.waitingOctets} octets`,
        allowed: `${waitingInputOctets}`,
        limit: "waitingInputOctets",
      });
      this.#fail(error);
    }
  }

  receiveEnd(): void {
    if (!this.#isReading()) return;
    const where = this.#phase === "handshake" ? "in the handshake" : "without close_notify";
    // RFC 8446 §6.1: data may be cut off here. The transport is gone, so there is nobody to alert.
    this.#fail(new TlsError("ERR_TLS_TRUNCATED", `The transport ended ${where}`, { clause: "RFC 8446 §6.1" }));
  }

  next(): TlsEvent | undefined {
    return this.#events.shift();
  }

  takeOutput(): Uint8Array | undefined {
    return this.#records.output.take();
  }

  send(data: Uint8Array): number {
    const traffic = this.#traffic;
    if (traffic === undefined || (this.#phase !== "open" && this.#phase !== "peerClosed")) {
      throw argument(`Data is sent between handshakeDone and close, not in phase ${this.#phase}`);
    }
    const { limits, recordOctets, paddingTo } = this.settings;
    let taken = 0;
    while (taken < data.length && this.outputOctets < limits.outputOctets) {
      // Not more at once than the key allows.
      const room = traffic.recordsLeft * recordOctets;
      const piece = data.subarray(taken, Math.min(data.length, taken + room, taken + limits.outputOctets));
      this.#records.output.write(ContentType.applicationData, piece, this.#records.write, recordOctets, paddingTo);
      taken += piece.length;
      this.#attempt(() => traffic.afterSending());
      if (this.#phase !== "open" && this.#phase !== "peerClosed") break;
    }
    return taken;
  }

  close(): void {
    switch (this.#phase) {
      case "handshake":
        // RFC 8446 §6.1: user_canceled says why, close_notify ends it.
        this.sendAlert(alertLevel.warning, "user_canceled");
        this.sendAlert(alertLevel.warning, "close_notify");
        this.#end("closed");
        break;
      case "open":
        this.sendAlert(alertLevel.warning, "close_notify");
        this.#phase = "closing";
        break;
      case "peerClosed":
        this.sendAlert(alertLevel.warning, "close_notify");
        this.#end("closed");
        break;
      default:
    }
  }

  abort(alert: AlertName = this.#phase === "handshake" ? "handshake_failure" : "internal_error"): void {
    if (this.#phase === "closed" || this.#phase === "failed") return;
    this.#fail(new TlsError("ERR_TLS_ABORTED", "This side ended the connection", { alert }));
  }

  updateKeys(requestsPeer: boolean = false): void {
    const traffic = this.#traffic;
    if (traffic === undefined || (this.#phase !== "open" && this.#phase !== "peerClosed")) {
      throw argument("Keys are updated after handshakeDone and before close");
    }
    this.#attempt(() => traffic.updateKeys(requestsPeer));
  }

  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Uint8Array {
    if (this.#traffic === undefined) throw argument("Keys are exported after handshakeDone");
    if (!Number.isInteger(length) || length < 1 || length > 8160) throw argument("1 to 8160 octets can be exported");
    for (let index = 0; index < label.length; index++) {
      if (label.charCodeAt(index) > 0x7f) throw argument("A label is ASCII");
    }
    if (label.length === 0 || label.length > 249) throw argument("A label has 1 to 249 characters");
    if ((context?.length ?? 0) > 0xffff) throw argument("A context has at most 65,535 octets");
    return this.#traffic.exportKeyingMaterial(length, label, context);
  }

  // What the handshakes call.

  get transcript(): Transcript {
    if (this.#transcript === undefined) throw new RangeError("the handshake is over");
    return this.#transcript;
  }

  /** Whether there is a `trace` callback. Ask before you prepare what only a trace needs. */
  get isTraced(): boolean {
    return this.settings.trace !== undefined;
  }

  trace(event: TraceEvent): void {
    this.settings.trace?.(event);
  }

  logKey(label: KeyLogLabel, clientRandom: Uint8Array, secret: Uint8Array): void {
    this.settings.keyLog?.(keyLogLine(label, clientRandom, secret));
  }

  /** Names the version, once it is known: alerts and change_cipher_spec mean different things. */
  set version(version: "TLSv1.2" | "TLSv1.3") {
    this.#version = version;
  }

  /** Waits for one of the messages that the state allows. The transcript does not have it until `accept`. */
  *receiveMessage(state: HandshakeState): Handshake<HandshakeMessage & { readonly name: HandshakeType }> {
    yield state;
    const message = this.#incoming;
    this.#incoming = undefined;
    const name = message && handshakeByNumber(message.type);
    if (message === undefined || name === undefined) throw new RangeError(`${state} was resumed without a message`);
    return { ...message, name };
  }

  /** Waits for change_cipher_spec of TLS 1.2. */
  *receiveChangeCipherSpec(state: "clientWaitChangeCipherSpec" | "serverWaitChangeCipherSpec"): Handshake<void> {
    yield state;
    this.trace({ step: "changeCipherSpec", by: this.peerRole, isOurs: false });
  }

  /** Asks by an event, and waits for the answer. */
  *ask<Answer>(event: (answer: (value: Answer) => void) => TlsEvent): Handshake<Answer> {
    const given: Answer[] = [];
    this.#events.push(
      event((value) => {
        if (given.length > 0) return;
        given.push(value);
        // Within the same call the generator is still running, and goes on by itself.
        if (!this.#isRunning) this.#attempt(() => this.#continue());
      }),
    );
    // Going on for another reason is no answer.
    for (;;) {
      yield "answer";
      for (const value of given) return value;
    }
  }

  /** Puts a message that came into the transcript. */
  accept(message: HandshakeMessage): void {
    this.#addToTranscript(message, false);
  }

  /** Sends a handshake message, together with those that follow. */
  sendMessage(name: HandshakeType, body: Uint8Array): HandshakeMessage {
    const encoding = encodeHandshake(name, body);
    const sent = this.#hooks.message?.(name, encoding) ?? [encoding];
    for (const one of this.#hooks.editsTranscript === false ? [encoding] : sent) {
      this.#addToTranscript(messageOf(one), true);
    }
    this.#flight.push(...sent);
    return messageOf(encoding);
  }

  /** Sends a message that is not part of the handshake's transcript. */
  sendPostHandshake(name: HandshakeType, body: Uint8Array): void {
    const encoding = encodeHandshake(name, body);
    this.#flight.push(...(this.#hooks.message?.(name, encoding) ?? [encoding]));
    if (this.isTraced) this.#traceMessage(messageOf(encoding), true, undefined);
    this.flush();
  }

  sendChangeCipherSpec(): void {
    this.flush();
    this.#records.output.write(ContentType.changeCipherSpec, Uint8Array.of(1), undefined);
    this.trace({ step: "changeCipherSpec", by: this.role, isOurs: true });
  }

  /** Protects what is sent from here on. */
  setWriteKeys(suite: CipherSuite, keys: TrafficKeys, epoch: string): void {
    this.flush();
    this.#records.setWrite(recordProtection(this.provider, suite, keys));
    this.trace({ step: "keys", by: this.role, isOurs: true, epoch, suite: suite.name });
  }

  /** Expects what comes from here on to be protected. Throws where a message straddles the change. */
  setReadKeys(suite: CipherSuite, keys: TrafficKeys, epoch: string): void {
    // RFC 8446 §5.1: handshake messages MUST NOT span key changes.
    if (!this.#handshakeInput.isEmpty) {
      throw unexpectedMessage("A message goes on behind a change of keys", { clause: "RFC 8446 §5.1" });
    }
    this.#records.setRead(recordProtection(this.provider, suite, keys));
    this.trace({ step: "keys", by: this.peerRole, isOurs: false, epoch, suite: suite.name });
  }

  /** Skips the early data that a client offered and this side refuses. */
  skipEarlyData(): void {
    this.#records.skipEarlyData();
  }

  emit(event: TlsEvent): void {
    this.#events.push(event);
  }

  get peerRole(): "client" | "server" {
    return this.role === "client" ? "server" : "client";
  }

  get recordsWritten(): number {
    return this.#records.write?.records ?? 0;
  }

  get recordsRead(): number {
    return this.#records.read?.records ?? 0;
  }

  /** Writes the messages that wait. */
  flush(): void {
    const flight = this.#flight;
    const [first] = flight;
    if (first === undefined) return;
    this.#flight = [];
    const whole = flight.length === 1 ? first : concatenated(flight);
    const { output, write } = this.#records;
    if (this.role === "client" && !this.#hasSent) output.writeFirstHello(whole);
    else output.write(ContentType.handshake, whole, write, this.settings.recordOctets);
    this.#hasSent = true;
  }

  // The machine.

  #isReading(): boolean {
    return this.#phase === "handshake" || this.#phase === "open" || this.#phase === "closing";
  }

  #isWaiting(): boolean {
    return this.#handshake !== undefined && this.#suspension === "answer";
  }

  /** Runs, and turns what is thrown into the end of the connection. */
  #attempt(act: () => void): void {
    if (this.#phase === "failed" || this.#phase === "closed") return;
    this.#isRunning = true;
    try {
      act();
      this.flush();
    } catch (cause) {
      this.#fail(cause instanceof TlsError ? cause : internalError(cause));
    } finally {
      this.#isRunning = false;
    }
  }

  /** After an answer: goes on with the handshake, then with what came meanwhile. */
  #continue(): void {
    this.#resume();
    this.#run();
  }

  /** Runs the handshake until it waits, or is done. */
  #resume(): void {
    const handshake = this.#handshake;
    if (handshake === undefined) return;
    const result = handshake.next();
    if (result.done === true) {
      this.#handshake = undefined;
      this.#open(result.value);
      return;
    }
    if (result.value !== this.#suspension && this.isTraced) this.trace({ step: "state", state: result.value });
    this.#suspension = result.value;
  }

  #open({ info, finished, peer, traffic }: Established): void {
    const isProven =
      FinishedVerified.isProof(finished) && (typeof peer === "string" || PeerSignatureVerified.isProof(peer));
    if (!isProven) throw new RangeError("the handshake ended without proofs");
    this.#transcript = undefined;
    this.#traffic = traffic;
    this.#info = info;
    this.#phase = "open";
    this.dropsChangeCipherSpec = false;
    this.trace({
      step: "established",
      version: info.version,
      suite: info.cipherSuite,
      group: info.group ?? "none",
      isResumption: info.isResumption,
      serverName: info.serverName,
      alpnProtocol: info.alpnProtocol,
    });
    this.emit({ type: "handshakeDone", info });
  }

  /** Takes messages and records until nothing is left, or an answer is awaited. */
  #run(): void {
    while (this.#isReading() && !this.#isWaiting()) {
      const message = this.#handshakeInput.next();
      if (message !== undefined) {
        this.#dispatch(message);
        continue;
      }
      const record = this.#records.next();
      if (record === undefined) return;
      this.#takeRecord(record);
    }
  }

  get #state(): HandshakeState {
    if (this.#handshake !== undefined && this.#suspension !== "answer") return this.#suspension;
    if (this.#info?.version === "TLSv1.2") return this.role === "client" ? "clientOpen12" : "serverOpen12";
    return this.role === "client" ? "clientOpen" : "serverOpen";
  }

  #dispatch(message: HandshakeMessage): void {
    const name = handshakeByNumber(message.type);
    this.#expect(name);
    if (name === "hello_request" && this.#handshake !== undefined) {
      if (message.body.length > 0)
        throw new TlsError("ERR_TLS_DECODE", "HelloRequest is not empty", { alert: "decode_error" });
      this.#countUseless();
      return;
    }
    if (this.#handshake === undefined) {
      this.#countUseless();
      if (this.isTraced) this.#traceMessage(message, false, undefined);
      this.#traffic?.receive(name, message.body);
      return;
    }
    this.#useless = 0;
    this.#incoming = message;
    this.#resume();
  }

  #expect(found: Awaited | undefined): void {
    const state = this.#state;
    const allowed: readonly (Awaited | undefined)[] = awaited(state);
    if (allowed.includes(found)) return;
    throw unexpectedMessage(`A message that ${state} does not allow`, {
      found: found ?? "an unknown message",
      allowed: awaited(state).join(", "),
      clause: "RFC 8446 §4",
    });
  }

  #takeRecord(record: ReceivedRecord): void {
    const { type, content } = record;
    if (type === ContentType.alert) {
      this.#takeAlert(content);
      return;
    }
    // RFC 8446 §5.1: no other records between the fragments of a handshake message.
    if (type !== ContentType.handshake && !this.#handshakeInput.isEmpty) {
      throw unexpectedMessage("A record between the parts of a handshake message", {
        found: contentTypeName(type),
        clause: "RFC 8446 §5.1",
      });
    }
    if (type !== ContentType.alert) this.#warnings = 0;
    switch (type) {
      case ContentType.handshake:
        // RFC 8446 §5.1: no zero-length fragments of handshake messages.
        if (content.length === 0) throw unexpectedMessage("An empty handshake record", { clause: "RFC 8446 §5.1" });
        this.#handshakeInput.append(record.isProtected ? content : content.slice());
        break;
      case ContentType.applicationData:
        this.#takeData(content);
        break;
      case ContentType.changeCipherSpec:
        this.#takeChangeCipherSpec(record);
        break;
      default:
        throw unexpectedMessage("A record of unknown type", { found: contentTypeName(type), clause: "RFC 8446 §5" });
    }
  }

  #takeData(content: Uint8Array): void {
    if (this.#traffic === undefined) {
      throw unexpectedMessage("Application data before the handshake is done", {
        found: "application_data",
        allowed: awaited(this.#state).join(", "),
        clause: "RFC 8446 §2",
      });
    }
    if (content.length === 0) {
      this.#countUseless();
    } else {
      this.#useless = 0;
      this.#traffic.keyUpdates = 0;
      // After close_notify nothing is to be said, but the peer may still be speaking.
      this.emit({ type: "data", data: content });
    }
    this.#traffic.afterReceiving();
  }

  #takeChangeCipherSpec({ content, isProtected }: ReceivedRecord): void {
    const isAwaited = this.#handshake !== undefined && awaited(this.#state).includes("change_cipher_spec");
    const isDropped = !isAwaited && this.dropsChangeCipherSpec && !isProtected;
    if (!isAwaited && !isDropped) this.#expect("change_cipher_spec");
    // RFC 8446 §5, RFC 5246 §7.1: exactly one octet with the value 1.
    if (content.length !== 1 || content[0] !== 1) {
      throw unexpectedMessage("change_cipher_spec is not the one octet 1", { clause: "RFC 8446 §5" });
    }
    if (isAwaited) {
      this.#resume();
      return;
    }
    if (isProtected) throw unexpectedMessage("change_cipher_spec under protection", { clause: "RFC 8446 §5" });
    this.#droppedChangeCipherSpecs++;
    if (this.#droppedChangeCipherSpecs > this.settings.limits.changeCipherSpecs) {
      throw this.#limitReached("changeCipherSpecs", "unexpected_message", "Too many change_cipher_spec records");
    }
    this.#countUseless();
  }

  #takeAlert(content: Uint8Array): void {
    const { level, description } = readAlert(content);
    const name = alertName(description);
    this.trace({
      step: "alert",
      isOurs: false,
      level: level === alertLevel.warning ? "warning" : "fatal",
      description: name,
    });
    if (level !== alertLevel.warning && level !== alertLevel.fatal) {
      throw illegalParameter("An alert has an unknown level", "RFC 8446 §6", { found: `${level}`, allowed: "1 or 2" });
    }
    if (name === "close_notify") {
      this.#peerCloses();
      return;
    }
    // RFC 8446 §6: in TLS 1.3 all but close_notify and user_canceled are fatal, whatever their level says.
    const isWarning = this.#version === "TLSv1.3" ? name === "user_canceled" : level === alertLevel.warning;
    if (!isWarning) {
      this.#failed(
        new TlsError("ERR_TLS_ALERT_RECEIVED", "The peer ended the connection by an alert", {
          alertReceived: name,
          found: name,
        }),
      );
      return;
    }
    this.#warnings++;
    if (this.#warnings > this.settings.limits.warningAlerts) {
      throw this.#limitReached("warningAlerts", "unexpected_message", "Too many warning alerts");
    }
    this.#countUseless();
  }

  #peerCloses(): void {
    if (this.#phase === "handshake") {
      this.#failed(
        new TlsError("ERR_TLS_ALERT_RECEIVED", "The peer closed the connection in the handshake", {
          alertReceived: "close_notify",
        }),
      );
      return;
    }
    this.emit({ type: "peerClosed" });
    if (this.#phase === "closing") {
      this.#end("closed");
      return;
    }
    this.#phase = "peerClosed";
    this.#records.input.clear();
    // RFC 5246 §7.2.1: TLS 1.2 answers at once and gives up what was not sent.
    if (this.#version === "TLSv1.2") this.close();
  }

  #countUseless(): void {
    this.#useless++;
    if (this.#useless > this.settings.limits.uselessRecords) {
      throw this.#limitReached("uselessRecords", "unexpected_message", "Too many records without data");
    }
  }

  #limitReached(
    limit: "changeCipherSpecs" | "warningAlerts" | "uselessRecords",
    alert: AlertName,
    what: string,
  ): TlsError {
    const allowed = this.settings.limits[limit];
    return new TlsError("ERR_TLS_LIMIT", what, { alert, limit, found: `${allowed + 1}`, allowed: `${allowed}` });
  }

  sendAlert(level: number, name: AlertName): void {
    this.flush();
    this.#records.output.write(ContentType.alert, Uint8Array.of(level, alertNumber(name)), this.#records.write);
    this.trace({
      step: "alert",
      isOurs: true,
      level: level === alertLevel.warning ? "warning" : "fatal",
      description: name,
    });
  }

  /** Ends the connection by a fatal alert, which is in the output before the event. */
  #fail(error: TlsError): void {
    if (this.#phase === "failed" || this.#phase === "closed") return;
    // What was not sent of a flight is not sent any more.
    this.#flight = [];
    if (error.alertSent !== undefined) this.sendAlert(alertLevel.fatal, error.alertSent);
    this.#failed(error);
  }

  #failed(error: TlsError): void {
    this.#error = error;
    // Questions that nobody needs to answer any more.
    const questions = this.#events.filter(({ type }) => type === "need");
    for (const question of questions) this.#events.splice(this.#events.indexOf(question), 1);
    this.emit({ type: "failed", error });
    this.#end("failed");
  }

  #end(phase: "closed" | "failed"): void {
    this.#phase = phase;
    this.#handshake = undefined;
    this.#transcript = undefined;
    this.#traffic?.erase();
    this.#records.input.clear();
  }

  #addToTranscript(message: HandshakeMessage, isOurs: boolean): void {
    const transcript = this.transcript;
    if (!this.isTraced) {
      transcript.add(message.encoding);
      return;
    }
    const { algorithm } = transcript;
    const before = algorithm && hexOf(transcript.hash());
    transcript.add(message.encoding);
    const after = algorithm && hexOf(transcript.hash());
    const hashes = algorithm === undefined ? undefined : { hash: algorithm, before: before ?? "", after: after ?? "" };
    this.#traceMessage(message, isOurs, hashes);
  }

  #traceMessage(
    message: HandshakeMessage,
    isOurs: boolean,
    transcript: { readonly hash: string; readonly before: string; readonly after: string } | undefined,
  ): void {
    const name = handshakeByNumber(message.type);
    if (name === undefined) return;
    this.trace({
      step: "message",
      by: isOurs ? this.role : this.peerRole,
      isOurs,
      name,
      octets: message.encoding.length,
      isEncrypted: (isOurs ? this.#records.write : this.#records.read) !== undefined,
      fields: describeMessage(name, message.body, this.#version, this.settings),
      transcript,
    });
  }
}

function internalError(cause: unknown): TlsError {
  return new TlsError("ERR_TLS_INTERNAL", "The engine or its provider failed", { alert: "internal_error", cause });
}

/** The octets as a Uint8Array proper: the `slice` of a Node.js Buffer would not copy. */
function plainArray(octets: Uint8Array): Uint8Array {
  if (octets.constructor === Uint8Array) return octets;
  return new Uint8Array(octets.buffer, octets.byteOffset, octets.length);
}

function concatenated(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}
