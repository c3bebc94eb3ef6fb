/** Random packets that the specification allows, with every field, so that a decoded one can be compared as it is. */

import fc from "fast-check";
import type { Packet, ProtocolVersion, UserProperty } from "../src/index.ts";

const uint16 = fc.integer({ min: 0, max: 65_535 });
const positive16 = fc.integer({ min: 1, max: 65_535 });
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const positive32 = fc.integer({ min: 1, max: 0xffff_ffff });
const octets = fc.uint8Array({ maxLength: 300 });
const qos = fc.constantFrom(0 as const, 1 as const, 2 as const);
const bit = fc.constantFrom(0 as const, 1 as const);

/** Text without U+0000 and lone surrogates; mostly ASCII, sometimes anything. */
const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 40 }).map((value) => value.replaceAll("\u0000", "x")),
  fc.constantFrom("", "\ufeff", "\u007f", "\u0080", "\uffff", "\u{10ffff}", "é".repeat(100), "\u0001"),
);
const topicName = text.map((value) => value.replaceAll(/[+#]/gu, "-") || "t");
const level = fc.oneof({ weight: 3, arbitrary: topicName }, { weight: 1, arbitrary: fc.constant("+") });
const plainFilter = fc
  .tuple(
    fc.array(
      level.map((value) => (value === "+" ? value : value.replaceAll("/", "-"))),
      { minLength: 1, maxLength: 4 },
    ),
    fc.boolean(),
  )
  .map(([levels, hash]) => [...levels, ...(hash ? ["#"] : [])].join("/"));
const topicFilter = fc.oneof(
  { weight: 4, arbitrary: plainFilter },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom("g", "é"), plainFilter).map(([group, filter]) => `$share/${group}/${filter}`),
  },
);
const userProperties = fc.array(fc.tuple(text, text), { maxLength: 3 });

/** Each field there or undefined; lists are there and may be empty. */
function fields<T extends object>(model: { [K in keyof T]: fc.Arbitrary<Exclude<T[K], undefined>> }): fc.Arbitrary<T> {
  const optional = Object.fromEntries(
    Object.entries(model).map(([name, arbitrary]) => [
      name,
      name === "userProperties" || name === "subscriptionIdentifiers"
        ? (arbitrary as fc.Arbitrary<unknown>)
        : fc.option(arbitrary as fc.Arbitrary<unknown>, { nil: undefined }),
    ]),
  );
  return fc.record(optional) as unknown as fc.Arbitrary<T>;
}

/** Properties in 5.0; undefined where there would be none, and always in 3.1.1. */
function properties<T extends object>(
  version: ProtocolVersion,
  arbitrary: fc.Arbitrary<T>,
): fc.Arbitrary<T | undefined> {
  if (version === 4) return fc.constant(undefined);
  const some = arbitrary.map((value) =>
    Object.values(value).every((field) => field === undefined || (Array.isArray(field) && field.length === 0))
      ? undefined
      : value,
  );
  return fc.oneof(fc.constant(undefined), some);
}

const reasons = fields<{ reasonString: string | undefined; userProperties: readonly UserProperty[] }>({
  reasonString: text,
  userProperties,
});

const message = {
  payloadFormatIndicator: bit,
  messageExpiryInterval: uint32,
  contentType: text,
  responseTopic: topicName,
  correlationData: octets,
  userProperties,
};

/** Data never without a method. */
const authentication = fc.oneof(
  fc.constant({ authenticationMethod: undefined, authenticationData: undefined }),
  fc.record({ authenticationMethod: text, authenticationData: fc.option(octets, { nil: undefined }) }),
);

function withAuthentication<T extends object>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.tuple(arbitrary, authentication).map(([value, method]) => ({ ...value, ...method }));
}

export function connectPacket(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const willProperties = properties(version, fields<object>({ willDelayInterval: uint32, ...message }));
  const will = fc.record({ topicName, payload: octets, qos, retain: fc.boolean(), properties: willProperties });
  const own = fields<object>({
    sessionExpiryInterval: uint32,
    receiveMaximum: positive16,
    maximumPacketSize: positive32,
    topicAliasMaximum: uint16,
    requestResponseInformation: fc.boolean(),
    requestProblemInformation: fc.boolean(),
    userProperties,
  });
  return fc
    .record({
      type: fc.constant("connect"),
      protocolVersion: fc.constant(version),
      cleanStart: fc.boolean(),
      keepAlive: uint16,
      clientIdentifier: text,
      will: fc.option(will, { nil: undefined }),
      userName: fc.option(text, { nil: undefined }),
      password: fc.option(octets, { nil: undefined }),
      properties: properties(version, withAuthentication(own)),
    })
    .map((packet) =>
      version === 5
        ? packet
        : {
            ...packet,
            cleanStart: packet.cleanStart || packet.clientIdentifier === "",
            password: packet.userName === undefined ? undefined : packet.password,
          },
    ) as unknown as fc.Arbitrary<Packet>;
}

function publishPacket(version: ProtocolVersion, isFromClient: boolean): fc.Arbitrary<Packet> {
  const subscriptionIdentifiers = isFromClient
    ? fc.constant([])
    : fc.array(fc.integer({ min: 1, max: 268_435_455 }), { maxLength: 3 });
  return fc
    .record({
      type: fc.constant("publish"),
      topicName,
      payload: octets,
      qos,
      retain: fc.boolean(),
      dup: fc.boolean(),
      packetIdentifier: positive16,
      properties: properties(version, fields<object>({ ...message, topicAlias: positive16, subscriptionIdentifiers })),
    })
    .map((packet) =>
      packet.qos === 0 ? { ...packet, dup: false, packetIdentifier: 0 } : packet,
    ) as unknown as fc.Arbitrary<Packet>;
}

