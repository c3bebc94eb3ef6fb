/**
 * AWS IoT's data plane: publish, retained messages, connections. Devices come over HTTPS with their certificate, and policies decide;
 * programs come over the control plane's signed HTTP, and the access key decides.
 */

import type {
  ConnectionView,
  DirectMessage,
  DirectResult,
  RetainedMessageView,
  ServerPublish,
  ServerPublishResult,
  SessionView,
} from "@latchkey/broker-core";
import { ReasonCode, type UserProperty } from "@latchkey/mqtt-codec";
import type { Peer } from "../authorization/peer.ts";
import type { Principal } from "../authorization/policy-authorizer.ts";
import { isObject } from "../http/json-body.ts";
import { operation, type Operation } from "../http/operation.ts";
import { invalidRequest, ServiceError } from "../http/service-error.ts";
import { disconnectReasonOf } from "../observability/lifecycle-events.ts";
import { blob, flag, header, label, query, required, text, whole, word, type Input } from "../http/shape.ts";

/** Why a connection has ended that DeleteConnection has ended. */
export const endedByApi = "ended by the control plane";

/** What a caller may do of the data plane. Each refuses what the caller may not do by a thrown `ServiceError`. */
export interface DataPlane {
  publish(message: Omit<ServerPublish<never>, "principal">): Promise<ServerPublishResult>;
  retained(topicName: string): RetainedMessageView | undefined;
  retainedMessages(): Iterable<RetainedMessageView>;
  /** Shown in the answer to a publish. */
  readonly requestId?: string | undefined;
}

/** What only programs with an access key may see and do. */
export interface LiveBroker {
  sessions(): Iterable<Omit<SessionView<unknown>, "principal">>;
  connection(clientIdentifier: string): ConnectionView<Peer, Principal> | undefined;
  sendDirect(clientIdentifier: string, message: DirectMessage, nowMs: number): Promise<DirectResult>;
  endSession(
    clientIdentifier: string,
    nowMs: number,
    options: { readonly isWillSuppressed?: boolean; readonly isSessionKept?: boolean; readonly detail?: string },
  ): boolean;
}

/** What the operations of programs work with. */
export interface LiveContext {
  readonly dataPlane: DataPlane;
  readonly broker: LiveBroker;
  /** Milliseconds of the clock that the broker goes by. */
  readonly brokerNowMs: () => number;
  /** The thing that a connected client is. */
  readonly thingOf: (principal: Principal) => string | undefined;
}

const topic = label(text({ least: 1, most: 65_535 }));
const clientId = label(text({ least: 1, most: 65_535 }));
/** Octets of a message's payload, as AWS IoT has it. */
export const maximumPayloadOctets = 128 * 1024;
const maximumUserProperties = 100;
const defaultConfirmationSeconds = 5;

/** The members of Publish and SendDirectMessage that become properties of the message. */
const messageMembers = {
  contentType: query(text({ most: 65_535 })),
  responseTopic: query(text({ most: 65_535 })),
  userProperties: header("x-amz-mqtt5-user-properties", text({ most: 8192 })),
  payloadFormatIndicator: header("x-amz-mqtt5-payload-format-indicator", word("UNSPECIFIED_BYTES", "UTF8_DATA")),
  correlationData: header("x-amz-mqtt5-correlation-data", blob(8192)),
};

/** What devices can ask for, too. */
export const deviceOperations: readonly Operation<DataPlane>[] = [
  operation("Publish", "POST /topics/{topic+}", {
    hasPayload: true,
    exceptions: ["RequestEntityTooLargeException"],
    members: {
      topic,
      qos: query(whole(0, 1)),
      retain: query(flag),
      messageExpiry: query(whole(0, 4_294_967_295)),
      ...messageMembers,
    },
    async run(dataPlane: DataPlane, input, payload) {
      checkPayload(payload);
      const result = await dataPlane.publish({
        topicName: input.topic,
        payload,
        qos: input.qos === 1 ? 1 : 0,
        retain: input.retain === true,
        properties: { ...propertiesOf(input), messageExpiryInterval: input.messageExpiry },
      });
      if (!result.ok) throw publishException(result);
      return { message: "OK", traceId: dataPlane.requestId };
    },
  }),
  operation("GetRetainedMessage", "GET /retainedMessage/{topic+}", {
    exceptions: ["ResourceNotFoundException"],
    members: { topic },
    run(dataPlane: DataPlane, input) {
      const message = dataPlane.retained(input.topic);
      if (message === undefined) throw notFound(`there is no retained message on ${JSON.stringify(input.topic)}`);
      const { userProperties = [] } = message.properties ?? {};
      const pairs = userProperties.map(([name, value]) => ({ [name]: value }));
      return {
        topic: message.topicName,
        payload: Buffer.from(message.payload).toString("base64"),
        qos: message.qos,
        lastModifiedTime: message.storedAtMs,
        userProperties: pairs.length === 0 ? undefined : Buffer.from(JSON.stringify(pairs)).toString("base64"),
      };
    },
  }),
  operation("ListRetainedMessages", "GET /retainedMessage", {
    members: { nextToken: query(text({ least: 1, most: 100_000 })), maxResults: query(whole(1, 200)) },
    run(dataPlane: DataPlane, { nextToken, maxResults = 200 }) {
      const { page, next } = pageOf(dataPlane.retainedMessages(), (one) => one.topicName, nextToken, maxResults);
      return {
        retainedTopics: page.map((one) => ({
          topic: one.topicName,
          payloadSize: one.payload.length,
          qos: one.qos,
          lastModifiedTime: one.storedAtMs,
        })),
        nextToken: next,
      };
    },
  }),
];

