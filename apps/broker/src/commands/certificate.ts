/** `latchkey certificate ...`. */

import { readFile } from "node:fs/promises";
import { defineCommand } from "citty";
import { messageOf, oneOf, readDevicePorts, UsageError } from "@latchkey/command-line";
import { certificatesFromPem, hexText, nameText } from "@latchkey/x509";
import type { DataDirectory } from "../data-directory/data-directory.ts";
import { isObject } from "../http/json-body.ts";
import { allOf, certificateArnOf, certificateIdOf, shortLength, textIn } from "./answers.ts";
import type { ApiAnswer, ApiClient } from "./api-client.ts";
import { endpointOf } from "./api-client.ts";
import { apiOptions, jsonOption, newestFirst, targetOf, withApi, type ApiArguments } from "./api-options.ts";
import { exportCommand, importCommand } from "./bulk.ts";
import { dataDirectoryOf, print, remark, withDataDirectory } from "./data-option.ts";
import { certificatesWithSerialNumber, createDevice, registerDevice } from "./device.ts";
import { withPassingProgress } from "./long-work.ts";
import { createRemoteDevice, registerCsrIntoFolder, registerFromCsr, writeDeviceFolder } from "./remote-device.ts";
import { listOf, wholeNumber } from "../configuration/option-values.ts";
import { dateOf, printDone, printFields, printJson, printTable } from "./table.ts";

const certificate = {
  type: "string",
  required: true,
  description: "A certificateId, or the beginning of one",
} as const;
const policy = { type: "string", description: "Policies to attach, separated by commas" } as const;
const statuses = ["ACTIVE", "INACTIVE", "REVOKED"] as const;

const create = defineCommand({
  meta: { name: "create", description: "Make a key and a certificate for a device" },
  args: {
    ...apiOptions,
    out: {
      type: "string",
      required: true,
      description: "The folder for certificate.pem, private.key, root-ca.pem and endpoint.json",
    },
    "common-name": { type: "string", description: "The subject's common name; the serial where it is left out" },
    serial: { type: "string", description: "The subject's serial number: iot:Certificate.Subject.SerialNumber" },
    policy,
    days: { type: "string", default: "3650", description: "How long it is valid; on a data directory only" },
    json: jsonOption,
  },
  async run({ args }) {
    const commonName = args["common-name"] ?? args.serial;
    if (commonName === undefined) throw new UsageError("the device needs a name: give --serial or --common-name");
    const policyNames = listOf(args.policy);
    const days = wholeNumber("days", args.days, 1, 36_500);
    const device = { commonName, serialNumber: args.serial, policyNames, days, outDirectory: args.out };
    const id =
      endpointOf(targetOf(args)) === undefined
        ? await withDataDirectory(dataDirectoryOf(args), async (directory) => {
            if (args.serial !== undefined) warnOfSameSerial(directory, args.serial);
            const ports = await readDevicePorts(dataDirectoryOf(args));
            return createDevice(directory, { ...device, ports }, new Date());
          })
        : await withApi(args, (api) => createRemoteDevice(api, device));
    printDone(args.json, id, { certificateId: id, folder: args.out, policies: policyNames });
    remark(
      `registered as ACTIVE; certificate.pem, private.key (keep it secret), root-ca.pem and endpoint.json are in ${args.out}`,
    );
    remarkOnPolicies(id, policyNames);
  },
});

const fromCsr = defineCommand({
  meta: { name: "from-csr", description: "Make a certificate for a key that a device keeps" },
  args: {
    ...apiOptions,
    file: { type: "string", required: true, description: "A PEM file: the certification request of the device" },
    out: {
      type: "string",
      description: "A folder for certificate.pem and root-ca.pem; standard output gets the certificate without it",
    },
    policy,
    json: jsonOption,
  },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const { out } = args;
      const policyNames = listOf(args.policy);
      const requestPem = await readPem(args.file);
      let pem: string | undefined;
      const id =
        out === undefined
          ? await registerFromCsr(api, requestPem, policyNames, async (certificatePem) => {
              pem = certificatePem;
              if (args.json !== true) print(certificatePem.trimEnd());
            })
          : await registerCsrIntoFolder(api, requestPem, policyNames, out);
      const result = { certificateId: id, folder: out, certificatePem: pem, policies: policyNames };
      if (out !== undefined || args.json === true) printDone(args.json, id, result);
      remark(`${id} is registered as ACTIVE`);
      remarkOnPolicies(id, policyNames);
    }),
});

const register = defineCommand({
  meta: { name: "register", description: "Register a certificate that one of the broker's authorities has signed" },
  args: {
    ...apiOptions,
    file: {
      type: "string",
      required: true,
      description: "A PEM file: the certificate, then those between it and the root",
    },
    policy,
    "without-ca": { type: "boolean", description: "Whoever has signed it: for devices that send a server name (SNI)" },
    json: jsonOption,
  },
  async run({ args }) {
    const policyNames = listOf(args.policy);
    const isLocal = endpointOf(targetOf(args)) === undefined;
    const id =
      isLocal && args["without-ca"] !== true
        ? await withDataDirectory(dataDirectoryOf(args), (directory) =>
            registerDevice(directory, args.file, policyNames),
          )
        : await withApi(args, async (api) => {
            const certificatePem = await readPem(args.file);
            const name = args["without-ca"] === true ? "RegisterCertificateWithoutCA" : "RegisterCertificate";
            return activate(api, await api.call(name, { certificatePem, status: "INACTIVE" }), policyNames);
          });
    printDone(args.json, id, { certificateId: id, policies: policyNames });
    remark("registered as ACTIVE");
    remarkOnPolicies(id, policyNames);
  },
});

