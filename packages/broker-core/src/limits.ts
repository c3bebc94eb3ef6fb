/**
 * What one client, and all of them together, may cost. Each limit says where its default comes from: AWS, a quota of AWS IoT Core
 * (message broker limits and quotas), used in profile `aws`; MQTT, the most that the protocol can say; or ours.
 */

/** Which broker this is: MQTT as the standard has it, or with the deviations and quotas of AWS IoT Core. */
export type Profile = "standard" | "aws";

/** All limits, each counted per connection unless it says otherwise. 0 turns a rate off. Those of a principal need an authenticator that names principals, those of an address a broker that is given `addressOf`. */
export interface Limits {
  /** Octets of one packet after CONNECT; a CONNECT has at most 64 KiB. Standard: 2 MiB, ours. AWS: a payload of 128 KiB, ours: 64 KiB more for headers and properties. */
  readonly maximumPacketSize: number;
  /** Octets of one payload. Standard: no limit of its own. AWS: 128 KiB. */
  readonly maximumPayloadOctets: number;
  /** Milliseconds from the connection to its accepted CONNECT. Ours. */
  readonly connectTimeoutMs: number;
  /** Seconds that a connection may last from its CONNECT on; then it is closed (0xA0). Ours, no limit by default. */
  readonly maximumConnectionSeconds: number;
  /** Octets that may arrive before CONNACK is sent. Ours. */
  readonly maximumOctetsBeforeConnack: number;
  /** Levels of a topic name or filter. Standard: 128, ours. AWS: seven slashes, so eight levels. */
  readonly maximumTopicLevels: number;
  /** Octets of a topic name or filter in UTF-8. Standard: 65,535, MQTT. AWS: 256. */
  readonly maximumTopicOctets: number;
  /** Octets of a client identifier in UTF-8. Standard: 65,535, MQTT. AWS: 128. */
  readonly maximumClientIdentifierOctets: number;
  /** Topic filters of one SUBSCRIBE. Standard: 1,024, ours. AWS: 8. */
  readonly maximumFiltersPerSubscribe: number;
  /** Standard: 10,000, ours. AWS: 50. */
  readonly maximumSubscriptionsPerSession: number;
  /** Characters of the name of a shared subscription. Standard: 65,535, MQTT. AWS: 128. */
  readonly maximumShareNameLength: number;
  /** QoS 1 and 2 messages sent to a client and not acknowledged, however large its Receive Maximum. AWS: 100. Ours too. */
  readonly maximumInFlight: number;
  /** QoS 1 and 2 messages of a client that are not completed: the Receive Maximum that CONNACK names. AWS: 100. Ours too. */
  readonly receiveMaximum: number;
  /** Topic aliases that a client may set. Standard: 16, ours. AWS: 8. */
  readonly topicAliasMaximum: number;
  /** Topic aliases that are set towards a client, at most its Topic Alias Maximum. Ours. */
  readonly maximumTopicAliasesToClient: number;
  /** Seconds that a session may be kept. Standard: 30 days, ours. AWS: one hour. */
  readonly maximumSessionExpirySeconds: number;
  /** Seconds that a message may be kept with a Message Expiry Interval. Standard: MQTT. AWS: 7 days. */
  readonly maximumMessageExpirySeconds: number;
  /** Seconds; a client that asks for less gets this. Standard: 0, MQTT. AWS: 30. */
  readonly minimumKeepAliveSeconds: number;
  /** Seconds; a client that asks for more, or for none, gets this. Standard: 65,535 and none allowed, MQTT. AWS: 1,200. */
  readonly maximumKeepAliveSeconds: number;
  /** Whether keep alive 0, which turns it off, is taken as it is. Standard: yes, MQTT. AWS: no. */
  readonly isKeepAliveOptional: boolean;
  /** Milliseconds that a queued QoS 1 or 2 message waits for its client before it is dropped. Standard: 7 days, ours. AWS: one hour. */
  readonly maximumQueuedMs: number;
  /** Messages that wait for one session, whether its client is away or slow. Ours. */
  readonly maximumQueuedMessages: number;
  /** Octets that wait for one session. Ours. */
  readonly maximumQueuedOctets: number;
  /** Octets that wait for all sessions of the process. A session may hold as much as is free (dynamic threshold), so that a few long queues never take the room of all others. Ours. */
  readonly maximumQueuedOctetsOfAll: number;
  /** Octets that may wait to be sent to a client beside its queue: beyond it messages wait in the queue, and the client is not read from. Ours. */
  readonly maximumBufferedOctets: number;
  /** Milliseconds that a client may read nothing of what waits for it. Then it is closed. Ours. */
  readonly maximumUnreadMs: number;
  /** Milliseconds for which one full receiver slows down those who publish to it, before messages to it are dropped. Ours. */
  readonly maximumBrakeMs: number;
  /** Packets that are handled for one connection before the others get their turn. Ours. */
  readonly maximumPacketsPerTurn: number;
  /** Deliveries, compared retained messages and filters that one connection may cause before the others get their turn. Ours. */
  readonly maximumWorkPerTurn: number;
  /** PUBLISH packets a second; what is above waits unread. Standard: off. AWS: 100. */
  readonly maximumPublishesPerSecond: number;
  /** Octets a second; what is above waits unread. Standard: off. AWS: 512 KiB. */
  readonly maximumOctetsPerSecond: number;
  /** CONNECT packets a second with one client identifier, over all connections. Standard: 10, ours. AWS: 1. */
  readonly maximumConnectsPerSecond: number;
  /** Connections of one principal. Ours, no limit by default, as are all of principals and addresses. */
  readonly maximumConnectionsOfPrincipal: number;
  /** CONNECT packets a second of one principal. */
  readonly maximumConnectsPerSecondOfPrincipal: number;
  /** Subscriptions of all sessions of one principal. */
  readonly maximumSubscriptionsOfPrincipal: number;
  /** Octets that wait for all sessions of one principal. */
  readonly maximumQueuedOctetsOfPrincipal: number;
  /** Octets of memory of packets that have come in part, over all connections of one principal: above it a connection is closed. */
  readonly maximumIncompleteOctetsOfPrincipal: number;
  /** PUBLISH packets a second of one principal, over all its connections; what is above waits unread. */
  readonly maximumPublishesPerSecondOfPrincipal: number;
  /** Octets a second of one principal, over all its connections; what is above waits unread. */
  readonly maximumOctetsPerSecondOfPrincipal: number;
  /** Connections from one address, those without CONNECT included. */
  readonly maximumConnectionsOfAddress: number;
  /** Connections from one address whose CONNECT is not accepted. Each has `connectTimeoutMs` for it. */
  readonly maximumConnectionsBeforeConnectOfAddress: number;
  /** CONNECT packets a second from one address, also those that are refused. */
  readonly maximumConnectsPerSecondOfAddress: number;
  /** Subscriptions of all sessions that are connected from one address. */
  readonly maximumSubscriptionsOfAddress: number;
  /** Octets that wait for all sessions that are connected from one address. */
  readonly maximumQueuedOctetsOfAddress: number;
  /** Octets of memory of packets that have come in part, over all connections from one address: above it a connection is closed. */
  readonly maximumIncompleteOctetsOfAddress: number;
  /** PUBLISH packets a second from one address, over all its connections; what is above waits unread. */
  readonly maximumPublishesPerSecondOfAddress: number;
  /** Octets a second from one address, over all its connections; what is above waits unread. */
  readonly maximumOctetsPerSecondOfAddress: number;
  /**
   * Octets of memory of packets that have come in part, over all connections. A connection may have as much as is free, as a session may of
   * `maximumQueuedOctetsOfAll`; above it it is closed. Ours.
   */
  readonly maximumIncompleteOctetsOfAll: number;
  /** Subscriptions of all sessions. Ours. */
  readonly maximumSubscriptionsOfAll: number;
  /** Retained messages, over all topics. Standard: 100,000, ours. AWS: 5,000. */
  readonly maximumRetainedMessages: number;
  /** Octets of all retained messages. Ours. */
  readonly maximumRetainedOctets: number;
  /** Sessions kept without a connection, over all clients; the one that is away longest ends first. Ours. */
  readonly maximumOfflineSessions: number;
}

