/** Ours: `latchkey start` on a data directory that the bench makes, with every device registered and policies on. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nodeProvider } from "@latchkey/crypto/node";
import { createRegistry, defaultScope, isRegistryError, type BulkCertificate } from "@latchkey/registry";
import { openSqliteStorage } from "@latchkey/registry/node";
import { certificateId, certificatesFromPem } from "@latchkey/x509";
import { LoadError } from "../errors.ts";
import { deviceName, DeviceReader, distinctDevices, type Authorities, type PemPair } from "../identities.ts";
import { startProcess } from "./process.ts";
import { localEndpoint, topicRoot, type Target, type TargetOptions } from "./target.ts";

const brokerFolder = fileURLToPath(new URL("../../../../apps/broker", import.meta.url));
const main = join(brokerFolder, "src/main.ts");
const region = "us-east-1";
const account = `arn:aws:iot:${region}:000000000000`;
const policyName = "bench-device";
const ownName = "${iot:Certificate.Subject.CommonName}";

/** A device connects and publishes under its own name only, and may read what all devices publish. */
const devicePolicy = {
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Action: "iot:Connect", Resource: `${account}:client/${ownName}` },
    {
      Effect: "Allow",
      Action: ["iot:Publish", "iot:RetainPublish"],
      Resource: `${account}:topic/${topicRoot}/${ownName}/*`,
    },
    {
      Effect: "Allow",
      Action: "iot:Subscribe",
      Resource: [`${account}:topicfilter/${topicRoot}/*`, `${account}:topicfilter/$share/*/${topicRoot}/*`],
    },
    { Effect: "Allow", Action: "iot:Receive", Resource: `${account}:topic/${topicRoot}/*` },
  ],
};

/** What the broker's first line gives to Node, so that it runs here as it does for its users. */
function flagsOfNode(): string[] {
  const [firstLine = ""] = readFileSync(main, "utf8").split("\n", 1);
  return firstLine.split(" ").filter((word) => word.startsWith("--"));
}

/**
 * What the clients of the plain listener may do, who all have the rights of one certificate: what `devicePolicy` gives to each
 * device for its own name.
 */
const plainPolicyName = "bench-plain";
const plainPolicy = {
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Action: "iot:Connect", Resource: `${account}:client/*` },
    {
      Effect: "Allow",
      Action: ["iot:Publish", "iot:RetainPublish", "iot:Receive"],
      Resource: `${account}:topic/${topicRoot}/*`,
    },
    {
      Effect: "Allow",
      Action: "iot:Subscribe",
      Resource: [`${account}:topicfilter/${topicRoot}/*`, `${account}:topicfilter/$share/*/${topicRoot}/*`],
    },
  ],
};

/** Starts the broker of this checkout, on node:tls or, as `latchkey-tls`, on our own TLS engine. */
export async function startLatchkey(name: "latchkey" | "latchkey-tls", options: TargetOptions): Promise<Target> {
  try {
    await makeDataDirectory(options);
  } catch (cause) {
    if (!isRegistryError(cause)) throw cause;
    throw new LoadError("ERR_LOAD_MACHINE", `the registry of the target cannot be made: ${cause.message}`, { cause });
  }
  const process_ = await startProcess({
    name,
    path: process.execPath,
    words: [
      "--conditions=@latchkey/source",
      ...flagsOfNode(),
      main,
      ...["start", "--data", options.folder, "--port", "0", "--https-port", "0", "--log-level", "error"],
      ...["--tls", name === "latchkey-tls" ? "latchkey" : "node"],
      ...(options.isPlain ? ["--plain-port", "0", "--plain-certificate", firstDevice(options.authorities)] : []),
    ],
    cores: options.cores,
    ready: /^(?:ready mqtt:\/\/.*:(\d+)\n)?ready https:\/\/.*:(\d+)\nready mqtts:\/\/.*:(\d+)$/m,
  });
  const [, plainPort, httpsPort, mqttPort] = process_.ready;
  const { version } = JSON.parse(readFileSync(join(brokerFolder, "package.json"), "utf8")) as { version: string };
  return {
    name,
    version,
    speaks: "mqtt",
    endpoint: localEndpoint(Number(options.isPlain ? plainPort : mqttPort), options),
    roots: options.authorities.serverAuthority.certificate,
    httpUrl: `https://127.0.0.1:${httpsPort}`,
    ...controlPlaneOf(options.folder),
    processes: [{ pid: process_.pid, name }],
    notes: [],
    ended: process_.ended,
    [Symbol.asyncDispose]: () => process_.stop(),
  };
}

