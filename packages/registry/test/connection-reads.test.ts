/** What is remembered of the registry between connections: nothing is read twice, and no change is missed. */

import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeProvider } from "@latchkey/crypto/node";
import { topicArn } from "@latchkey/policy";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  certificateAttributes,
  createMemoryStorage,
  createRegistry,
  defaultScope as scope,
  isRegistryError,
  requestContext,
  type Registry,
  type Storage,
} from "../src/index.ts";
import { keptChanges } from "../src/changes.ts";
import { openSqliteStorage } from "../src/node.ts";
import { RememberedReads } from "../src/remembered-reads.ts";
import { allow, idOf, makeAuthority, makeDevice, pemOf, startSeconds, Workshop } from "./workshop.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-remembered-"));
afterAll(() => rmSync(folder, { recursive: true }));
const second = { account: "111111111111", region: scope.region };

/** A storage that counts what is asked of the one under it. */
function counting(storage: Storage): Storage & { reads: number } {
  const counted: Storage & { reads: number } = {
    reads: 0,
    read: (body) => {
      counted.reads++;
      return storage.read(body);
    },
    write: (body) => storage.write(body),
    sequence: () => storage.sequence(),
    changesAfter: (sequence, limit) => {
      counted.reads++;
      return storage.changesAfter(sequence, limit);
    },
    onCommit: (listener) => storage.onCommit(listener),
    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  };
  return counted;
}

/** All that a connection of this device gets to know: who it is, or why not; its thing; what it may publish. */
async function connect(registry: Registry, der: Uint8Array, serverName?: string, client = "lamp"): Promise<unknown> {
  const result = await registry.resolvePrincipal([der], serverName);
  if (!result.ok) return result.reason;
  const table = registry.connectionRights();
  const rights = table.open(result.principal, client);
  const { scope: owner, certificateId, caCertificateId } = result.principal;
  const context = requestContext(rights, { protocol: "mqtt" });
  const allowed = ["orders", "news", "group"].filter(
    (name) => rights.matcher.decide({ action: "iot:Publish", resource: topicArn(scope, name), context }) === "allow",
  );
  const { refusal, thing } = rights;
  table.close(rights);
  return { owner, certificateId, caCertificateId, refusal, thing, allowed };
}

/** A registry with all that a connection can depend on: two accounts, an own authority, a thing in a group, policies. */
async function furnish(storage: Storage): Promise<{ readonly workshop: Workshop; readonly ders: Uint8Array[] }> {
  const workshop = await Workshop.open({ storage });
  const { registry } = workshop;
  await registry.createAccount(second);
  await registry.setEndpoint(scope, "first.example");
  await registry.setEndpoint(second, "second.example");
  const authority = makeAuthority();
  await workshop.registerAuthority(authority);
  const signed = makeDevice(authority);
  await registry.certificates.register(scope, { certificatePem: pemOf(signed), status: "ACTIVE" });
  const { id, der } = await workshop.activeDevice();
  for (const name of ["orders", "news", "group"]) {
    await registry.policies.create(scope, name, allow("iot:Publish", `topic/${name}`));
  }
  await registry.policies.attach(scope, "orders", { kind: "cert", certificateId: id });
  await registry.things.create(scope, "lamp", { attributes: { room: "kitchen" } });
  await registry.things.attachPrincipal(scope, "lamp", id);
  await registry.thingGroups.create(scope, "lamps");
  await registry.policies.attach(scope, "group", { kind: "thinggroup", thingGroupName: "lamps" });
  await registry.thingGroups.addThing(scope, "lamps", "lamp");
  return { workshop, ders: [der, signed.encoding, makeDevice(authority).encoding] };
}

