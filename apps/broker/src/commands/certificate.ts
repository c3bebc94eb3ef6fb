/** `latchkey certificate ...`. */

import { defineCommand } from "citty";
import { oneOf, UsageError } from "@latchkey/command-line";
import { dataOption as data, listOf, print, remark, withDataDirectory } from "./data-option.ts";
import type { DataDirectory } from "../data-directory/data-directory.ts";
import { allCertificates, certificatesWithSerialNumber, createDevice, registerDevice, subjectText } from "./device.ts";
import { wholeNumber } from "./option-values.ts";

const certificate = { type: "string", required: true, description: "A certificateId" } as const;
const policy = { type: "string", description: "Policies to attach, separated by commas" } as const;
const statuses = ["ACTIVE", "INACTIVE", "REVOKED"] as const;

const create = defineCommand({
  meta: { name: "create", description: "Make a key and a certificate for a device" },
  args: {
    data,
    out: {
      type: "string",
      required: true,
      description: "The folder for certificate.pem, private.key and root-ca.pem",
    },
    "common-name": { type: "string", description: "The subject's common name; the serial where it is left out" },
    serial: { type: "string", description: "The subject's serial number: iot:Certificate.Subject.SerialNumber" },
    policy,
    days: { type: "string", default: "3650", description: "How long it is valid" },
  },
  run: ({ args }) =>
    withDataDirectory(args.data, async (directory) => {
      const commonName = args["common-name"] ?? args.serial;
      if (commonName === undefined) throw new UsageError("the device needs a name: give --serial or --common-name");
      const policyNames = listOf(args.policy);
      const days = wholeNumber("days", args.days, 1, 36_500);
      if (args.serial !== undefined) warnOfSameSerial(directory, args.serial);
      const device = { commonName, serialNumber: args.serial, policyNames, days, outDirectory: args.out };
      const id = await createDevice(directory, device, new Date());
      print(id);
      remark(`registered as ACTIVE; certificate.pem, private.key (keep it secret) and root-ca.pem are in ${args.out}`);
      remarkOnPolicies(id, policyNames);
    }),
});

const register = defineCommand({
  meta: { name: "register", description: "Register a certificate that one of the broker's authorities has signed" },
  args: {
    data,
    file: {
      type: "string",
      required: true,
      description: "A PEM file: the certificate, then those between it and the root",
    },
    policy,
  },
  run: ({ args }) =>
    withDataDirectory(args.data, async (directory) => {
      const policyNames = listOf(args.policy);
      const id = await registerDevice(directory, args.file, policyNames);
      print(id);
      remark("registered as ACTIVE");
      remarkOnPolicies(id, policyNames);
    }),
});

const status = defineCommand({
  meta: { name: "status", description: "Set a certificate's status" },
  args: {
    data,
    certificate,
    to: { type: "string", required: true, description: "ACTIVE, INACTIVE or REVOKED" },
    force: { type: "boolean", description: "Give a REVOKED certificate another status" },
  },
  run: ({ args }) =>
    withDataDirectory(args.data, async ({ registry: { certificates }, scope }) => {
      const wanted = oneOf("to", args.to, statuses);
      const before = certificates.describe(scope, args.certificate).status;
      if (before === "REVOKED" && wanted !== "REVOKED" && args.force !== true) {
        throw new UsageError(
          `certificate ${args.certificate} is REVOKED, which is meant to be final. Make a new certificate for the device, ` +
            `or add --force to make this one ${wanted} again`,
        );
      }
      await certificates.updateStatus(scope, args.certificate, wanted, { force: args.force });
      print(
        before === wanted
          ? `${args.certificate} is ${wanted} already`
          : `${args.certificate} is ${wanted}, was ${before}`,
      );
    }),
});

const list = defineCommand({
  meta: { name: "list", description: "List certificates: identifier, status, subject" },
  args: { data },
  run: ({ args }) =>
    withDataDirectory(args.data, async (directory) => {
      for (const record of allCertificates(directory)) {
        print(`${record.certificateId} ${record.status} ${subjectText(record)}`);
      }
    }),
});

/** The command. */
export const certificateCommand = defineCommand({
  meta: { name: "certificate", description: "Device certificates" },
  subCommands: { create, register, status, list },
});

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
