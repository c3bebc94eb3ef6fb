/** `latchkey ca ...`: certificate authorities that may vouch for devices. */

import { readFile } from "node:fs/promises";
import { defineCommand } from "citty";
import { messageOf, UsageError } from "@latchkey/command-line";
import { certificatesFromPem, nameText } from "@latchkey/x509";
import { isObject } from "../http/json-body.ts";
import { allOf, fullIdentifier, shortLength, textIn } from "./answers.ts";
import type { ApiAnswer, ApiClient } from "./api-client.ts";
import { apiOptions, jsonOption, newestFirst, withApi } from "./api-options.ts";
import { remark } from "./data-option.ts";
import { dateOf, printDone, printFields, printJson, printTable } from "./table.ts";

const authority = {
  type: "string",
  required: true,
  description: "The authority's identifier, or the beginning of one",
} as const;

const register = defineCommand({
  meta: { name: "register", description: "Register a certificate authority, ACTIVE" },
  args: {
    ...apiOptions,
    file: { type: "string", required: true, description: "A PEM file: the authority's certificate" },
    verification: {
      type: "string",
      description: 'A PEM file: a certificate of it with the code of "ca registration-code" as common name',
    },
    "sni-only": { type: "boolean", description: "Without that proof: for devices that send a server name (SNI)" },
    "just-in-time": { type: "boolean", description: "Register its devices when they connect for the first time" },
    json: jsonOption,
  },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const { verification } = args;
      const isSniOnly = args["sni-only"] === true;
      if (!isSniOnly && verification === undefined) {
        throw new UsageError(
          'a proof of the key is needed: give --verification (see "latchkey ca registration-code"), or --sni-only',
        );
      }
      const made = await api.call("RegisterCACertificate", {
        caCertificate: await readPem("file", args.file),
        verificationCertificate: verification === undefined ? undefined : await readPem("verification", verification),
        certificateMode: isSniOnly ? "SNI_ONLY" : "DEFAULT",
        setAsActive: true,
        allowAutoRegistration: args["just-in-time"] === true,
      });
      printDone(args.json, textIn(made, "certificateId"), made);
      remark("registered as ACTIVE: register its devices with latchkey certificate register");
    }),
});

const registrationCode = defineCommand({
  meta: { name: "registration-code", description: "Print the code that proves an authority's key" },
  args: { ...apiOptions, json: jsonOption },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const answer = await api.call("GetRegistrationCode");
      printDone(args.json, textIn(answer, "registrationCode"), answer);
    }),
});

const list = defineCommand({
  meta: { name: "list", description: "List certificate authorities" },
  args: { ...apiOptions, "newest-first": newestFirst, json: jsonOption },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const rows: ApiAnswer[] = [];
      for await (const one of authorities(api, args["newest-first"] !== true))
        rows.push(await describe(api, textIn(one, "certificateId")));
      if (args.json === true) printJson(rows);
      else printAuthorities(rows);
    }),
});

const show = defineCommand({
  meta: { name: "show", description: "Show a certificate authority" },
  args: { ...apiOptions, authority, json: jsonOption },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const row = await describe(api, await authorityIdOf(api, args.authority));
      if (args.json === true) {
        printJson(row);
        return;
      }
      printFields([
        ["authority", textIn(row, "certificateId")],
        ["status", textIn(row, "status")],
        ["subject", subjectOf(row)],
        ["mode", textIn(row, "certificateMode")],
        ["just in time", textIn(row, "autoRegistrationStatus")],
        ["valid until", isObject(row["validity"]) ? dateOf(row["validity"]["notAfter"]) : ""],
        ["ARN", textIn(row, "certificateArn")],
      ]);
    }),
});

const activate = statusCommand("activate", "Let an authority vouch for devices", "ACTIVE");
const deactivate = statusCommand("deactivate", "Keep an authority's devices out", "INACTIVE");

// oxlint-disable-next-line typescript/explicit-function-return-type -- the type is citty's, with these arguments in it
function statusCommand(name: string, description: string, newStatus: "ACTIVE" | "INACTIVE") {
  return defineCommand({
    meta: { name, description },
    args: { ...apiOptions, authority, json: jsonOption },
    run: ({ args }) =>
      withApi(args, async (api) => {
        const certificateId = await authorityIdOf(api, args.authority);
        await api.call("UpdateCACertificate", { certificateId, newStatus });
        printDone(args.json, `${certificateId} is ${newStatus}`, { certificateId, status: newStatus });
      }),
  });
}

const remove = defineCommand({
  meta: { name: "delete", description: "Delete an INACTIVE certificate authority" },
  args: { ...apiOptions, authority, json: jsonOption },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const certificateId = await authorityIdOf(api, args.authority);
      await api.call("DeleteCACertificate", { certificateId });
      printDone(args.json, `${certificateId} is deleted`, { certificateId });
    }),
});

/** The command. */
export const caCommand = defineCommand({
  meta: { name: "ca", description: "Certificate authorities" },
  subCommands: { register, "registration-code": registrationCode, list, show, activate, deactivate, delete: remove },
});

function authorities(api: ApiClient, ascendingOrder = true): AsyncIterable<ApiAnswer> {
  return allOf(api, "ListCACertificates", "certificates", { ascendingOrder });
}

function authorityIdOf(api: ApiClient, typed: string): Promise<string> {
  return fullIdentifier(typed, "authority's identifier", "latchkey ca list", () => authorities(api));
}

async function describe(api: ApiClient, certificateId: string): Promise<ApiAnswer> {
  const { certificateDescription } = await api.call("DescribeCACertificate", { certificateId });
  return isObject(certificateDescription) ? certificateDescription : {};
}

function printAuthorities(rows: readonly ApiAnswer[]): void {
  const length = process.stdout.isTTY ? shortLength : undefined;
  printTable(
    rows,
    [
      ["AUTHORITY", (row) => textIn(row, "certificateId").slice(0, length)],
      ["STATUS", (row) => textIn(row, "status")],
      ["MODE", (row) => textIn(row, "certificateMode")],
      ["SUBJECT", subjectOf],
    ],
    "there are no certificate authorities",
  );
}

function subjectOf(row: ApiAnswer): string {
  const [certificate] = certificatesFromPem(textIn(row, "certificatePem"));
  return certificate === undefined ? "" : nameText(certificate.subject);
}

async function readPem(flag: string, file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new UsageError(`--${flag} cannot be read: ${messageOf(cause)}`, { cause });
  }
}
