/** A trace as JSON. */

import type { TraceEvent } from "./trace-event.ts";

/** One array, one object a step, for programs and pages. It holds no secret, since a trace has none. */
export function traceJson(events: readonly TraceEvent[]): string {
  return JSON.stringify(events, undefined, 2);
}
