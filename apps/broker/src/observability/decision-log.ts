/**
 * Refusals of policies: who wanted what, and which statement is in the way. The last ones are kept in memory for `latchkey decisions`,
 * and all in a file of JSON lines. Equal ones come counted together (observability/equal-events.ts).
 */

import type { DeniedEvent } from "@latchkey/broker-core";
import type { Peer } from "../authorization/peer.ts";
import { PolicyDenial, ProgramPrincipal, type Principal } from "../authorization/policy-authorizer.ts";

/** A refusal, or several that are equal. */
export interface LoggedDecision {
  /** Counts up from 1 since the broker's start. */
  readonly sequence: number;
  /** Milliseconds since 1970-01-01T00:00:00Z; of the last where they are several. */
  readonly timeMs: number;
  readonly clientId: string | undefined;
  readonly certificateId: string;
  readonly account: string;
  /** `connect`, `publish` and so on. */
  readonly action: string;
  /** The client identifier, topic or topic filter. */
  readonly name: string;
  readonly decision: string | undefined;
  readonly reason: string;
  /** How many refusals this is: above 1 where equal ones were counted together. */
  readonly times: number;
}

/** A refusal whose explanation is not made yet. */
export type RecordedDecision = Omit<LoggedDecision, "decision" | "reason"> & {
  readonly denial: DeniedEvent<Peer, Principal>["denial"];
};

/** Refusals that are kept in memory. */
const maximumEntries = 1000;

/** Keeps refusals. Why each was refused is worked out when somebody asks, since that costs more than the decision. */
export class DecisionLog {
  readonly #entries: RecordedDecision[] = [];
  readonly #writeLine: ((line: string) => void) | undefined;
  #sequence = 0;

  /** `writeLine` gets lines for the file. */
  constructor(writeLine?: (line: string) => void) {
    this.#writeLine = writeLine;
  }

  /** `times`: how many equal refusals the event stands for. To be given to `write` when there is time for its explanation. */
  record(
    { clientIdentifier, principal, action, name, denial }: DeniedEvent<Peer, Principal>,
    times: number,
  ): RecordedDecision | undefined {
    // A program's access key decides and no policy does: its line in the log says all there is.
    if (principal instanceof ProgramPrincipal) return undefined;
    const { certificateId, scope } = principal.rights.principal;
    const account = scope.account;
    const [sequence, timeMs, clientId] = [++this.#sequence, Date.now(), clientIdentifier];
    const entry = { sequence, timeMs, clientId, certificateId, account, action, name, times, denial };
    this.#entries.push(entry);
    if (this.#entries.length > maximumEntries) this.#entries.shift();
    return entry;
  }

  /** Writes a refusal into the file, with its explanation. */
  write(entry: RecordedDecision): void {
    if (this.#writeLine === undefined) return;
    const { timeMs, ...decision } = explained(entry);
    this.#writeLine(`${JSON.stringify({ time: new Date(timeMs).toISOString(), ...decision })}\n`);
  }

  /** Those of an account behind a sequence number, oldest first, at most `limit`. */
  after(account: string, sequence: number, limit: number): readonly LoggedDecision[] {
    return this.#entries
      .filter((entry) => entry.account === account && entry.sequence > sequence)
      .slice(0, limit)
      .map(explained);
  }

  /** The number of the last refusal. */
  get lastSequence(): number {
    return this.#sequence;
  }
}

function explained({ denial, ...entry }: RecordedDecision): LoggedDecision {
  const decision = denial instanceof PolicyDenial ? denial.explanation.decision : undefined;
  return { ...entry, decision, reason: denial.reason };
}
