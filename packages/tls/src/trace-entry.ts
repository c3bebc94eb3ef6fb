/** A trace shown to people and programs: the public names of `@latchkey/tls/trace`. */

export { traceJson } from "./trace-json.ts";
export { traceText, type TraceTextOptions } from "./trace-text.ts";
