/** Limits that all connections of one principal share. */

import { ReasonCode } from "@latchkey/mqtt-codec";
import type { BrokerContext, Connection } from "../connection/connection.ts";
import { refuseConnect } from "../connection/fault-answers.ts";
import type { EventSource } from "../events.ts";
import type { ServerPublishResult } from "../server-publish.ts";
import type { PrincipalLimit, PrincipalUsage } from "../session/principal-usage.ts";

/** Counts the connection for its principal, to be released at its end; false where it is refused. */
export function admitToPrincipal<Peer, Principal>(connection: Connection<Peer, Principal>): boolean {
  const { context, knownPrincipal, identity } = connection;
  const { authenticator, principals, limits, sessions, nowMs } = context;
  if (authenticator.nameOf === undefined || knownPrincipal === undefined) return true;
  const usage = principals.of(authenticator.nameOf(knownPrincipal));
  connection.usage = usage;
  usage.connections += 1;
  if (usage.rates.maximumConnectsPerSecondOfPrincipal?.tryTake(nowMs) === false) {
    return refuse(connection, usage, "maximumConnectsPerSecondOfPrincipal", ReasonCode.connectionRateExceeded);
  }
  const session = sessions.get(identity?.clientIdentifier ?? "");
  // The connection that this one takes over ends.
  const isTakenOver = session?.receiver !== undefined && session.owner === usage;
  if (usage.connections - (isTakenOver ? 1 : 0) <= limits.maximumConnectionsOfPrincipal) return true;
  return refuse(connection, usage, "maximumConnectionsOfPrincipal", ReasonCode.quotaExceeded);
}

function refuse<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  usage: PrincipalUsage,
  limit: PrincipalLimit,
  reasonCode: number,
): false {
  connection.context.limited.add(usage, limit, connection.source());
  const detail = `${limit} ${connection.context.limits[limit]}`;
  refuseConnect(connection, reasonCode, "limit", detail, detail);
  return false;
}

/** Why a principal may not publish now what does not come over a connection; undefined where it may. */
export function limitOfPublishing<Peer, Principal>(
  { authenticator, principals, limits, limited, nowMs }: BrokerContext<Peer, Principal>,
  principal: Principal,
  source: EventSource<Peer, Principal>,
): (ServerPublishResult & { readonly ok: false }) | undefined {
  if (authenticator.nameOf === undefined || limits.maximumPublishesPerSecondOfPrincipal === 0) return undefined;
  const usage = principals.of(authenticator.nameOf(principal));
  const mayPublish = usage.rates.maximumPublishesPerSecondOfPrincipal?.tryTake(nowMs) ?? true;
  principals.released(usage);
  if (mayPublish) return undefined;
  const limit = "maximumPublishesPerSecondOfPrincipal";
  limited.add(usage, limit, source);
  return { ok: false, reasonCode: ReasonCode.quotaExceeded, reason: `${limit} ${limits[limit]}` };
}
