/** A session that another node may have is asked for before a CONNECT is answered. */

import type { BrokerContext } from "../connection/connection.ts";
import { putMovedSession } from "../persistence/moved-session.ts";
import type { MovedSession } from "../ports/cluster.ts";

const defaultTimeoutMs = 5000;

/**
 * Takes the session of a client identifier over from the node that has it. Undefined where nothing has to be waited for. Claims of one
 * client identifier follow each other, so that what the first one gets is here when the second one asks. What comes is kept
 * also where its client has gone meanwhile. Rejects where there is no answer in time.
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
    if (answer instanceof Promise) return takenInTime(context, clientIdentifier, answer);
    claims.late.delete(clientIdentifier);
    if (answer !== undefined) putMovedSession(context, answer);
    return undefined;
  };
  const earlier = claims.waiting.get(clientIdentifier);
  const claim = earlier === undefined ? ask() : earlier.then(ask, ask);
  if (claim === undefined) return undefined;
  claims.waiting.set(clientIdentifier, claim);
  const done = (): void => {
    if (claims.waiting.get(clientIdentifier) === claim) claims.waiting.delete(clientIdentifier);
  };
  claim.then(done, done);
  return claim;
}

/** Takes what another node gives. Rejects at a tick when the time is over. */
function takenInTime<Peer, Principal>(
  context: BrokerContext<Peer, Principal>,
  clientIdentifier: string,
  answer: Promise<MovedSession | undefined>,
): Promise<void> {
  const { cluster, deadlines, nowMs } = context;
  const { late } = context.claims;
  const forMs = cluster?.claimTimeoutMs ?? defaultTimeoutMs;
  const { promise: isTooLate, reject } = Promise.withResolvers<never>();
  let isLate = false;
  const answered = (): void => {
    deadlines.cancel(deadline);
    if (!isLate || late.get(clientIdentifier) === taken) late.delete(clientIdentifier);
  };
  const taken: Promise<void> = answer.then(
    (moved) => {
      const isWanted = !isLate || late.get(clientIdentifier) === taken;
      answered();
      if (moved === undefined || !isWanted) return;
      context.readClock();
      putMovedSession(context, moved);
      context.inputDone();
    },
    (cause: unknown) => {
      answered();
      throw cause;
    },
  );
  const deadline = deadlines.add(nowMs + forMs, () => {
    isLate = true;
    late.set(clientIdentifier, taken);
    reject(new Error(`no answer within claimTimeoutMs ${forMs}`));
  });
  return Promise.race([taken, isTooLate]);
}

/** Resolves when all claims are answered, or that time is over: what other nodes have given away is nowhere else. */
export async function claimsAnswered<Peer, Principal>(
  { claims: { waiting, late } }: Pick<BrokerContext<Peer, Principal>, "claims">,
  forMs: number,
): Promise<void> {
  const open = [...waiting.values(), ...late.values()];
  if (open.length === 0) return;
  const { promise: isOver, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, forMs);
  await Promise.race([Promise.allSettled(open), isOver]);
  clearTimeout(timer);
}
