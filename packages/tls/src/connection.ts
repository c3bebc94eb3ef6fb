/**
 * One connection: what comes moves the handshake, and events come out.
 *
 * `incoming.ts` says what the peer's records mean, `handshake-run.ts` runs the handshake that waits for them, `outgoing.ts`
 * sends. This class puts the three together: it opens a connection on proofs only, and turns whatever is thrown into one
 * alert and one `failed` event.
 */

import type { CryptoProvider } from "@latchkey/crypto";
import { type AlertName, alertLevel } from "./alert.ts";
import type { CipherSuite } from "./cipher-suite.ts";
import type { Settings } from "./config.ts";
import { ContentType } from "./content-type.ts";
import type { ConnectionInfo, TlsEngine, TlsEvent, TlsPhase } from "./engine.ts";
import { argument, decodeError, internalError, TlsError } from "./errors.ts";
import { type HandshakeMessage, messageOf } from "./handshake-input.ts";
import { type Established, type Handshake, HandshakeRun, type NamedMessage } from "./handshake-run.ts";
import type { HandshakeState } from "./handshake-state.ts";
import type { HandshakeType } from "./handshake-type.ts";
import { type Incoming, IncomingReader, type Situation } from "./incoming.ts";
import { type KeyLogLabel, keyLogLine } from "./key-log.ts";
import { Outgoing, type OutgoingHooks } from "./outgoing.ts";
import { checkExport } from "./exporter-arguments.ts";
import { FinishedVerified, PeerSignatureVerified } from "./proofs.ts";
import { RecordLayer } from "./record-layer.ts";
import { recordProtection, type TrafficKeys } from "./record-protection.ts";
import { addTraced, traceMessage } from "./trace-message.ts";
import type { Traffic } from "./traffic.ts";
import type { TraceEvent } from "./trace-event.ts";
import { Transcript } from "./transcript.ts";

export class Connection implements TlsEngine, Situation {
  readonly role: "client" | "server";
  readonly settings: Settings;
  readonly provider: CryptoProvider;
  readonly #records: RecordLayer;
  readonly #incoming: IncomingReader;
  readonly #outgoing: Outgoing;
  readonly #handshake: HandshakeRun = new HandshakeRun();
  readonly #events: TlsEvent[] = [];
  #transcript: Transcript | undefined;
  #traffic: Traffic | undefined;
  #phase: TlsPhase = "handshake";
  #info: ConnectionInfo | undefined;
  #error: TlsError | undefined;
  /** Set once it is known: alerts and change_cipher_spec mean different things. */
  version: "TLSv1.2" | "TLSv1.3" | undefined;
  dropsChangeCipherSpec: boolean = false;

  constructor(role: "client" | "server", settings: Settings, hooks: OutgoingHooks) {
    this.role = role;
    this.settings = settings;
    this.provider = settings.provider;
    this.#records = new RecordLayer(settings);
    this.#incoming = new IncomingReader(settings, this.#records);
    this.#outgoing = new Outgoing(role, settings, this.#records, hooks);
    this.#transcript = new Transcript(settings.provider);
  }

