/**
 * What is on one button, as a directory:
 *
 *     certificate.pem, root-ca.pem   its certificate, and the root that it trusts
 *     private.key                    for its owner only
 *     button.json                    serial number, endpoint and ports
 *     endpoint.json                  the ports again, from `latchkey certificate create`
 *     battery.json                   what is left in the battery
 *
 * The first three have the names that `latchkey certificate create --out` gives, and the others may be missing: the serial number then
 * is the certificate's, the endpoint localhost, the battery new.
 */

import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, UsageError } from "@latchkey/command-line";
import { attributeValues, certificatesFromPem } from "@latchkey/x509";
import { newBattery, type Battery } from "./battery.ts";
import { ButtonError } from "./errors.ts";
import { isSerialNumber } from "./serial-number.ts";

/** Where a button's broker is. */
export interface Endpoint {
  readonly host: string;
  readonly httpsPort: number;
  readonly mqttPort: number;
}

/** AWS IoT's ports for client certificates. */
export const usualEndpoint: Endpoint = { host: "localhost", httpsPort: 8443, mqttPort: 8883 };

/** What is on a button. */
export interface Device {
  readonly serialNumber: string;
  readonly endpoint: Endpoint;
  /** PEM. */
  readonly certificate: string;
  readonly privateKey: string;
  readonly roots: string;
  readonly battery: Battery;
}

/** The files that are written when a button gets its identity. */
export interface NewDevice extends Omit<Device, "battery"> {}

const files = {
  certificate: "certificate.pem",
  privateKey: "private.key",
  roots: "root-ca.pem",
  settings: "button.json",
  battery: "battery.json",
} as const;

/** What `latchkey certificate create` writes of the broker that it has made the certificate for. */
const madeEndpointFile = "endpoint.json";

/** Makes the directory for a new button. Throws `UsageError` where it has a button's files already. */
export async function makeDeviceDirectory(directory: string): Promise<void> {
  for (const name of Object.values(files)) {
    if (existsSync(join(directory, name))) {
      throw new UsageError(`${join(directory, name)} exists already: give another folder with --device`);
    }
  }
  await writing(directory, () => mkdir(directory, { recursive: true, mode: 0o700 }));
}

/** Writes the private key, readable by its owner only. It is written once and never replaced. */
export async function writePrivateKey(directory: string, pem: string): Promise<void> {
  await writing(directory, () => writeNew(join(directory, files.privateKey), pem, 0o600));
}

/** Writes what is not secret: certificate, root, settings and a new battery. */
export async function writeDevice(directory: string, device: Omit<NewDevice, "privateKey">): Promise<void> {
  const { serialNumber, endpoint } = device;
  await writing(directory, async () => {
    await writeNew(join(directory, files.certificate), device.certificate, 0o644);
    await writeNew(join(directory, files.roots), device.roots, 0o644);
    const settings = { serialNumber, ...endpoint };
    await writeNew(join(directory, files.settings), `${JSON.stringify(settings, undefined, 2)}\n`, 0o644);
    await writeBattery(directory, newBattery);
  });
}

/** Removes what was written for a button that could not be finished. */
export async function removeDevice(directory: string): Promise<void> {
  for (const name of Object.values(files)) await rm(join(directory, name), { force: true });
}

/** Writes the battery's state, whole or not at all. */
export async function writeBattery(directory: string, battery: Battery): Promise<void> {
  const unfinished = join(directory, `${files.battery}.${randomUUID()}.new`);
  try {
    await writeNew(unfinished, `${JSON.stringify(battery)}\n`, 0o644);
    await rename(unfinished, join(directory, files.battery));
  } catch (cause) {
    await rm(unfinished, { force: true });
    throw new UsageError(`the battery in ${directory} cannot be written: ${messageOf(cause)}`, { cause });
  }
}

/** Reads a button. Throws `UsageError` for what is missing or damaged, `ERR_BUTTON_CREDENTIALS` for a key that others can read. */
export async function readDevice(directory: string): Promise<Device> {
  const certificate = await readText(directory, files.certificate);
  const settings = await readSettings(directory);
  const made = portsOf(await readObject(directory, madeEndpointFile));
  await checkKeyMode(join(directory, files.privateKey));
  return {
    serialNumber: settings.serialNumber ?? serialNumberIn(directory, certificate),
    endpoint: {
      host: settings.host ?? usualEndpoint.host,
      httpsPort: settings.httpsPort ?? made.httpsPort ?? usualEndpoint.httpsPort,
      mqttPort: settings.mqttPort ?? made.mqttPort ?? usualEndpoint.mqttPort,
    },
    certificate,
    privateKey: await readText(directory, files.privateKey),
    roots: await readText(directory, files.roots),
    battery: await readBattery(directory),
  };
}

