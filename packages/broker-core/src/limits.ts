/** What one client may cost. The defaults are AWS IoT Core's quotas where it has one. */

/** All limits, each counted per connection unless it says otherwise. */
export interface Limits {
  /** Octets of one packet after CONNECT: a payload of 128 KiB and its headers. */
  readonly maximumPacketSize: number;
  /** Time from the connection to its CONNECT. */
  readonly connectTimeoutMs: number;
  /** Octets that may arrive while an authentication is under way. */
  readonly maximumOctetsBeforeConnack: number;
  /** Levels of a topic name or filter: AWS allows seven slashes. */
  readonly maximumTopicLevels: number;
  /** Octets of a topic name or filter in UTF-8. */
  readonly maximumTopicOctets: number;
  readonly maximumClientIdentifierOctets: number;
  readonly maximumFiltersPerSubscribe: number;
  readonly maximumSubscriptionsPerSession: number;
  /** QoS 1 messages sent to a client and not acknowledged; further ones wait in its queue. */
  readonly maximumInFlight: number;
  /** QoS 1 messages that wait for a session, offline or slow; when it is full the newest is dropped. */
  readonly maximumQueuedMessages: number;
  /**
   * Octets that may wait to be sent to a client. Beyond it QoS 0 messages to it are dropped, QoS 1 messages wait in its
   * queue, and it is not read from until it has read.
   */
  readonly maximumBufferedOctets: number;
  /** Retained messages, over all topics; each new subscription is held against all of them. */
  readonly maximumRetainedMessages: number;
  /** Sessions kept without a connection, over all clients; the one that has been offline longest goes first. */
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