/** What programs with an access key can ask for. */
export const dataPlaneOperations: readonly Operation<LiveContext>[] = [
  ...deviceOperations.map((one): Operation<LiveContext> => ({
    ...one,
    handle: ({ dataPlane }, request) => one.handle(dataPlane, request),
  })),
  operation("GetConnection", "GET /connections/{clientId}", {
    exceptions: ["ResourceNotFoundException"],
    members: { clientId, includeSocketInformation: query(flag) },
    run({ broker, thingOf }: LiveContext, { clientId: wanted, includeSocketInformation }) {
      const found = broker.connection(wanted);
      if (found === undefined) throw noConnection(wanted);
      return connectionAnswer(found, thingOf, includeSocketInformation === true);
    },
  }),
  operation("SendDirectMessage", "POST /connections/{clientId}/messages", {
    hasPayload: true,
    exceptions: ["ResourceNotFoundException", "RequestEntityTooLargeException", "GatewayTimeoutException"],
    members: {
      clientId,
      topic: required(query(text({ least: 1, most: 65_535 }))),
      confirmation: query(flag),
      timeout: query(whole(1, 15)),
      ...messageMembers,
    },
    async run({ broker, brokerNowMs, dataPlane }: LiveContext, input, payload) {
      checkPayload(payload);
      if (input.topic.startsWith("$")) throw invalidRequest("topic", "begins with $: such topics are reserved");
      const { clientId: wanted, timeout = defaultConfirmationSeconds } = input;
      const confirmWithinMs = input.confirmation === true ? timeout * 1000 : undefined;
      const message = { topicName: input.topic, payload, properties: propertiesOf(input), confirmWithinMs };
      const result = await broker.sendDirect(wanted, message, brokerNowMs());
      if (!result.ok) throw directException(wanted, result);
      return { message: "OK", traceId: dataPlane.requestId };
    },
  }),
  operation("DeleteConnection", "DELETE /connections/{clientId}", {
    exceptions: ["ResourceNotFoundException"],
    members: { clientId, cleanSession: query(flag), preventWillMessage: query(flag) },
    run({ broker, brokerNowMs }: LiveContext, input) {
      const isEnded = broker.endSession(input.clientId, brokerNowMs(), {
        isSessionKept: input.cleanSession !== true,
        isWillSuppressed: input.preventWillMessage === true,
        detail: endedByApi,
      });
      if (!isEnded) throw noConnection(input.clientId);
    },
  }),
  operation("ListSubscriptions", "GET /connections/{clientId}/subscriptions", {
    exceptions: ["ResourceNotFoundException"],
    members: { clientId, nextToken: query(text({ least: 1, most: 100_000 })), maxResults: query(whole(1, 200)) },
    run({ broker }: LiveContext, { clientId: wanted, nextToken, maxResults = 20 }) {
      for (const session of broker.sessions()) {
        if (session.clientIdentifier !== wanted) continue;
        const { page, next } = pageOf(session.subscriptions, (one) => one.topicFilter, nextToken, maxResults);
        return { subscriptions: page.map(({ topicFilter, qos }) => ({ topicFilter, qos })), nextToken: next };
      }
      throw noConnection(wanted);
    },
  }),
  operation("ListSessions", "GET /latchkey/sessions", {
    members: { nextToken: query(text({ least: 1, most: 100_000 })), maxResults: query(whole(1, 250)) },
    run({ broker }: LiveContext, { nextToken, maxResults = 250 }) {
      const { page, next } = pageOf(broker.sessions(), (one) => one.clientIdentifier, nextToken, maxResults);
      return {
        sessions: page.map((session) => ({
          clientId: session.clientIdentifier,
          connected: session.isConnected,
          subscriptions: session.subscriptions.length,
          queuedMessages: session.queuedMessages,
          inFlight: session.inFlight,
        })),
        nextToken: next,
      };
    },
  }),
];

