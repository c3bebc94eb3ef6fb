/**
 * Statements by the literal beginnings of their resources.
 *
 * The beginnings form a tree in which each edge is a text, so one walk along the resource that is asked for meets every
 * pattern that starts like it: its cost grows with the length of the resource and the patterns met, not with the number
 * of statements. A NotResource and a pattern that starts with a wildcard are met by every walk.
 */

import { resourceMatches, type CompiledStatement, type Evaluation } from "./compile.ts";
import type { RequestContext } from "./context.ts";
import type { ResourcePattern } from "./resource-pattern.ts";

/** A resource pattern and its statement; without a pattern for NotResource, which is matched as a whole. */
interface Entry {
  readonly statement: CompiledStatement;
  readonly pattern: ResourcePattern | undefined;
}

interface Node {
  /** Text between the parent and this node. */
  readonly edge: string;
  /** Patterns whose literal beginning ends here. */
  readonly entries: readonly Entry[];
  /** By the first code unit of their edges. */
  readonly children: ReadonlyMap<number, Node>;
}

/** Statements of one effect about one action, found by the resource that is asked for. */
export class StatementIndex {
  readonly #root: Node;

  constructor(statements: readonly CompiledStatement[]) {
    const sorted = statements.flatMap(entriesOf).sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
    this.#root = nodeOf(sorted, 0, 0, sorted.length);
  }

  /** Whether a statement's resource and all its conditions match. */
  someMatches(resource: string, context: RequestContext, evaluation: Evaluation): boolean {
    let node: Node | undefined = this.#root;
    let offset = 0;
    while (node !== undefined && resource.startsWith(node.edge, offset)) {
      for (const { statement, pattern } of node.entries) {
        const isAbout =
          pattern === undefined ? resourceMatches(statement, resource, context) : pattern.matches(resource, context);
        if (isAbout && evaluation.allHold(statement, context)) return true;
      }
      offset += node.edge.length;
      node = node.children.get(resource.charCodeAt(offset));
    }
    return false;
  }
}

interface SortedEntry extends Entry {
  readonly start: string;
}

function entriesOf(statement: CompiledStatement): SortedEntry[] {
  if (statement.statement.resource.isNegated) return [{ statement, pattern: undefined, start: "" }];
  return statement.resources.map((pattern) => ({ statement, pattern, start: pattern.literalStart }));
}

/**
 * The node for the entries from `from` to `to`, which agree up to `offset`. Entries are sorted, so those with a common
 * beginning stand together, and the first and the last agree on what all agree on.
 */
function nodeOf(sorted: readonly SortedEntry[], edgeStart: number, from: number, to: number): Node {
  const first = sorted[from]?.start ?? "";
  const last = sorted[to - 1]?.start ?? "";
  let offset = edgeStart;
  while (offset < first.length && first.charCodeAt(offset) === last.charCodeAt(offset)) offset++;
  // The entries that end here come first in the order.
  let index = from;
  while (index < to && sorted[index]?.start.length === offset) index++;
  const entries = sorted.slice(from, index).map(({ statement, pattern }) => ({ statement, pattern }));
  const children = new Map<number, Node>();
  while (index < to) {
    const unit = sorted[index]?.start.charCodeAt(offset) ?? 0;
    let end = index + 1;
    while (end < to && sorted[end]?.start.charCodeAt(offset) === unit) end++;
    children.set(unit, nodeOf(sorted, offset, index, end));
    index = end;
  }
  return { edge: first.slice(edgeStart, offset), entries, children };
}
