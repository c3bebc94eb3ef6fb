/** `latchkey thing ...`. */

import { defineCommand } from "citty";
import { UsageError } from "@latchkey/command-line";
import { isObject } from "../http/json-body.ts";
import { allOf, certificateArnOf, textIn } from "./answers.ts";
import type { ApiAnswer } from "./api-client.ts";
import { apiOptions, jsonOption, withApi } from "./api-options.ts";
import { listOf } from "../configuration/option-values.ts";
import { printDone, printFields, printJson, printTable } from "./table.ts";

const name = { type: "string", required: true, description: "The thing's name" } as const;
const certificate = {
  type: "string",
  required: true,
  description: "A certificateId, or the beginning of one",
} as const;

const create = defineCommand({
  meta: { name: "create", description: "Create a thing" },
  args: {
    ...apiOptions,
    name,
    type: { type: "string", description: "Its thing type" },
    attributes: { type: "string", description: "NAME=VALUE pairs, separated by commas" },
    group: { type: "string", description: "Thing groups to put it into, separated by commas" },
    json: jsonOption,
  },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const attributes = attributesOf(args.attributes);
      const made = await api.call("CreateThing", {
        thingName: args.name,
        thingTypeName: args.type,
        attributePayload: { attributes },
      });
      for (const thingGroupName of listOf(args.group)) {
        await api.call("AddThingToThingGroup", { thingGroupName, thingName: args.name });
      }
      printDone(args.json, `created thing ${args.name}`, made);
    }),
});

const list = defineCommand({
  meta: { name: "list", description: "List things" },
  args: { ...apiOptions, type: { type: "string", description: "Those of one thing type" }, json: jsonOption },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const rows: ApiAnswer[] = [];
      const input = { maxResults: 250, thingTypeName: args.type };
      for await (const one of allOf(api, "ListThings", "things", input)) rows.push(one);
      if (args.json === true) printJson(rows);
      else {
        printTable(
          rows,
          [
            ["THING", (row) => textIn(row, "thingName")],
            ["TYPE", (row) => textIn(row, "thingTypeName")],
            ["ATTRIBUTES", (row) => pairsOf(row["attributes"])],
          ],
          'there are no things: make one with "latchkey thing create"',
        );
      }
    }),
});

const show = defineCommand({
  meta: { name: "show", description: "Show a thing with its certificates and groups" },
  args: { ...apiOptions, name, json: jsonOption },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const thing = await api.call("DescribeThing", { thingName: args.name });
      const certificates: ApiAnswer[] = [];
      const groups: ApiAnswer[] = [];
      const input = { thingName: args.name };
      for await (const one of allOf(api, "ListThingPrincipalsV2", "thingPrincipalObjects", input))
        certificates.push(one);
      for await (const one of allOf(api, "ListThingGroupsForThing", "thingGroups", input)) groups.push(one);
      if (args.json === true) printJson({ ...thing, principals: certificates, thingGroups: groups });
      else {
        printFields([
          ["thing", textIn(thing, "thingName")],
          ["type", textIn(thing, "thingTypeName")],
          ["attributes", pairsOf(thing["attributes"])],
          ["version", textIn(thing, "version")],
          ["groups", groups.map((one) => textIn(one, "groupName")).join(", ")],
          ["certificates", certificates.map((one) => textIn(one, "principal").split("/").at(-1)).join(", ")],
          ["ARN", textIn(thing, "thingArn")],
        ]);
      }
    }),
});

const remove = defineCommand({
  meta: { name: "delete", description: "Delete a thing that has no certificates" },
  args: { ...apiOptions, name, json: jsonOption },
  run: ({ args }) =>
    withApi(args, async (api) => {
      await api.call("DescribeThing", { thingName: args.name });
      await api.call("DeleteThing", { thingName: args.name });
      printDone(args.json, `deleted thing ${args.name}`, { thingName: args.name });
    }),
});

const attach = defineCommand({
  meta: { name: "attach", description: "Attach a certificate to a thing" },
  args: {
    ...apiOptions,
    name,
    certificate,
    exclusive: { type: "boolean", description: "Whatever the device's client identifier is, it is this thing" },
    json: jsonOption,
  },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const principal = await certificateArnOf(api, args.certificate);
      const thingPrincipalType = args.exclusive === true ? "EXCLUSIVE_THING" : undefined;
      await api.call("AttachThingPrincipal", { thingName: args.name, principal, thingPrincipalType });
      const sentence = `attached ${principal.split("/").at(-1)} to thing ${args.name}`;
      printDone(args.json, sentence, { thingName: args.name, principal });
    }),
});

const detach = defineCommand({
  meta: { name: "detach", description: "Detach a certificate from a thing" },
  args: { ...apiOptions, name, certificate, json: jsonOption },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const principal = await certificateArnOf(api, args.certificate);
      await api.call("DetachThingPrincipal", { thingName: args.name, principal });
      const sentence = `detached ${principal.split("/").at(-1)} from thing ${args.name}`;
      printDone(args.json, sentence, { thingName: args.name, principal });
    }),
});

/** The command. */
export const thingCommand = defineCommand({
  meta: { name: "thing", description: "Things" },
  subCommands: { create, list, show, delete: remove, attach, detach },
});

function attributesOf(typed: string | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(
    listOf(typed).map((pair) => {
      const equals = pair.indexOf("=");
      if (equals < 1)
        throw new UsageError(`--attributes ${JSON.stringify(pair)} is no pair: NAME=VALUE, separated by commas`);
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}

function pairsOf(attributes: unknown): string {
  if (!isObject(attributes)) return "";
  return Object.entries(attributes)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(",");
}
