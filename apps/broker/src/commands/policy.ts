/** `latchkey policy ...` that works on stored policies; files alone are the business of `policy-files.ts`. */

import { readFile } from "node:fs/promises";
import { defineCommand } from "citty";
import { messageOf, UsageError } from "@latchkey/command-line";
import { parsePolicy } from "@latchkey/policy";
import { lint, type LintCode, type LintFinding } from "@latchkey/policy/authoring";
import { isObject } from "../http/json-body.ts";
import { allOf, certificateArnOf, textIn } from "./answers.ts";
import type { ApiAnswer, ApiClient } from "./api-client.ts";
import { apiOptions, jsonOption, newestFirst, withApi, type ApiArguments } from "./api-options.ts";
import { print, remark } from "./data-option.ts";
import { explainCommand, lintCommand, sentenceOf, suggestCommand, testCommand } from "./policy-files.ts";
import { dateOf, printDone, printFields, printJson, printTable } from "./table.ts";

const name = { type: "string", required: true, description: "The policy's name" } as const;
const certificate = {
  type: "string",
  description: "A certificateId, or the beginning of one",
} as const;
const group = { type: "string", description: "A thing group, in place of a certificate" } as const;
const documentFile = { type: "string", required: true, description: "A JSON file" } as const;
const force = { type: "boolean", description: "Store it although a statement of it can never apply" } as const;

const create = defineCommand({
  meta: { name: "create", description: "Check a policy and store it" },
  args: { ...apiOptions, name, document: documentFile, force, json: jsonOption },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const policyDocument = await checkedDocument(args.name, args.document, args.force === true);
      const made = await api.call("CreatePolicy", { policyName: args.name, policyDocument });
      printDone(args.json, `stored policy ${args.name}`, made);
      remark(`it has no effect until it is attached: latchkey policy attach --name ${args.name} --certificate ID`);
    }),
});

const list = defineCommand({
  meta: { name: "list", description: "List policies" },
  args: { ...apiOptions, "newest-first": newestFirst, json: jsonOption },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const rows: ApiAnswer[] = [];
      const input = { pageSize: 250, ascendingOrder: args["newest-first"] !== true };
      for await (const { policyName } of allOf(api, "ListPolicies", "policies", input)) {
        const policy = await api.call("GetPolicy", { policyName });
        const targets: string[] = [];
        for (let marker: unknown; ;) {
          const page = await api.call("ListTargetsForPolicy", { policyName, marker });
          if (Array.isArray(page["targets"])) targets.push(...page["targets"].map(String));
          marker = page["nextMarker"];
          if (typeof marker !== "string") break;
        }
        rows.push({ ...policy, targets });
      }
      if (args.json === true) printJson(rows);
      else {
        printTable(
          rows,
          [
            ["POLICY", (row) => textIn(row, "policyName")],
            ["VERSION", (row) => textIn(row, "defaultVersionId")],
            ["CHANGED", (row) => dateOf(row["lastModifiedDate"])],
            ["ATTACHED TO", (row) => (Array.isArray(row["targets"]) ? String(row["targets"].length) : "")],
          ],
          'there are no policies: make one with "latchkey policy create"',
        );
      }
    }),
});

const show = defineCommand({
  meta: { name: "show", description: "Show a policy: its document, versions and what it is attached to" },
  args: { ...apiOptions, name, json: jsonOption },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const policyName = args.name;
      const policy = await api.call("GetPolicy", { policyName });
      const { policyVersions } = await api.call("ListPolicyVersions", { policyName });
      const { targets } = await api.call("ListTargetsForPolicy", { policyName, pageSize: 250 });
      if (args.json === true) {
        printJson({ ...policy, policyVersions, targets });
        return;
      }
      const versions = Array.isArray(policyVersions) ? policyVersions.filter((one: unknown) => isObject(one)) : [];
      printFields([
        ["policy", policyName],
        [
          "versions",
          versions
            .map((one) => `${textIn(one, "versionId")}${one["isDefaultVersion"] === true ? " (default)" : ""}`)
            .join(", "),
        ],
        ["attached to", Array.isArray(targets) ? targets.map((one) => String(one).split(":").at(-1)).join(", ") : ""],
        ["ARN", textIn(policy, "policyArn")],
      ]);
      print("");
      print(indented(textIn(policy, "policyDocument")));
    }),
});

