/** Decision tables: every status against every operation on it, what it means for connections, and what can be deleted when. */

import { describe, expect, test } from "vitest";
import { defaultScope as scope, type CertificateStatus, type Registry } from "../src/index.ts";
import { allow, derOf, idOf, makeAuthority, makeDevice, makeRequestPem, pemOf, Workshop } from "./workshop.ts";

const second = { account: "111111111111", region: scope.region };
const state = "ERR_REGISTRY_CERTIFICATE_STATE";
const none = "ERR_REGISTRY_NOT_FOUND";
const completed = "ERR_REGISTRY_TRANSFER_COMPLETED";
const conflict = "ERR_REGISTRY_DELETE_CONFLICT";
const invalid = "ERR_REGISTRY_INVALID";

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : String(error);

/** What an operation gives: its refusal's code, or undefined. */
async function outcomeOf(operation: () => unknown): Promise<string | undefined> {
  try {
    await operation();
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

/** An account with a thing, a policy, a second account, and a certificate of the status, which came to it as in life. */
async function open(status: CertificateStatus): Promise<{ readonly workshop: Workshop; readonly id: string }> {
  const workshop = await Workshop.open();
  const { registry } = workshop;
  await registry.createAccount(second);
  await registry.policies.create(scope, "p", allow("iot:Publish", "topic/x"));
  await registry.things.create(scope, "t");
  if (status === "PENDING_ACTIVATION") {
    return { workshop, id: (await registry.templates.claimFromCsr(scope, makeRequestPem())).record.certificateId };
  }
  const { certificateId: id } = await registry.certificates.createFromCsr(scope, makeRequestPem());
  if (status === "PENDING_TRANSFER") await registry.transfers.offer(scope, id, second.account);
  else if (status !== "INACTIVE") await registry.certificates.updateStatus(scope, id, status);
  return { workshop, id };
}

type Operation = (registry: Registry, id: string) => Promise<unknown>;
const operations: Record<string, Operation> = {
  activate: ({ certificates }, id) => certificates.updateStatus(scope, id, "ACTIVE"),
  "activate, forced": ({ certificates }, id) => certificates.updateStatus(scope, id, "ACTIVE", { force: true }),
  deactivate: ({ certificates }, id) => certificates.updateStatus(scope, id, "INACTIVE"),
  "deactivate, forced": ({ certificates }, id) => certificates.updateStatus(scope, id, "INACTIVE", { force: true }),
  revoke: ({ certificates }, id) => certificates.updateStatus(scope, id, "REVOKED"),
  delete: ({ certificates }, id) => certificates.delete(scope, id),
  "delete, forced": ({ certificates }, id) => certificates.delete(scope, id, { force: true }),
  offer: ({ transfers }, id) => transfers.offer(scope, id, second.account),
  accept: ({ transfers }, id) => transfers.accept(second, id),
  reject: ({ transfers }, id) => transfers.reject(second, id),
  cancel: ({ transfers }, id) => transfers.cancel(scope, id),
  "attach a policy": ({ policies }, id) => policies.attach(scope, "p", { kind: "cert", certificateId: id }),
  "attach a thing": ({ things }, id) => things.attachPrincipal(scope, "t", id),
};

/** The status afterwards, `gone` from this account, or the code of the refusal, after which nothing has changed. */
const transitions: Record<string, Record<CertificateStatus, string>> = {
  activate: row("ACTIVE", "ACTIVE", state, state, "ACTIVE"),
  "activate, forced": row("ACTIVE", "ACTIVE", "ACTIVE", state, "ACTIVE"),
  deactivate: row("INACTIVE", "INACTIVE", state, state, "INACTIVE"),
  "deactivate, forced": row("INACTIVE", "INACTIVE", "INACTIVE", state, "INACTIVE"),
  revoke: row("REVOKED", "REVOKED", "REVOKED", state, "REVOKED"),
  delete: row(state, "gone", "gone", state, "gone"),
  "delete, forced": row(state, "gone", "gone", state, "gone"),
  offer: row(state, "PENDING_TRANSFER", state, state, state),
  accept: row(none, none, none, "gone", none),
  reject: row(none, none, none, "INACTIVE", none),
  cancel: row(completed, completed, completed, "INACTIVE", completed),
  "attach a policy": row("ACTIVE", "INACTIVE", "REVOKED", state, "PENDING_ACTIVATION"),
  "attach a thing": row("ACTIVE", "INACTIVE", "REVOKED", state, "PENDING_ACTIVATION"),
};

function row(
  ACTIVE: string,
  INACTIVE: string,
  REVOKED: string,
  PENDING_TRANSFER: string,
  PENDING_ACTIVATION: string,
): Record<CertificateStatus, string> {
  return { ACTIVE, INACTIVE, REVOKED, PENDING_TRANSFER, PENDING_ACTIVATION };
}

const statuses: readonly CertificateStatus[] = [
  "ACTIVE",
  "INACTIVE",
  "REVOKED",
  "PENDING_TRANSFER",
  "PENDING_ACTIVATION",
];
/** What a new connection is answered. */
const connecting: Record<CertificateStatus, string> = {
  ...row("connected", "ERR_IDENTITY_NOT_ACTIVE", "ERR_IDENTITY_NOT_ACTIVE", "ERR_IDENTITY_NOT_ACTIVE", ""),
  PENDING_ACTIVATION: "ERR_IDENTITY_PENDING_ACTIVATION",
};

describe("a certificate that is", () => {
  for (const status of statuses) {
    test.each(Object.keys(operations))(`${status}: %s`, async (name) => {
      const { workshop, id } = await open(status);
      const { registry } = workshop;
      const der = derOf(registry.certificates.describe(scope, id).certificatePem);
      const connect = async (): Promise<string> => {
        const result = await registry.resolvePrincipal([der], undefined);
        return result.ok ? "connected" : result.code;
      };
      expect(await connect()).toBe(connecting[status]);
      const resolved = await registry.resolvePrincipal([der], undefined);
      const table = registry.connectionRights();
      const live = resolved.ok ? table.open(resolved.principal, "c") : undefined;
      const before = registry.certificates.describe(scope, id);
      const sequence = registry.sequence();

      const refusal = await outcomeOf(() => operations[name]?.(registry, id));
      const expected = transitions[name]?.[status] ?? "";
      expect(refusal).toBe(expected.startsWith("ERR") ? expected : undefined);
      if (refusal !== undefined) expect(registry.sequence()).toBe(sequence);
      const batch = registry.changesAfter(sequence);
      if (batch.isComplete) for (const _ of table.apply(batch.changes)) void _;

      const after = expected.startsWith("ERR") ? status : expected;
      if (after === "gone") {
        expect(await outcomeOf(() => registry.certificates.describe(scope, id))).toBe(none);
        expect(await connect()).toBe(name === "accept" ? "ERR_IDENTITY_NOT_ACTIVE" : "ERR_IDENTITY_UNKNOWN");
      } else {
        const record = registry.certificates.describe(scope, id);
        expect(record.status).toBe(after);
        expect(record.customerVersion - before.customerVersion).toBe(after === status ? 0 : 1);
        expect(await connect()).toBe(connecting[record.status]);
      }
      // A live connection goes on exactly while a new one would be let in.
      if (live !== undefined) expect(live.refusal === undefined).toBe((await connect()) === "connected");
    });
  }
});

describe("an authority", () => {
  const authority = makeAuthority();
  const id = idOf(authority.certificate);
  type Situation = "ACTIVE" | "INACTIVE" | "deleted";

  async function openWith(situation: Situation, inactiveAuthority?: "keep"): Promise<Workshop> {
    const workshop = await Workshop.open({ inactiveAuthority });
    await workshop.registerAuthority(authority, { autoRegistration: true });
    await workshop.registry.certificates.register(scope, { certificatePem: pemOf(known), status: "ACTIVE" });
    if (situation !== "ACTIVE") await workshop.registry.authorities.update(scope, id, { status: "INACTIVE" });
    if (situation === "deleted") await workshop.registry.authorities.delete(scope, id);
    return workshop;
  }
  const known = makeDevice(authority);

  const connect = async ({ registry }: Workshop, der: Uint8Array): Promise<string> => {
    const result = await registry.resolvePrincipal([der], undefined);
    return result.ok ? "connected" : result.code;
  };
  const cases: [string, (workshop: Workshop) => Promise<string | undefined>, Record<Situation, string | undefined>][] =
    [
      [
        "a registered device connects",
        (workshop) => connect(workshop, known.encoding),
        { ACTIVE: "connected", INACTIVE: "ERR_IDENTITY_AUTHORITY_INACTIVE", deleted: "ERR_IDENTITY_CHAIN" },
      ],
      [
        "an unknown device connects",
        (workshop) => connect(workshop, makeDevice(authority).encoding),
        { ACTIVE: "ERR_IDENTITY_PENDING_ACTIVATION", INACTIVE: "ERR_IDENTITY_CHAIN", deleted: "ERR_IDENTITY_CHAIN" },
      ],
      [
        "a device is registered",
        ({ registry }) =>
          outcomeOf(() => registry.certificates.register(scope, { certificatePem: pemOf(makeDevice(authority)) })),
        { ACTIVE: undefined, INACTIVE: state, deleted: "ERR_REGISTRY_CERTIFICATE" },
      ],
      [
        "it is deleted",
        ({ registry }) => outcomeOf(() => registry.authorities.delete(scope, id)),
        { ACTIVE: state, INACTIVE: undefined, deleted: none },
      ],
      [
        "it is set ACTIVE",
        ({ registry }) => outcomeOf(() => registry.authorities.update(scope, id, { status: "ACTIVE" })),
        { ACTIVE: undefined, INACTIVE: undefined, deleted: none },
      ],
      [
        "it is registered again",
        (workshop) => outcomeOf(() => workshop.registerAuthority(authority)),
        { ACTIVE: "ERR_REGISTRY_ALREADY_EXISTS", INACTIVE: "ERR_REGISTRY_ALREADY_EXISTS", deleted: undefined },
      ],
    ];
  for (const [name, act, outcomes] of cases) {
    test.each(Object.keys(outcomes) as Situation[])(`that is %s: ${name}`, async (situation) => {
      await using workshop = await openWith(situation);
      expect(await act(workshop)).toBe(outcomes[situation]);
    });
  }

  test("that is INACTIVE lets registered devices connect where that was asked for, and unknown ones never", async () => {
    await using workshop = await openWith("INACTIVE", "keep");
    expect(await connect(workshop, known.encoding)).toBe("connected");
    expect(await connect(workshop, makeDevice(authority).encoding)).toBe("ERR_IDENTITY_CHAIN");
  });

  test("that is the local one is never deleted", async () => {
    await using workshop = await Workshop.open();
    const localId = idOf(workshop.local.certificate);
    expect(await outcomeOf(() => workshop.registry.authorities.delete(scope, localId))).toBe(state);
    await workshop.registry.authorities.update(scope, localId, { status: "INACTIVE" });
    expect(await outcomeOf(() => workshop.registry.authorities.delete(scope, localId))).toBe(invalid);
  });
});

describe("deleting", () => {
  const policy = allow("iot:Publish", "topic/x");
  const templateBody = JSON.stringify({
    Resources: { c: { Type: "AWS::IoT::Certificate", Properties: { CertificateId: "x" } } },
  });
  type Step = (workshop: Workshop, id: string) => unknown;
  const pass =
    (seconds: number): Step =>
    (workshop) =>
      void (workshop.nowSeconds += seconds);
  const createPolicy: Step = ({ registry }) => registry.policies.create(scope, "p", policy);
  const createThing: Step = ({ registry }) => registry.things.create(scope, "t");
  const createType: Step = ({ registry }) => registry.thingTypes.create(scope, "y");
  const createGroup: Step = ({ registry }) => registry.thingGroups.create(scope, "g");
  const deletePolicy: Step = ({ registry }) => registry.policies.delete(scope, "p");
  const deleteThing: Step = ({ registry }) => registry.things.delete(scope, "t");
  const deleteType: Step = ({ registry }) => registry.thingTypes.delete(scope, "y");
  const deleteGroup: Step = ({ registry }) => registry.thingGroups.delete(scope, "g");
  const deprecate: Step = ({ registry }) => registry.thingTypes.deprecate(scope, "y");
  const toCertificate = (id: string) => ({ kind: "cert", certificateId: id }) as const;

  test.each<[string, readonly Step[], Step, string | undefined]>([
    ["a policy", [createPolicy], deletePolicy, undefined],
    ["a policy that is not there", [], deletePolicy, none],
    [
      "a policy that a certificate has",
      [createPolicy, ({ registry }, id) => registry.policies.attach(scope, "p", toCertificate(id))],
      deletePolicy,
      conflict,
    ],
    [
      "a policy that a group has",
      [
        createPolicy,
        createGroup,
        ({ registry }) => registry.policies.attach(scope, "p", { kind: "thinggroup", thingGroupName: "g" }),
      ],
      deletePolicy,
      conflict,
    ],
    [
      "a policy with a second version",
      [createPolicy, ({ registry }) => registry.policies.createVersion(scope, "p", policy)],
      deletePolicy,
      conflict,
    ],
    ["a default version", [createPolicy], ({ registry }) => registry.policies.deleteVersion(scope, "p", "1"), conflict],
    [
      "a version that is not there",
      [createPolicy],
      ({ registry }) => registry.policies.deleteVersion(scope, "p", "2"),
      none,
    ],
    ["a thing", [createThing], deleteThing, undefined],
    ["a thing that is not there", [], deleteThing, none],
    [
      "a thing with a certificate",
      [createThing, ({ registry }, id) => registry.things.attachPrincipal(scope, "t", id)],
      deleteThing,
      invalid,
    ],
    [
      "a thing of another version",
      [createThing],
      ({ registry }) => registry.things.delete(scope, "t", { expectedVersion: 2 }),
      "ERR_REGISTRY_VERSION_CONFLICT",
    ],
    [
      "a thing in a group",
      [createThing, createGroup, ({ registry }) => registry.thingGroups.addThing(scope, "g", "t")],
      deleteThing,
      undefined,
    ],
    ["a type that is not deprecated", [createType], deleteType, invalid],
    ["a type that was deprecated just now", [createType, deprecate], deleteType, invalid],
    ["a type that was deprecated five minutes ago", [createType, deprecate, pass(301)], deleteType, undefined],
    [
      "a type that a thing has",
      [createType, ({ registry }) => registry.things.create(scope, "t", { thingTypeName: "y" }), deprecate, pass(301)],
      deleteType,
      invalid,
    ],
    ["a type that is not there", [], deleteType, none],
    ["a group", [createGroup], deleteGroup, undefined],
    ["a group that is not there", [], deleteGroup, undefined],
    [
      "a group with a child",
      [createGroup, ({ registry }) => registry.thingGroups.create(scope, "h", { parentGroupName: "g" })],
      deleteGroup,
      invalid,
    ],
    [
      "a group with things and policies",
      [
        createGroup,
        createThing,
        createPolicy,
        ({ registry }) => registry.thingGroups.addThing(scope, "g", "t"),
        ({ registry }) => registry.policies.attach(scope, "p", { kind: "thinggroup", thingGroupName: "g" }),
      ],
      deleteGroup,
      undefined,
    ],
    [
      "a group of another version",
      [createGroup],
      ({ registry }) => registry.thingGroups.delete(scope, "g", { expectedVersion: 2 }),
      "ERR_REGISTRY_VERSION_CONFLICT",
    ],
    [
      "a template",
      [({ registry }) => registry.templates.create(scope, "f", { templateBody, provisioningRoleArn: "" })],
      ({ registry }) => registry.templates.delete(scope, "f"),
      undefined,
    ],
    ["a template that is not there", [], ({ registry }) => registry.templates.delete(scope, "f"), none],
    [
      "a registration code that is not there",
      [],
      ({ registry }) => registry.authorities.deleteRegistrationCode(scope),
      none,
    ],
    ["a claim that is none", [], ({ registry }, id) => registry.templates.deleteClaim(scope, id), none],
  ])("%s", async (_, steps, act, code) => {
    await using workshop = await Workshop.open();
    const { certificateId: id } = await workshop.registry.certificates.createFromCsr(scope, makeRequestPem());
    for (const step of steps) await step(workshop, id);
    const sequence = workshop.registry.sequence();
    expect(await outcomeOf(() => act(workshop, id))).toBe(code);
    if (code !== undefined) expect(workshop.registry.sequence()).toBe(sequence);
  });
});
