/** CONNECT, MQTT 3.1.1 and 5.0 §3.1: who it is, whether it may connect, which session it gets. */

import { ReasonCode, utf8Length, type ConnectPacket } from "@latchkey/mqtt-codec";
import type { Client } from "../connection/client.ts";
import type { Connection } from "../connection/connection.ts";
import { refuseConnect } from "../connection/fault-answers.ts";
import { Rate } from "../connection/rate.ts";
import { Sender } from "../connection/sender.ts";
import { ClientTopicAliases } from "../connection/topic-aliases.ts";
import { limitText } from "../limits.ts";
import type { Authentication, AuthenticationStep, Credentials } from "../ports/authenticator.ts";
import type { Action, Decision } from "../ports/authorizer.ts";
import type { Session } from "../session/session.ts";
import type { StoredWill } from "../session/will.ts";
import { askAuthenticator, authenticatedUntilMs } from "./auth.ts";
import { claimSession } from "./claim-session.ts";
import { answerWhenKept, canBeKept, connackOf, isConnackReadable, type ConnackFields } from "./connack.ts";
import { ConnectedClient } from "./connected-client.ts";
import { decisionOn } from "./decision.ts";
import { admitPrincipal, admitToGroup } from "./group-limits.ts";
import { isReservedTopic } from "./reserved.ts";
import { topicFault } from "./topic-limits.ts";
import { dropLateWill } from "./will-publication.ts";
import { keepWill } from "./will.ts";

/** An authentication that has let a client in. */
type Accepted<Principal> = Authentication<Principal> & { readonly ok: true };

/** Handles a CONNECT. */
export function handleConnect<Peer, Principal>(connection: Connection<Peer, Principal>, packet: ConnectPacket): void {
  const { context } = connection;
  connection.version = packet.protocolVersion;
  const { properties } = packet;
  connection.answers = {
    maximumPacketSize: properties?.maximumPacketSize ?? Number.MAX_SAFE_INTEGER,
    hasProblemInformation: properties?.requestProblemInformation ?? true,
  };
  const isAssignedIdentifier = packet.clientIdentifier === "";
  const clientIdentifier = isAssignedIdentifier ? context.assignClientIdentifier() : packet.clientIdentifier;
  connection.identity = { clientIdentifier, isAssignedIdentifier };
  if (!checkConnect(connection, packet, clientIdentifier)) return;
  connection.state = "authenticating";
  const expirySeconds = sessionExpiryOf(connection, packet);
  const credentials: Credentials = {
    protocolVersion: packet.protocolVersion,
    clientIdentifier,
    isAssignedIdentifier,
    userName: packet.userName,
    password: packet.password,
    isPersistent: packet.protocolVersion === 4 ? !packet.cleanStart : expirySeconds > 0,
    willTopicName: packet.will?.topicName,
    authenticationMethod: properties?.authenticationMethod,
    authenticationData: properties?.authenticationData,
    userProperties: properties?.userProperties ?? [],
  };
  // The packet's octets are views of a chunk; what is asked later must not read them.
  const kept = { ...packet, will: undefined, password: undefined };
  const will = storedWillOf(connection, packet, clientIdentifier);
  askAuthenticator(
    connection,
    () => context.authenticator.authenticate(connection.peer, credentials, context.nowMs),
    (result) => authenticated(connection, kept, will, expirySeconds, result),
  );
}

