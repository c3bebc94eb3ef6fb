/**
 * The identities of a fleet: each button has a key and a certificate of its own, under the broker's device authority. They are made
 * once and kept in one file, readable by its owner only, so that the next run starts at once.
 */

import { open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { nodeProvider } from "@latchkey/crypto/node";
import {
  certificateToPem,
  deviceCertificate,
  issueCertificate,
  keyIdentifierOf,
  makeName,
  privateKeyToPem,
  validityFrom,
  type Certificate,
  type CertificateIssuer,
} from "@latchkey/x509";
import { buttonPolicy, serialNumberVariable, sharedPolicyName } from "../provision/button-policy.ts";
import type { OpenedDataDirectory } from "../provision/data-directory-service.ts";
import { makeSerialNumber } from "../serial-number.ts";

/** One button of a fleet. */
export interface FleetButton {
  readonly serialNumber: string;
  /** PEM. */
  readonly certificate: string;
  readonly privateKey: string;
}

/** The kept identities, and the authority that they are of. */
interface FleetFile {
  /** The key identifier of the device authority in hexadecimal: identities of another one are worth nothing here. */
  readonly authority: string;
  readonly buttons: readonly FleetButton[];
}

const fileName = "fleet.json";
const days = 3650;
const backdatedSeconds = 5 * 60;
/** Identities that are made and registered before other work gets its turn. */
const chunk = 100;

/**
 * `count` buttons that are registered and ACTIVE, with the policy of all buttons. What is missing is made. `onMade` gets how many are
 * ready.
 */
export async function fleetButtons(
  data: OpenedDataDirectory,
  directory: string,
  count: number,
  onMade: (ready: number) => void,
): Promise<readonly FleetButton[]> {
  await createPolicy(data);
  const file = join(directory, fileName);
  const authority = Buffer.from(keyIdentifierOf(data.deviceAuthority.certificate, nodeProvider)).toString("hex");
  const kept = await readKept(file, authority);
  const buttons = kept.slice(0, count);
  onMade(buttons.length);
  const serialNumbers = new Set(kept.map(({ serialNumber }) => serialNumber));
  while (buttons.length < count) {
    const wanted = Math.min(chunk, count - buttons.length);
    for (let made = 0; made < wanted;) {
      const serialNumber = makeSerialNumber();
      if (serialNumbers.has(serialNumber)) continue;
      serialNumbers.add(serialNumber);
      buttons.push(issueButton(serialNumber, data.deviceAuthority));
      made++;
    }
    onMade(buttons.length);
    await nextTurn();
  }
  if (buttons.length > kept.length) await writeWhole(file, JSON.stringify({ authority, buttons } satisfies FleetFile));
  await register(data, buttons);
  return buttons;
}

/** Those that the registry has already are passed over. */
async function register({ registry, scope }: OpenedDataDirectory, buttons: readonly FleetButton[]): Promise<void> {
  const lines = buttons.map(({ certificate }) =>
    JSON.stringify({ certificatePem: certificate, status: "ACTIVE", policyNames: [sharedPolicyName] }),
  );
  const { refusedCount, refused } = await registry.importLines(scope, lines, nextTurn);
  if (refusedCount > 0) throw new Error(`${refusedCount} buttons were not registered: ${refused[0]?.message ?? ""}`);
}

async function createPolicy({ registry, scope }: OpenedDataDirectory): Promise<void> {
  const { items } = registry.policies.list(scope, { pageSize: 1000 });
  if (items.some(({ policyName }) => policyName === sharedPolicyName)) return;
  const arn = `arn:aws:iot:${scope.region}:${scope.account}:cert/any`;
  await registry.policies.create(scope, sharedPolicyName, buttonPolicy(arn, serialNumberVariable));
}

function issueButton(serialNumber: string, issuer: CertificateIssuer): FleetButton {
  const { privateKey, publicKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const template = deviceCertificate({
    subject: makeName([
      { type: "commonName", value: `button ${serialNumber}` },
      { type: "serialNumber", value: serialNumber },
    ]),
    validity: validityFrom(notBefore(issuer.certificate), days),
  });
  return {
    serialNumber,
    certificate: certificateToPem(issueCertificate({ provider: nodeProvider, issuer, template, publicKey })),
    privateKey: privateKeyToPem(privateKey, { provider: nodeProvider }),
  };
}

function notBefore(issuer: Certificate): number {
  return Math.max(Math.floor(Date.now() / 1000) - backdatedSeconds, issuer.validity.notBefore);
}

/** What cannot be read, and what is of another authority, is made anew. */
async function readKept(file: string, authority: string): Promise<FleetButton[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch {
    return [];
  }
  const parsed: unknown = parse(text);
  const isKept = typeof parsed === "object" && parsed !== null && "authority" in parsed && "buttons" in parsed;
  if (!isKept || parsed.authority !== authority || !Array.isArray(parsed.buttons)) return [];
  return parsed.buttons.filter(isButton);
}

function isButton(value: unknown): value is FleetButton {
  return (
    typeof value === "object" &&
    value !== null &&
    "serialNumber" in value &&
    typeof value.serialNumber === "string" &&
    "certificate" in value &&
    typeof value.certificate === "string" &&
    "privateKey" in value &&
    typeof value.privateKey === "string"
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function writeWhole(file: string, content: string): Promise<void> {
  const unfinished = `${file}.${process.pid}.new`;
  const handle = await open(unfinished, "wx", 0o600);
  try {
    await handle.writeFile(content);
  } finally {
    await handle.close();
  }
  await rename(unfinished, file);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