type Settings = { readonly serialNumber: string | undefined } & {
  readonly [Name in keyof Endpoint]: Endpoint[Name] | undefined;
};

async function readSettings(directory: string): Promise<Settings> {
  const found = await readObject(directory, files.settings);
  const { serialNumber, host, httpsPort, mqttPort } = found;
  const damaged = (name: string, allowed: string): UsageError =>
    new UsageError(
      `${join(directory, files.settings)}: ${name} is ${JSON.stringify(found[name])}; it is to be ${allowed}`,
    );
  if (serialNumber !== undefined && (typeof serialNumber !== "string" || !isSerialNumber(serialNumber))) {
    throw damaged("serialNumber", "a serial number such as G030JF055364XVRB");
  }
  if (host !== undefined && (typeof host !== "string" || host === ""))
    throw damaged("host", "a host name or an address");
  if (httpsPort !== undefined && !isPort(httpsPort)) throw damaged("httpsPort", "a whole number from 1 to 65535");
  if (mqttPort !== undefined && !isPort(mqttPort)) throw damaged("mqttPort", "a whole number from 1 to 65535");
  return { serialNumber, host, httpsPort, mqttPort };
}

/** Ports that are none are left out: the file is another program's. */
function portsOf({
  httpsPort,
  mqttPort,
}: Readonly<Record<string, unknown>>): Partial<Pick<Endpoint, "httpsPort" | "mqttPort">> {
  return { ...(isPort(httpsPort) && { httpsPort }), ...(isPort(mqttPort) && { mqttPort }) };
}

async function readBattery(directory: string): Promise<Battery> {
  const found = await readObject(directory, files.battery);
  const { capacityPresses = newBattery.capacityPresses, presses = newBattery.presses } = found;
  if (isCount(capacityPresses) && isCount(presses)) return { capacityPresses, presses };
  throw new UsageError(
    `${join(directory, files.battery)} is damaged: capacityPresses and presses are whole numbers. Remove the file, and the ` +
      "button has a new battery",
  );
}

/** The object in a JSON file; an empty one where there is no file. */
async function readObject(directory: string, name: string): Promise<Readonly<Record<string, unknown>>> {
  const path = join(directory, name);
  if (!existsSync(path)) return {};
  try {
    const parsed: unknown = JSON.parse(await readFile(path, "utf8"));
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  } catch (cause) {
    throw new UsageError(`${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
  throw new UsageError(`${path} does not hold a JSON object`);
}

async function readText(directory: string, name: string): Promise<string> {
  try {
    return await readFile(join(directory, name), "utf8");
  } catch (cause) {
    throw new UsageError(
      `${directory} is not a button: ${messageOf(cause)}. "latchkey-button provision --device ${directory}" makes one`,
      { cause },
    );
  }
}

function serialNumberIn(directory: string, pem: string): string {
  let serialNumbers: readonly (string | undefined)[];
  try {
    const [certificate] = certificatesFromPem(pem);
    serialNumbers = certificate === undefined ? [] : attributeValues(certificate.subject, "serialNumber");
  } catch (cause) {
    throw new UsageError(`${join(directory, files.certificate)}: ${messageOf(cause)}`, { cause });
  }
  const [serialNumber] = serialNumbers;
  if (serialNumber !== undefined && isSerialNumber(serialNumber)) return serialNumber;
  throw new UsageError(
    `${directory} does not say which button it is: its certificate has ` +
      `${serialNumber === undefined ? "no serial number" : `the serial number ${JSON.stringify(serialNumber)}`}. Write ` +
      `{"serialNumber": "G030JF055364XVRB"} with the button's own into ${join(directory, files.settings)}`,
  );
}

/** Refuses a key that other users can read, as ssh does. */
async function checkKeyMode(path: string): Promise<void> {
  if (process.platform === "win32" || !existsSync(path)) return;
  const { mode } = await stat(path);
  if ((mode & 0o077) === 0) return;
  const octal = (mode & 0o777).toString(8);
  throw new ButtonError("ERR_BUTTON_CREDENTIALS", `${path} can be read by others (mode ${octal}): chmod 600 ${path}`);
}

async function writeNew(path: string, content: string, mode: number): Promise<void> {
  const handle = await open(path, "wx", mode);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Adds the name of the directory to an error of the file system. */
async function writing<T>(directory: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(`the button's files cannot be written to ${directory}: ${messageOf(cause)}`, { cause });
  }
}

function isPort(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 65_535;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 1_000_000_000;
}
