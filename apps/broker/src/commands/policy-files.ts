/**
 * `latchkey policy lint|test|explain|suggest`: on files alone, for editors and pipelines, without a broker; or on policies that are
 * stored.
 */

import { readFile } from "node:fs/promises";
import { defineCommand } from "citty";
import { messageOf, nearest, UsageError } from "@latchkey/command-line";
import {
  compile,
  iotActions,
  isPolicyAction,
  isRequestResource,
  parsePolicy,
  type ParsedPolicy,
  type PolicyRequest,
  type RequestContext,
} from "@latchkey/policy";
import {
  checkExpectations,
  lint,
  lintSeverities,
  parseExpectations,
  suggest,
  type LintFinding,
} from "@latchkey/policy/authoring";
import { defaultScope } from "@latchkey/registry";
import { listOf, regionOf } from "../configuration/option-values.ts";
import { apiOptions, jsonOption, withApi, type ApiArguments } from "./api-options.ts";
import { print, remark } from "./data-option.ts";
import { readRefusalFiles, readRefusedRequests } from "./refused-requests.ts";
import { printJson } from "./table.ts";

const policyOptions = {
  ...apiOptions,
  document: { type: "string", description: "Policy files that are in effect together, separated by commas" },
  name: { type: "string", description: "Stored policies in place of files, separated by commas" },
} as const;

/** `policy lint`. Exit code 1 where an error was found. */
export const lintCommand = defineCommand({
  meta: { name: "lint", description: "Find what a policy says and does not mean" },
  args: {
    ...policyOptions,
    format: {
      type: "enum",
      options: ["text", "json", "sarif"],
      default: "text",
      description: "How findings are written",
    },
    json: { type: "boolean", description: "The same as --format json" },
  },
  async run({ args }) {
    const policies = await readPolicies(args);
    const findings = lint(policies.map(({ policy }) => policy)).map((finding) => ({
      ...finding,
      file: policies.find(({ policy }) => policy.name === finding.policy)?.file ?? "",
    }));
    if (args.json === true || args.format === "json") printJson(findings);
    else if (args.format === "sarif") printJson(sarifOf(findings));
    else {
      for (const finding of findings) {
        const { file, line, column, severity, code } = finding;
        print(`${file}:${line}:${column} ${severity} ${code}: ${sentenceOf(finding)}`);
      }
      remark(findings.length === 0 ? "nothing found" : `${findings.length} found`);
    }
    if (findings.some(({ severity }) => severity === "error")) process.exitCode = 1;
  },
});

/** `policy test`. Exit code 1 where an expectation was not met. */
export const testCommand = defineCommand({
  meta: { name: "test", description: "Check the decisions that a file expects of policies" },
  args: {
    ...policyOptions,
    expectations: { type: "string", required: true, description: "A JSON file of expectations" },
    json: jsonOption,
  },
  async run({ args }) {
    const policies = await readPolicies(args);
    const parsed = parseExpectations(await readText("expectations", args.expectations));
    if (!parsed.ok) {
      const faults = parsed.errors.map(({ line, column, path, message }) => `  ${line}:${column} ${path}: ${message}`);
      throw new UsageError(`${args.expectations} is no file of expectations:\n${faults.join("\n")}`);
    }
    const report = checkExpectations(compile(policies.map(({ policy }) => policy)), parsed.expectations);
    if (args.json === true) {
      printJson({
        passed: report.passed,
        failures: report.failures.map(({ expectation, actual, sentence }) => ({
          name: expectation.name,
          expected: expectation.decision,
          actual,
          sentence,
        })),
      });
    } else {
      for (const { expectation, actual, sentence } of report.failures) {
        print(`FAILED ${expectation.name}: expected ${expectation.decision}, and it is ${actual}. ${sentence}`);
      }
      print(`${report.passed} of ${report.passed + report.failures.length} as expected`);
    }
    if (report.failures.length > 0) process.exitCode = 1;
  },
});

/** `policy explain`. Exit code 1 where the request is not allowed. */
export const explainCommand = defineCommand({
  meta: { name: "explain", description: "Say what policies decide about a request, and why" },
  args: {
    ...policyOptions,
    action: { type: "string", required: true, description: "For instance iot:Publish" },
    resource: {
      type: "string",
      required: true,
      description: "An ARN, for instance arn:aws:iot:us-east-1:000000000000:topic/a",
    },
    context: { type: "string", description: "A JSON file with what is known of the requester, as in expectations" },
    json: jsonOption,
  },
  async run({ args }) {
    const policies = await readPolicies(args);
    const request = await requestOf(args.action, args.resource, args.context);
    if (!iotActions.has(request.action)) {
      const meant = nearest(request.action, [...iotActions.keys()]);
      const hint = meant === undefined ? "" : ` Did you mean ${meant}?`;
      remark(`${request.action} is no action that a device asks for.${hint}`);
    }
    const explanation = compile(policies.map(({ policy }) => policy)).explain(request);
    if (args.json === true) printJson(explanation);
    else print(`${explanation.decision}: ${explanation.sentence}`);
    if (explanation.decision !== "allow") process.exitCode = 1;
  },
});

