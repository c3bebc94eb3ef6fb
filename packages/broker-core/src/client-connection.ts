// oxlint-disable max-lines -- one state machine: its parts share the private state of one connection
/**
 * One client's connection: MQTT 3.1.1 from CONNECT to DISCONNECT, as a state machine over bytes and the time.
 *
 * Every way to end it goes through `#close`, once. What is to be sent is collected and written after the input that caused
 * it, so a chunk with a hundred packets costs each receiver one write.
 */

import {
  ConnectReturnCode,
  encode,
  MqttCodecError,
  PacketDecoder,
  ReasonCode,
  utf8Length,
  type ConnectPacket,
  type EncodablePacket,
  type Packet,
  type PublishPacket,
  type SubscribePacket,
} from "@latchkey/mqtt-codec";
import type { BrokerEvent, ClientSource, CloseReason, DropLimit, EventSource, PublishedEvent } from "./events.ts";
import type { Limits } from "./limits.ts";
import type { Authentication, AuthenticationStep, Authenticator } from "./ports/authenticator.ts";
import type { Action, Authorizer, Denial } from "./ports/authorizer.ts";
import type { Transport } from "./ports/transport.ts";
import type { Receiver, Router } from "./router.ts";
import { createMessage, type Message, type Session } from "./session.ts";

/** What a connection needs of its broker. */
export interface ConnectionContext<Peer, Principal> {
  readonly limits: Limits;
  readonly authenticator: Authenticator<Peer, Principal>;
  readonly authorizer: Authorizer<Principal>;
  readonly denial: "explain" | "parity";
  readonly router: Router<ClientConnection<Peer, Principal>>;
  readonly assignClientIdentifier: () => string;
  readonly emit: (event: BrokerEvent<Peer, Principal>) => void;
  readonly onPublished: ((event: PublishedEvent<Peer, Principal>) => void) | undefined;
  /** The connection wants `flush` to be called when the current input is done. */
  readonly hasOutput: (connection: ClientConnection<Peer, Principal>) => void;
  readonly inputDone: () => void;
  readonly closed: (connection: ClientConnection<Peer, Principal>) => void;
}

/** MQTT 3.1.1, the only version that is spoken. */
const protocolVersion = 4 as const;

const nothing = new Uint8Array();

const asynchronous: Denial = { isAllowed: false, reason: "the authorizer did not answer at once" };

/** SUBACK return code "failure" (MQTT 3.1.1 §3.9.3). */
const subscriptionFailure = 0x80;

type State =
  | "awaiting-connect"
  /** CONNECT is here, the authenticator has not answered; what arrives meanwhile waits. */
  | "authenticating"
  | "connected"
  | "closed";

/** What a client is called. */
interface ClientIdentifier {
  readonly clientIdentifier: string;
  /** The broker made the identifier up. */
  readonly isAssignedIdentifier: boolean;
}

/** An accepted CONNECT: who is connected, and as what. */
interface Client<Principal> extends ClientIdentifier {
  readonly principal: Principal;
  readonly session: Session;
  /** Milliseconds of silence that end the connection; 0 for never (MQTT-3.1.2-24). */
  readonly silenceMs: number;
}

/** What is published for a client whose connection ends without DISCONNECT. */
interface Will {
  readonly message: Message;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

/** A connection that a broker accepted. Its transport reports input with `receive` and its end with `lost`. */
export class ClientConnection<Peer, Principal> implements Receiver {
  readonly peer: Peer;
  readonly #context: ConnectionContext<Peer, Principal>;
  readonly #transport: Transport;
  readonly #decoder: PacketDecoder;
  #state: State = "awaiting-connect";
  #client: Client<Principal> | undefined;
  /** Set from a successful authentication on, before CONNECT is accepted. */
  #principal: Principal | undefined;
  #will: Will | undefined;
  readonly #openedMs: number;
  #lastInputMs: number;
  #nowMs: number;
  /** Chunks that arrived while authenticating. */
  #waiting: Uint8Array[] = [];
  #waitingOctets = 0;
  #output: Uint8Array[] = [];
  #outputOctets = 0;
  /** Whether the transport is paused, because the client does not read what it is sent. */
  #isPaused = false;