const status = defineCommand({
  meta: { name: "status", description: "Set a certificate's status" },
  args: {
    ...apiOptions,
    certificate,
    to: { type: "string", required: true, description: "ACTIVE, INACTIVE or REVOKED" },
    force: { type: "boolean", description: "Give a REVOKED certificate another status; on a data directory only" },
    json: jsonOption,
  },
  async run({ args }) {
    const wanted = oneOf("to", args.to, statuses);
    if (args.force === true) {
      await withDataDirectory(dataDirectoryOf(args), async ({ registry: { certificates }, scope }) => {
        const before = certificates.describe(scope, args.certificate).status;
        await certificates.updateStatus(scope, args.certificate, wanted, { force: true });
        printStatus(args.json, args.certificate, before, wanted);
      });
    } else await setStatus(args, wanted);
  },
});

const activateCommand = statusCommand("activate", "Let a device connect", "ACTIVE");
const deactivate = statusCommand("deactivate", "Keep a device out until it is activated again", "INACTIVE");
const revoke = statusCommand("revoke", "Keep a device out for good", "REVOKED");

// oxlint-disable-next-line typescript/explicit-function-return-type -- the type is citty's, with these arguments in it
function statusCommand(name: string, description: string, wanted: (typeof statuses)[number]) {
  return defineCommand({
    meta: { name, description },
    args: { ...apiOptions, certificate, json: jsonOption },
    run: ({ args }) => setStatus(args, wanted),
  });
}

const list = defineCommand({
  meta: { name: "list", description: "List certificates: identifier, status, serial, subject, end, policies" },
  args: {
    ...apiOptions,
    "newest-first": newestFirst,
    json: jsonOption,
  },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const input = { pageSize: 250, ascendingOrder: args["newest-first"] !== true };
      const rows = await withPassingProgress("reading certificates", args.json === true, async (report) => {
        const read: CertificateRow[] = [];
        for await (const one of allOf(api, "ListCertificates", "certificates", input)) {
          read.push(await rowOf(api, one));
          report(String(read.length));
        }
        return read;
      });
      if (args.json === true) printJson(rows);
      else printRows(rows);
    }),
});

const show = defineCommand({
  meta: { name: "show", description: "Show a certificate with its policies and things" },
  args: { ...apiOptions, certificate, json: jsonOption },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const certificateId = await certificateIdOf(api, args.certificate);
      const { certificateDescription: described } = await api.call("DescribeCertificate", { certificateId });
      if (!isObject(described)) throw new TypeError("the answer describes nothing");
      const row = await rowOf(api, described);
      const things = await collect(
        allOf(api, "ListPrincipalThingsV2", "principalThingObjects", { principal: row.certificateArn }),
      );
      if (args.json === true) {
        printJson({ ...described, ...row, things: things.map((one) => textIn(one, "thingName")) });
        return;
      }
      printFields([
        ["certificate", row.certificateId],
        ["status", row.status],
        ["subject", row.subject],
        ["serial number", row.serialNumber],
        ["valid", `${dateOf(row.notBefore)} to ${dateOf(row.notAfter)}`],
        ["authority", textIn(described, "caCertificateId")],
        ["registered", dateOf(described["creationDate"])],
        ["policies", row.policies.join(", ") || "none: the broker refuses all that it asks for"],
        ["things", things.map((one) => textIn(one, "thingName")).join(", ")],
        ["ARN", row.certificateArn],
      ]);
    }),
});

const bundle = defineCommand({
  meta: { name: "bundle", description: "Write the files of a registered device again, except its key" },
  args: {
    ...apiOptions,
    certificate,
    out: {
      type: "string",
      required: true,
      description: "The folder for certificate.pem, root-ca.pem and endpoint.json",
    },
    json: jsonOption,
  },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const certificateId = await certificateIdOf(api, args.certificate);
      const { certificateDescription } = await api.call("DescribeCertificate", { certificateId });
      const pem = isObject(certificateDescription) ? textIn(certificateDescription, "certificatePem") : "";
      await writeDeviceFolder(api, args.out, pem);
      printDone(args.json, certificateId, { certificateId, folder: args.out });
      remark(`certificate.pem, root-ca.pem and endpoint.json are in ${args.out}; the device has its key`);
    }),
});

const remove = defineCommand({
  meta: { name: "delete", description: "Delete a certificate that is not ACTIVE" },
  args: {
    ...apiOptions,
    certificate,
    force: { type: "boolean", description: "Detach its policies first" },
    json: jsonOption,
  },
  run: ({ args }) =>
    withApi(args, async (api) => {
      const certificateId = await certificateIdOf(api, args.certificate);
      await api.call("DeleteCertificate", { certificateId, forceDelete: args.force });
      printDone(args.json, `${certificateId} is deleted`, { certificateId });
    }),
});

