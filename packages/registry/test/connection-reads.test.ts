/** What is remembered of the registry between connections: nothing is read twice, and no change is missed. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeProvider } from "@latchkey/crypto/node";
import { topicArn } from "@latchkey/policy";
import { afterAll, describe, expect, test } from "vitest";
import {
  certificateAttributes,
  createMemoryStorage,
  createRegistry,
  defaultScope as scope,
  requestContext,
  type Storage,
} from "../src/index.ts";
import { keptChanges } from "../src/changes.ts";
import { openSqliteStorage } from "../src/node.ts";
import { RememberedReads } from "../src/remembered-reads.ts";
import { connect, furnish, prepareStages, second } from "./connection-stage.ts";
import { allow, idOf, makeAuthority, makeDevice, pemOf, startSeconds, Workshop } from "./workshop.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-remembered-"));
afterAll(() => rmSync(folder, { recursive: true }));

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

/** A storage that lists the tables of the records that are read one by one. */
function listing(storage: Storage): Storage & { readonly tables: string[] } {
  const tables: string[] = [];
  return {
    tables,
    read: (body) =>
      storage.read((reader) =>
        body({
          get: (table, key) => {
            tables.push(table);
            return reader.get(table, key);
          },
          scan: (...of) => reader.scan(...of),
        }),
      ),
    write: (body) => storage.write(body),
    sequence: () => storage.sequence(),
    changesAfter: (sequence, limit) => storage.changesAfter(sequence, limit),
    onCommit: (listener) => storage.onCommit(listener),
    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  };
}

test("a device that is new reads its certificate's record once, and its authority's is known by another one", async () => {
  const storage = listing(createMemoryStorage());
  await using workshop = await Workshop.open({ storage });
  const authority = makeAuthority();
  await workshop.registerAuthority(authority);
  const connectNew = async (): Promise<readonly string[]> => {
    const device = makeDevice(authority);
    await workshop.registry.certificates.register(scope, { certificatePem: pemOf(device), status: "ACTIVE" });
    storage.tables.length = 0;
    await connect(workshop.registry, device.encoding);
    return storage.tables.filter((table) => table.startsWith("certificate"));
  };
  expect(await connectNew()).toEqual(["certificate", "certificate-authority"]);
  expect(await connectNew()).toEqual(["certificate"]);
});

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
  const { open, observe } = prepareStages();

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

test("a change that is committed between the look and the reading of the feed has nothing else forgotten", () => {
  const storage = createMemoryStorage();
  let committed = 0;
  let looked = 0;
  const remembered = new RememberedReads(
    {
      ...storage,
      read: (body) => storage.read(body),
      onCommit: () => () => {},
      sequence: () => looked,
      changesAfter: (after) => ({
        isComplete: true,
        changes: Array.from({ length: committed - after }, (_, index) => ({
          sequence: after + index + 1,
          kind: "policy" as const,
          touches: [`a/policy/${after + index + 1}`],
        })),
      }),
    },
    10,
  );
  const answers = remembered.answers<number>();
  let reads = 0;
  const ask = (): number =>
    answers.get("one", (_, dependsOn) => {
      dependsOn("a/policy/3");
      return ++reads;
    });
  remembered.follow();
  expect(ask()).toBe(1);
  [looked, committed] = [1, 2];
  remembered.follow();
  expect(ask()).toBe(1);
  [looked, committed] = [3, 3];
  remembered.follow();
  expect(ask()).toBe(2);
});