  constructor(context: ConnectionContext<Peer, Principal>, peer: Peer, transport: Transport, nowMs: number) {
    this.#context = context;
    this.peer = peer;
    this.#transport = transport;
    this.#openedMs = nowMs;
    this.#lastInputMs = nowMs;
    this.#nowMs = nowMs;
    this.#decoder = new PacketDecoder({
      receives: "client-packets",
      maximumPacketSize: context.limits.maximumPacketSize,
    });
  }

  /** Undefined until CONNECT was accepted. */
  get principal(): Principal | undefined {
    return this.#client?.principal;
  }

  /** Undefined until CONNECT was accepted. */
  get clientIdentifier(): string | undefined {
    return this.#client?.clientIdentifier;
  }

  /** Takes what the network brought. The chunk must not be written to afterwards. */
  receive(chunk: Uint8Array, nowMs: number): void {
    if (this.#state === "closed") return;
    this.#lastInputMs = nowMs;
    this.#nowMs = nowMs;
    if (this.#state === "authenticating") this.#wait(chunk);
    else this.#decode(chunk);
    this.#context.inputDone();
  }

  /** The transport has room again for what is to be sent: goes on where `Transport.pause` stopped it. */
  drained(nowMs: number): void {
    this.#nowMs = nowMs;
    if (this.#state !== "connected") return;
    this.#sendQueued();
    if (this.#isPaused && !this.#isFull) {
      this.#isPaused = false;
      this.#lastInputMs = nowMs;
      this.#transport.resume();
      this.#decode(nothing);
    }
    this.#context.inputDone();
  }

  /** The network connection ended. `detail` says how, for the log. */
  lost(detail: string, nowMs: number): void {
    this.end("connection-lost", detail, nowMs);
  }

  /** Ends the connection for a reason of the broker's or its operator's. The will is published (MQTT-3.1.2-8). */
  end(reason: CloseReason, detail: string, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#close(reason, detail);
    this.#context.inputDone();
  }

  /** For the broker: closes if the client has been silent for too long. */
  checkTime(nowMs: number): void {
    this.#nowMs = nowMs;
    const { connectTimeoutMs } = this.#context.limits;
    const silence = nowMs - this.#lastInputMs;
    if (this.#client === undefined) {
      if (nowMs - this.#openedMs >= connectTimeoutMs) this.#close("connect-timeout", "no accepted CONNECT in time");
    } else if (this.#isPaused) {
      // It is not read from, so its silence is the broker's doing.
      if (silence < connectTimeoutMs) return;
      const { maximumBufferedOctets } = this.#context.limits;
      const waiting = this.#transport.bufferedOctets + this.#outputOctets;
      this.#close(
        "limit",
        `maximumBufferedOctets ${maximumBufferedOctets}: ${waiting} octets wait and the client has read nothing for ` +
          `${Math.round(silence / 1000)} s`,
      );
    } else if (this.#client.silenceMs > 0 && silence >= this.#client.silenceMs) {
      this.#close("keep-alive-timeout", `silent for ${Math.round(silence / 1000)} s`);
    }
  }

  /** For the router: another connection has the client identifier now. */
  endForSuccessor(): void {
    this.#close("taken-over", "the client identifier connected again");
  }

  /** For the router: sends a message, or queues it; not at all where the client may not receive it. */
  deliver(message: Message, qos: 0 | 1, retain: boolean): void {
    const client = this.#client;
    if (client === undefined) return;
    if (qos === 1) {
      if (client.session.enqueue({ message, retain })) this.#sendQueued();
      else this.#dropped(message, "maximumQueuedMessages");
    } else if (this.#isFull) {
      this.#dropped(message, "maximumBufferedOctets");
    } else if (this.#allows("receive", message.topicName)) {
      this.#write(message.prepared.shared(protocolVersion, retain));
    }
  }

  /** For the broker: writes what has been collected. */
  flush(): void {
    if (this.#output.length === 0) return;
    const output = this.#output;
    this.#output = [];
    this.#outputOctets = 0;
    this.#transport.write(output);
  }

  #wait(chunk: Uint8Array): void {
    this.#waiting.push(chunk);
    this.#waitingOctets += chunk.length;
    const { maximumOctetsBeforeConnack } = this.#context.limits;
    if (this.#waitingOctets > maximumOctetsBeforeConnack) {
      this.#close(
        "limit",
        `maximumOctetsBeforeConnack ${maximumOctetsBeforeConnack}: ${this.#waitingOctets} octets came before CONNACK was sent`,
      );
    }
  }

  #decode(chunk: Uint8Array): void {
    try {
      this.#decoder.push(chunk);
      this.#handleDecoded();
    } catch (error) {
      if (!(error instanceof MqttCodecError)) throw error;
      if (this.#state === "awaiting-connect" && error.connackReturnCode !== undefined) {
        this.#refuseConnect(error.connackReturnCode, error.protocolVersion === 5 ? error.reasonCode : undefined);
      }
      this.#close("malformed-packet", `${error.code}: ${error.message}`);
    }
  }

  #handleDecoded(): void {
    while (this.#state === "awaiting-connect" || this.#state === "connected") {
      // Every packet may be answered: who does not read the answers is not read from, either.
      if (this.#isFull && !this.#pause()) return;
      const packet = this.#decoder.next();
      if (packet === undefined) return;
      this.#handle(packet);
    }
  }

  /** Whether more is on its way to the client than is to be held for it. */
  get #isFull(): boolean {
    return this.#transport.bufferedOctets + this.#outputOctets > this.#context.limits.maximumBufferedOctets;
  }

  /** Hands over what has been collected, and stops reading if that is too much for the transport; true to go on. */
  #pause(): boolean {
    this.flush();
    if (!this.#isFull) return true;
    this.#isPaused = true;
    this.#transport.pause();
    return false;
  }

  #handle(packet: Packet): void {
    switch (packet.type) {
      case "connect":
        this.#connect(packet);
        break;
      case "publish":
        this.#publish(packet);
        break;
      case "puback":
        this.#client?.session.acknowledge(packet.packetIdentifier);
        this.#sendQueued();
        break;
      case "subscribe":
        this.#subscribe(packet);
        break;
      case "unsubscribe":
        for (const filter of packet.topicFilters)
          if (this.#client) this.#context.router.unsubscribe(this.#client.session, filter);
        this.#send({ type: "unsuback", packetIdentifier: packet.packetIdentifier });
        break;
      case "pingreq":
        this.#send({ type: "pingresp" });
        break;
      case "disconnect":
        // MQTT-3.14.4-3: the will is not published.
        this.#will = undefined;
        this.#close("client-disconnect", "");
        break;
      default:
        this.#close("protocol-error", `${packet.type} is not supported here`);
    }
  }

  #connect(packet: ConnectPacket): void {
    const { clientIdentifier: given, cleanStart, will } = packet;
    if (packet.protocolVersion !== protocolVersion) {
      this.#refuseConnect(ConnectReturnCode.unacceptableProtocolVersion, ReasonCode.unsupportedProtocolVersion);
      this.#close("protocol-error", `MQTT protocol level ${packet.protocolVersion} is not supported yet`);
      return;
    }
    const isAssignedIdentifier = given === "";
    const clientIdentifier = isAssignedIdentifier ? this.#context.assignClientIdentifier() : given;
    if (utf8Length(clientIdentifier) > this.#context.limits.maximumClientIdentifierOctets) {
      this.#refuseConnect(ConnectReturnCode.identifierRejected);
      this.#close(
        "limit",
        `maximumClientIdentifierOctets ${this.#context.limits.maximumClientIdentifierOctets}: the client identifier has ` +
          `${utf8Length(clientIdentifier)} octets`,
      );
      return;
    }
    if (will?.qos === 2) {
      this.#close("protocol-error", "a will of QoS 2 is not supported: QoS 0 and 1 are");
      return;
    }
    const willFault = will === undefined ? undefined : this.#topicFault("the will's topic", will.topicName);
    if (willFault !== undefined) {
      this.#close("limit", willFault);
      return;
    }
    this.#state = "authenticating";
    const { userName, password } = packet;
    const credentials = {
      protocolVersion,
      clientIdentifier,
      isAssignedIdentifier,
      userName,
      password,
      isPersistent: !cleanStart,
      willTopicName: will?.topicName,
      authenticationMethod: undefined,
      authenticationData: undefined,
      userProperties: [],
    };
    const settled = (result: AuthenticationStep<Principal>): void =>
      this.#authenticated(
        packet,
        { clientIdentifier, isAssignedIdentifier },
        result.ok === "continue" ? { ok: false, reason: "an AUTH exchange needs MQTT 5.0" } : result,
      );
    new Promise<AuthenticationStep<Principal>>((resolve) => {
      resolve(this.#context.authenticator.authenticate(this.peer, credentials, this.#nowMs));
    })
      .catch((cause: unknown): Authentication<Principal> => ({ ok: false, reason: String(cause) }))
      .then(settled)
      .catch((cause: unknown) => this.end("protocol-error", `the authorizer failed: ${String(cause)}`, this.#nowMs));
  }

  #authenticated(packet: ConnectPacket, identifier: ClientIdentifier, result: Authentication<Principal>): void {
    if (this.#state !== "authenticating") {
      if (result.ok) this.#context.authenticator.release?.(result.principal);
      return;
    }
    if (result.ok) this.#principal = result.principal;
    if (!result.ok) {
      if (this.#context.denial === "explain") this.#refuseConnect(ConnectReturnCode.notAuthorized);
      this.#close("not-authenticated", result.reason);
    } else if (!this.#mayConnect(packet, identifier, result.principal)) {
      if (this.#context.denial === "explain") this.#refuseConnect(ConnectReturnCode.notAuthorized);
      this.#close("not-authorized", `connect as ${identifier.clientIdentifier}`);
    } else {
      this.#accept(packet, identifier, result.principal);
    }
    this.#context.inputDone();
  }

  #mayConnect(packet: ConnectPacket, identifier: ClientIdentifier, principal: Principal): boolean {
    const { will } = packet;
    const wanted: [Action, string][] = [["connect", identifier.clientIdentifier]];
    if (will !== undefined) wanted.push(["publish", will.topicName]);
    if (will?.retain === true) wanted.push(["retain-publish", will.topicName]);
    for (const [action, name] of wanted) {
      const decision = this.#context.authorizer.decide(principal, action, name, this.#nowMs);
      if (decision === true) continue;
      const denial = "then" in decision ? asynchronous : decision;
      this.#context.emit({ type: "denied", peer: this.peer, ...identifier, principal, action, name, denial });
      return false;
    }
    return true;
  }

  #accept(packet: ConnectPacket, identifier: ClientIdentifier, principal: Principal): void {
    const { session, wasPresent } = this.#context.router.takeSession(
      this,
      identifier.clientIdentifier,
      packet.cleanStart,
    );
    // Ending the connection that had the session is an event, and its listener may end this connection, too.
    if (this.#state !== "authenticating") {
      this.#context.router.release(session);
      return;
    }
    const client = { principal, ...identifier, session, silenceMs: packet.keepAlive * 1500 };
    this.#client = client;
    this.#state = "connected";
    const { will } = packet;
    if (will !== undefined) {
      const message = createMessage(will.topicName, will.payload);
      this.#will = { message, qos: will.qos === 0 ? 0 : 1, retain: will.retain };
    }
    this.#context.emit({
      type: "connected",
      ...this.#sourceOf(client),
      protocolVersion,
      isSessionPresent: wasPresent,
      keepAlive: packet.keepAlive,
    });
    this.#send({ type: "connack", sessionPresent: wasPresent, reasonCode: ConnectReturnCode.accepted });
    for (const [packetIdentifier, { message, retain }] of session.inFlight()) {
      this.#sendOwed(packetIdentifier, message, retain, true);
    }
    this.#sendQueued();
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#decode(nothing);
    for (const chunk of waiting) if (this.#state === "connected") this.#decode(chunk);
  }

  #publish(packet: PublishPacket): void {
    const { topicName, qos, retain, packetIdentifier } = packet;
    const client = this.#client;
    if (client === undefined) return;
    const topicFault = this.#topicFault("the topic of PUBLISH", topicName);
    if (qos === 2) {
      this.#close("protocol-error", "PUBLISH with QoS 2 is not supported: QoS 0 and 1 are");
    } else if (topicFault !== undefined) {
      this.#close("limit", topicFault);
    } else if (!this.#allows("publish", topicName) || (retain && !this.#allows("retain-publish", topicName))) {
      this.#close("not-authorized", `publish to ${topicName}`);
    } else {
      const message = createMessage(topicName, packet.payload);
      this.#distribute(client, message, qos, retain);
      if (qos === 1) this.#send({ type: "puback", packetIdentifier });
    }
  }

  #distribute(client: Client<Principal>, message: Message, qos: 0 | 1, retain: boolean): void {
    const { topicName, payloadOctets } = message;
    if (retain && !this.#context.router.retain(message, qos)) this.#dropped(message, "maximumRetainedMessages");
    const receivers = this.#context.router.route(message, qos);
    this.#context.onPublished?.({ ...this.#sourceOf(client), topicName, qos, retain, payloadOctets, receivers });
  }

  #subscribe(packet: SubscribePacket): void {
    const { subscriptions, packetIdentifier } = packet;
    const client = this.#client;
    if (client === undefined) return;
    if (subscriptions.length > this.#context.limits.maximumFiltersPerSubscribe) {
      this.#close(
        "limit",
        `maximumFiltersPerSubscribe ${this.#context.limits.maximumFiltersPerSubscribe}: SUBSCRIBE has ` +
          `${subscriptions.length} topic filters`,
      );
      return;
    }
    const granted: { readonly topicFilter: string; readonly qos: 0 | 1 | typeof subscriptionFailure }[] = [];
    const added = new Set<string>();
    for (const { topicFilter, qos } of subscriptions) {
      if (this.#maySubscribe(client, topicFilter, added)) {
        granted.push({ topicFilter, qos: qos === 0 ? 0 : 1 });
      } else if (this.#context.denial === "explain") {
        granted.push({ topicFilter, qos: subscriptionFailure });
      } else {
        this.#close("not-authorized", `subscribe to ${topicFilter}`);
      }
      if (!this.#isConnected) return;
    }
    this.#send({ type: "suback", packetIdentifier, reasonCodes: granted.map(({ qos }) => qos) });
    for (const { topicFilter, qos } of granted) {
      if (qos !== subscriptionFailure && this.#isConnected) this.#addSubscription(client, topicFilter, qos);
    }
  }

  /** `added` are the new filters of the same packet, which count before they are there. */
  #maySubscribe({ session }: Client<Principal>, topicFilter: string, added: Set<string>): boolean {
    const { maximumSubscriptionsPerSession } = this.#context.limits;
    const isNew = !session.subscriptions.has(topicFilter) && !added.has(topicFilter);
    if (isNew && session.subscriptions.size + added.size >= maximumSubscriptionsPerSession) return false;
    // Shared subscriptions are not supported: to take one for an ordinary filter would deliver nothing, silently.
    if (this.#topicFault("a topic filter", topicFilter) !== undefined || topicFilter.startsWith("$share/"))
      return false;
    if (!this.#allows("subscribe", topicFilter)) return false;
    if (isNew) added.add(topicFilter);
    return true;
  }

  #addSubscription(client: Client<Principal>, topicFilter: string, qos: 0 | 1): void {
    const { session } = client;
    const retained = this.#context.router.subscribe(session, topicFilter, qos);
    this.#context.emit({ type: "subscribed", ...this.#sourceOf(client), topicFilter, qos });
    for (const { message, qos: retainedQos } of retained) {
      if (!this.#isConnected) return;
      const deliveredQos = qos === 1 ? retainedQos : 0;
      const hasRoom = deliveredQos === 1 ? session.hasRoom : !this.#isFull;
      this.deliver(message, deliveredQos, true);
      // One event says that the rest of them is lost, too.
      if (!hasRoom) return;
    }
  }

  /** The will was allowed at CONNECT. A policy may have changed since, so it is asked again for all that the will needs. */
  #publishWill(client: Client<Principal>, { message, qos, retain }: Will): void {
    const { topicName } = message;
    if (!this.#allows("publish", topicName)) return;
    if (retain && !this.#allows("retain-publish", topicName)) return;
    this.#distribute(client, message, qos, retain);
  }

  /** Read through a getter, since what is called in between may have closed the connection. */
  get #isConnected(): boolean {
    return this.#state === "connected";
  }

  #sendQueued(): void {
    const session = this.#client?.session;
    if (session === undefined) return;
    while (this.#isConnected && !this.#isFull) {
      const next = session.takeNext();
      if (next === undefined) return;
      this.#sendOwed(next.packetIdentifier, next.owed.message, next.owed.retain, false);
    }
  }

  /** Sends a QoS 1 message, or forgets it where the client may not receive it (any more). */
  #sendOwed(packetIdentifier: number, { topicName, prepared }: Message, retain: boolean, dup: boolean): void {
    if (!this.#allows("receive", topicName)) {
      this.#client?.session.acknowledge(packetIdentifier);
      return;
    }
    const bytes = new Uint8Array(prepared.encodedLength(protocolVersion, 1));
    prepared.encodeInto(protocolVersion, { qos: 1, retain, dup, packetIdentifier }, bytes, 0);
    this.#write(bytes);
  }

  #send(packet: EncodablePacket): void {
    this.#write(encode(packet, protocolVersion));
  }

  #write(bytes: Uint8Array): void {
    if (this.#state === "closed") return;
    this.#output.push(bytes);
    this.#outputOctets += bytes.length;
    this.#context.hasOutput(this);
  }

  /** To be followed by `#close`. `reasonCode5` is the reason code for a client of MQTT 5.0. */
  #refuseConnect(returnCode: number, reasonCode5?: number): void {
    const reasonCode = reasonCode5 ?? returnCode;
    const packet = { type: "connack", sessionPresent: false, reasonCode } as const;
    this.#write(encode(packet, reasonCode5 === undefined ? protocolVersion : 5));
  }

  #allows(action: Action, name: string): boolean {
    const client = this.#client;
    if (client === undefined) return false;
    const decision = this.#context.authorizer.decide(client.principal, action, name, this.#nowMs);
    if (decision === true) return true;
    const denial = "then" in decision ? asynchronous : decision;
    this.#context.emit({ type: "denied", ...this.#sourceOf(client), action, name, denial });
    return false;
  }

  /** Which limit a topic name or filter exceeds, in words with the limit, the value and the topic; undefined: none. */
  #topicFault(what: string, name: string): string | undefined {
    const { maximumTopicLevels, maximumTopicOctets } = this.#context.limits;
    const levels = countLevels(name);
    if (levels > maximumTopicLevels) {
      return `maximumTopicLevels ${maximumTopicLevels}: ${what} has ${levels} levels: ${shortened(name)}`;
    }
    const octets = utf8Length(name);
    if (octets > maximumTopicOctets) {
      return `maximumTopicOctets ${maximumTopicOctets}: ${what} has ${octets} octets: ${shortened(name)}`;
    }
    return undefined;
  }

  #dropped({ topicName, payloadOctets }: Message, limit: DropLimit): void {
    this.#context.emit({ type: "dropped", ...this.#source(), topicName, limit, messages: 1, octets: payloadOctets });
  }

  #source(): EventSource<Peer, Principal> {
    const { clientIdentifier, principal, isAssignedIdentifier = false } = this.#client ?? {};
    return { peer: this.peer, clientIdentifier, isAssignedIdentifier, principal };
  }

  #sourceOf({ clientIdentifier, isAssignedIdentifier, principal }: Client<Principal>): ClientSource<Peer, Principal> {
    return { peer: this.peer, clientIdentifier, isAssignedIdentifier, principal };
  }

  #close(reason: CloseReason, detail: string): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.flush();
    this.#transport.close();
    this.#waiting = [];
    const client = this.#client;
    if (client !== undefined) this.#context.router.release(client.session);
    this.#context.closed(this);
    this.#context.emit({ type: "closed", ...this.#source(), reason, detail });
    const will = this.#will;
    this.#will = undefined;
    if (client !== undefined && will !== undefined) this.#publishWill(client, will);
    if (this.#principal !== undefined) this.#context.authenticator.release?.(this.#principal);
  }
}

function countLevels(name: string): number {
  let levels = 1;
  for (let at = name.indexOf("/"); at >= 0; at = name.indexOf("/", at + 1)) levels++;
  return levels;
}

/** The beginning of a name, for a message. */
function shortened(name: string): string {
  return name.length > maximumShownLength ? `${name.slice(0, maximumShownLength)}…` : name;
}

const maximumShownLength = 64;
