/** Lint: names of actions, variables and condition keys, and how variables are written. */

import { iotActions } from "./actions.ts";
import { actionMatches, compileStatement } from "./compile.ts";
import { contextKey, knownNames, maximumAttributeValues, type ContextKey } from "./context-key.ts";
import type { ParsedPolicy, Statement } from "./document.ts";
import { shorten, type Location } from "./errors.ts";

import type { LintRun } from "./lint-run.ts";
import type { PatternToken } from "./pattern.ts";
import { nearestName } from "./spelling.ts";

/** Reports names that AWS IoT does not have, and variables that are not written as such. */
export function lintNames(run: LintRun, policies: readonly ParsedPolicy[]): void {
  for (const policy of policies) {
    if (policy.version === "2008-10-17") {
      const message = "version 2008-10-17, the default where none is written, takes ${...} for ordinary text";
      run.report("old-version", policy, policy.at, message, 'write "Version": "2012-10-17"');
    }
    const sids = new Set<string>();
    for (const statement of policy.statements) {
      const { sid } = statement;
      if (sid !== undefined && sids.has(sid)) {
        run.report("duplicate-sid", policy, statement.at, `two statements are called ${sid}`, "give each its own Sid");
      }
      if (sid !== undefined) sids.add(sid);
      lintActions(run, policy, statement);
      for (const { text, tokens, at } of statement.resource.values) lintText(run, policy, text, tokens, at);
      for (const { keyText, values, at } of statement.conditions) {
        lintKey(run, policy, contextKey(keyText), at);
        for (const value of values) lintText(run, policy, value.text, value.test.tokens, value.at);
      }
    }
  }
}

function lintActions(run: LintRun, policy: ParsedPolicy, statement: Statement): void {
  for (const value of statement.action.values) {
    const alone = compileStatement(policy, {
      ...statement,
      action: { ...statement.action, isNegated: false, values: [value] },
    });
    if ([...iotActions.keys()].some((action) => actionMatches(alone, action.toLowerCase()))) continue;
    // Actions of other services, such as greengrass:Discover, may stand here; this package knows only those of AWS IoT.
    const service = value.text.slice(0, value.text.indexOf(":"));
    if (service.toLowerCase() !== "iot" && nearestName(service, ["iot"]) === undefined) continue;
    const meant = nearestName(value.text, [...iotActions.keys()]);
    const message = `${shorten(value.text)} is no action of devices`;
    run.report("unknown-action", policy, value.at, message, writeInstead(meant, "remove it, or correct its name"));
  }
}

function lintText(
  run: LintRun,
  policy: ParsedPolicy,
  text: string,
  tokens: readonly PatternToken[],
  at: Location,
): void {
  if (policy.version === "2008-10-17") return;
  for (const token of tokens) {
    if (token.kind === "variable") lintVariable(run, policy, token.key, token.written, at);
    else if (token.kind === "text" && /\$\{(?![^{}]+\})/.test(token.text)) {
      run.report("unclosed-variable", policy, at, "${ without } is ordinary text", "close the variable with }");
    }
  }
  const escape = /\$\(([*?$])\)/.exec(text);
  if (escape !== null) {
    const fix = `write \${${escape[1]}}`;
    run.report("parenthesised-escape", policy, at, `IAM has no ${escape[0]}, which only the AWS IoT page prints`, fix);
  }
}

function lintVariable(run: LintRun, policy: ParsedPolicy, key: ContextKey, written: string, at: Location): void {
  if (!key.isKnown) {
    const meant = meantKey(key.name, variableNames());
    run.report(
      "unknown-variable",
      policy,
      at,
      `there is no variable ${shorten(written)}: it never matches`,
      writeInstead(meant, "write a variable that AWS IoT has, or the text itself", (name) => `\${${name}}`),
    );
  } else if (!key.isVariable) {
    const message = `${written} is for conditions only: as a variable it never matches`;
    run.report("condition-key-as-variable", policy, at, message, "use it as a condition key");
  } else {
    lintIndex(run, policy, key, at);
    lintQuotes(run, policy, key, at);
  }
}

/** What stands in `Attributes[...]` is the attribute's name as it is, so quotes would belong to the name. */
function lintQuotes(run: LintRun, policy: ParsedPolicy, { name }: ContextKey, at: Location): void {
  const [, attribute] = /\.Attributes\[(['"].*['"])\]$/.exec(name) ?? [];
  if (attribute === undefined) return;
  const message = `the attribute ${attribute} has quotes in its name, which no attribute has: it never has a value`;
  const fix = `write iot:Connection.Thing.Attributes[${attribute.slice(1, -1)}]`;
  run.report("quoted-attribute", policy, at, message, fix);
}

/** The name that was probably meant: the short names of X.500 count, and whose name it is, is the subject's. */
function meantKey(written: string, names: readonly string[]): string | undefined {
  const dot = written.lastIndexOf(".") + 1;
  const isOfCertificate = /^iot:Certificate\./i.test(written);
  const full = isOfCertificate ? shortNames.get(written.slice(dot).toUpperCase()) : undefined;
  const meant = nearestName(full === undefined ? written : written.slice(0, dot) + full, names);
  return /issuer/i.test(written) ? meant : meant?.replace(".Issuer.", ".Subject.");
}

const shortNames: ReadonlyMap<string, string> = new Map([
  ["CN", "CommonName"],
  ["C", "Country"],
  ["O", "Organization"],
  ["OU", "OrganizationalUnit"],
  ["ST", "State"],
  ["S", "State"],
  ["GN", "GivenName"],
  ["DNQUALIFIER", "DistinguishedNameQualifier"],
]);

/** Names that may stand in `${...}`. */
function variableNames(): string[] {
  return knownNames().filter((name) => contextKey(name).isVariable);
}

function lintKey(run: LintRun, policy: ParsedPolicy, key: ContextKey, at: Location): void {
  if (key.isKnown) {
    lintIndex(run, policy, key, at);
    lintQuotes(run, policy, key, at);
  } else {
    // Keys of other services reach a decision through context.keys.
    const meant = meantKey(key.name, knownNames());
    if (meant === undefined && !key.name.toLowerCase().startsWith("iot:")) return;
    const message = `AWS IoT has no condition key ${shorten(key.name)}`;
    run.report("unknown-condition-key", policy, at, message, writeInstead(meant, "write a key that AWS IoT has"));
  }
}

function lintIndex(run: LintRun, policy: ParsedPolicy, { name }: ContextKey, at: Location): void {
  if (Number(/^iot:Certificate.*\.([0-9]+)$/.exec(name)?.[1] ?? 0) < maximumAttributeValues) return;
  const message = `${name} never has a value: an attribute counts with its first ${maximumAttributeValues} values only`;
  run.report("index-out-of-range", policy, at, message, "the first value is .0");
}

/** What to write, or what to do where no known name is near. */
function writeInstead(name: string | undefined, otherwise: string, form = (text: string): string => text): string {
  return name === undefined ? otherwise : `write ${form(name)}`;
}
