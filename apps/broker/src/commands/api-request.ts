/** A call of an operation as a request: the same for a server on the network and for the operations in this process. */

import type { Operation } from "../http/operation.ts";

/** A call that is ready to be sent. */
export interface ApiRequest {
  readonly labels: Readonly<Record<string, string>>;
  /** The path with its labels, percent-encoded. */
  readonly path: string;
  readonly query: ReadonlyMap<string, readonly string[]>;
  readonly headers: ReadonlyMap<string, string>;
  /** JSON, or the payload; empty where no member stands in the body. */
  readonly body: Uint8Array;
}

/** Places the input of an operation where its members stand. Undefined members are left out. */
export function apiRequest<Context>(
  operation: Operation<Context>,
  input: Readonly<Record<string, unknown>>,
  payload?: Uint8Array,
): ApiRequest {
  const labels: Record<string, string> = {};
  const query = new Map<string, readonly string[]>();
  const headers = new Map<string, string>();
  const body: Record<string, unknown> = {};
  for (const [name, { place, wireName = name }] of Object.entries(operation.members)) {
    const value = input[name];
    if (value === undefined) continue;
    if (place === "path") labels[name] = wireText(value);
    else if (place === "query") query.set(wireName, [wireText(value)]);
    else if (place === "header") headers.set(wireName, wireText(value));
    else body[name] = value;
  }
  const hasBody = Object.keys(body).length > 0;
  return {
    labels,
    path: operation.path.replaceAll(/\{(\w+)\+?\}/g, (_, name: string) => encodeURIComponent(labels[name] ?? "")),
    query,
    headers,
    body: payload ?? new TextEncoder().encode(hasBody ? JSON.stringify(body) : ""),
  };
}

function wireText(value: unknown): string {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return String(value);
  throw new TypeError("what stands in a path, query or header is a text, a number or true or false");
}
