/** Export and import: what comes back is what was there, with authorities, modes, things and policies. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defaultScope as scope, type BulkCertificate, type Registry } from "../src/index.ts";
import { allow, idOf, makeAuthority, makeDevice, makeRequestPem, pemOf, startSeconds, Workshop } from "./workshop.ts";

const noPause = async (): Promise<void> => {};
const own = makeAuthority("Own CA");
const shared = makeAuthority("Shared CA");
const stranger = makeAuthority("Stranger CA");

/** A registry with an authority of each mode and two policies. */
async function open(): Promise<Workshop> {
  const workshop = await Workshop.open();
  await workshop.registerAuthority(own);
  const caCertificatePem = pemOf(shared.certificate);
  await workshop.registry.authorities.register(scope, {
    caCertificatePem,
    certificateMode: "SNI_ONLY",
    setAsActive: true,
  });
  for (const name of ["p", "q"]) await workshop.registry.policies.create(scope, name, allow("iot:Publish", "topic/a"));
  return workshop;
}

/** A line as it is exported. */
function exported(line: BulkCertificate): string {
  const { certificatePem, status, caCertificateId, certificateMode, things, policyNames } = line;
  return JSON.stringify({ certificatePem, status, caCertificateId, certificateMode, things, policyNames });
}

const all = (registry: Registry): string[] => [...registry.exportLines(scope)];
const importAll = (registry: Registry, lines: readonly (string | BulkCertificate)[]) =>
  registry.importLines(
    scope,
    lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))),
    noPause,
  );

const pool = [
  ...Array.from({ length: 4 }, () => ({ device: makeDevice(own), authority: own, mode: "DEFAULT" as const })),
  ...Array.from({ length: 4 }, () => ({ device: makeDevice(shared), authority: shared, mode: "SNI_ONLY" as const })),
  ...Array.from({ length: 4 }, () => ({
    device: makeDevice(stranger),
    authority: undefined,
    mode: "SNI_ONLY" as const,
  })),
  ...Array.from({ length: 2 }, () => ({
    device: makeDevice(stranger),
    authority: undefined,
    mode: "DEFAULT" as const,
  })),
].map(({ device, authority, mode }) => ({
  certificatePem: pemOf(device),
  caCertificateId: authority && idOf(authority.certificate),
  certificateMode: mode,
}));

const things = fc.oneof(
  fc
    .record({ thingName: fc.constantFrom("a", "b", "c") })
    .map(({ thingName }) => [{ thingName, thingPrincipalType: "EXCLUSIVE_THING" as const }]),
  fc
    .subarray(["a", "b", "c"])
    .map((names) => names.map((thingName) => ({ thingName, thingPrincipalType: "NON_EXCLUSIVE_THING" as const }))),
);
const rest = fc.record({
  status: fc.constantFrom("ACTIVE" as const, "INACTIVE" as const, "REVOKED" as const),
  things,
  policyNames: fc.subarray(["p", "q"]),
});
const lines = fc
  .shuffledSubarray(pool)
  .chain((chosen) => fc.tuple(...chosen.map((one) => rest.map((more): BulkCertificate => ({ ...one, ...more })))));

test("what was imported is what is exported, and comes back so from another registry", async () => {
  await fc.assert(
    fc.asyncProperty(lines, async (given) => {
      await using one = await open();
      await using two = await open();
      await using bare = await Workshop.open();
      for (const name of ["p", "q"]) await bare.registry.policies.create(scope, name, allow("iot:Publish", "topic/a"));
      const done = { registered: given.length, skipped: 0, refused: [], refusedCount: 0 };
      expect(await importAll(one.registry, given)).toEqual(done);
      const first = all(one.registry);
      expect(first).toEqual(given.map(exported));
      expect(await importAll(two.registry, first)).toEqual(done);
      expect(all(two.registry)).toEqual(first);
      expect(await importAll(two.registry, first)).toEqual({ ...done, registered: 0, skipped: given.length });
      // Without its authority a certificate keeps all else.
      expect(await importAll(bare.registry, first)).toEqual(done);
      expect(all(bare.registry)).toEqual(given.map((line) => exported({ ...line, caCertificateId: undefined })));
    }),
    { numRuns: 8 },
  );
});