/** What can be said without knowing who it is. */
function checkConnect<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  packet: ConnectPacket,
  clientIdentifier: string,
): boolean {
  const { limits, isAws, authenticator } = connection.context;
  const refuse = (code: number, reason: "limit" | "protocol-error", detail: string): false => {
    refuseConnect(connection, code, reason, detail, detail);
    return false;
  };
  // Until it is known who it is, its address alone is counted.
  if (!connection.groups.every((group) => admitToGroup(connection, group))) return false;
  const octets = utf8Length(clientIdentifier);
  if (octets > limits.maximumClientIdentifierOctets) {
    const limit = limitText(limits, "maximumClientIdentifierOctets");
    return refuse(ReasonCode.clientIdentifierNotValid, "limit", `${limit}: the client identifier has ${octets} octets`);
  }
  if (isAws && packet.clientIdentifier.startsWith("$")) {
    const detail = "client identifiers that begin with $ are reserved";
    return refuse(ReasonCode.clientIdentifierNotValid, "protocol-error", detail);
  }
  const method = packet.properties?.authenticationMethod;
  if (method !== undefined && authenticator.authenticationMethods?.has(method) !== true) {
    return refuse(ReasonCode.badAuthenticationMethod, "protocol-error", "the authentication method is not known");
  }
  const { will } = packet;
  if (will === undefined) return true;
  // MQTT-3.2.2-12
  if (isAws && will.qos === 2) {
    return refuse(ReasonCode.qosNotSupported, "protocol-error", "a will of QoS 2 is not supported: QoS 0 and 1 are");
  }
  if (will.payload.length > limits.maximumPayloadOctets) {
    const limit = limitText(limits, "maximumPayloadOctets");
    return refuse(ReasonCode.packetTooLarge, "limit", `${limit}: the will has ${will.payload.length} octets`);
  }
  const fault = topicFault(limits, isAws, "the will's topic", will.topicName);
  if (fault !== undefined) return refuse(ReasonCode.topicNameInvalid, "limit", fault);
  if (isReservedTopic(isAws, will.topicName)) {
    return refuse(ReasonCode.topicNameInvalid, "protocol-error", "the will's topic is reserved");
  }
  return true;
}

/** Seconds that the session may outlive its connection, as far as the broker allows. */
function sessionExpiryOf<Peer, Principal>(connection: Connection<Peer, Principal>, packet: ConnectPacket): number {
  const { maximumSessionExpirySeconds } = connection.context.limits;
  if (packet.protocolVersion === 4) return packet.cleanStart ? 0 : maximumSessionExpirySeconds;
  return Math.min(packet.properties?.sessionExpiryInterval ?? 0, maximumSessionExpirySeconds);
}

function storedWillOf<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  packet: ConnectPacket,
  clientIdentifier: string,
): StoredWill | undefined {
  const { will } = packet;
  if (will === undefined) return undefined;
  const { topicName, qos, retain, properties } = will;
  const { willDelayInterval = 0, messageExpiryInterval, correlationData, ...rest } = properties ?? {};
  return {
    fields: {
      topicName,
      payload: will.payload.slice(),
      qos,
      retain,
      properties: properties === undefined ? undefined : { ...rest, correlationData: correlationData?.slice() },
      expirySeconds: messageExpiryInterval,
      publisher: clientIdentifier,
    },
    delaySeconds: connection.context.isAws ? 0 : willDelayInterval,
  };
}

/** Goes on after a step of the authentication. */
function authenticated<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  packet: ConnectPacket,
  will: StoredWill | undefined,
  expirySeconds: number,
  step: AuthenticationStep<Principal>,
): void {
  const { context } = connection;
  if (connection.state === "closed") {
    if (step.ok === true) context.authenticator.release?.(step.principal);
    return;
  }
  if (step.ok === "continue") {
    const method = packet.properties?.authenticationMethod;
    if (method === undefined) {
      const reason = "the authenticator wants an AUTH exchange that the client did not ask for";
      refuseConnect(connection, ReasonCode.notAuthorized, "not-authenticated", reason);
      return;
    }
    connection.state = "exchanging";
    const settled = (next: AuthenticationStep<Principal>): void =>
      authenticated(connection, packet, will, expirySeconds, next);
    connection.exchange = { method, next: step.next, settled };
    const { authenticationData } = step;
    const properties = { authenticationMethod: method, authenticationData };
    connection.send({ type: "auth", reasonCode: ReasonCode.continueAuthentication, properties });
    return;
  }
  connection.exchange = undefined;
  connection.state = "authenticating";
  if (!step.ok) {
    const code = step.reasonCode ?? ReasonCode.notAuthorized;
    refuseConnect(connection, code, "not-authenticated", step.reason, step.reasonString);
    return;
  }
  connection.knownPrincipal = step.principal;
  authorize(connection, packet, will, expirySeconds, step);
}

