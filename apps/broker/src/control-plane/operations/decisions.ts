/** What policies have refused lately. The operation is ours, under `/latchkey`. */

import type { DecisionLog } from "../../observability/decision-log.ts";
import { operation, type Operation, type OperationContext } from "../../http/operation.ts";
import { query, whole } from "../../http/shape.ts";

/** What the operation needs of a running broker. */
export interface DecisionContext extends OperationContext {
  readonly decisions: Pick<DecisionLog, "after" | "lastSequence">;
}

/** The operations. */
export const decisionOperations: readonly Operation<DecisionContext>[] = [
  operation("ListDecisions", "GET /latchkey/decisions", {
    members: { after: query(whole(0, Number.MAX_SAFE_INTEGER)), maxResults: query(whole(1, 250)) },
    run: ({ decisions, scope }: DecisionContext, { after = 0, maxResults = 250 }) => ({
      decisions: decisions.after(scope.account, after, maxResults),
      lastSequence: decisions.lastSequence,
    }),
  }),
];
