import { describe, expect, test } from "vitest";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  defaultScope as scope,
  deviceArchive,
  deviceBundle,
  type BulkCertificate,
  type BulkThing,
} from "../src/index.ts";
import { allow, idOf, makeAuthority, makeDevice, pemOf, Workshop } from "./workshop.ts";

const noPause = async (): Promise<void> => {};
const own = makeAuthority("Own CA");
const ownDevices = Array.from({ length: 120 }, () => pemOf(makeDevice(own)));

function named(count: number): readonly BulkThing[] {
  return Array.from({ length: count }, (_, index) => ({ thingName: `t${index}` }));
}

describe("an import", () => {
  test("registers each good line, reports each bad one by its place, and can be run again", async () => {
    await using workshop = await Workshop.open();
    const { registry } = workshop;
    await registry.policies.create(scope, "p", allow("iot:Publish", "topic/a"));
    const authority = makeAuthority();
    const devices = Array.from({ length: 120 }, () => makeDevice(authority));
    const good = devices.map((device, index) =>
      JSON.stringify({
        certificatePem: pemOf(device),
        status: "ACTIVE",
        thingName: `t${index % 3}`,
        policyNames: ["p"],
      }),
    );
    const lines = [
      ...good.slice(0, 60),
      "no json",
      JSON.stringify({ certificatePem: "hello" }),
      JSON.stringify({ certificatePem: pemOf(makeDevice(authority)), policyNames: ["none"] }),
      JSON.stringify({ certificatePem: pemOf(makeDevice(authority)), status: "PENDING_TRANSFER" }),
      JSON.stringify({ certificatePem: pemOf(makeDevice(authority)), thingName: "a b" }),
      "",
      ...good.slice(60),
    ];
    const result = await registry.importLines(scope, lines, noPause);
    expect(result).toMatchObject({ registered: 120, skipped: 0, refusedCount: 5 });
    expect(result.refused.map((one) => one.index)).toEqual([60, 61, 62, 63, 64]);
    expect(registry.certificates.list(scope, { pageSize: 1000 }).items).toHaveLength(120);
    expect(registry.things.listPrincipals(scope, "t0").items).toHaveLength(40);
    expect(registry.things.list(scope).items).toHaveLength(3);
    expect(await registry.importLines(scope, good, noPause)).toMatchObject({ registered: 0, skipped: 120 });
    const device = devices[0];
    const resolved = device && (await registry.resolvePrincipal([device.encoding], "localhost"));
    expect(resolved).toMatchObject({ ok: true });
  });

  test.each<[string, Partial<BulkCertificate>, number]>([
    ["small certificates", {}, 50],
    ["certificates with a thing and two policies", { thingName: "t", policyNames: ["p", "q"] }, 12],
    ["certificates with twenty things", { things: named(20) }, 2],
    ["certificates with more things than a turn should have", { things: named(60) }, 1],
    ["certificates whose signatures are checked", { caCertificateId: idOf(own.certificate) }, 12],
  ])("gives others a turn after as much work as is bounded: %s", async (_, more, certificatesOfTurn) => {
    await using workshop = await Workshop.open();
    const { registry } = workshop;
    await workshop.registerAuthority(own);
    for (const name of ["p", "q"]) await registry.policies.create(scope, name, allow("iot:Publish", "topic/a"));
    const lines = ownDevices.map((certificatePem) => JSON.stringify({ certificatePem, ...more }));
    const registered: number[] = [];
    const result = await registry.importLines(scope, lines, async () => {
      registered.push(registry.certificates.list(scope, { pageSize: 1000 }).items.length);
    });
    expect(result).toMatchObject({ registered: ownDevices.length, refusedCount: 0 });
    const inTurns = registered.map((count, turn) => count - (registered[turn - 1] ?? 0));
    expect(Math.max(...inTurns)).toBe(certificatesOfTurn);
    expect(inTurns).toHaveLength(Math.ceil(ownDevices.length / certificatesOfTurn));
  });

  test("gives others a turn after few large certificates", async () => {
    await using workshop = await Workshop.open();
    const lines = ownDevices.map((pem) => JSON.stringify({ certificatePem: `${" ".repeat(16_000)}\n${pem}` }));
    let turns = 0;
    await workshop.registry.importLines(scope, lines, async () => {
      turns++;
    });
    expect(turns).toBe(ownDevices.length / 10);
  });

  test("what is exported can be imported into another registry", async () => {
    await using one = await Workshop.open();
    await using two = await Workshop.open();
    const document = allow("iot:Publish", "topic/a");
    for (const { registry } of [one, two]) await registry.policies.create(scope, "p", document);
    const lines = Array.from({ length: 55 }, () =>
      JSON.stringify({ certificatePem: pemOf(makeDevice(makeAuthority())), policyNames: ["p"], thingName: "t" }),
    );
    await one.registry.importLines(scope, lines, noPause);
    const exported = [...one.registry.exportLines(scope)];
    expect(await two.registry.importLines(scope, exported, noPause)).toMatchObject({ registered: 55, refusedCount: 0 });
    expect([...two.registry.exportLines(scope)]).toEqual(exported);
  });

  test("that the storage refuses rejects, and what was answered before is kept", async () => {
    await using workshop = await Workshop.open();
    const lines = Array.from({ length: 60 }, () =>
      JSON.stringify({ certificatePem: pemOf(makeDevice(makeAuthority())) }),
    );
    const stopped = workshop.registry.importLines(scope, lines, () => Promise.reject(new Error("stopped")));
    await expect(stopped).rejects.toThrow("stopped");
    expect(workshop.registry.certificates.list(scope).items).toHaveLength(50);
  });
});

test("a device bundle has what a device needs, and says which file is a secret", () => {
  const certificate = pemOf(makeDevice(makeAuthority()));
  const input = { certificatePem: certificate, privateKeyPem: "KEY", rootPem: "ROOT", endpoint: "host.example" };
  expect(deviceBundle(input).map(({ name, isSecret }) => [name, isSecret])).toEqual([
    ["certificate.pem", false],
    ["root-ca.pem", false],
    ["endpoint.json", false],
    ["private.key", true],
  ]);
  const endpointIn = (more: object): unknown => JSON.parse(deviceBundle({ ...input, ...more })[2]?.content ?? "");
  expect(endpointIn({})).toEqual({ endpoint: "host.example" });
  expect(endpointIn({ mqttPort: 1, thingName: "t" })).toEqual({
    endpoint: "host.example",
    mqttPort: 1,
    thingName: "t",
  });
  expect(deviceBundle({ ...input, privateKeyPem: undefined }).some(({ isSecret }) => isSecret)).toBe(false);
  expect(idOf(makeDevice(makeAuthority()))).toMatch(/^[0-9a-f]{64}$/);
});

test("a device archive is what tar reads, with the key for its owner only", () => {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-archive-"));
  const files = deviceBundle({
    certificatePem: "CERT\n",
    privateKeyPem: "K".repeat(1024),
    rootPem: "ROOT",
    endpoint: "h",
  });
  execFileSync("tar", ["-xpf", "-", "-C", folder], { input: deviceArchive("button-1", files, 1_795_700_000) });
  for (const { name, content, isSecret } of files) {
    const path = join(folder, "button-1", name);
    expect([name, readFileSync(path, "utf8"), statSync(path).mode & 0o777]).toEqual([
      name,
      content,
      isSecret ? 0o600 : 0o644,
    ]);
    expect(statSync(path).mtimeMs).toBe(1_795_700_000_000);
  }
  rmSync(folder, { recursive: true });
});
