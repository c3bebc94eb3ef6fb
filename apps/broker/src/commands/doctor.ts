/** `latchkey doctor`: why a device gets in, or not. */

import { defineCommand } from "citty";
import { UsageError } from "@latchkey/command-line";
import { isObject } from "../http/json-body.ts";
import { allOf, certificateIdOf, textIn } from "./answers.ts";
import type { ApiAnswer, ApiClient } from "./api-client.ts";
import { BrokerError } from "../errors.ts";
import { isRegistryError } from "@latchkey/registry";
import { apiOptions, jsonOption, withApi } from "./api-options.ts";
import { print, remark } from "./data-option.ts";
import { printJson } from "./table.ts";

/** The command. Exit code 1 where something keeps the device out, or a request that was asked about is refused. */
export const doctorCommand = defineCommand({
  meta: { name: "doctor", description: "Say whether a device gets in and what it may do, and why" },
  args: {
    ...apiOptions,
    device: {
      type: "positional",
      required: true,
      description: "A certificateId or the beginning of one, or a client identifier that is a thing's name",
    },
    "client-id": {
      type: "string",
      description: "The client identifier that it connects with; default its thing's name",
    },
    publish: { type: "string", description: "A topic that it publishes to" },
    receive: { type: "string", description: "A topic that it receives from" },
    subscribe: { type: "string", description: "A topic filter that it subscribes to" },
    json: jsonOption,
  },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const { certificateId, clientId } = await deviceOf(api, args.device);
      const diagnosis = await api.call("DiagnoseCertificate", {
        certificateId,
        clientId: args["client-id"] ?? clientId,
        publish: args.publish,
        receive: args.receive,
        subscribe: args.subscribe,
      });
      const checks = objectsIn(diagnosis, "checks");
      const decisions = objectsIn(diagnosis, "decisions");
      if (args.json === true) printJson(diagnosis);
      else {
        print(`certificate ${certificateId}`);
        for (const check of checks) {
          print(
            `${check["ok"] === true ? "ok  " : "NO  "}${textIn(check, "name").padEnd(11)}${textIn(check, "detail")}`,
          );
        }
        for (const decision of decisions) {
          const isAllowed = decision["decision"] === "ALLOWED";
          print(
            `${isAllowed ? "ok  " : "NO  "}${textIn(decision, "actionType").padEnd(11)}${textIn(decision, "sentence")}`,
          );
        }
      }
      if (diagnosis["clientId"] === undefined) {
        remark("nothing is said of CONNECT: it depends on the client identifier, which --client-id gives");
      }
      if (args.publish === undefined && args.subscribe === undefined && args.receive === undefined) {
        remark("--publish TOPIC, --subscribe FILTER and --receive TOPIC ask about messages");
      }
      const isGood =
        checks.every((one) => one["ok"] === true) && decisions.every((one) => one["decision"] === "ALLOWED");
      if (!isGood) process.exitCode = 1;
    }),
});

/** A certificate by its identifier, or by the thing that is called as the client identifier says. */
async function deviceOf(
  api: ApiClient,
  typed: string,
): Promise<{ readonly certificateId: string; readonly clientId: string | undefined }> {
  const principals: string[] = [];
  if (/^[a-zA-Z0-9:_-]{1,128}$/.test(typed)) {
    try {
      const found = allOf(api, "ListThingPrincipalsV2", "thingPrincipalObjects", { thingName: typed });
      for await (const one of found) principals.push(textIn(one, "principal"));
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  const [first, second] = principals;
  if (first === undefined && !/^[0-9a-f]{4,64}$/i.test(typed)) {
    throw new UsageError(
      `${JSON.stringify(typed)} is no certificateId, nor the beginning of one, and there is no thing of that name with a certificate`,
    );
  }
  if (first === undefined) return { certificateId: await certificateIdOf(api, typed), clientId: undefined };
  const ids = principals.map((arn) => arn.slice(arn.indexOf("/") + 1));
  if (second !== undefined) {
    throw new UsageError(
      `thing ${typed} has ${ids.length} certificates: name one of ${ids.map((id) => id.slice(0, 12)).join(", ")}`,
    );
  }
  return { certificateId: ids[0] ?? "", clientId: typed };
}

function isNotFound(error: unknown): boolean {
  if (isRegistryError(error)) return error.code === "ERR_REGISTRY_NOT_FOUND";
  return error instanceof BrokerError && error.message.startsWith("ResourceNotFoundException");
}

function objectsIn(answer: ApiAnswer, name: string): readonly ApiAnswer[] {
  const value = answer[name];
  return Array.isArray(value) ? value.filter((one: unknown) => isObject(one)) : [];
}