const remove = defineCommand({
  meta: { name: "delete", description: "Delete a policy that is attached to nothing, with all its versions" },
  args: { ...apiOptions, name, json: jsonOption },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const policyName = args.name;
      const { targets } = await api.call("ListTargetsForPolicy", { policyName, pageSize: 1 });
      // What refuses comes first, so that no version is lost of a policy that stays.
      if (Array.isArray(targets) && targets.length === 0) {
        const { policyVersions } = await api.call("ListPolicyVersions", { policyName });
        for (const version of Array.isArray(policyVersions) ? policyVersions : []) {
          if (!isObject(version) || version["isDefaultVersion"] === true) continue;
          await api.call("DeletePolicyVersion", { policyName, policyVersionId: textIn(version, "versionId") });
        }
      }
      await api.call("DeletePolicy", { policyName });
      printDone(args.json, `deleted policy ${policyName}`, { policyName });
    }),
});

const attach = defineCommand({
  meta: { name: "attach", description: "Attach a policy to a certificate or a thing group" },
  args: { ...apiOptions, name, certificate, group, json: jsonOption },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const target = await targetArn(api, args);
      await api.call("AttachPolicy", { policyName: args.name, target });
      printDone(args.json, `attached policy ${args.name} to ${nameOf(target)}`, { policyName: args.name, target });
    }),
});

const detach = defineCommand({
  meta: { name: "detach", description: "Detach a policy from a certificate or a thing group" },
  args: { ...apiOptions, name, certificate, group, json: jsonOption },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const target = await targetArn(api, args);
      // DetachPolicy says nothing of a policy that does not exist, and the name may be mistyped.
      await api.call("GetPolicy", { policyName: args.name });
      await api.call("DetachPolicy", { policyName: args.name, target });
      printDone(args.json, `detached policy ${args.name} from ${nameOf(target)}`, { policyName: args.name, target });
    }),
});

const versionId = { type: "string", required: true, description: "The version's number" } as const;

const versionCreate = defineCommand({
  meta: { name: "create", description: "Check a document and store it as another version" },
  args: {
    ...apiOptions,
    name,
    document: documentFile,
    force,
    default: { type: "boolean", description: "It decides from now on" },
    json: jsonOption,
  },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const policyDocument = await checkedDocument(args.name, args.document, args.force === true);
      const setAsDefault = args.default === true;
      const made = await api.call("CreatePolicyVersion", { policyName: args.name, policyDocument, setAsDefault });
      printDone(args.json, `stored version ${textIn(made, "policyVersionId")} of policy ${args.name}`, made);
      if (!setAsDefault) {
        remark(
          `it decides nothing yet: latchkey policy version default --name ${args.name} --id ${textIn(made, "policyVersionId")}`,
        );
      }
    }),
});

const versionList = defineCommand({
  meta: { name: "list", description: "List the versions of a policy" },
  args: { ...apiOptions, name, json: jsonOption },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const { policyVersions } = await api.call("ListPolicyVersions", { policyName: args.name });
      const rows = Array.isArray(policyVersions) ? policyVersions.filter((one: unknown) => isObject(one)) : [];
      if (args.json === true) printJson(rows);
      else {
        printTable(
          rows,
          [
            ["VERSION", (row) => textIn(row, "versionId")],
            ["DEFAULT", (row) => (row["isDefaultVersion"] === true ? "yes" : "")],
            ["CREATED", (row) => dateOf(row["createDate"])],
          ],
          "there are no versions",
        );
      }
    }),
});

const versionDefault = defineCommand({
  meta: { name: "default", description: "Let a version decide from now on" },
  args: { ...apiOptions, name, id: versionId, json: jsonOption },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const version = { policyName: args.name, policyVersionId: args.id };
      await api.call("SetDefaultPolicyVersion", version);
      printDone(args.json, `version ${args.id} of policy ${args.name} decides`, version);
    }),
});

