/** Finds the operation of a method and a path. */

import { ServiceError } from "./service-error.ts";
import type { Operation } from "./operation.ts";

/** An operation and the labels of its path. */
export interface RouteMatch<Context> {
  readonly operation: Operation<Context>;
  readonly labels: Readonly<Record<string, string>>;
}

interface Route<Context> {
  readonly operation: Operation<Context>;
  readonly parts: readonly Part[];
  readonly isGreedy: boolean;
}

type Part = { readonly literal: string } | { readonly label: string };

/** The routes of all operations. Where two match, the one with a literal at the first difference is taken. */
export class RouteTable<Context> {
  readonly #routes: readonly Route<Context>[];

  constructor(operations: readonly Operation<Context>[]) {
    this.#routes = operations.map(routeOf).sort(byLiterals);
  }

  /** `segments` are decoded. Throws UnknownOperationException, and MethodNotAllowedException where another method has the path. */
  find(method: string, segments: readonly string[]): RouteMatch<Context> {
    const allowed = new Set<string>();
    for (const route of this.#routes) {
      const labels = labelsOf(route, segments);
      if (labels === undefined) continue;
      if (route.operation.method === method) return { operation: route.operation, labels };
      allowed.add(route.operation.method);
    }
    if (allowed.size > 0) {
      throw new ServiceError(
        "MethodNotAllowedException",
        `${method} is not possible for this path: it has ${[...allowed].join(", ")}`,
      );
    }
    throw new ServiceError(
      "UnknownOperationException",
      `there is no operation with this path, or none that is supported`,
    );
  }
}

function routeOf<Context>(operation: Operation<Context>): Route<Context> {
  const parts = operation.path.slice(1).split("/");
  return {
    operation,
    isGreedy: operation.path.endsWith("+}"),
    parts: parts.map((part) => (part.startsWith("{") ? { label: part.replaceAll(/[{}+]/g, "") } : { literal: part })),
  };
}

function labelsOf<Context>(
  { parts, isGreedy }: Route<Context>,
  segments: readonly string[],
): Readonly<Record<string, string>> | undefined {
  if (isGreedy ? segments.length < parts.length : segments.length !== parts.length) return undefined;
  const labels: [string, string][] = [];
  for (const [index, part] of parts.entries()) {
    const segment = segments[index] ?? "";
    if ("literal" in part) {
      if (part.literal !== segment) return undefined;
    } else {
      const isLast = isGreedy && index === parts.length - 1;
      labels.push([part.label, isLast ? segments.slice(index).join("/") : segment]);
    }
  }
  return Object.fromEntries(labels);
}

function byLiterals<Context>(a: Route<Context>, b: Route<Context>): number {
  for (let index = 0; index < Math.min(a.parts.length, b.parts.length); index++) {
    const difference = Number("label" in (a.parts[index] ?? {})) - Number("label" in (b.parts[index] ?? {}));
    if (difference !== 0) return difference;
  }
  return 0;
}
