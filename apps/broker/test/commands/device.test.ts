import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultScope } from "@latchkey/registry";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createDevice, type NewDevice } from "../../src/commands/device.ts";
import { openBrokerDirectory, type BrokerDirectory } from "../../src/data-directory/data-directory.ts";

const now = new Date("2026-11-24T00:00:00Z");
/** The most that AWS IoT attaches to one certificate. */
const maximumPolicies = 10;
const policyNames = Array.from({ length: maximumPolicies + 1 }, (_, index) => `p${index}`);
let scratch: string;
let data: BrokerDirectory;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "latchkey-device-"));
  const options = { serverNames: [], scope: defaultScope, now: () => now };
  data = await openBrokerDirectory(join(scratch, "data"), options);
  const document = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "iot:Publish", Resource: "*" }],
  });
  for (const name of policyNames) await data.registry.policies.create(defaultScope, name, document);
});
afterAll(async () => {
  await data[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true });
});

const device = (changes: Partial<NewDevice>): NewDevice => ({
  commonName: "lamp",
  serialNumber: undefined,
  policyNames: [],
  days: 1,
  outDirectory: join(scratch, "out"),
  ...changes,
});
const registered = (): number => data.registry.certificates.list(defaultScope).items.length;

test("a new device is ACTIVE with all its policies, and its key is its owner's", async () => {
  const outDirectory = join(scratch, "made", "nested");
  const names = policyNames.slice(0, maximumPolicies);
  const id = await createDevice(data, device({ outDirectory, policyNames: names }), now);
  expect(data.registry.certificates.describe(defaultScope, id).status).toBe("ACTIVE");
  const attached = data.registry.policies.listAttached(defaultScope, { kind: "cert", certificateId: id });
  expect([...attached.items].toSorted()).toEqual(names.toSorted());
  expect(readdirSync(outDirectory).toSorted()).toEqual([
    "certificate.pem",
    "endpoint.json",
    "private.key",
    "root-ca.pem",
  ]);
  expect(statSync(join(outDirectory, "private.key")).mode & 0o777).toBe(0o600);
});

describe("what is refused at the last step", () => {
  test("leaves neither a certificate nor a folder", async () => {
    const before = registered();
    await expect(createDevice(data, device({ policyNames }), now)).rejects.toMatchObject({
      code: "ERR_REGISTRY_LIMIT",
    });
    expect([registered(), existsSync(join(scratch, "out"))]).toEqual([before, false]);
  });

  test("leaves a folder that was there as it was", async () => {
    const outDirectory = join(scratch, "there");
    mkdirSync(outDirectory);
    writeFileSync(join(outDirectory, "notes.txt"), "mine");
    await expect(createDevice(data, device({ outDirectory, policyNames }), now)).rejects.toThrow();
    expect(readdirSync(outDirectory)).toEqual(["notes.txt"]);
  });
});

test.each(["private.key", "certificate.pem", "root-ca.pem", "endpoint.json"])(
  "a folder that has %s already is another device's",
  async (name) => {
    const outDirectory = join(scratch, `with-${name}`);
    mkdirSync(outDirectory);
    writeFileSync(join(outDirectory, name), "another's");
    const before = registered();
    await expect(createDevice(data, device({ outDirectory }), now)).rejects.toThrow(`${name} exists already`);
    expect([readdirSync(outDirectory), registered()]).toEqual([[name], before]);
  },
);