function acknowledgements(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const codes = (of: readonly number[]): fc.Arbitrary<number> => fc.constantFrom(...(version === 5 ? of : [0]));
  const puback = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
  const one = (type: string, of: readonly number[]): fc.Arbitrary<unknown> =>
    fc.record({
      type: fc.constant(type),
      packetIdentifier: positive16,
      reasonCode: codes(of),
      properties: properties(version, reasons),
    });
  return fc.oneof(
    one("puback", puback),
    one("pubrec", puback),
    one("pubrel", [0x00, 0x92]),
    one("pubcomp", [0x00, 0x92]),
  ) as fc.Arbitrary<Packet>;
}

/** Everything that a client sends after CONNECT. */
export function clientPacket(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const subscription = fc
    .record({
      topicFilter,
      qos,
      noLocal: fc.boolean(),
      retainAsPublished: fc.boolean(),
      retainHandling: fc.constantFrom(0, 1, 2),
    })
    .map((options) =>
      version === 4
        ? { ...options, noLocal: false, retainAsPublished: false, retainHandling: 0 }
        : { ...options, noLocal: options.noLocal && !options.topicFilter.startsWith("$share/") },
    );
  const subscribe = fc.record({
    type: fc.constant("subscribe"),
    packetIdentifier: positive16,
    subscriptions: fc.array(subscription, { minLength: 1, maxLength: 5 }),
    properties: properties(
      version,
      fields<object>({ subscriptionIdentifier: fc.integer({ min: 1, max: 268_435_455 }), userProperties }),
    ),
  });
  const unsubscribe = fc.record({
    type: fc.constant("unsubscribe"),
    packetIdentifier: positive16,
    topicFilters: fc.array(topicFilter, { minLength: 1, maxLength: 5 }),
    properties: properties(version, fields<object>({ userProperties })),
  });
  const disconnect = fc.record({
    type: fc.constant("disconnect"),
    reasonCode: version === 5 ? fc.constantFrom(0x00, 0x04, 0x81, 0x98) : fc.constant(0),
    properties: properties(
      version,
      fields<object>({ sessionExpiryInterval: uint32, reasonString: text, userProperties }).map((value) => ({
        sessionExpiryInterval: undefined,
        reasonString: undefined,
        serverReference: undefined,
        ...value,
      })),
    ),
  });
  const others = [subscribe, unsubscribe, disconnect, fc.constant({ type: "pingreq" })];
  const all = version === 5 ? [...others, authPacket([0x18, 0x19])] : others;
  return fc.oneof(publishPacket(version, true), acknowledgements(version), ...(all as fc.Arbitrary<Packet>[]));
}

function authPacket(codes: readonly number[]): fc.Arbitrary<unknown> {
  return fc.record({
    type: fc.constant("auth"),
    reasonCode: fc.constantFrom(...codes),
    properties: fc
      .tuple(
        fc.record({ authenticationMethod: text, authenticationData: fc.option(octets, { nil: undefined }) }),
        reasons,
      )
      .map(([method, reason]) => ({ ...method, ...reason })),
  });
}

/** Everything that a server sends. */
export function serverPacket(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const connackProperties = fields<object>({
    sessionExpiryInterval: uint32,
    receiveMaximum: positive16,
    maximumQoS: bit,
    retainAvailable: fc.boolean(),
    maximumPacketSize: positive32,
    assignedClientIdentifier: text,
    topicAliasMaximum: uint16,
    reasonString: text,
    wildcardSubscriptionAvailable: fc.boolean(),
    subscriptionIdentifierAvailable: fc.boolean(),
    sharedSubscriptionAvailable: fc.boolean(),
    serverKeepAlive: uint16,
    responseInformation: text,
    serverReference: text,
    userProperties,
  });
  const connack = fc
    .record({
      type: fc.constant("connack"),
      sessionPresent: fc.boolean(),
      reasonCode: fc.constantFrom(...(version === 5 ? [0x00, 0x80, 0x87, 0x9f] : [0, 1, 2, 3, 4, 5])),
      properties: properties(version, withAuthentication(connackProperties)),
    })
    .map((packet) => ({ ...packet, sessionPresent: packet.sessionPresent && packet.reasonCode === 0 }));
  const answer = (type: string, codes: readonly number[]): fc.Arbitrary<unknown> =>
    fc.record({
      type: fc.constant(type),
      packetIdentifier: positive16,
      reasonCodes:
        type === "unsuback" && version === 4
          ? fc.constant([])
          : fc.array(fc.constantFrom(...codes), { minLength: 1, maxLength: 5 }),
      properties: properties(version, reasons),
    });
  const suback = answer("suback", version === 5 ? [0, 1, 2, 0x87, 0x8f, 0xa2] : [0, 1, 2, 0x80]);
  const disconnect = fc.record({
    type: fc.constant("disconnect"),
    reasonCode: fc.constantFrom(0x00, 0x8b, 0x8e, 0x9d),
    properties: properties(
      version,
      fields<object>({ reasonString: text, serverReference: text, userProperties }).map((value) => ({
        sessionExpiryInterval: undefined,
        ...value,
      })),
    ),
  });
  const others = [connack, suback, answer("unsuback", [0x00, 0x11, 0x8f]), fc.constant({ type: "pingresp" })];
  const all = version === 5 ? [...others, disconnect, authPacket([0x00, 0x18])] : others;
  return fc.oneof(publishPacket(version, false), acknowledgements(version), ...(all as fc.Arbitrary<Packet>[]));
}
