/**
 * What one client may cost. Each limit says where its default comes from: a quota of AWS IoT Core (message broker limits and
 * quotas), or ours where AWS has none or does not publish it.
 */

/** All limits, each counted per connection unless it says otherwise. */
export interface Limits {
  /** Octets of one packet after CONNECT. AWS: a payload of 128 KiB; ours: 1 KiB more for the headers. */
  readonly maximumPacketSize: number;
  /** Milliseconds from the connection to its accepted CONNECT. Ours. */
  readonly connectTimeoutMs: number;
  /** Octets that may arrive while an authentication is under way. Ours. */
  readonly maximumOctetsBeforeConnack: number;
  /** Levels of a topic name or filter. AWS: seven slashes, so eight levels. */
  readonly maximumTopicLevels: number;
  /** Octets of a topic name or filter in UTF-8. AWS: 256. */
  readonly maximumTopicOctets: number;
  /** Octets of a client identifier in UTF-8. AWS: 128. */
  readonly maximumClientIdentifierOctets: number;
  /** AWS: 8 subscriptions a SUBSCRIBE request. */
  readonly maximumFiltersPerSubscribe: number;
  /** AWS: 50 subscriptions a connection. */
  readonly maximumSubscriptionsPerSession: number;
  /** QoS 1 messages sent to a client and not acknowledged; further ones wait in its queue. AWS: 100. */
  readonly maximumInFlight: number;
  /** QoS 1 messages that wait for a session, offline or slow; when it is full the newest is dropped. Ours. */
  readonly maximumQueuedMessages: number;
  /**
   * Octets that may wait to be sent to a client. Beyond it QoS 0 messages to it are dropped, QoS 1 messages wait in its
   * queue, and it is not read from until it has read. Ours.
   */
  readonly maximumBufferedOctets: number;
  /** Retained messages, over all topics; each new subscription is held against all of them. Ours: AWS has 5,000. */
  readonly maximumRetainedMessages: number;
  /** Sessions kept without a connection, over all clients; the one that has been offline longest goes first. Ours. */
  readonly maximumOfflineSessions: number;
}

/** The limits that hold unless the broker is given others. */
export const defaultLimits: Limits = {
  maximumPacketSize: 128 * 1024 + 1024,
  connectTimeoutMs: 10_000,
  maximumOctetsBeforeConnack: 64 * 1024,
  maximumTopicLevels: 8,
  maximumTopicOctets: 256,
  maximumClientIdentifierOctets: 128,
  maximumFiltersPerSubscribe: 8,
  maximumSubscriptionsPerSession: 50,
  maximumInFlight: 100,
  maximumQueuedMessages: 1000,
  maximumBufferedOctets: 1024 * 1024,
  maximumRetainedMessages: 1000,
  maximumOfflineSessions: 10_000,
};