describe("a device that connects again", () => {
  test("costs no read of the storage: not for who it is, its rights, or its policies", async () => {
    const storage = counting(createMemoryStorage());
    const { workshop, ders } = await furnish(storage);
    for (const der of ders.slice(0, 2)) {
      const first = await connect(workshop.registry, der, "first.example");
      expect(storage.reads).toBeGreaterThan(0);
      storage.reads = 0;
      expect(await connect(workshop.registry, der, "FIRST.example")).toEqual(first);
      expect(storage.reads).toBe(0);
    }
    // What another device has changed is no reason to read again.
    await workshop.registry.things.create(scope, "elsewhere");
    storage.reads = 0;
    await connect(workshop.registry, ders[0] ?? new Uint8Array());
    expect(storage.reads).toBe(0);
  });

  test("verifies no signature while the proof of before holds, and again after its end", async () => {
    let verified = 0;
    const provider = Object.assign(Object.create(nodeProvider) as typeof nodeProvider, {
      verify: (...of: Parameters<typeof nodeProvider.verify>) => {
        verified++;
        return nodeProvider.verify(...of);
      },
    });
    await using workshop = await Workshop.open({ provider });
    const authority = makeAuthority();
    await workshop.registerAuthority(authority);
    const device = makeDevice(authority, { days: 1 });
    await workshop.registry.certificates.register(scope, { certificatePem: pemOf(device), status: "ACTIVE" });
    const resolve = async (): Promise<unknown> => {
      verified = 0;
      const result = await workshop.registry.resolvePrincipal([device.encoding], undefined);
      return [result.ok ? "accepted" : result.code, verified];
    };
    expect(await resolve()).toEqual(["accepted", 1]);
    expect(await resolve()).toEqual(["accepted", 0]);
    workshop.nowSeconds = device.validity.notAfter;
    expect(await resolve()).toEqual(["accepted", 0]);
    workshop.nowSeconds++;
    expect(await resolve()).toMatchObject(["ERR_IDENTITY_CHAIN", expect.any(Number)]);
    // A clock that was set back before the proof's own time.
    workshop.nowSeconds = startSeconds - 30;
    expect(await resolve()).toEqual(["accepted", 1]);
    workshop.nowSeconds = startSeconds - 120;
    expect(await resolve()).toMatchObject(["ERR_IDENTITY_CHAIN", expect.any(Number)]);
    workshop.nowSeconds = startSeconds;
    await workshop.registry.authorities.update(scope, idOf(authority.certificate), { autoRegistration: true });
    expect(await resolve()).toEqual(["accepted", 1]);
  });

  test("is described to policies once, and by its own certificate", async () => {
    await using workshop = await Workshop.open();
    const table = workshop.registry.connectionRights();
    const attributesOf = async (der: Uint8Array) => {
      const result = await workshop.registry.resolvePrincipal([der], undefined);
      if (!result.ok) throw new Error(result.reason);
      const { certificate } = requestContext(table.open(result.principal, "lamp"), { protocol: "mqtt" });
      expect(certificate).toEqual(certificateAttributes(result.principal.certificate));
      return certificate;
    };
    const [one, two] = [await workshop.activeDevice(), await workshop.activeDevice()];
    const first = await attributesOf(one.der);
    expect(await attributesOf(two.der)).not.toEqual(first);
    expect(await attributesOf(one.der)).toBe(first);
  });

  test("does not depend on the buffer in which it sent its certificate", async () => {
    await using workshop = await Workshop.open();
    const { der } = await workshop.activeDevice();
    const sent = Uint8Array.from(der);
    const first = await workshop.registry.resolvePrincipal([sent], undefined);
    sent.fill(0);
    const again = await workshop.registry.resolvePrincipal([der], undefined);
    expect([first.ok && first.principal.certificate.encoding, again.ok]).toEqual([der, true]);
    expect(await workshop.registry.resolvePrincipal([sent], undefined)).toMatchObject({
      code: "ERR_IDENTITY_MALFORMED",
    });
  });

  test("is one of at most so many that are remembered; the least recently used one is read again", async () => {
    const storage = counting(createMemoryStorage());
    await using workshop = await Workshop.open({ storage, maximumRemembered: 2 });
    const ders: Uint8Array[] = [];
    for (let i = 0; i < 3; i++) ders.push((await workshop.activeDevice()).der);
    const readsFor = async (index: number): Promise<boolean> => {
      storage.reads = 0;
      await workshop.registry.resolvePrincipal([ders[index] ?? new Uint8Array()], undefined);
      return storage.reads > 0;
    };
    const read: boolean[] = [];
    for (const index of [0, 1, 0, 1, 0, 2, 0, 1]) read.push(await readsFor(index));
    expect(read).toEqual([true, true, false, false, false, true, false, true]);
  });
});

