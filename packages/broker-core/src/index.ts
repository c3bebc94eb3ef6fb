/** An MQTT broker's core, without I/O: connections, sessions, subscriptions, routing. */

export { Broker } from "./broker.ts";
export type { BrokerOptions, ClientConnection, PersistenceOptions } from "./broker-options.ts";
export { createBroker, type CreateBrokerOptions, type EmbeddedBroker } from "./embedding/create-broker.ts";
export type { ByteStream, NodeByteStream, WebByteStream } from "./embedding/byte-stream.ts";
export { deliveryBoundsMs, type Counters, type DecisionCounts } from "./counters.ts";
export type {
  BrokerEvent,
  ClientSource,
  CloseReason,
  DeniedEvent,
  DroppedEvent,
  DropLimit,
  EventSource,
  LimitedEvent,
  PublishedEvent,
  SessionEndReason,
  SubscribedEvent,
  UnsubscribedEvent,
} from "./events.ts";
export { Rate } from "./connection/rate.ts";
export { awsLimits, limitsOf, standardLimits, type Limits, type Profile } from "./limits.ts";
export type { Authentication, AuthenticationStep, Authenticator, Credentials } from "./ports/authenticator.ts";
export type { Action, Authorizer, Decision, Denial } from "./ports/authorizer.ts";
export type {
  Cluster,
  ForwardedMessage,
  Interest,
  InterestedNode,
  MovedSession,
  SessionClaims,
} from "./ports/cluster.ts";
export type { ClusterNode } from "./cluster-node.ts";
export { InterestTable } from "./routing/interest-table.ts";
export type { ReservedOutcome, ReservedPublish, ReservedTopics } from "./ports/reserved-topics.ts";
export type { AddressLimit, GroupLimit, GroupScope, PrincipalLimit } from "./session/connection-group.ts";
export type { Transport } from "./ports/transport.ts";
export type {
  ConnectionEnd,
  ConnectionView,
  DirectMessage,
  DirectResult,
  EndSessionOptions,
  RetainedMessageView,
  ServerPublish,
  ServerPublishResult,
  SessionView,
} from "./server-publish.ts";
export type { SessionSubscription } from "./routing/subscription.ts";
export { SubscriptionTree } from "./routing/subscription-tree.ts";
export { SessionStoreError } from "./ports/session-store.ts";
export type {
  KeptRetained,
  KeptSession,
  KeptState,
  KeptWill,
  SessionRecord,
  SessionStore,
  SessionStoreErrorCode,
  StoredDelivery,
  StoredMessage,
  StoredSession,
} from "./ports/session-store.ts";
export { MemorySessionStore } from "./persistence/memory-session-store.ts";
