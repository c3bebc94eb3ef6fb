/** What an authorizer says, whatever becomes of it: one that throws or rejects has refused. */

import type { BrokerContext, Connection } from "../connection/connection.ts";
import { refusalOf } from "../connection/refusal.ts";
import type { Action, Decision } from "../ports/authorizer.ts";

/** Asks what the client of a connection may do, and reports a refusal. Neither throws nor rejects. */
export function decisionOn<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  action: Action,
  name: string,
): Decision | Promise<Decision> {
  try {
    return connection.decide(action, name);
  } catch (cause) {
    return connection.refuse(action, name, refusalOf(cause));
  }
}

/** Asks for a principal without reporting. Neither throws nor rejects. */
export function decisionFor<Peer, Principal>(
  { authorizer, nowMs }: BrokerContext<Peer, Principal>,
  principal: Principal,
  action: Action,
  name: string,
): Decision | Promise<Decision> {
  try {
    const decision = authorizer.decide(principal, action, name, nowMs);
    return decision instanceof Promise ? decision.catch(refusalOf) : decision;
  } catch (cause) {
    return refusalOf(cause);
  }
}
