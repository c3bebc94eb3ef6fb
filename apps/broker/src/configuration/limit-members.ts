/** The limits of the configuration file, by what they are counted for, and where they go. */

import type { Limits } from "@latchkey/broker-core";
import type { ListenerLimits } from "../listeners/start-listeners.ts";
import { object, whole, yesOrNo, type Member, type ValueOf } from "./member.ts";

const most = Number.MAX_SAFE_INTEGER;
const count = (description: string): Member<number> => whole(1, most, description);
/** More than this is no time that a timer can have. */
const timer = (description: string): Member<number> => whole(1, 0x7fff_ffff, description);
const uint16 = (least: number, description: string): Member<number> => whole(least, 0xffff, description);
const uint32 = (description: string): Member<number> => whole(0, 0xffff_ffff, description);
const rate = (description: string): Member<number> => whole(0, most, `${description}; 0 for no limit`);

const connection = object(
  {
    maximumPacketSize: whole(1024, 268_435_460, "Octets of one packet"),
    maximumPayloadOctets: count("Octets of one payload"),
    connectTimeoutMs: count("Milliseconds from the connection to its CONNECT"),
    maximumConnectionSeconds: count("Seconds that a connection may last from its CONNECT on"),
    refusedTimeoutMs: timer("Milliseconds that a client whose certificate is refused has to ask, and to be told why"),
    maximumOctetsBeforeConnack: count("Octets before CONNACK is sent"),
    maximumTopicLevels: count("Levels of a topic name or filter"),
    maximumTopicOctets: uint16(1, "Octets of a topic name or filter"),
    maximumClientIdentifierOctets: uint16(1, "Octets of a client identifier"),
    maximumFiltersPerSubscribe: count("Topic filters of one SUBSCRIBE"),
    maximumShareNameLength: uint16(1, "Characters of the name of a shared subscription"),
    maximumInFlight: uint16(1, "Messages sent to a client and not acknowledged"),
    receiveMaximum: uint16(1, "Messages of a client that are not completed"),
    topicAliasMaximum: uint16(0, "Topic aliases that a client may set"),
    maximumTopicAliasesToClient: uint16(0, "Topic aliases that are set towards a client"),
    minimumKeepAliveSeconds: uint16(0, "A client that asks for less gets this"),
    maximumKeepAliveSeconds: uint16(1, "A client that asks for more gets this"),
    isKeepAliveOptional: yesOrNo("Whether a client may do without keep alive"),
    maximumBufferedOctets: count("Octets that may wait to be sent beside the queue"),
    maximumUnreadMs: count("Milliseconds that a client may read nothing of what waits for it"),
    maximumBrakeMs: whole(0, most, "Milliseconds that a full receiver slows down its publishers"),
    maximumPacketsPerTurn: count("Packets that are handled before others get their turn"),
    maximumWorkPerTurn: count("Deliveries, retained messages and filters before others get their turn"),
    maximumPublishesPerSecond: rate("PUBLISH packets a second"),
    maximumOctetsPerSecond: rate("Octets a second"),
  },
  "Of one connection; those that are open keep the packet size, Receive Maximum, topic aliases and keep alive agreed at CONNECT",
);

const client = object(
  {
    maximumConnectsPerSecond: rate("CONNECT packets a second"),
    maximumSubscriptionsPerSession: count("Subscriptions of its session"),
    maximumSessionExpirySeconds: uint32("Seconds that its session may be kept"),
    maximumMessageExpirySeconds: uint32("Seconds that a message may be kept with a Message Expiry Interval"),
    maximumQueuedMs: count("Milliseconds that a message may wait for it"),
    maximumQueuedMessages: count("Messages that may wait for it"),
    maximumQueuedOctets: count("Octets that may wait for it"),
  },
  "Of one client identifier, connected or not",
);

const principal = object(
  {
    maximumConnections: count("Connections that may be open at once"),
    maximumConnectsPerSecond: rate("CONNECT packets a second"),
    maximumSubscriptions: count("Subscriptions of all its sessions"),
    maximumQueuedOctets: count("Octets that may wait for all its sessions"),
    maximumIncompleteOctets: count("Octets of memory of packets that have come in part"),
    maximumPublishesPerSecond: rate("PUBLISH packets and publishes over HTTPS a second"),
    maximumOctetsPerSecond: rate("Octets a second over MQTT"),
  },
  "Of one certificate or access key, over all its connections and sessions",
);

