/** A session that another node may have is asked for before a CONNECT is answered. */

import type { BrokerContext } from "../connection/connection.ts";
import { putMovedSession } from "../persistence/moved-session.ts";

/**
 * Takes the session of a client identifier over from the node that has it. Undefined where nothing has to be waited for. Claims of one
 * client identifier follow each other, so that what the first one gets is here when the second one asks. What comes is kept
 * also where its client has gone meanwhile.
 */
export function claimSession<Peer, Principal>(
  context: BrokerContext<Peer, Principal>,
  clientIdentifier: string,
  isCleanStart: boolean,
): Promise<void> | undefined {
  const { cluster, claims } = context;
  if (cluster === undefined) return undefined;
  const ask = (): void | Promise<void> => {
    const answer = cluster.sessions.claim(clientIdentifier, isCleanStart);
    if (answer instanceof Promise) {
      return answer.then((moved) => {
        if (moved !== undefined) putMovedSession(context, moved);
      });
    }
    if (answer !== undefined) putMovedSession(context, answer);
    return undefined;
  };
  const earlier = claims.get(clientIdentifier);
  const claim = earlier === undefined ? ask() : earlier.then(ask, ask);
  if (claim === undefined) return undefined;
  claims.set(clientIdentifier, claim);
  const done = (): void => {
    if (claims.get(clientIdentifier) === claim) claims.delete(clientIdentifier);
  };
  claim.then(done, done);
  return claim;
}

/** Resolves when all claims are answered, or that time is over: what other nodes have given away is nowhere else. */
export async function claimsAnswered<Peer, Principal>(
  { claims }: Pick<BrokerContext<Peer, Principal>, "claims">,
  forMs: number,
): Promise<void> {
  if (claims.size === 0) return;
  const { promise: isLate, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, forMs);
  await Promise.race([Promise.allSettled(claims.values()), isLate]);
  clearTimeout(timer);
}
