/** The last refusals of policies, for `latchkey decisions`: who wanted what, and which statement is in the way. In memory, and bounded. */

import type { DeniedEvent } from "@latchkey/broker-core";
import type { Peer } from "../authorization/peer.ts";
import { PolicyDenial, ProgramPrincipal, type Principal } from "../authorization/policy-authorizer.ts";

/** A refusal, or several that are equal. */
export interface LoggedDecision {
  /** Counts up from 1 since the broker's start. */
  readonly sequence: number;
  /** Milliseconds since 1970-01-01T00:00:00Z. */
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

type Entry = Omit<LoggedDecision, "decision" | "reason"> & { readonly denial: DeniedEvent<Peer, Principal>["denial"] };

/** Refusals that are kept. */
const maximumEntries = 1000;

/** Keeps the last refusals. Why each was refused is worked out when somebody asks, since that costs more than the decision. */
export class DecisionLog {
  readonly #entries: Entry[] = [];
  #sequence = 0;

  /** `times`: how many equal refusals the event stands for. */
  record({ clientIdentifier, principal, action, name, denial }: DeniedEvent<Peer, Principal>, times: number): void {
    // A program's access key decides and no policy does: its line in the log says all there is.
    if (principal instanceof ProgramPrincipal) return;
    const { certificateId, scope } = principal.rights.principal;
    const account = scope.account;
    const [sequence, timeMs, clientId] = [++this.#sequence, Date.now(), clientIdentifier];
    this.#entries.push({ sequence, timeMs, clientId, certificateId, account, action, name, denial, times });
    if (this.#entries.length > maximumEntries) this.#entries.shift();
  }

  /** Those of an account behind a sequence number, oldest first, at most `limit`. */
  after(account: string, sequence: number, limit: number): readonly LoggedDecision[] {
    return this.#entries
      .filter((entry) => entry.account === account && entry.sequence > sequence)
      .slice(0, limit)
      .map(({ denial, ...entry }) => ({
        ...entry,
        decision: denial instanceof PolicyDenial ? denial.explanation.decision : undefined,
        reason: denial.reason,
      }));
  }

  /** The number of the last refusal. */
  get lastSequence(): number {
    return this.#sequence;
  }
}