/** Connect, and Publish and RetainPublish of the will, one after another. */
function authorize<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  packet: ConnectPacket,
  will: StoredWill | undefined,
  expirySeconds: number,
  authentication: Accepted<Principal>,
): void {
  const clientIdentifier = connection.identity?.clientIdentifier ?? "";
  const wanted: [Action, string][] = [["connect", clientIdentifier]];
  if (will !== undefined) wanted.push(["publish", will.fields.topicName]);
  if (will?.fields.retain === true) wanted.push(["retain-publish", will.fields.topicName]);
  const ask = (index: number): void => {
    const [action, name] = wanted[index] ?? [];
    if (action === undefined || name === undefined) {
      accept(connection, packet, will, expirySeconds, authentication);
      return;
    }
    const use = (answer: Decision): void => {
      if (connection.state === "closed") return;
      if (answer === true) {
        ask(index + 1);
        return;
      }
      const detail = action === "connect" ? `connect as ${name}` : `${action} of the will to ${name}`;
      refuseConnect(connection, ReasonCode.notAuthorized, "not-authorized", detail, `not allowed: ${detail}`);
    };
    connection.hold(decisionOn(connection, action, name), use);
  };
  ask(0);
}

/** The client may connect. Its session may have to come from another node. */
function accept<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  packet: ConnectPacket,
  will: StoredWill | undefined,
  expirySeconds: number,
  authentication: Accepted<Principal>,
): void {
  const { context, identity } = connection;
  if (identity === undefined || !isRateKept(connection, identity.clientIdentifier)) return;
  if (!admitPrincipal(connection)) return;
  const fields = {
    asked: packet.properties,
    askedKeepAlive: packet.keepAlive,
    keepAlive: keepAliveOf(connection, packet.keepAlive),
    expirySeconds,
    authenticationData: authentication.authenticationData,
  };
  // Before any node has to give a session away.
  if (!isConnackReadable(connection, fields)) return;
  const go = (): void => {
    if (!isClosed(connection)) open(connection, packet, will, fields, authentication);
  };
  const failed = (cause: unknown): void => {
    if (isClosed(connection)) return;
    const detail = `the session cannot be taken over: ${String(cause)}`;
    refuseConnect(connection, ReasonCode.serverUnavailable, "storage-failure", detail);
  };
  let claim: Promise<void> | undefined;
  try {
    claim = claimSession(context, identity.clientIdentifier, packet.cleanStart);
  } catch (cause) {
    failed(cause);
    return;
  }
  if (claim === undefined) go();
  else connection.hold(claim, go, failed);
}

function open<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  packet: ConnectPacket,
  will: StoredWill | undefined,
  fields: ConnackFields,
  authentication: Accepted<Principal>,
): void {
  const { context, identity, knownPrincipal } = connection;
  const { expirySeconds } = fields;
  if (identity === undefined || knownPrincipal === undefined) return;
  if (!canBeKept(connection, packet, will, expirySeconds)) return;
  const { clientIdentifier, isAssignedIdentifier } = identity;
  const { appended } = context;
  const { session, wasPresent } = takeSession(connection, packet, clientIdentifier, expirySeconds);
  // Ending the connection that had the session is an event, and its listener may end this connection, too.
  if (session === undefined) return;
  const before = { appended, isSessionKept: session.journal !== undefined };
  attach(connection, session, expirySeconds);
  const client = clientOf(connection, packet, authentication, session, fields);
  const { sender } = client;
  connection.client = client;
  connection.state = "accepted";
  connection.will = will;
  if (will !== undefined) connection.willNumber = keepWill(connection, will);
  context.connected(connection);
  context.emit({
    type: "connected",
    peer: connection.peer,
    clientIdentifier,
    isAssignedIdentifier,
    principal: knownPrincipal,
    protocolVersion: packet.protocolVersion,
    isSessionPresent: wasPresent,
    keepAlive: fields.keepAlive,
  });
  // The listener may have ended the connection.
  if (isClosed(connection)) return;
  answerWhenKept(connection, session, before, () => {
    connection.state = "connected";
    session.receiver = sender;
    connection.send(connackOf(connection, wasPresent, fields));
    sender.resume();
  });
}

