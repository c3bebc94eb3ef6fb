/** `latchkey-button provision`: gives a button its identity. */

import { readFileSync } from "node:fs";
import { messageOf, oneOf, UsageError } from "@latchkey/command-line";
import { defineCommand } from "citty";
import { usualEndpoint } from "../device-directory.ts";
import { brokerPorts } from "../provision/broker-ports.ts";
import { accessKeyOf, controlPlaneService } from "../provision/control-plane-service.ts";
import { dataDirectoryService } from "../provision/data-directory-service.ts";
import type { IdentityService } from "../provision/identity-service.ts";
import { provision, ways, type ProvisionedButton } from "../provision/provision.ts";
import { makeSerialNumber, serialNumberOf } from "../serial-number.ts";
import { chosenPorts, portOrigin } from "./option-values.ts";

/** The command. Standard output has the serial number alone, standard error what was done. */
export const provisionCommand = defineCommand({
  meta: { name: "provision", description: "Give a button its identity, in one of the three ways" },
  args: {
    device: { type: "string", required: true, description: "The folder for what is on the button" },
    way: {
      type: "string",
      default: "one-click",
      description: "one-click: the service makes the key, too. csr: the key is made here. own-ca: your authority signs",
    },
    data: { type: "string", description: "The data directory of a broker, which may be running" },
    "control-plane": { type: "string", description: "The URL of a control plane, in place of --data" },
    region: { type: "string", default: "us-east-1", description: "The region in the signature for --control-plane" },
    root: { type: "string", description: "PEM file of the root that the button is to believe, for --control-plane" },
    "own-ca": {
      type: "string",
      default: "own-ca",
      description: "The folder of your authority, made where it is missing",
    },
    serial: { type: "string", description: "The serial number (DSN); made up where it is left out" },
    host: { type: "string", default: usualEndpoint.host, description: "The broker's host" },
    "https-port": { type: "string", description: `Its port for HTTPS; ${portOrigin(usualEndpoint.httpsPort)}` },
    "mqtt-port": { type: "string", description: `Its port for MQTT; ${portOrigin(usualEndpoint.mqttPort)}` },
  },
  async run({ args }) {
    const serialNumber = args.serial === undefined ? makeSerialNumber() : serialNumberOf(args.serial);
    const button = {
      directory: args.device,
      serialNumber,
      endpoint: { host: args.host, ...chosenPorts(args, await brokerPorts(args.data)) },
      way: oneOf("way", args.way, ways),
      ownAuthorityDirectory: args["own-ca"],
      nowSeconds: Math.floor(Date.now() / 1000),
    };
    const service = await serviceOf(args);
    let made: ProvisionedButton;
    try {
      made = await provision(service, button);
    } finally {
      await service[Symbol.asyncDispose]();
    }
    const { certificateId, policyName, keyStory } = made;
    process.stdout.write(`${serialNumber}\n`);
    process.stderr.write(`certificate ${certificateId} is ACTIVE, with the policy ${policyName}\n`);
    process.stderr.write(`${keyStory}\n`);
    process.stderr.write(`press it: latchkey-button --device ${args.device}\n`);
  },
});

interface ServiceArguments {
  readonly data?: string | undefined;
  readonly "control-plane"?: string | undefined;
  readonly region: string;
  readonly root?: string | undefined;
}

async function serviceOf({ data, region, root, ...args }: ServiceArguments): Promise<IdentityService> {
  const url = args["control-plane"];
  if ((data === undefined) === (url === undefined)) {
    throw new UsageError(
      "who gives the identity? Name a broker's data directory with --data, or a control plane with --control-plane: one of the two",
    );
  }
  if (data !== undefined) return dataDirectoryService(data);
  if (root === undefined) {
    throw new UsageError(
      "--root is missing: the control plane does not hand out the root that the button is to believe",
    );
  }
  return controlPlaneService({ url: url ?? "", region, accessKey: accessKeyOf(process.env), rootPem: readRoot(root) });
}

function readRoot(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new UsageError(`--root cannot be read: ${messageOf(cause)}`, { cause });
  }
}
