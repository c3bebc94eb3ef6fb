/** `latchkey policy ...`. */

import { readFile } from "node:fs/promises";
import { defineCommand } from "citty";
import { messageOf, UsageError } from "@latchkey/command-line";
import { parsePolicy } from "@latchkey/policy";
import { lint, type LintCode, type LintFinding } from "@latchkey/policy/authoring";
import { dataOption as data, print, remark, withDataDirectory } from "./data-option.ts";

const name = { type: "string", required: true, description: "The policy's name" } as const;
const certificate = { type: "string", required: true, description: "A certificateId" } as const;

const create = defineCommand({
  meta: { name: "create", description: "Check a policy and store it" },
  args: {
    data,
    name,
    document: { type: "string", required: true, description: "A JSON file" },
    force: { type: "boolean", description: "Store it although a statement of it can never apply" },
  },
  run: ({ args }) =>
    withDataDirectory(args.data, async ({ registry, scope }) => {
      const { document, findings } = await readPolicy(args.name, args.document);
      for (const finding of findings) remark(findingText(finding, args.document));
      const useless = findings.filter(({ code }) => neverApplies.has(code));
      if (useless.length > 0 && args.force !== true) {
        throw new UsageError(
          `${args.document} was not stored: ${useless.length} of its elements can never apply to a request (see above). ` +
            "Mend them, or add --force to store the policy as it is",
        );
      }
      await registry.policies.create(scope, args.name, document);
      print(`stored policy ${args.name}`);
      remark(`it has no effect until it is attached: latchkey policy attach --name ${args.name} --certificate ID`);
    }),
});

const attach = defineCommand({
  meta: { name: "attach", description: "Attach a policy to a certificate" },
  args: { data, name, certificate },
  run: ({ args }) =>
    withDataDirectory(args.data, async ({ registry, scope }) => {
      await registry.policies.attach(scope, args.name, { kind: "cert", certificateId: args.certificate });
      print(`attached policy ${args.name} to ${args.certificate}`);
    }),
});

const detach = defineCommand({
  meta: { name: "detach", description: "Detach a policy from a certificate" },
  args: { data, name, certificate },
  run: ({ args }) =>
    withDataDirectory(args.data, async ({ registry, scope }) => {
      await registry.policies.detach(scope, args.name, { kind: "cert", certificateId: args.certificate });
      print(`detached policy ${args.name} from ${args.certificate}`);
    }),
});

/** The command. */
export const policyCommand = defineCommand({
  meta: { name: "policy", description: "Policies" },
  subCommands: { create, attach, detach },
});

/** What lint finds in statements that no request can match, so that no device could use them. */
const neverApplies: ReadonlySet<LintCode> = new Set<LintCode>([
  "action-resource-mismatch",
  "condition-key-as-variable",
  "index-out-of-range",
  "mqtt-wildcard-in-topic",
  "old-version",
  "unclosed-variable",
  "unknown-variable",
]);

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

function findingText({ severity, line, column, message, fix }: LintFinding, file: string): string {
  return `${file}:${line}:${column} ${severity}: ${message} ${fix}`;
}