/** The client as its broker knows it from now on. */
function clientOf<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  packet: ConnectPacket,
  authentication: Accepted<Principal>,
  session: Session,
  { keepAlive, expirySeconds }: ConnackFields,
): Client<Principal> {
  const { context, identity } = connection;
  const { protocolVersion: version, properties } = packet;
  return {
    version,
    clientIdentifier: session.clientIdentifier,
    isAssignedIdentifier: identity?.isAssignedIdentifier ?? false,
    principal: authentication.principal,
    session,
    sender: new Sender(new ConnectedClient(connection, session, properties)),
    aliases: new ClientTopicAliases(version === 5 ? context.limits.topicAliasMaximum : 0),
    keepAliveSeconds: keepAlive,
    connectedAtMs: context.epochMs(),
    acceptedMs: context.nowMs,
    authenticatedUntilMs: authenticatedUntilMs(context.nowMs, authentication),
    sessionExpirySeconds: version === 5 ? (properties?.sessionExpiryInterval ?? 0) : expirySeconds,
    authenticationMethod: properties?.authenticationMethod,
  };
}

/** The session is this principal's from now on, and the store knows that its client is connected. */
function attach<Peer, Principal>(
  { context, groups }: Connection<Peer, Principal>,
  session: Session,
  expirySeconds: number,
): void {
  context.sessions.count(session, groups);
  if (expirySeconds > 0) session.journal ??= context.persistence?.journalOf(session);
  session.journal?.attached(expirySeconds);
}

function isClosed<Peer, Principal>({ state }: Connection<Peer, Principal>): boolean {
  return state === "closed";
}

/** A brake on clients that connect again and again with one client identifier. */
function isRateKept<Peer, Principal>(connection: Connection<Peer, Principal>, clientIdentifier: string): boolean {
  const { limits, connectRates, nowMs } = connection.context;
  const { maximumConnectsPerSecond } = limits;
  if (maximumConnectsPerSecond === 0) return true;
  let rate = connectRates.get(clientIdentifier);
  if (rate === undefined) connectRates.set(clientIdentifier, (rate = new Rate(maximumConnectsPerSecond, nowMs)));
  if (rate.tryTake(nowMs)) return true;
  const detail = `maximumConnectsPerSecond ${maximumConnectsPerSecond}: ${clientIdentifier} connects more often`;
  refuseConnect(connection, ReasonCode.connectionRateExceeded, "limit", detail, detail);
  return false;
}

/** The session of the client identifier, after ending the connection that had it (MQTT-3.1.4-2, MQTT-3.1.4-3 of 5.0). */
function takeSession<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  packet: ConnectPacket,
  clientIdentifier: string,
  expirySeconds: number,
): { session: Session | undefined; wasPresent: boolean } {
  const { sessions, isAws, takeOver } = connection.context;
  takeOver(clientIdentifier);
  const kept = sessions.get(clientIdentifier);
  // Sessions do not cross the versions in AWS IoT Core.
  const isOfOtherVersion = isAws && kept !== undefined && kept.protocolVersion !== packet.protocolVersion;
  if (kept !== undefined && (packet.cleanStart || isOfOtherVersion)) sessions.end(kept, "clean-start");
  dropLateWill(connection.context, clientIdentifier);
  if (isClosed(connection)) return { session: undefined, wasPresent: false };
  const present = sessions.get(clientIdentifier);
  if (present === undefined) {
    const session = sessions.create(clientIdentifier, packet.protocolVersion, expirySeconds);
    return { session, wasPresent: false };
  }
  present.protocolVersion = packet.protocolVersion;
  present.expirySeconds = expirySeconds;
  sessions.attach(present);
  present.will?.cancel();
  return { session: present, wasPresent: true };
}

/** The keep alive that holds: the client's, within the broker's limits. */
function keepAliveOf<Peer, Principal>(connection: Connection<Peer, Principal>, asked: number): number {
  const { minimumKeepAliveSeconds, maximumKeepAliveSeconds, isKeepAliveOptional } = connection.context.limits;
  if (asked === 0) return isKeepAliveOptional ? 0 : maximumKeepAliveSeconds;
  return Math.min(Math.max(asked, minimumKeepAliveSeconds), maximumKeepAliveSeconds);
}