test("an answer is forgotten by what it depends on now, and not by what another one under its key did", async () => {
  const storage = createMemoryStorage();
  using remembered = new RememberedReads(storage, 10);
  const answers = remembered.answers<number>();
  let reads = 0;
  const ask = (dependency: string): number => {
    remembered.follow();
    return answers.get("key", (_, dependsOn) => {
      dependsOn(dependency);
      return ++reads;
    });
  };
  const change = (touched: string): Promise<void> => storage.write((writer) => writer.announce("thing", [touched]));
  expect(ask("s/thing/a")).toBe(1);
  await change("s/thing/a");
  expect(ask("s/thing/b")).toBe(2);
  await change("s/thing/a");
  expect(ask("s/thing/b")).toBe(2);
  await change("s/thing/b");
  expect(ask("s/thing/b")).toBe(3);
});

describe("names that clients invent", () => {
  test("are looked up once, and select an account from when they are its endpoint", async () => {
    const storage = counting(createMemoryStorage());
    const { workshop, ders } = await furnish(storage);
    const [der = new Uint8Array()] = ders;
    await connect(workshop.registry, der, "localhost");
    storage.reads = 0;
    expect(await connect(workshop.registry, der, "localhost")).toMatchObject({ owner: scope });
    expect(storage.reads).toBe(0);
    await workshop.registry.setEndpoint(second, "localhost");
    await expect(connect(workshop.registry, der, "localhost")).resolves.not.toMatchObject({ owner: scope });
  });

  test("take no place from those that are there", async () => {
    const storage = counting(createMemoryStorage());
    await using workshop = await Workshop.open({ storage, maximumRemembered: 2 });
    const { der } = await workshop.activeDevice();
    const { endpoint } = workshop.registry.describeAccount(scope);
    const unknown = makeDevice(workshop.local);
    await connect(workshop.registry, der, endpoint);
    for (let i = 0; i < 5; i++) {
      await workshop.registry.resolvePrincipal([unknown.encoding], `${i}.example`);
      await workshop.registry.resolvePrincipal([makeDevice(workshop.local).encoding], undefined);
      await connect(workshop.registry, der, endpoint, `not/a/thing/${i}`);
    }
    storage.reads = 0;
    expect(await connect(workshop.registry, der, endpoint)).toMatchObject({ owner: scope });
    expect(storage.reads).toBe(0);
  });
});