/** A page of what is sorted by a key, behind the key in the token. Keeps no more than a page while it looks at all of them. */
function pageOf<T>(
  items: Iterable<T>,
  keyOf: (item: T) => string,
  nextToken: string | undefined,
  size: number,
): { readonly page: readonly T[]; readonly next: string | undefined } {
  const after = nextToken === undefined ? undefined : Buffer.from(nextToken, "base64").toString("utf8");
  const behind = Array.from(items).filter((item) => after === undefined || keyOf(item) > after);
  behind.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const page = behind.slice(0, size);
  const last = page.at(-1);
  const isLast = behind.length <= size || last === undefined;
  return { page, next: isLast ? undefined : Buffer.from(keyOf(last), "utf8").toString("base64") };
}

function checkPayload({ length }: Uint8Array): void {
  if (length <= maximumPayloadOctets) return;
  const message = `the payload has ${length} octets: at most ${maximumPayloadOctets} are possible`;
  throw new ServiceError("RequestEntityTooLargeException", message);
}

function propertiesOf(input: Input<typeof messageMembers>): DirectMessage["properties"] {
  const { contentType, responseTopic, payloadFormatIndicator, correlationData, userProperties } = input;
  return {
    contentType,
    responseTopic,
    payloadFormatIndicator: payloadFormatIndicator === "UTF8_DATA" ? 1 : undefined,
    correlationData,
    userProperties: userPropertiesOf(userProperties),
  };
}

/** The header is base64 of a JSON list of objects with one member each. */
function userPropertiesOf(encoded: string | undefined): readonly UserProperty[] {
  if (encoded === undefined) return [];
  let list: unknown;
  try {
    list = JSON.parse(Buffer.from(encoded, "base64").toString("utf8"));
  } catch {
    list = undefined;
  }
  if (!Array.isArray(list) || list.length > maximumUserProperties) throw wrongUserProperties();
  return list.map((one: unknown): UserProperty => {
    const [pair, ...more] = isObject(one) ? Object.entries(one) : [];
    if (pair === undefined || more.length > 0 || typeof pair[1] !== "string") throw wrongUserProperties();
    return [pair[0], pair[1]];
  });
}

function wrongUserProperties(): ServiceError {
  return invalidRequest(
    "userProperties",
    `has to be base64 of a JSON list of at most ${maximumUserProperties} objects with one text each`,
  );
}

function publishException({ reasonCode, reason }: ServerPublishResult & { readonly ok: false }): ServiceError {
  if (reasonCode === ReasonCode.notAuthorized) return new ServiceError("ForbiddenException", reason);
  if (reasonCode === ReasonCode.quotaExceeded) {
    return new ServiceError("ThrottlingException", `the message was not published: ${reason}`, { statusCode: 429 });
  }
  if (reasonCode === ReasonCode.malformedPacket)
    return invalidRequest("a property of the message", `cannot be sent: ${reason}`);
  return invalidRequest("topic", `cannot be published to: ${reason}`);
}

function directException(
  clientIdentifier: string,
  { cause, reason }: DirectResult & { readonly ok: false },
): ServiceError {
  const client = JSON.stringify(clientIdentifier);
  switch (cause) {
    case "not-connected":
      return notFound(`${client} is not connected`);
    case "invalid-topic":
      return invalidRequest("topic", `cannot be sent to: ${reason}`);
    case "invalid-properties":
      return invalidRequest("a property of the message", `cannot be sent: ${reason}`);
    case "too-large":
      return new ServiceError("RequestEntityTooLargeException", `${client} cannot be sent the message: ${reason}`);
    case "not-authorized":
      return new ServiceError("ForbiddenException", `${client} may not receive the message: ${reason}`);
    case "no-room":
      return new ServiceError("ThrottlingException", `the message was not sent: ${reason}`, { statusCode: 429 });
    case "not-confirmed":
      return new ServiceError("GatewayTimeoutException", `${client}: ${reason}`);
  }
}

function connectionAnswer(
  { clientIdentifier, sessionExpirySeconds, connection, lastEnd }: ConnectionView<Peer, Principal>,
  thingOf: LiveContext["thingOf"],
  hasSockets: boolean,
): object {
  const session = {
    clientId: clientIdentifier,
    cleanSession: sessionExpirySeconds === 0,
    sessionExpiry: sessionExpirySeconds,
  };
  if (connection === undefined) {
    return {
      ...session,
      connected: false,
      disconnectedSince: lastEnd?.atMs,
      // Unknown where the broker was killed.
      disconnectReason:
        lastEnd?.reason && disconnectReasonOf({ reason: lastEnd.reason, detail: lastEnd.detail }, endedByApi),
    };
  }
  const { peer, principal, keepAliveSeconds, connectedAtMs } = connection;
  return {
    ...session,
    connected: true,
    thingName: thingOf(principal),
    keepAliveDuration: keepAliveSeconds,
    connectedSince: connectedAtMs,
    ...(hasSockets && { sourceIp: peer.sourceIp, ...peer.ends }),
  };
}

function noConnection(clientIdentifier: string): ServiceError {
  return notFound(`there is no connection or session of ${JSON.stringify(clientIdentifier)}`);
}

function notFound(message: string): ServiceError {
  return new ServiceError("ResourceNotFoundException", message);
}
