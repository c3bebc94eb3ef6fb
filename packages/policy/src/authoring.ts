/** For authors of policies: lint, suggestions from observed requests, and expectations for CI. */

export {
  checkExpectations,
  parseExpectations,
  parseExpectationsOrThrow,
  type Expectation,
  type ExpectationFailure,
  type ExpectationReport,
  type ParseExpectationsResult,
} from "./expectations.ts";
export { lint } from "./lint.ts";
export { lintSeverities, type LintCode, type LintExample, type LintFinding, type LintSeverity } from "./lint-run.ts";
export { suggest, type Suggestion } from "./suggest.ts";