describe("no change is missed", () => {
  /** Everything that changes what a connection is. Each may be refused, in which case it changes nothing. */
  const acts: Record<string, (registry: Registry, ids: readonly [string, string], ca: string) => Promise<unknown>> = {
    activate: (registry, [id]) => registry.certificates.updateStatus(scope, id, "ACTIVE", { force: true }),
    deactivate: (registry, [id]) => registry.certificates.updateStatus(scope, id, "INACTIVE"),
    revoke: (registry, [, signed]) => registry.certificates.updateStatus(scope, signed, "REVOKED"),
    offer: (registry, [id]) => registry.transfers.offer(scope, id, second.account),
    accept: (registry, [id]) => registry.transfers.accept(second, id, { setAsActive: true }),
    delete: (registry, [id]) => registry.certificates.delete(scope, id, { force: true }),
    deleteElsewhere: async (registry, [id]) => {
      await registry.certificates.updateStatus(second, id, "INACTIVE");
      await registry.certificates.delete(second, id);
    },
    deactivateAuthority: (registry, _, ca) => registry.authorities.update(scope, ca, { status: "INACTIVE" }),
    activateAuthority: (registry, _, ca) => registry.authorities.update(scope, ca, { status: "ACTIVE" }),
    deleteAuthority: (registry, _, ca) => registry.authorities.delete(scope, ca),
    policyVersion: (registry) =>
      registry.policies.createVersion(scope, "orders", allow("iot:Publish", "topic/news"), { setAsDefault: true }),
    defaultVersion: (registry) => registry.policies.setDefaultVersion(scope, "orders", "1"),
    attach: (registry, [id]) => registry.policies.attach(scope, "news", { kind: "cert", certificateId: id }),
    detach: (registry, [id]) => registry.policies.detach(scope, "orders", { kind: "cert", certificateId: id }),
    detachGroup: (registry) =>
      registry.policies.detach(scope, "group", { kind: "thinggroup", thingGroupName: "lamps" }),
    thingAttributes: (registry) => registry.things.update(scope, "lamp", { attributes: { room: "attic" } }),
    detachThing: (registry, [id]) => registry.things.detachPrincipal(scope, "lamp", id),
    attachThing: (registry, [id]) => registry.things.attachPrincipal(scope, "lamp", id),
    deleteThing: (registry) => registry.things.delete(scope, "lamp"),
    createThing: (registry) => registry.things.create(scope, "lamp"),
    exclusive: async (registry, [id]) => {
      await registry.things.create(scope, "other", { attributes: { room: "hall" } });
      await registry.things.attachPrincipal(scope, "other", id, "EXCLUSIVE_THING");
    },
    leaveGroup: (registry) => registry.thingGroups.removeThing(scope, "lamps", "lamp"),
    joinGroup: (registry) => registry.thingGroups.addThing(scope, "lamps", "lamp"),
    deleteGroup: (registry) => registry.thingGroups.delete(scope, "lamps"),
    swapEndpoints: async (registry) => {
      await registry.setEndpoint(scope, "third.example");
      await registry.setEndpoint(second, "first.example");
    },
  };
  const serverNames = [undefined, "first.example", "second.example"];

  async function observe(registry: Registry): Promise<unknown[]> {
    const seen: unknown[] = [];
    for (const der of ders) for (const name of serverNames) seen.push(await connect(registry, der, name));
    return seen;
  }

  interface Stage extends AsyncDisposable {
    /** Remembers. */
    readonly registry: Registry;
    /** Of another process, on the same data. */
    readonly other: Registry;
    readonly file: string;
    act(name: string, by: Registry): Promise<boolean>;
    /** What a registry sees that remembers nothing. */
    fresh(): Promise<unknown[]>;
  }

  const furnished = join(folder, "furnished.db");
  let ders: readonly Uint8Array[] = [];
  beforeAll(async () => {
    const { workshop, ders: made } = await furnish(openSqliteStorage(furnished));
    ders = made;
    await workshop[Symbol.asyncDispose]();
  });

  let files = 0;
  function open(): Stage {
    const file = join(folder, `${files++}.db`);
    cpSync(furnished, file);
    const opened: Registry[] = [];
    const another = (): Registry => {
      const storage = openSqliteStorage(file);
      const nowSeconds = (): number => startSeconds;
      const registry = createRegistry({ storage, provider: nodeProvider, nowSeconds, issuer: undefined });
      opened.push(registry);
      return registry;
    };
    const registry = another();
    const ids = registry.certificates.list(scope).items.map(({ certificateId }) => certificateId);
    const ca = registry.authorities.list(scope).items.find(({ isLocal }) => !isLocal)?.certificateId ?? "";
    return {
      registry,
      other: another(),
      file,
      act: async (name, by) => {
        try {
          await acts[name]?.(by, [ids[1] ?? "", ids[0] ?? ""], ca);
          return true;
        } catch (error) {
          if (!isRegistryError(error)) throw error;
          return false;
        }
      },
      fresh: () => observe(another()),
      [Symbol.asyncDispose]: async () => {
        for (const one of opened) await one[Symbol.asyncDispose]();
      },
    };
  }

  const after: Record<string, readonly string[]> = {
    offer: ["detach", "detachThing", "deactivate"],
    accept: ["detach", "detachThing", "deactivate", "offer"],
    deleteElsewhere: ["detach", "detachThing", "deactivate", "offer", "accept"],
    delete: ["detachThing", "deactivate"],
    activate: ["deactivate"],
    activateAuthority: ["deactivateAuthority"],
    deleteAuthority: ["deactivateAuthority"],
    defaultVersion: ["policyVersion"],
    attachThing: ["detachThing"],
    deleteThing: ["detachThing"],
    createThing: ["detachThing", "deleteThing"],
    exclusive: ["detachThing"],
    joinGroup: ["leaveGroup"],
  };

  test.each(Object.keys(acts))("%s, by this process and by another", async (name) => {
    for (const by of ["registry", "other"] as const) {
      await using stage = open();
      for (const step of after[name] ?? []) expect(await stage.act(step, stage.registry)).toBe(true);
      const before = await observe(stage.registry);
      expect(await stage.act(name, stage[by])).toBe(true);
      const seen = await observe(stage.registry);
      expect(seen).toEqual(await stage.fresh());
      expect(seen).not.toEqual(before);
    }
  });

  test("whatever happens, in any order, by either process", async () => {
    const step = fc.record({ name: fc.constantFrom(...Object.keys(acts)), isOther: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
        await using stage = open();
        await observe(stage.registry);
        for (const { name, isOther } of steps) {
          await stage.act(name, isOther ? stage.other : stage.registry);
          expect(await observe(stage.registry)).toEqual(await stage.fresh());
        }
      }),
      { numRuns: 8 },
    );
  });

  test("a policy of the other process, by a device that opens beside one with the same policies", async () => {
    const file = join(folder, "beside.db");
    await using workshop = await Workshop.open({ storage: openSqliteStorage(file) });
    const { registry } = workshop;
    const { nowSeconds, local: issuer } = workshop;
    const storage = openSqliteStorage(file);
    await using other = createRegistry({ storage, provider: nodeProvider, nowSeconds: () => nowSeconds, issuer });
    await registry.policies.create(scope, "p", allow("iot:Publish", "topic/a"));
    const devices = [await workshop.activeDevice(), await workshop.activeDevice()] as const;
    for (const { id } of devices) await registry.policies.attach(scope, "p", { kind: "cert", certificateId: id });
    const table = registry.connectionRights();
    const open = async (der: Uint8Array): Promise<string> => {
      const result = await registry.resolvePrincipal([der], undefined);
      if (!result.ok) throw new Error(result.reason);
      const rights = table.open(result.principal, "c");
      return rights.matcher.decide({ action: "iot:Publish", resource: topicArn(scope, "a"), context: {} });
    };
    expect(await open(devices[0].der)).toBe("allow");
    const document = allow("iot:Publish", "topic/b");
    await other.policies.createVersion(scope, "p", document, { setAsDefault: true });
    expect(await open(devices[1].der)).toBe("implicit-deny");
  });

  test("the other process's change before one of this process, with no connection between them", async () => {
    await using stage = open();
    await observe(stage.registry);
    await stage.act("deactivate", stage.other);
    await stage.act("thingAttributes", stage.registry);
    expect(await observe(stage.registry)).toEqual(await stage.fresh());
  });

  test("an account and an authority that are new decide about unknown certificates", async () => {
    await using workshop = await Workshop.open();
    const { registry } = workshop;
    const authority = makeAuthority();
    const code = async (): Promise<unknown> => {
      const result = await registry.resolvePrincipal([makeDevice(authority).encoding], undefined);
      return result.ok || result.code;
    };
    expect(await code()).toBe("ERR_IDENTITY_CHAIN");
    const id = await workshop.registerAuthority(authority, { autoRegistration: true });
    expect(await code()).toBe("ERR_IDENTITY_PENDING_ACTIVATION");
    await registry.authorities.update(scope, id, { autoRegistration: false });
    expect(await code()).toBe("ERR_IDENTITY_UNKNOWN");
    await registry.authorities.update(scope, id, { status: "INACTIVE" });
    expect(await code()).toBe("ERR_IDENTITY_CHAIN");
    await registry.createAccount(second);
    expect(await code()).toBe("ERR_IDENTITY_UNKNOWN");
  });

  test("a registry that fell behind what the feed keeps, or far behind, reads everything again", async () => {
    for (const changes of [keptChanges + 2000, 1500]) {
      await using stage = open();
      await observe(stage.registry);
      const file = openSqliteStorage(stage.file);
      await stage.act("deactivate", stage.other);
      await file.write((writer) => {
        for (let i = 0; i < changes; i++) writer.announce("thing", []);
      });
      await file[Symbol.asyncDispose]();
      expect(await observe(stage.registry)).toEqual(await stage.fresh());
    }
  });
});
