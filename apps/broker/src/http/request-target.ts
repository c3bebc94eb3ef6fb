/**
 * The target of an HTTP request (RFC 9112 §3.2), parsed once and strictly. Two readers may understand a path with dot segments, empty
 * segments, broken percent-encodings or encoded control characters in two ways. Such a path is refused, so that signature, routing and
 * look-up see the same path.
 */

import { invalidRequest } from "./service-error.ts";

/** A taken apart target. */
export interface RequestTarget {
  /** As sent, without the query: what a signature covers. */
  readonly rawPath: string;
  /** Each segment decoded once: `a%2Fb` is the segment `a/b`. */
  readonly segments: readonly string[];
  /** Decoded names and values. A name that is given twice has two values. */
  readonly query: ReadonlyMap<string, readonly string[]>;
}

/** Takes a target apart. Throws InvalidRequestException. */
export function readTarget(url: string): RequestTarget {
  if (!url.startsWith("/")) throw invalidRequest("the request target", "has to begin with a slash");
  const question = url.indexOf("?");
  const rawPath = question < 0 ? url : url.slice(0, question);
  return { rawPath, segments: segmentsOf(rawPath), query: queryOf(question < 0 ? "" : url.slice(question + 1)) };
}

function segmentsOf(rawPath: string): readonly string[] {
  if (rawPath === "/") return [];
  return rawPath
    .slice(1)
    .split("/")
    .map((raw) => {
      const segment = decoded(raw);
      if (segment === "" || segment === "." || segment === "..") {
        throw invalidRequest("the path", "has an empty segment, or one of dots only");
      }
      return segment;
    });
}

function queryOf(text: string): ReadonlyMap<string, readonly string[]> {
  const query = new Map<string, string[]>();
  for (const pair of text.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decoded(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? "" : decoded(pair.slice(equals + 1));
    const values = query.get(name);
    if (values === undefined) query.set(name, [value]);
    else values.push(value);
  }
  return query;
}

function decoded(text: string): string {
  let result: string;
  try {
    result = decodeURIComponent(text);
  } catch {
    throw invalidRequest("the request target", "has a percent-encoding that is no UTF-8");
  }
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001F\u007F]/.test(result)) throw invalidRequest("the request target", "has a control character");
  return result;
}
