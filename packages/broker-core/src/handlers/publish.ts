/** PUBLISH from a client, MQTT 3.1.1 and 5.0 §3.3 and §4.3. */

import { ReasonCode, type PublishPacket, type QoS } from "@latchkey/mqtt-codec";
import type { Client } from "../connection/client.ts";
import type { Connection } from "../connection/connection.ts";
import { limitText } from "../limits.ts";
import type { Decision } from "../ports/authorizer.ts";
import { Message, type MessageProperties } from "../routing/message.ts";
import { decisionOn } from "./decision.ts";
import { publishMessage } from "./publication.ts";
import { shortened, topicFault } from "./topic-limits.ts";

/** Handles a PUBLISH. */
export function handlePublish<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  client: Client<Principal>,
  packet: PublishPacket,
): void {
  const { context } = connection;
  const topicName = resolveTopic(connection, client, packet);
  if (topicName === undefined) return;
  const { qos, packetIdentifier } = packet;
  if (qos > 0 && !takeSlot(connection, client, packet)) return;
  if (qos === 2 && client.session.received.has(packetIdentifier)) {
    // MQTT-4.3.3-10: a repeat is acknowledged again and not delivered.
    acknowledge(connection, packet, ReasonCode.success);
    return;
  }
  connection.pace.take("publishes", 1);
  if (isKnownAllowed(connection, client, topicName, packet.retain)) {
    publish(connection, client, packet, topicName);
    return;
  }
  const fault = topicFault(context.limits, context.isAws, "the topic of PUBLISH", topicName);
  if (fault !== undefined) {
    refuse(connection, packet, ReasonCode.topicNameInvalid, "limit", fault);
    return;
  }
  authorize(connection, client, packet, topicName);
}

/** The topic name, by alias or as it is; undefined where the connection was closed for it. */
function resolveTopic<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  client: Client<Principal>,
  { topicName, properties, qos, payload }: PublishPacket,
): string | undefined {
  const { limits, isAws } = connection.context;
  if (isAws && qos === 2) {
    // MQTT-3.2.2-11
    const detail = "PUBLISH with QoS 2 is not supported: QoS 0 and 1 are";
    connection.close("protocol-error", detail, ReasonCode.qosNotSupported);
    return undefined;
  }
  if (payload.length > limits.maximumPayloadOctets) {
    const detail = `${limitText(limits, "maximumPayloadOctets")}: PUBLISH has ${payload.length} octets`;
    connection.close("limit", detail, ReasonCode.packetTooLarge);
    return undefined;
  }
  const alias = properties?.topicAlias;
  if (alias === undefined) return topicName;
  if (!client.aliases.isAllowed(alias)) {
    const detail = `topic alias ${alias} is above topicAliasMaximum ${limits.topicAliasMaximum}`;
    connection.close("protocol-error", detail, ReasonCode.topicAliasInvalid);
    return undefined;
  }
  if (topicName !== "") {
    client.aliases.set(alias, topicName);
    return topicName;
  }
  const known = client.aliases.topicName(alias);
  if (known === undefined) {
    connection.close("protocol-error", `topic alias ${alias} has no topic yet`, ReasonCode.protocolError);
  }
  return known;
}

/** Counts a QoS 1 or 2 message against the Receive Maximum; false where the connection was closed, or the identifier is in use. */
function takeSlot<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  client: Client<Principal>,
  packet: PublishPacket,
): boolean {
  const { acknowledgements, context } = connection;
  const { packetIdentifier, qos } = packet;
  if (qos === 1 && client.version === 5 && client.session.received.has(packetIdentifier)) {
    acknowledge(connection, packet, ReasonCode.packetIdentifierInUse);
    return false;
  }
  const isNew = acknowledgements.open(packetIdentifier);
  const { receiveMaximum } = context.limits;
  if (!isNew || client.version === 4 || acknowledgements.openMessages <= receiveMaximum) return true;
  const detail = `receiveMaximum ${receiveMaximum}: more QoS 1 and 2 messages are not completed`;
  connection.close("protocol-error", detail, ReasonCode.receiveMaximumExceeded);
  return false;
}

/** Whether the client's last PUBLISH asked for the same, and the answer still holds: then it counts as a decision. */
function isKnownAllowed<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  client: Client<Principal>,
  topicName: string,
  retain: boolean,
): boolean {
  const last = connection.lastPublish;
  if (last === undefined || last.topicName !== topicName || (retain && !last.retain)) return false;
  const { authorizer, counters } = connection.context;
  if (authorizer.revision?.(client.principal) !== last.revision) return false;
  counters.decisions.publish.allowed += 1;
  if (retain) counters.decisions["retain-publish"].allowed += 1;
  return true;
}

/** Makes no object where the authorizer answers at once and allows. */
function authorize<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  client: Client<Principal>,
  packet: PublishPacket,
  topicName: string,
): void {
  const decision = decideOn(connection, packet, topicName);
  if (decision instanceof Promise) decideLater(connection, client, packet, topicName, decision);
  else decided(connection, client, packet, topicName, decision);
}

function decideOn<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  { retain }: PublishPacket,
  topicName: string,
): Decision | Promise<Decision> {
  const decision = decisionOn(connection, "publish", topicName);
  if (!retain) return decision;
  if (decision === true) return decisionOn(connection, "retain-publish", topicName);
  return decision instanceof Promise ? andRetain(connection, topicName, decision) : decision;
}

