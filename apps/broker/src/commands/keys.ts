/** `latchkey keys ...`: the access keys of the control plane of a broker that runs. */

import { defineCommand } from "citty";
import { isObject } from "../http/json-body.ts";
import { textIn } from "./answers.ts";
import { apiOptions, jsonOption, withLiveApi } from "./api-options.ts";
import { print, remark } from "./data-option.ts";
import { dateOf, printDone, printJson, printTable } from "./table.ts";

const list = defineCommand({
  meta: { name: "list", description: "List access keys, without their secrets" },
  args: { ...apiOptions, json: jsonOption },
  run: ({ args }) =>
    withLiveApi(args, async (api) => {
      const { accessKeys } = await api.call("ListAccessKeys");
      const rows = Array.isArray(accessKeys) ? accessKeys.filter((one: unknown) => isObject(one)) : [];
      if (args.json === true) printJson(rows);
      else {
        printTable(
          rows,
          [
            ["KEY", (row) => textIn(row, "accessKeyId")],
            ["SCOPE", (row) => textIn(row, "accessScope")],
            ["CREATED", (row) => dateOf(row["createdAtSeconds"])],
            ["DESCRIPTION", (row) => textIn(row, "description")],
          ],
          "there are no access keys",
        );
      }
    }),
});

const create = defineCommand({
  meta: { name: "create", description: "Make an access key; its secret is shown this once" },
  args: {
    ...apiOptions,
    scope: {
      type: "enum",
      options: ["administrator", "reader"],
      required: true,
      description: "administrator, or reader, which changes nothing",
    },
    description: { type: "string", description: "What it is for" },
    account: { type: "string", description: "Another account, which is made where there is none" },
    json: jsonOption,
  },
  run: ({ args }) =>
    withLiveApi(args, async (api) => {
      const { scope: accessScope, description, account } = args;
      const { accessKey } = await api.call("CreateAccessKey", { accessScope, description, account });
      if (!isObject(accessKey)) throw new TypeError("the answer has no key");
      if (args.json === true) printJson(accessKey);
      else {
        print(`AWS_ACCESS_KEY_ID=${textIn(accessKey, "accessKeyId")}`);
        print(`AWS_SECRET_ACCESS_KEY=${textIn(accessKey, "secretAccessKey")}`);
        remark("the secret is shown this once");
      }
    }),
});

const revoke = defineCommand({
  meta: { name: "revoke", description: "Take an access key away, at once" },
  args: {
    ...apiOptions,
    key: { type: "string", required: true, description: "The access key's identifier" },
    json: jsonOption,
  },
  run: ({ args }) =>
    withLiveApi(args, async (api) => {
      await api.call("DeleteAccessKey", { accessKeyId: args.key });
      printDone(args.json, `revoked ${args.key}`, { accessKeyId: args.key });
    }),
});

/** The command. */
export const keysCommand = defineCommand({
  meta: { name: "keys", description: "Access keys of the control plane" },
  subCommands: { list, create, revoke },
});