const address = object(
  {
    maximumConnections: count("Connections that may be open at once"),
    maximumHandshakes: count("TLS handshakes that may be unfinished at once"),
    maximumConnectionsPerSecond: rate("New connections a second"),
    maximumConnectionsBeforeConnect: count("Connections over MQTT that may be open without an accepted CONNECT"),
    maximumConnectsPerSecond: rate("CONNECT packets a second"),
    maximumSubscriptions: count("Subscriptions of all sessions that are connected"),
    maximumQueuedOctets: count("Octets that may wait for all sessions that are connected"),
    maximumIncompleteOctets: count("Octets of memory of packets that have come in part"),
    maximumPublishesPerSecond: rate("PUBLISH packets and publishes over HTTPS a second"),
    maximumOctetsPerSecond: rate("Octets a second over MQTT"),
  },
  "Of one IPv4 address or IPv6 network (/64), over all its connections",
);

const process = object(
  {
    maximumConnections: count("Connections that may be open at once"),
    maximumConnectionsPerSecond: rate("New connections a second"),
    maximumQueuedOctetsOfAll: count("Octets that may wait for all clients"),
    maximumIncompleteOctetsOfAll: count("Octets of memory of packets that have come in part"),
    maximumSubscriptionsOfAll: count("Subscriptions of all sessions"),
    maximumRetainedMessages: whole(0, most, "Retained messages"),
    maximumRetainedOctets: whole(0, most, "Octets of all retained messages"),
    maximumOfflineSessions: whole(0, most, "Sessions of clients that are not connected"),
  },
  "Of all clients",
);

/** The member `limits`. */
export const limitMembers = object(
  { connection, client, principal, address, process },
  "Limits, by what they are counted for",
);

/** What the file has under `limits`. */
export type LimitSettings = ValueOf<typeof limitMembers>;

/** The limits of the broker core that the file sets. */
export function coreLimits({
  connection: a,
  client: b,
  principal: d = {},
  address: e = {},
  process: c,
}: LimitSettings): Partial<Limits> {
  const { refusedTimeoutMs: _, ...ofConnection } = a ?? {};
  const { maximumConnections: __, maximumConnectionsPerSecond: ___, ...ofProcess } = c ?? {};
  const ofPrincipal = {
    maximumConnectionsOfPrincipal: d.maximumConnections,
    maximumConnectsPerSecondOfPrincipal: d.maximumConnectsPerSecond,
    maximumSubscriptionsOfPrincipal: d.maximumSubscriptions,
    maximumQueuedOctetsOfPrincipal: d.maximumQueuedOctets,
    maximumIncompleteOctetsOfPrincipal: d.maximumIncompleteOctets,
    maximumPublishesPerSecondOfPrincipal: d.maximumPublishesPerSecond,
    maximumOctetsPerSecondOfPrincipal: d.maximumOctetsPerSecond,
  };
  const ofAddress = {
    maximumConnectionsOfAddress: e.maximumConnections,
    maximumConnectionsBeforeConnectOfAddress: e.maximumConnectionsBeforeConnect,
    maximumConnectsPerSecondOfAddress: e.maximumConnectsPerSecond,
    maximumSubscriptionsOfAddress: e.maximumSubscriptions,
    maximumQueuedOctetsOfAddress: e.maximumQueuedOctets,
    maximumIncompleteOctetsOfAddress: e.maximumIncompleteOctets,
    maximumPublishesPerSecondOfAddress: e.maximumPublishesPerSecond,
    maximumOctetsPerSecondOfAddress: e.maximumOctetsPerSecond,
  };
  return withoutUndefined({ ...ofConnection, ...b, ...ofPrincipal, ...ofAddress, ...ofProcess });
}

/** The limits of the listeners that the file sets. */
export function listenerLimits(settings: LimitSettings): Partial<ListenerLimits> {
  return withoutUndefined({
    maximumConnections: settings.process?.maximumConnections,
    maximumConnectionsPerSecond: settings.process?.maximumConnectionsPerSecond,
    maximumConnectionsOfAddress: settings.address?.maximumConnections,
    maximumConnectionsPerSecondOfAddress: settings.address?.maximumConnectionsPerSecond,
    maximumHandshakesOfAddress: settings.address?.maximumHandshakes,
    refusedTimeoutMs: settings.connection?.refusedTimeoutMs,
  });
}

function withoutUndefined<T extends object>(values: T): { readonly [Name in keyof T]?: Exclude<T[Name], undefined> } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- exactly those that are undefined are left out
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T & {
    readonly [Name in keyof T]?: Exclude<T[Name], undefined>;
  };
}
