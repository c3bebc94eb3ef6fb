/** Whether a client may receive a message: asked at every delivery, remembered where the authorizer says how long. */

import type { Connection } from "../connection/connection.ts";
import type { DecisionCounts } from "../counters.ts";
import type { Decision, Denial } from "../ports/authorizer.ts";
import { decisionFor } from "./decision.ts";

/** Topics that are remembered for one connection. */
const maximumTopics = 64;

const remembered: Denial = { isAllowed: false, reason: "refused before" };

/**
 * Asks the authorizer. Where it has a revision, it is asked once for each topic until the revision changes, and a refusal is reported
 * once. Without one it is asked every time; equal refusals are then reported once a second (the broker's tick forgets them). Throws what
 * the authorizer throws.
 */
export function mayReceive<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  topicName: string,
): Decision | Promise<Decision> {
  const { authorizer } = connection.context;
  const { client } = connection;
  if (client === undefined) return remembered;
  const revision = authorizer.revision?.(client.principal);
  if (revision !== undefined && revision !== connection.receivedRevision) {
    connection.receivedRevision = revision;
    connection.received = undefined;
  }
  const known = connection.received?.get(topicName);
  const counts = connection.context.counters.decisions.receive;
  if (known === true) {
    counts.allowed += 1;
    return true;
  }
  if (known === false) {
    if (revision !== undefined) {
      counts.denied += 1;
      return remembered;
    }
    const decision = decisionFor(connection.context, client.principal, "receive", topicName);
    if (decision instanceof Promise) return decision.then((answer) => counted(counts, answer));
    counted(counts, decision);
    if (decision === true) connection.received?.delete(topicName);
    return decision;
  }
  const decision = connection.decide("receive", topicName);
  if (decision instanceof Promise) return decision;
  if (revision !== undefined || decision !== true) {
    connection.received ??= new Map();
    if (connection.received.size >= maximumTopics) connection.received.clear();
    connection.received.set(topicName, decision === true);
  }
  return decision;
}

function counted(counts: DecisionCounts, answer: Decision): Decision {
  counts[answer === true ? "allowed" : "denied"] += 1;
  return answer;
}
