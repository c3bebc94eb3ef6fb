/** What a connection knows of its client, step by step. */

import type { ProtocolVersion } from "@latchkey/mqtt-codec";
import type { Limits } from "../limits.ts";
import type { AuthenticationStep } from "../ports/authenticator.ts";
import type { Session } from "../session/session.ts";
import type { Sender } from "./sender.ts";
import type { ClientTopicAliases } from "./topic-aliases.ts";

/** How far a connection has come. */
export type ConnectionState =
  | "awaiting-connect"
  /** CONNECT is here, and who the client is or whether it may connect is not decided. */
  | "authenticating"
  /** The client has to answer with AUTH. */
  | "exchanging"
  /** CONNECT is accepted, and CONNACK waits until what it promises is kept. */
  | "accepted"
  /** CONNACK has gone out. */
  | "connected"
  | "closed";

/** An accepted CONNECT. */
export interface Client<Principal> {
  readonly version: ProtocolVersion;
  readonly clientIdentifier: string;
  readonly isAssignedIdentifier: boolean;
  principal: Principal;
  readonly session: Session;
  readonly sender: Sender;
  readonly aliases: ClientTopicAliases;
  /** The keep alive that holds; 0 for none. */
  readonly keepAliveSeconds: number;
  /** When CONNECT was accepted, in milliseconds since 1970. */
  readonly connectedAtMs: number;
  /** The same in milliseconds of the broker's clock. */
  readonly acceptedMs: number;
  /** How long its last authentication holds, in milliseconds of the broker's clock. */
  authenticatedUntilMs: number;
  /** Of CONNECT, which a DISCONNECT may not raise from 0. */
  readonly sessionExpirySeconds: number;
  readonly authenticationMethod: string | undefined;
}

/** How an answer to a fault may be written. */
export interface AnswerOptions {
  readonly maximumPacketSize: number;
  /** Request Problem Information: reason strings in all packets (MQTT-3.1.2-29). */
  readonly hasProblemInformation: boolean;
}

/** A step of an AUTH exchange that waits for the client. */
export interface Exchange<Principal> {
  readonly method: string;
  readonly next: (
    authenticationData: Uint8Array | undefined,
    nowMs: number,
  ) => AuthenticationStep<Principal> | Promise<AuthenticationStep<Principal>>;
  readonly settled: (step: AuthenticationStep<Principal>) => void;
}

/** Why the time of a client's connection is over; undefined while it is not. */
export function timeOver<Principal>(
  { acceptedMs, authenticatedUntilMs }: Client<Principal>,
  { maximumConnectionSeconds }: Limits,
  nowMs: number,
): { readonly reason: "maximum-connect-time" | "authentication-expired"; readonly detail: string } | undefined {
  if (nowMs - acceptedMs >= maximumConnectionSeconds * 1000) {
    return { reason: "maximum-connect-time", detail: "maximumConnectionSeconds is over" };
  }
  if (nowMs < authenticatedUntilMs) return undefined;
  return { reason: "authentication-expired", detail: "its authentication holds no longer" };
}