/** The command. */
export const certificateCommand = defineCommand({
  meta: { name: "certificate", description: "Device certificates" },
  subCommands: {
    create,
    "from-csr": fromCsr,
    register,
    list,
    show,
    describe: show,
    activate: activateCommand,
    deactivate,
    revoke,
    status,
    bundle,
    import: importCommand,
    export: exportCommand,
    delete: remove,
  },
});

/** A certificate as it is listed. */
interface CertificateRow {
  readonly certificateId: string;
  readonly certificateArn: string;
  readonly status: string;
  readonly subject: string;
  readonly serialNumber: string;
  readonly notBefore: number | undefined;
  readonly notAfter: number | undefined;
  readonly policies: readonly string[];
}

async function rowOf(api: ApiClient, listed: ApiAnswer): Promise<CertificateRow> {
  const certificateId = textIn(listed, "certificateId");
  const certificateArn = textIn(listed, "certificateArn");
  const { certificateDescription: described } =
    "certificatePem" in listed
      ? { certificateDescription: listed }
      : await api.call("DescribeCertificate", { certificateId });
  const pem = isObject(described) ? textIn(described, "certificatePem") : "";
  const [parsed] = certificatesFromPem(pem);
  const policies = await collect(
    allOf(api, "ListAttachedPolicies", "policies", { target: certificateArn, pageSize: 250 }),
  );
  return {
    certificateId,
    certificateArn,
    status: textIn(listed, "status"),
    subject: parsed === undefined ? "" : nameText(parsed.subject),
    serialNumber: parsed === undefined ? "" : hexText(parsed.serialNumber),
    notBefore: parsed?.validity.notBefore,
    notAfter: parsed?.validity.notAfter,
    policies: policies.map((one) => textIn(one, "policyName")),
  };
}

function printRows(rows: readonly CertificateRow[]): void {
  printTable(
    rows,
    [
      // A program that reads the table gets whole identifiers.
      ["CERTIFICATE", (row) => (process.stdout.isTTY ? row.certificateId.slice(0, shortLength) : row.certificateId)],
      ["STATUS", (row) => row.status],
      ["SUBJECT", (row) => row.subject],
      ["SERIAL", (row) => row.serialNumber],
      ["UNTIL", (row) => dateOf(row.notAfter).slice(0, 10)],
      ["POLICIES", (row) => row.policies.join(",")],
    ],
    'there are no certificates yet: make one with "latchkey certificate create"',
  );
}

async function setStatus(
  args: ApiArguments & { readonly certificate: string; readonly json?: boolean | undefined },
  wanted: (typeof statuses)[number],
): Promise<void> {
  await withApi(args, async (api) => {
    const certificateId = await certificateIdOf(api, args.certificate);
    const { certificateDescription } = await api.call("DescribeCertificate", { certificateId });
    const before = isObject(certificateDescription) ? textIn(certificateDescription, "status") : "";
    if (before === "REVOKED" && wanted !== "REVOKED") {
      throw new UsageError(
        `certificate ${certificateId} is REVOKED, which is meant to be final. Make a new certificate for the device, ` +
          `or add --force to "certificate status" to make this one ${wanted} again`,
      );
    }
    await api.call("UpdateCertificate", { certificateId, newStatus: wanted });
    printStatus(args.json, certificateId, before, wanted);
  });
}

function printStatus(isJson: boolean | undefined, certificateId: string, before: string, wanted: string): void {
  const sentence =
    before === wanted ? `${certificateId} is ${wanted} already` : `${certificateId} is ${wanted}, was ${before}`;
  printDone(isJson, sentence, { certificateId, status: wanted, before });
}

/** The certificate has its policies before it is active, so that an interruption leaves it without any right. */
async function activate(api: ApiClient, made: ApiAnswer, policyNames: readonly string[]): Promise<string> {
  const certificateId = textIn(made, "certificateId");
  const target = await certificateArnOf(api, certificateId);
  for (const policyName of policyNames) await api.call("AttachPolicy", { policyName, target });
  await api.call("UpdateCertificate", { certificateId, newStatus: "ACTIVE" });
  return certificateId;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new UsageError(`--file cannot be read: ${messageOf(cause)}`, { cause });
  }
}

function warnOfSameSerial(directory: DataDirectory, serialNumber: string): void {
  const [other] = certificatesWithSerialNumber(directory, serialNumber);
  if (other === undefined) return;
  remark(
    `warning: certificate ${other} has the serial number ${serialNumber}, too: a policy takes both for one device`,
  );
}

function remarkOnPolicies(id: string, policyNames: readonly string[]): void {
  if (policyNames.length > 0) {
    remark(`attached: ${policyNames.join(", ")}`);
  } else {
    remark(`it has no policy, so the broker refuses all that it asks for. Attach one:`);
    remark(`  latchkey policy attach --name POLICY --certificate ${id}`);
  }
}