/** The limits of profile `standard`. */
export const standardLimits: Limits = {
  maximumPacketSize: 2 * 1024 * 1024,
  maximumPayloadOctets: Number.MAX_SAFE_INTEGER,
  connectTimeoutMs: 10_000,
  maximumConnectionSeconds: Number.MAX_SAFE_INTEGER,
  maximumOctetsBeforeConnack: 64 * 1024,
  maximumTopicLevels: 128,
  maximumTopicOctets: 65_535,
  maximumClientIdentifierOctets: 65_535,
  maximumFiltersPerSubscribe: 1024,
  maximumSubscriptionsPerSession: 10_000,
  maximumShareNameLength: 65_535,
  maximumInFlight: 100,
  receiveMaximum: 100,
  topicAliasMaximum: 16,
  maximumTopicAliasesToClient: 16,
  maximumSessionExpirySeconds: 30 * 24 * 3600,
  maximumMessageExpirySeconds: 0xffff_ffff,
  minimumKeepAliveSeconds: 0,
  maximumKeepAliveSeconds: 65_535,
  isKeepAliveOptional: true,
  maximumQueuedMs: 7 * 24 * 3600 * 1000,
  maximumQueuedMessages: 1000,
  maximumQueuedOctets: 16 * 1024 * 1024,
  maximumQueuedOctetsOfAll: 256 * 1024 * 1024,
  maximumBufferedOctets: 1024 * 1024,
  maximumUnreadMs: 20_000,
  maximumBrakeMs: 1000,
  maximumPacketsPerTurn: 512,
  maximumWorkPerTurn: 4096,
  maximumPublishesPerSecond: 0,
  maximumOctetsPerSecond: 0,
  maximumConnectsPerSecond: 10,
  maximumConnectionsOfPrincipal: Number.MAX_SAFE_INTEGER,
  maximumConnectsPerSecondOfPrincipal: 0,
  maximumSubscriptionsOfPrincipal: Number.MAX_SAFE_INTEGER,
  maximumQueuedOctetsOfPrincipal: Number.MAX_SAFE_INTEGER,
  maximumIncompleteOctetsOfPrincipal: Number.MAX_SAFE_INTEGER,
  maximumPublishesPerSecondOfPrincipal: 0,
  maximumOctetsPerSecondOfPrincipal: 0,
  maximumConnectionsOfAddress: Number.MAX_SAFE_INTEGER,
  maximumConnectionsBeforeConnectOfAddress: Number.MAX_SAFE_INTEGER,
  maximumConnectsPerSecondOfAddress: 0,
  maximumSubscriptionsOfAddress: Number.MAX_SAFE_INTEGER,
  maximumQueuedOctetsOfAddress: Number.MAX_SAFE_INTEGER,
  maximumIncompleteOctetsOfAddress: Number.MAX_SAFE_INTEGER,
  maximumPublishesPerSecondOfAddress: 0,
  maximumOctetsPerSecondOfAddress: 0,
  maximumIncompleteOctetsOfAll: 256 * 1024 * 1024,
  maximumSubscriptionsOfAll: 1_000_000,
  maximumRetainedMessages: 100_000,
  maximumRetainedOctets: 256 * 1024 * 1024,
  maximumOfflineSessions: 10_000,
};