  /** Starts the handshake. */
  begin(handshake: Handshake<Established>): void {
    this.#handshake.begin(handshake);
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
    this.#records.input.append(bytes);
    this.#attempt(() => this.#run());
    this.#records.input.keep();
    const { waitingInputOctets } = this.settings.limits;
    if (this.#isReading() && this.#handshake.awaitsAnswer && this.#records.input.waitingOctets > waitingInputOctets) {
      this.#fail(
        new TlsError("ERR_TLS_LIMIT", "More came than is kept while an answer is awaited", {
          alert: "internal_error",
          found: `${this.#records.input.waitingOctets} octets`,
          allowed: `${waitingInputOctets}`,
          limit: "waitingInputOctets",
        }),
      );
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
      if (traffic.owesKeyUpdate) this.#attempt(() => traffic.updateKeys(false));
      if (this.#phase !== "open" && this.#phase !== "peerClosed") break;
      // Not more at once than the key allows.
      const room = traffic.recordsLeft * recordOctets;
      const piece = data.subarray(taken, Math.min(data.length, taken + room, taken + limits.outputOctets));
      this.#records.output.write(ContentType.applicationData, piece, this.#records.write, recordOctets, paddingTo);
      taken += piece.length;
      this.#attempt(() => traffic.afterSending());
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
    if (this.#traffic === undefined || this.#phase === "closed" || this.#phase === "failed") {
      throw argument(`Keys are exported between handshakeDone and the end, not in phase ${this.#phase}`);
    }
    checkExport(length, label, context, this.version);
    return this.#traffic.exportKeyingMaterial(length, label, context);
  }

  forgetPeerCertificates(): void {
    if (this.#info !== undefined) this.#info = { ...this.#info, peerCertificates: [] };
  }

  // What reading depends on.

  get isOpen(): boolean {
    return this.#traffic !== undefined;
  }

  get state(): HandshakeState {
    const { state } = this.#handshake;
    if (state !== undefined) return state;
    if (this.#info?.version === "TLSv1.2") return this.role === "client" ? "clientOpen12" : "serverOpen12";
    return this.role === "client" ? "clientOpen" : "serverOpen";
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

  /** Waits for one of the messages that the state allows. The transcript does not have it until `accept`. */
  receiveMessage(state: HandshakeState): Handshake<NamedMessage> {
    return this.#handshake.receiveMessage(state);
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
        // The generator waits until the answer is there, also when a trace callback gives it.
        this.#attempt(() => this.#continue());
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

  /** Sends a handshake message, together with those that follow. Throws where the peer did not wait for it. */
  sendMessage(name: HandshakeType, body: Uint8Array): void {
    this.#incoming.expectBetweenMessages("the end of a flight");
    for (const one of this.#outgoing.queue(name, body).counted) this.#addToTranscript(messageOf(one), true);
  }

  /** Sends a message that is not part of the handshake's transcript. */
  sendPostHandshake(name: HandshakeType, body: Uint8Array): void {
    // A callback may have ended the connection meanwhile.
    if (this.#phase === "failed" || this.#phase === "closed") return;
    const { encoding } = this.#outgoing.queue(name, body);
    if (this.isTraced) this.#traceMessage(messageOf(encoding), true, undefined);
    this.#outgoing.flush();
  }

  sendChangeCipherSpec(): void {
    this.#outgoing.changeCipherSpec();
  }

  sendAlert(level: number, name: AlertName): void {
    this.#outgoing.alert(level, name);
  }

  /** Protects what is sent from here on. */
  setWriteKeys(suite: CipherSuite, keys: TrafficKeys, epoch: string): void {
    this.#outgoing.flush();
    this.#records.setWrite(recordProtection(this.provider, suite, keys));
    this.trace({ step: "keys", by: this.role, isOurs: true, epoch, suite: suite.name });
  }

  /** Expects what comes from here on to be protected. Throws where a message straddles the change. */
  setReadKeys(suite: CipherSuite, keys: TrafficKeys, epoch: string): void {
    this.#incoming.expectBetweenMessages("a change of keys");
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

  // The machine.

  #isReading(): boolean {
    return this.#phase === "handshake" || this.#phase === "open" || this.#phase === "closing";
  }

  /** Runs, and turns what is thrown into the end of the connection. */
  #attempt(act: () => void): void {
    if (this.#phase === "failed" || this.#phase === "closed") return;
    try {
      act();
      this.#outgoing.flush();
    } catch (cause) {
      this.#fail(cause instanceof TlsError ? cause : internalError(cause));
    }
  }

  /** After an answer: goes on with the handshake, then with what came meanwhile. */
  #continue(): void {
    this.#resume();
    this.#run();
  }

  /** Runs the handshake until it waits, or is done. */
  #resume(message?: HandshakeMessage): void {
    const before = this.#handshake.state;
    const established = this.#handshake.resume(message);
    if (established === undefined) {
      if (this.isTraced) this.#traceState(before);
    } else if (this.#phase === "handshake") {
      this.#open(established);
    } else {
      // A callback of this side has ended the connection meanwhile.
      established.traffic.erase();
    }
  }

  #open({ info, finished, peer, traffic }: Established): void {
    const isProven =
      FinishedVerified.isProof(finished) && (typeof peer === "string" || PeerSignatureVerified.isProof(peer));
    if (!isProven) throw new RangeError("the handshake ended without proofs");
    this.#transcript = undefined;
    this.#traffic = traffic;
    // A client's sessions keep the chain as it came: what a caller does to these octets must not reach them.
    const peerCertificates = info.peerCertificates.map((der) => der.slice());
    this.#info = { ...info, peerCertificates };
    this.#phase = "open";
    this.dropsChangeCipherSpec = false;
    this.emit({ type: "handshakeDone", info: this.#info });
    this.trace({
      step: "established",
      version: info.version,
      suite: info.cipherSuite,
      group: info.group ?? "none",
      isResumption: info.isResumption,
      serverName: info.serverName,
      alpnProtocol: info.alpnProtocol,
    });
  }

  /** Takes what came until nothing is left, or an answer is awaited. */
  #run(): void {
    while (this.#isReading() && !this.#handshake.awaitsAnswer) {
      const incoming = this.#incoming.next(this);
      if (incoming === undefined) return;
      this.#take(incoming);
    }
  }

  #take(incoming: Incoming): void {
    switch (incoming.type) {
      case "message":
        this.#takeMessage(incoming.message);
        break;
      case "data":
        this.#takeData(incoming);
        break;
      case "changeCipherSpec":
        this.#resume();
        break;
      case "closeNotify":
        this.#peerCloses();
        break;
      default: {
        const { alert } = incoming;
        const what = "The peer ended the connection by an alert";
        this.#failed(new TlsError("ERR_TLS_ALERT_RECEIVED", what, { alertReceived: alert, found: alert }));
      }
    }
  }

  #takeMessage(message: NamedMessage): void {
    const { floods } = this.#incoming;
    if (!this.#handshake.isRunning) {
      // Tickets have a limit of their own.
      if (message.name !== "new_session_ticket") floods.countUseless();
      if (this.isTraced) this.#traceMessage(message, false, undefined);
      this.#traffic?.receive(message.name, message.body);
      return;
    }
    if (message.name === "hello_request") {
      // RFC 5246 §7.4.1.1: ignored during a handshake.
      if (message.body.length > 0) throw decodeError("HelloRequest is not empty", "RFC 5246 §7.4.1.1");
      floods.countUseless();
      return;
    }
    floods.useful();
    this.#resume(message);
  }

  #takeData(incoming: Extract<Incoming, { readonly type: "data" }>): void {
    const traffic = this.#traffic;
    if (traffic === undefined) return;
    if (incoming.data.length > 0) {
      traffic.keyUpdates = 0;
      // After close_notify nothing is to be said, but the peer may still be speaking.
      this.emit(incoming);
    }
    traffic.afterReceiving();
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
    if (this.version === "TLSv1.2") this.close();
  }

  /** Ends the connection by a fatal alert, which is in the output before the event. */
  #fail(error: TlsError): void {
    if (this.#phase === "failed" || this.#phase === "closed") return;
    // What was not sent of a flight is not sent any more.
    this.#outgoing.drop();
    try {
      if (error.alertSent !== undefined) this.sendAlert(alertLevel.fatal, error.alertSent);
    } finally {
      // Also where the callback for the trace throws.
      this.#failed(error);
    }
  }

  #failed(error: TlsError): void {
    this.#error = error;
    this.#end("failed");
    this.emit({ type: "failed", error });
  }

  #end(phase: "closed" | "failed"): void {
    this.#phase = phase;
    // Questions that nobody needs to answer any more.
    const questions = this.#events.filter(({ type }) => type === "need");
    for (const question of questions) this.#events.splice(this.#events.indexOf(question), 1);
    this.#handshake.end();
    this.#transcript = undefined;
    this.#traffic?.erase();
    this.#records.input.clear();
  }

  #addToTranscript(message: HandshakeMessage, isOurs: boolean): void {
    if (this.isTraced) this.#traceMessage(message, isOurs, addTraced(this.transcript, message));
    else this.transcript.add(message.encoding);
  }

  #traceMessage(message: HandshakeMessage, isOurs: boolean, transcript: ReturnType<typeof addTraced>): void {
    const isEncrypted = (isOurs ? this.#records.write : this.#records.read) !== undefined;
    const origin = { by: isOurs ? this.role : this.peerRole, isOurs, isEncrypted };
    traceMessage(this.settings, message, origin, this.version, transcript);
  }

  #traceState(before: HandshakeState | undefined): void {
    const { state } = this.#handshake;
    if (state !== before) this.trace({ step: "state", state: state ?? "answer" });
  }
}
