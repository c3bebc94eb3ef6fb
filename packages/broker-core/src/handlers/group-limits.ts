/** Limits that all connections of one principal, or of one address, share. */

import { ReasonCode } from "@latchkey/mqtt-codec";
import type { BrokerContext, Connection } from "../connection/connection.ts";
import { refuseConnect } from "../connection/fault-answers.ts";
import type { EventSource } from "../events.ts";
import { limitText } from "../limits.ts";
import type { ServerPublish, ServerPublishResult } from "../server-publish.ts";
import type { ConnectionGroup, GroupLimit } from "../session/connection-group.ts";

/** Counts a new connection for its address, to be released at its end. Closes it where too many have not come to their CONNECT. */
export function joinAddress<Peer, Principal>(connection: Connection<Peer, Principal>): void {
  const { context, peer } = connection;
  const { addressOf, groups, limits, limited } = context;
  const address = addressOf?.(peer);
  if (address === undefined) return;
  const group = groups.of("address", address);
  join(connection, group);
  const limit = "maximumConnectionsBeforeConnectOfAddress";
  if (group.connectionsBeforeConnect <= limits[limit]) return;
  limited.add(group, limit, connection.source());
  connection.close("limit", limitText(limits, limit));
}

/** Counts the connection for its principal, to be released at its end; false where it is refused. */
export function admitPrincipal<Peer, Principal>(connection: Connection<Peer, Principal>): boolean {
  const { context, knownPrincipal } = connection;
  const { authenticator, groups } = context;
  if (authenticator.nameOf === undefined || knownPrincipal === undefined) return true;
  const group = groups.of("principal", authenticator.nameOf(knownPrincipal));
  join(connection, group);
  return admitToGroup(connection, group);
}

function join<Peer, Principal>(connection: Connection<Peer, Principal>, group: ConnectionGroup): void {
  // Not by spreading: that leaves room for sixteen more, in each connection.
  connection.groups = connection.groups.concat(group);
  group.connections += 1;
  group.connectionsBeforeConnect += 1;
  group.incompleteOctets += connection.incompleteOctets;
}

/** The connection has ended. */
export function leaveGroups<Peer, Principal>(connection: Connection<Peer, Principal>): void {
  const { context, groups, client, incompleteOctets } = connection;
  context.counters.incompleteOctets -= incompleteOctets;
  for (const group of groups) {
    group.connections -= 1;
    group.incompleteOctets -= incompleteOctets;
    if (client === undefined) group.connectionsBeforeConnect -= 1;
    context.groups.released(group);
  }
}

/** Counts the memory of a packet that has come in part for its groups and its broker; closes the connection where it is too much. */
export function countIncomplete<Peer, Principal>(connection: Connection<Peer, Principal>, octets: number): void {
  if (connection.state === "closed") return;
  const { context, groups } = connection;
  const { limits, counters, limited } = context;
  const more = octets - connection.incompleteOctets;
  connection.incompleteOctets = octets;
  counters.incompleteOctets += more;
  for (const group of groups) group.incompleteOctets += more;
  if (more < 0) return;
  for (const group of groups) {
    const limit = group.limits.incompleteOctets;
    if (group.incompleteOctets <= limits[limit]) continue;
    limited.add(group, limit, connection.source());
    connection.close("limit", limitText(limits, limit), ReasonCode.quotaExceeded);
    return;
  }
  const free = limits.maximumIncompleteOctetsOfAll - (counters.incompleteOctets - more);
  if (octets <= free) return;
  const detail = limitText(limits, "maximumIncompleteOctetsOfAll");
  connection.close("limit", detail, ReasonCode.quotaExceeded);
}

/** Whether a CONNECT is within the limits of a group that counts its connection; it is refused where it is not. */
export function admitToGroup<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  group: ConnectionGroup,
): boolean {
  const { context, identity } = connection;
  const { limits, sessions, nowMs } = context;
  if (group.connects?.tryTake(nowMs) === false) {
    return refuse(connection, group, group.limits.connects, ReasonCode.connectionRateExceeded);
  }
  const session = sessions.get(identity?.clientIdentifier ?? "");
  // The connection that this one takes over ends. Without one a session has its expiry.
  const isTakenOver = session !== undefined && session.expiry === undefined && session.groups.includes(group);
  const { connections } = group.limits;
  if (group.connections - (isTakenOver ? 1 : 0) <= limits[connections]) return true;
  return refuse(connection, group, connections, ReasonCode.quotaExceeded);
}

function refuse<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  group: ConnectionGroup,
  limit: GroupLimit,
  reasonCode: number,
): false {
  connection.context.limited.add(group, limit, connection.source());
  const detail = limitText(connection.context.limits, limit);
  refuseConnect(connection, reasonCode, "limit", detail, detail);
  return false;
}

/** Why a principal, or its address, may not publish now what does not come over a connection; undefined where it may. */
export function limitOfPublishing<Peer, Principal>(
  { authenticator, groups, limits, limited, nowMs }: BrokerContext<Peer, Principal>,
  principal: Principal,
  address: ServerPublish<Principal>["address"],
  source: EventSource<Peer, Principal>,
): (ServerPublishResult & { readonly ok: false }) | undefined {
  for (const [scope, name, limit] of [
    ["principal", authenticator.nameOf?.(principal), "maximumPublishesPerSecondOfPrincipal"],
    ["address", address, "maximumPublishesPerSecondOfAddress"],
  ] as const) {
    if (name === undefined || limits[limit] === 0) continue;
    const group = groups.of(scope, name);
    const mayPublish = group.publishes?.tryTake(nowMs) ?? true;
    groups.released(group);
    if (mayPublish) continue;
    limited.add(group, limit, source);
    return { ok: false, reasonCode: ReasonCode.quotaExceeded, reason: limitText(limits, limit) };
  }
  return undefined;
}
