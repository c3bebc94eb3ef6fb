/** An MQTT broker's core, without I/O: connections, sessions, subscriptions, routing. */

export { Broker, type BrokerOptions } from "./broker.ts";
export type { ClientConnection } from "./client-connection.ts";
export type { BrokerEvent, ClientSource, CloseReason, EventSource } from "./events.ts";
export { defaultLimits, type Limits } from "./limits.ts";
export type { Action, Authentication, Authenticator, Authorizer, Credentials, Transport } from "./ports.ts";
export { SubscriptionTree } from "./subscription-tree.ts";
