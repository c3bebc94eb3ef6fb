/** Two registries on one file, of which one remembers what it read, and all that changes what a connection is. */

import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeProvider } from "@latchkey/crypto/node";
import { topicArn } from "@latchkey/policy";
import { afterAll, beforeAll } from "vitest";
import {
  createRegistry,
  defaultScope as scope,
  isRegistryError,
  requestContext,
  type Registry,
  type Storage,
} from "../src/index.ts";
import { openSqliteStorage } from "../src/node.ts";
import { allow, makeAuthority, makeDevice, pemOf, startSeconds, Workshop } from "./workshop.ts";

/** Another account than the default one. */
export const second = { account: "111111111111", region: scope.region };

/** All that a connection of this device gets to know: who it is, or why not; its thing; what it may publish. */
export async function connect(
  registry: Registry,
  der: Uint8Array,
  serverName?: string,
  client = "lamp",
): Promise<unknown> {
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
export async function furnish(storage: Storage): Promise<{ readonly workshop: Workshop; readonly ders: Uint8Array[] }> {
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

/** Everything that changes what a connection is. Each may be refused, in which case it changes nothing. */
export const acts: Record<
  string,
  (registry: Registry, ids: readonly [string, string], ca: string) => Promise<unknown>
> = {
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
  detachGroup: (registry) => registry.policies.detach(scope, "group", { kind: "thinggroup", thingGroupName: "lamps" }),
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
/** What has to be done before each of them does something. */
export const actsBefore: Record<string, readonly string[]> = {
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

/** Two registries. */
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

/** What stages are opened and looked at with. */
export interface Stages {
  readonly open: () => Stage;
  /** What every device gets to know of a registry, by each server name. */
  readonly observe: (registry: Registry) => Promise<unknown[]>;
}

/** Registers what has to be made before the tests of a file, and removed behind them. */
export function prepareStages(): Stages {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-stages-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const serverNames = [undefined, "first.example", "second.example"];

  async function observe(registry: Registry): Promise<unknown[]> {
    const seen: unknown[] = [];
    for (const der of ders) for (const name of serverNames) seen.push(await connect(registry, der, name));
    return seen;
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

  return { open, observe };
}