const versionDelete = defineCommand({
  meta: { name: "delete", description: "Delete a version that is not the default" },
  args: { ...apiOptions, name, id: versionId, json: jsonOption },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const version = { policyName: args.name, policyVersionId: args.id };
      await api.call("DeletePolicyVersion", version);
      printDone(args.json, `deleted version ${args.id} of policy ${args.name}`, version);
    }),
});

const version = defineCommand({
  meta: { name: "version", description: "Versions of a policy" },
  subCommands: { create: versionCreate, list: versionList, default: versionDefault, delete: versionDelete },
});

/** The command. */
export const policyCommand = defineCommand({
  meta: { name: "policy", description: "Policies" },
  subCommands: {
    create,
    list,
    show,
    delete: remove,
    version,
    attach,
    detach,
    lint: lintCommand,
    test: testCommand,
    explain: explainCommand,
    suggest: suggestCommand,
  },
});

/** What lint finds in statements that no request can match, so that no device could use them. */
const neverApplies: ReadonlySet<LintCode> = new Set<LintCode>([
  "action-resource-mismatch",
  "basic-ingest-in-subscribe",
  "condition-key-as-variable",
  "index-out-of-range",
  "malformed-arn",
  "mqtt-wildcard-in-topic",
  "old-version",
  "quoted-attribute",
  "thing-variable-over-https",
  "unclosed-variable",
  "unknown-variable",
  "variable-in-arn-head",
]);

/** What lint finds in conditions that never hold, unless the operator is one that holds without a match. */
const neverHolds: ReadonlySet<LintCode> = new Set<LintCode>(["empty-value-list", "operator-of-other-type"]);

function isUseless({ code, path }: LintFinding): boolean {
  const operator = /\.Condition(?:\.|\[")([\w:]+)/.exec(path)?.[1] ?? "";
  return neverApplies.has(code) || (neverHolds.has(code) && !/Not|ForAllValues|IfExists/.test(operator));
}

async function checkedDocument(policyName: string, file: string, isForced: boolean): Promise<string> {
  const { document, findings } = await readPolicy(policyName, file);
  for (const finding of findings) remark(findingText(finding, file));
  const useless = findings.filter(isUseless);
  if (useless.length > 0 && !isForced) {
    throw new UsageError(
      `${file} was not stored: ${useless.length} of its elements can never apply to a request (see above). ` +
        "Mend them, or add --force to store the policy as it is",
    );
  }
  return document;
}

async function readPolicy(
  policyName: string,
  file: string,
): Promise<{ readonly document: string; readonly findings: readonly LintFinding[] }> {
  let document: string;
  try {
    document = await readFile(file, "utf8");
  } catch (cause) {
    throw new UsageError(`--document cannot be read: ${messageOf(cause)}`, { cause });
  }
  const result = parsePolicy(document, { name: policyName });
  if (result.ok) return { document, findings: lint([result.policy]) };
  const faults = result.errors.map(({ line, column, path, message }) => `  ${line}:${column} ${path}: ${message}`);
  throw new UsageError(`${file} is not a policy:\n${faults.join("\n")}`);
}

function findingText(finding: LintFinding, file: string): string {
  return `${file}:${finding.line}:${finding.column} ${finding.severity}: ${sentenceOf(finding)}`;
}

async function targetArn(
  api: ApiClient,
  args: ApiArguments & { readonly certificate?: string | undefined; readonly group?: string | undefined },
): Promise<string> {
  if ((args.certificate === undefined) === (args.group === undefined)) {
    throw new UsageError("give --certificate or --group, and one of the two");
  }
  if (args.certificate !== undefined) return certificateArnOf(api, args.certificate);
  return textIn(await api.call("DescribeThingGroup", { thingGroupName: args.group }), "thingGroupArn");
}

/** A certificateId, or the name of a group. */
function nameOf(arn: string): string {
  return arn.slice(arn.indexOf("/") + 1);
}

function indented(document: string): string {
  try {
    return JSON.stringify(JSON.parse(document), undefined, 2);
  } catch {
    return document;
  }
}