/** The limits of profile `aws`. */
export const awsLimits: Limits = {
  ...standardLimits,
  maximumPacketSize: 192 * 1024,
  maximumPayloadOctets: 128 * 1024,
  maximumTopicLevels: 8,
  maximumTopicOctets: 256,
  maximumClientIdentifierOctets: 128,
  maximumFiltersPerSubscribe: 8,
  maximumSubscriptionsPerSession: 50,
  maximumShareNameLength: 128,
  topicAliasMaximum: 8,
  maximumTopicAliasesToClient: 8,
  maximumSessionExpirySeconds: 3600,
  maximumMessageExpirySeconds: 604_800,
  minimumKeepAliveSeconds: 30,
  maximumKeepAliveSeconds: 1200,
  isKeepAliveOptional: false,
  maximumQueuedMs: 3600 * 1000,
  maximumPublishesPerSecond: 100,
  maximumOctetsPerSecond: 512 * 1024,
  maximumConnectsPerSecond: 1,
  maximumRetainedMessages: 5000,
};

/** The limits that hold in a profile unless the broker is given others. */
export function limitsOf(profile: Profile): Limits {
  return profile === "aws" ? awsLimits : standardLimits;
}

/** A limit with its value, as reasons name it. */
export function limitText(limits: Limits, name: keyof Limits): string {
  return `${name} ${limits[name]}`;
}