/** The ID of the certificate whose rights the clients of the plain listener have. */
function firstDevice({ folder, keyType }: Authorities): string {
  const [certificate] = certificatesFromPem(new DeviceReader(folder, keyType).device(0).certificate);
  if (certificate === undefined) throw new TypeError("the first device's file holds no certificate");
  return certificateId(certificate, nodeProvider);
}

/** Where the control plane listens, and the access key that the broker made at its start. */
function controlPlaneOf(folder: string): Pick<Target, "controlPlaneUrl" | "controlPlaneCredentials"> {
  const { url } = JSON.parse(readFileSync(join(folder, "control-plane.json"), "utf8")) as { url: string };
  const { keys } = JSON.parse(readFileSync(join(folder, "access-keys.json"), "utf8")) as {
    keys: { accessKeyId: string; secretAccessKey: string }[];
  };
  const [key] = keys;
  if (key === undefined) throw new LoadError("ERR_LOAD_TARGET", "latchkey has made no access key");
  const { accessKeyId, secretAccessKey } = key;
  return {
    controlPlaneUrl: url,
    controlPlaneCredentials: { accessKeyId, secretAccessKey, sessionToken: undefined, region, service: "iot" },
  };
}

/** The same authorities and server certificate that the other targets have, and a registry with the devices in it. */
async function makeDataDirectory({ folder, authorities, devices, isPlain }: TargetOptions): Promise<void> {
  const { serverAuthority, server, deviceAuthority } = authorities;
  for (const [name, pair] of Object.entries({ "server-ca": serverAuthority, server, "device-ca": deviceAuthority })) {
    writePair(folder, name, pair);
  }
  const all = devicesOf(authorities, devices, isPlain ? [policyName, plainPolicyName] : [policyName]);
  await registerDevices(join(folder, "registry.db"), authorities, all);
}

function writePair(folder: string, name: string, pair: PemPair): void {
  writeFileSync(join(folder, `${name}.pem`), pair.certificate);
  writeFileSync(join(folder, `${name}.key`), pair.privateKey, { mode: 0o600 });
}

async function registerDevices(
  file: string,
  authorities: Authorities,
  devices: Iterable<BulkCertificate>,
): Promise<void> {
  const [deviceAuthority] = certificatesFromPem(authorities.deviceAuthority.certificate);
  if (deviceAuthority === undefined) throw new TypeError("the device authority's file holds no certificate");
  const registry = createRegistry({
    storage: openSqliteStorage(file),
    provider: nodeProvider,
    nowSeconds: () => Math.floor(Date.now() / 1000),
    issuer: undefined,
  });
  try {
    await registry.createAccount(defaultScope);
    await registry.authorities.registerLocal(defaultScope, deviceAuthority);
    await registry.policies.create(defaultScope, policyName, JSON.stringify(devicePolicy));
    await registry.policies.create(defaultScope, plainPolicyName, JSON.stringify(plainPolicy));
    const caCertificateId = certificateId(deviceAuthority, nodeProvider);
    const signed = belowAuthority(devices, caCertificateId);
    const result = await registry.importCertificates(defaultScope, signed, () => Promise.resolve());
    const [refused] = result.refused;
    if (refused !== undefined) {
      throw new LoadError("ERR_LOAD_TARGET", `the registry refuses ${deviceName(refused.index)}: ${refused.message}`);
    }
  } finally {
    await registry[Symbol.asyncDispose]();
  }
}

/** Registered under their authority, so that the broker proves each certificate's chain to it, as the other targets do. */
function* belowAuthority(devices: Iterable<BulkCertificate>, caCertificateId: string): Generator<BulkCertificate> {
  for (const device of devices) yield { ...device, caCertificateId };
}

function* devicesOf(
  { folder, keyType }: Authorities,
  count: number,
  policyNames: readonly string[],
): Generator<BulkCertificate> {
  const reader = new DeviceReader(folder, keyType);
  for (let index = 0; index < distinctDevices(keyType, count); index++) {
    yield { certificatePem: reader.device(index).certificate, status: "ACTIVE", policyNames };
  }
}