describe("a line", () => {
  const ownId = idOf(own.certificate);
  const certificatePem = pemOf(makeDevice(own));
  const thing = { thingName: "a" };
  const exclusive = { thingName: "b", thingPrincipalType: "EXCLUSIVE_THING" as const };
  test.each<[string, BulkCertificate, string]>([
    [
      "of another authority than it names",
      { certificatePem, caCertificateId: idOf(shared.certificate) },
      "ERR_REGISTRY_CERTIFICATE",
    ],
    ["with an authority of no such form", { certificatePem, caCertificateId: "../x" }, "ERR_REGISTRY_INVALID"],
    ["with a thing twice", { certificatePem, things: [thing, thing] }, "ERR_REGISTRY_INVALID"],
    ["with a thing twice, in two ways", { certificatePem, things: [thing], thingName: "a" }, "ERR_REGISTRY_INVALID"],
    ["with an exclusive thing beside another", { certificatePem, things: [exclusive, thing] }, "ERR_REGISTRY_INVALID"],
    [
      "with a wrong name behind a right one",
      { certificatePem, things: [thing, { thingName: "a b" }] },
      "ERR_REGISTRY_INVALID",
    ],
    ["with an unknown policy", { certificatePem, things: [thing], policyNames: ["none"] }, "ERR_REGISTRY_NOT_FOUND"],
  ])("%s is refused, and nothing of it is stored", async (_, line, code) => {
    await using workshop = await open();
    const sequence = workshop.registry.sequence();
    expect(await importAll(workshop.registry, [line])).toMatchObject({ registered: 0, refused: [{ index: 0, code }] });
    expect(workshop.registry.sequence()).toBe(sequence);
  });

  test.each([
    ["a list", "[]"],
    ["a number as its certificate", '{"certificatePem":1}'],
    ["another status", JSON.stringify({ certificatePem, status: "PENDING_ACTIVATION" })],
    ["another mode", JSON.stringify({ certificatePem, certificateMode: "default" })],
    ["things that are names", JSON.stringify({ certificatePem, things: ["a"] })],
    ["another attachment", JSON.stringify({ certificatePem, things: [{ thingName: "a", thingPrincipalType: "OWN" }] })],
    ["a policy that is a number", JSON.stringify({ certificatePem, policyNames: [1] })],
    ["null as a thing", JSON.stringify({ certificatePem, thingName: null })],
  ])("that is or has %s is no line", async (_, line) => {
    await using workshop = await open();
    const result = await importAll(workshop.registry, [line]);
    expect(result).toMatchObject({ registered: 0, refused: [{ code: "ERR_REGISTRY_INVALID" }] });
  });

  test("of an INACTIVE authority is refused; of an expired certificate it is not", async () => {
    await using workshop = await open();
    const expired = pemOf(makeDevice(own, { notBefore: startSeconds - 3600, days: 0.01 }));
    expect(await importAll(workshop.registry, [{ certificatePem: expired, caCertificateId: ownId }])).toMatchObject({
      registered: 1,
    });
    await workshop.registry.authorities.update(scope, ownId, { status: "INACTIVE" });
    expect(await importAll(workshop.registry, [{ certificatePem, caCertificateId: ownId }])).toMatchObject({
      refused: [{ code: "ERR_REGISTRY_CERTIFICATE_STATE" }],
    });
  });

  test("of a certificate whose transfer or activation is under way says INACTIVE", async () => {
    await using workshop = await open();
    const { registry } = workshop;
    const target = { account: "111111111111", region: scope.region };
    await registry.createAccount(target);
    const offered = await registry.certificates.createFromCsr(scope, makeRequestPem());
    await registry.transfers.offer(scope, offered.certificateId, target.account);
    await registry.templates.claimFromCsr(scope, makeRequestPem());
    expect(all(registry).map((line) => JSON.parse(line).status)).toEqual(["INACTIVE", "INACTIVE"]);
    await using other = await open();
    expect(await importAll(other.registry, all(registry))).toMatchObject({ registered: 2 });
  });
});
