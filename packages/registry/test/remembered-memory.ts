/** What a device costs whose handshake went well while it is remembered, measured on so many. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { Workshop } from "./workshop.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

function usedOctets(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Registers the test. */
export function testRememberedMemory(devices: number): void {
  test("a remembered certificate is kept as its octets and what policies ask for, not as its parts", async () => {
    await using workshop = await Workshop.open();
    const ders: Uint8Array[] = [];
    for (let i = 0; i < 2 * devices; i++) ders.push(new Uint8Array((await workshop.activeDevice()).der));
    const connect = async (der: Uint8Array): Promise<void> => {
      const result = await workshop.registry.resolvePrincipal([der], "localhost");
      expect(result.ok).toBe(true);
    };
    // What is made once, such as compiled code, comes before.
    for (const der of ders.slice(0, devices)) await connect(der);
    const before = usedOctets();
    for (const der of ders.slice(devices)) await connect(der);
    // Some 3.2 KB; with the parts of the certificate and its chain it is 9.
    expect((usedOctets() - before) / devices).toBeLessThan(6000);
  });
}
