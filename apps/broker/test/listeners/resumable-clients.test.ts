import { expect, test } from "vitest";
import { ResumableClients, type ResumableClientsOptions } from "../../src/listeners/resumable-clients.ts";

const der = (text: string, octets = text.length): Uint8Array => new TextEncoder().encode(text.padEnd(octets));
const own = der("own");

function clients(options: Partial<ResumableClientsOptions> = {}): {
  clients: ResumableClients;
  at: (ms: number) => void;
  changes: () => number;
} {
  let nowMs = 0;
  let changes = 0;
  return {
    clients: new ResumableClients({
      changeKeys: () => changes++,
      monotonicMs: () => nowMs,
      lifetimeMs: 1000,
      maximumClients: 3,
      maximumOctets: 100,
      ...options,
    }),
    at: (ms) => (nowMs = ms),
    changes: () => changes,
  };
}

test("what a client has shown comes back, and the name that it asked for last", () => {
  const { clients: known, changes } = clients();
  known.remember([own, der("issuer")], "a.example");
  known.remember([own, der("issuer")], undefined);
  known.remember([], "b.example");
  expect(known.recall(own)).toEqual({ intermediates: [der("issuer")], serverName: "a.example" });
  known.remember([own], "c.example");
  expect(known.recall(own)).toEqual({ intermediates: [], serverName: "c.example" });
  expect(known.recall(undefined)).toEqual({ intermediates: [], serverName: "b.example" });
  expect(changes()).toBe(0);
});

test("keys change when they are old; a handshake that began before is still known, and once only", () => {
  const { clients: known, at, changes } = clients();
  known.remember([own], "a.example");
  known.remember([der("other")], "a.example");
  at(999);
  known.changeOldKeys();
  expect(changes()).toBe(0);
  at(1000);
  known.changeOldKeys();
  expect(changes()).toBe(1);
  expect(known.recall(own)).toBeDefined();
  at(2000);
  known.changeOldKeys();
  expect(known.recall(own)).toBeDefined();
  expect(changes()).toBe(2);
  expect(known.recall(der("other"))).toBeUndefined();
  expect(changes()).toBe(3);
});

test("no client is forgotten while its ticket can be used: the keys change first", () => {
  const { clients: known, changes } = clients();
  for (const name of ["a", "b", "c", "c"]) known.remember([der(name)], undefined);
  expect(changes()).toBe(0);
  known.remember([der("d")], undefined);
  expect(changes()).toBe(1);
  known.remember([der("e"), der("issuer", 100)], undefined);
  known.remember([der("e"), der("issuer", 100)], undefined);
  expect(changes()).toBe(1);
  known.remember([der("f"), der("issuer", 1)], undefined);
  expect(changes()).toBe(2);
});
