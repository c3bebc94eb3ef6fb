/** The mutants of a source: small changes of its syntax that a test should notice. */

import { parseSync } from "vite";

/** One change of one source file. */
export interface Mutant {
  /** Path of the source, relative to the package. */
  readonly file: string;
  /** Line of the change, from 1. */
  readonly line: number;
  /** What was done, in a few words. */
  readonly change: string;
  /** Offsets of the replaced text, in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/** A node of the syntax tree, as ESTree and TS-ESTree name it. Fields differ by type and are checked where they are read. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

/** Boundaries, comparisons, logic and arithmetic: each operator and the one that takes its place. */
const operators: Readonly<Record<string, string>> = {
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "===": "!==",
  "!==": "===",
  "&&": "||",
  "||": "&&",
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "%": "*",
  "<<": ">>",
  ">>": "<<",
  ">>>": "<<",
  "&": "|",
  "|": "&",
  "^": "&",
  "+=": "-=",
  "-=": "+=",
  "++": "--",
  "--": "++",
};

/** Every mutant of a source, in the order of the text. Types, imports and texts are left alone. */
export function mutantsOf(file: string, source: string): Mutant[] {
  const { program, errors } = parseSync(file, source);
  const [error] = errors;
  if (error !== undefined) throw new SyntaxError(`${file}: ${error.message}`);
  const mutants: Mutant[] = [];
  const lineStarts = [0, ...Array.from(source.matchAll(/\n/gu), ({ index }) => index + 1)];
  const add = (change: string, { start, end }: Pick<Node, "start" | "end">, replacement: string): void => {
    const line = lineStarts.findLastIndex((lineStart) => lineStart <= start) + 1;
    mutants.push({ file, line, change, start, end, replacement });
  };
  const visit = (node: Node): void => {
    if (node.type.startsWith("TS") && !("expression" in node)) return;
    if (/^(?:Import|ExportAll)/u.test(node.type)) return;
    mutate(node, source, add);
    for (const value of Object.values(node)) {
      for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child);
    }
  };
  if (isNode(program)) visit(program);
  return mutants;
}

/** The source with one mutant's change in it. */
export function withMutant(source: string, { start, end, replacement }: Mutant): string {
  return source.slice(0, start) + replacement + source.slice(end);
}

function mutate(
  node: Node,
  source: string,
  add: (change: string, range: Pick<Node, "start" | "end">, replacement: string) => void,
): void {
  const text = ({ start, end }: Node): string => source.slice(start, end);
  switch (node.type) {
    case "BinaryExpression":
    case "LogicalExpression":
    case "AssignmentExpression": {
      const { left, right, operator } = node;
      if (!isNode(left) || !isNode(right) || typeof operator !== "string") return;
      const other = operators[operator];
      if (other === undefined) return;
      // Comments may stand between the operands, so the operator is looked for from the right operand backwards.
      const start = source.lastIndexOf(operator, right.start - operator.length);
      if (start >= left.end) add(`${operator} becomes ${other}`, { start, end: start + operator.length }, other);
      return;
    }
    case "UpdateExpression": {
      const { operator, argument, prefix } = node;
      const other = operators[String(operator)];
      if (!isNode(argument) || other === undefined) return;
      add(`${String(operator)} becomes ${other}`, node, prefix ? other + text(argument) : text(argument) + other);
      return;
    }
    case "UnaryExpression":
      if (node["operator"] === "!" && isNode(node["argument"])) add("! removed", node, `(${text(node["argument"])})`);
      return;
    case "IfStatement":
    case "ConditionalExpression":
    case "WhileStatement":
    case "DoWhileStatement":
    case "ForStatement":
      // A comparison and a negation are mutated by themselves.
      if (isNode(node["test"]) && !/^(?:Binary|Unary)/u.test(node["test"].type)) {
        add("condition negated", node["test"], `!(${text(node["test"])})`);
      }
      return;
    case "ReturnStatement":
      if (isNode(node["argument"]) && text(node["argument"]) !== "undefined") {
        add("returns nothing", node, "return undefined;");
      }
      return;
    case "Literal":
      if (typeof node["value"] === "boolean") add("literal flipped", node, String(!node["value"]));
      return;
    case "ExpressionStatement":
      if (typeof node["directive"] !== "string") add("statement removed", node, ";");
      return;
    case "ThrowStatement":
    case "BreakStatement":
    case "ContinueStatement":
      add("statement removed", node, ";");
      return;
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "start" in value && "end" in value;
}