/** `policy suggest`. */
export const suggestCommand = defineCommand({
  meta: { name: "suggest", description: "Make the least policy that allows the requests of files" },
  args: {
    requests: {
      type: "string",
      description: "A file of expectations: what is to be allowed in it is what the policy allows",
    },
    decisions: {
      type: "string",
      description:
        "A file of refusals, decisions.jsonl of a data directory, with the full ones beside it (.1, .2 ...): what was refused is what the policy allows",
    },
    "client-id": { type: "string", description: "Of the refusals, only those of this client" },
    certificate: { type: "string", description: "Of the refusals, only those of certificates that begin so" },
    region: { type: "string", description: `The region of the refusals; default ${defaultScope.region}` },
    json: { type: "boolean", description: "The policy in an object with the remarks on it" },
  },
  async run({ args }) {
    const { requests, decisions } = args;
    if (requests === undefined && decisions === undefined) {
      throw new UsageError("give --requests for a file of expectations, --decisions for a file of refusals, or both");
    }
    const wanted = [
      ...(requests === undefined ? [] : await expectedRequests(requests)),
      ...(decisions === undefined ? [] : await refusedRequests(decisions, args)),
    ];
    const { text, notes, findings } = suggest(wanted);
    if (args.json === true) {
      printJson({ policyDocument: text, notes, findings });
      return;
    }
    print(text);
    for (const note of notes) remark(note);
    for (const finding of findings) remark(`${finding.severity}: ${sentenceOf(finding)}`);
  },
});

async function expectedRequests(file: string): Promise<readonly PolicyRequest[]> {
  const parsed = parseExpectations(await readText("requests", file));
  if (!parsed.ok) throw new UsageError(`--requests ${file} is no file of expectations: ${parsed.errors[0].message}`);
  const wanted = parsed.expectations.filter(({ decision }) => decision === "allow").map(({ request }) => request);
  if (wanted.length === 0) throw new UsageError(`--requests ${file} has no request that is to be allowed`);
  return wanted;
}

async function refusedRequests(
  file: string,
  args: {
    readonly region?: string | undefined;
    readonly "client-id"?: string | undefined;
    readonly certificate?: string | undefined;
  },
): Promise<readonly PolicyRequest[]> {
  const files = await readRefusalFiles(file);
  const { requests, explicitlyDenied, brokenLines } = readRefusedRequests(files, {
    region: args.region === undefined ? defaultScope.region : regionOf(args.region),
    clientId: args["client-id"],
    certificateId: args.certificate,
  });
  if (explicitlyDenied > 0)
    remark(`${explicitlyDenied} left out: a Deny statement refuses them, whatever else allows them`);
  if (brokenLines > 0) remark(`${brokenLines} left out: lines that are not whole, as after a crash or on a full disk`);
  if (requests.length === 0) throw new UsageError(`--decisions ${file} has no refusal that a policy could allow`);
  return requests;
}

interface PolicyFile {
  readonly file: string;
  readonly policy: ParsedPolicy;
}

/** What the options name. Throws `UsageError` for what is no policy. */
async function readPolicies(
  args: ApiArguments & { readonly document?: string | undefined; readonly name?: string | undefined },
): Promise<readonly PolicyFile[]> {
  const files = listOf(args.document);
  const names = listOf(args.name);
  if ((files.length === 0) === (names.length === 0)) {
    throw new UsageError("give --document for files or --name for stored policies, and one of the two");
  }
  if (names.length === 0) {
    return Promise.all(files.map(async (file) => parsedPolicy(file, await readText("document", file))));
  }
  return withApi(args, async (api) => {
    const policies: PolicyFile[] = [];
    for (const policyName of names) {
      const { policyDocument } = await api.call("GetPolicy", { policyName });
      policies.push(parsedPolicy(policyName, String(policyDocument)));
    }
    return policies;
  });
}

function parsedPolicy(file: string, text: string): PolicyFile {
  const result = parsePolicy(text, { name: file });
  if (result.ok) return { file, policy: result.policy };
  const faults = result.errors.map(({ line, column, path, message }) => `  ${line}:${column} ${path}: ${message}`);
  throw new UsageError(`${file} is not a policy:\n${faults.join("\n")}`);
}

/** The request, its context read by the rules that expectations have. */
async function requestOf(action: string, resource: string, contextFile: string | undefined): Promise<PolicyRequest> {
  if (!isPolicyAction(action))
    throw new UsageError(`--action ${JSON.stringify(action)} is no action: for instance iot:Publish`);
  if (!isRequestResource(resource)) throw new UsageError(`--resource ${JSON.stringify(resource)} is no ARN, and not *`);
  let context: RequestContext = {};
  if (contextFile !== undefined) {
    const expectations = `{"expectations":[{"action":${JSON.stringify(action)},"resource":${JSON.stringify(resource)},"decision":"allow","context":${await readText("context", contextFile)}}]}`;
    const parsed = parseExpectations(expectations);
    if (!parsed.ok) throw new UsageError(`--context ${contextFile} cannot be read: ${parsed.errors[0].message}`);
    context = parsed.expectations[0]?.request.context ?? {};
  }
  return { action, resource, context };
}

async function readText(flag: string, file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new UsageError(`--${flag} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/** What is wrong, and what to do about it. */
export function sentenceOf({ message, fix }: Pick<LintFinding, "message" | "fix">): string {
  return `${message}; ${fix}`;
}

const sarifLevels = { error: "error", warning: "warning", info: "note" } as const;

/** SARIF 2.1.0 (OASIS), which code hosts show beside the lines of a change. */
function sarifOf(findings: readonly (LintFinding & { readonly file: string })[]): object {
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "latchkey policy lint",
            rules: Object.entries(lintSeverities).map(([id, severity]) => ({
              id,
              defaultConfiguration: { level: sarifLevels[severity] },
            })),
          },
        },
        results: findings.map((finding) => ({
          ruleId: finding.code,
          level: sarifLevels[finding.severity],
          message: { text: sentenceOf(finding) },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: finding.file.split("\\").join("/") },
                region: { startLine: finding.line, startColumn: finding.column },
              },
            },
          ],
        })),
      },
    ],
  };
}