async function andRetain<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  topicName: string,
  decision: Promise<Decision>,
): Promise<Decision> {
  const answer = await decision;
  return answer === true ? decisionOn(connection, "retain-publish", topicName) : answer;
}

function decideLater<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  client: Client<Principal>,
  packet: PublishPacket,
  topicName: string,
  decision: Promise<Decision>,
): void {
  connection.hold(decision, (answer) => decided(connection, client, packet, topicName, answer));
}

function decided<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  client: Client<Principal>,
  packet: PublishPacket,
  topicName: string,
  decision: Decision,
): void {
  if (connection.state === "closed") return;
  if (decision !== true) {
    const detail = `publish to ${topicName}`;
    refuse(connection, packet, ReasonCode.notAuthorized, "not-authorized", detail, `not allowed: ${shortened(detail)}`);
    return;
  }
  const revision = connection.context.authorizer.revision?.(client.principal);
  if (revision !== undefined) connection.lastPublish = { topicName, revision, retain: packet.retain };
  publish(connection, client, packet, topicName);
}

function publish<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  client: Client<Principal>,
  packet: PublishPacket,
  topicName: string,
): void {
  const { context } = connection;
  const { qos, retain, payload, properties, packetIdentifier } = packet;
  const expirySeconds = properties === undefined ? undefined : expiryOf(connection, properties.messageExpiryInterval);
  const fields = {
    topicName,
    payload,
    qos,
    retain,
    properties: properties === undefined ? undefined : messageProperties(properties),
    expirySeconds,
    publisher: client.clientIdentifier,
  };
  // The octets of a packet without properties can go on as they came.
  const cameVersion = properties === undefined ? client.version : undefined;
  const message = new Message(fields, context.nowMs, false, cameVersion);
  const before = context.appended;
  const publication = publishMessage(context, message, connection.source());
  if (!publication.ok) {
    refuse(connection, packet, publication.reasonCode, "limit", publication.reason);
    return;
  }
  context.counters.messagesReceived[qos] += 1;
  connection.workLeft -= publication.receivers;
  brakeFor(connection);
  if (qos === 0) return;
  if (qos === 2) {
    client.session.received.add(packetIdentifier);
    client.session.journal?.received(packetIdentifier);
  }
  // AWS IoT Core does not say that nobody has subscribed. A subscriber who does not get the message has subscribed all the same.
  const isForNobody = publication.receivers === 0 && !context.isAws && !context.router.isSubscribed(topicName);
  const reasonCode = isForNobody ? ReasonCode.noMatchingSubscribers : ReasonCode.success;
  // Where this message had nothing kept, its acknowledgement does not wait for what others had.
  acknowledge(connection, packet, reasonCode, undefined, context.appended === before ? 0 : context.appended);
}

/** A receiver that is full slows those who publish to it, but not itself: its acknowledgements have to be read. */
function brakeFor<Peer, Principal>(connection: Connection<Peer, Principal>): void {
  const { congested } = connection.context.router;
  if (congested.length === 0) return;
  for (const receiver of congested) if (receiver !== connection.client?.sender) receiver.brake(connection);
  congested.length = 0;
}

function messageProperties(properties: NonNullable<PublishPacket["properties"]>): MessageProperties | undefined {
  const { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties } = properties;
  const hasAny =
    payloadFormatIndicator !== undefined ||
    contentType !== undefined ||
    responseTopic !== undefined ||
    correlationData !== undefined ||
    userProperties.length > 0;
  return hasAny ? { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties } : undefined;
}

/** AWS IoT Core raises 0 to 1 second and caps at 7 days. */
function expiryOf<Peer, Principal>(
  { context }: Connection<Peer, Principal>,
  interval: number | undefined,
): number | undefined {
  if (interval === undefined) return undefined;
  return Math.min(Math.max(interval, context.isAws ? 1 : 0), context.limits.maximumMessageExpirySeconds);
}

/** PUBACK or PUBREC, when what was published is kept. */
function acknowledge<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  { qos, packetIdentifier }: PublishPacket,
  reasonCode: number,
  reasonString?: string,
  sequence: number = connection.context.appended,
): void {
  const { version, acknowledgements, context } = connection;
  const type = acknowledgementTypes[qos];
  if (type === undefined) return;
  const isDone = qos === 1 || reasonCode >= 0x80;
  const bytes =
    version === 4 || reasonCode === 0
      ? context.space.acknowledgement(type, packetIdentifier, version)
      : connection.encodeAnswer((properties) => ({ type, packetIdentifier, reasonCode, properties }), reasonString);
  if (bytes !== undefined) acknowledgements.send(bytes, sequence, isDone ? packetIdentifier : 0);
}

const acknowledgementTypes: readonly ["puback" | undefined, "puback", "pubrec"] = [undefined, "puback", "pubrec"];

/**
 * Refuses a message. In MQTT 5.0 the acknowledgement carries the refusal and the connection stays. QoS 0 has no acknowledgement, so the
 * connection gets a DISCONNECT with the reason. MQTT 3.1.1 has no way to refuse a message, so the connection closes (MQTT-3.3.5-2).
 */
function refuse<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  packet: PublishPacket,
  reasonCode: number,
  reason: "limit" | "not-authorized",
  detail: string,
  reasonString: string = detail,
): void {
  if (connection.version === 5 && isAcknowledged(packet.qos)) {
    acknowledge(connection, packet, reasonCode, reasonString);
  } else {
    connection.close(reason, detail, reasonCode, reasonString);
  }
}

function isAcknowledged(qos: QoS): boolean {
  return qos > 0;
}
