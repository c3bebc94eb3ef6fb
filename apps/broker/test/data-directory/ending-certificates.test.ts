import { defaultScope } from "@latchkey/registry";
import { expect, test, vi } from "vitest";
import { openBrokerDirectory } from "../../src/data-directory/data-directory.ts";
import { endingCertificates } from "../../src/data-directory/ending-certificates.ts";
import { BrokerProcess } from "../observability/running-broker.ts";

vi.setConfig({ testTimeout: 120_000 });

const dayMs = 86_400_000;
/** Of the two authorities, which begin five minutes before they are made. */
const authorityDays = 20 * 365;
const endOfAuthorities = (madeMs: number): string =>
  new Date(Math.floor(madeMs / 1000) * 1000 + authorityDays * dayMs - 301_000).toISOString();

test("what ends soon is named, with its last second and what renews it", async () => {
  await using broker = new BrokerProcess();
  const madeMs = Date.parse("2026-11-24T00:00:00Z");
  const now = (): Date => new Date(madeMs);
  await using data = await openBrokerDirectory(broker.data, { serverNames: [], scope: defaultScope, now });
  const at = (days: number): number => (madeMs + days * dayMs) / 1000;
  const endings = (days: number, notAfter = at(10_000)): unknown => endingCertificates(data, { notAfter }, at(days));
  expect(endings(0)).toEqual([]);
  expect(endings(0, at(30))).toEqual([]);
  expect(endings(0, at(29))).toEqual([
    { file: "server.pem", notAfter: "2026-12-23T00:00:00.000Z", mend: expect.stringContaining("SIGHUP") },
  ]);
  const notAfter = endOfAuthorities(madeMs);
  expect(endings(authorityDays - 181)).toEqual([]);
  expect(endings(authorityDays - 180)).toEqual([
    { file: "server-ca.pem", notAfter, mend: expect.stringContaining("give devices the new root") },
    { file: "device-ca.pem", notAfter, mend: expect.stringContaining("make devices new certificates") },
  ]);
});

test("a broker warns of it when it starts", async () => {
  await using broker = new BrokerProcess();
  const madeMs = Date.now() - (authorityDays - 100) * dayMs;
  const now = (): Date => new Date(madeMs);
  await (await openBrokerDirectory(broker.data, { serverNames: [], scope: defaultScope, now }))[Symbol.asyncDispose]();
  await broker.start();
  const lines = broker.readLog();
  for (const file of ["server-ca.pem", "device-ca.pem"]) {
    const msg = "a certificate of the broker ends soon";
    await expect
      .poll(() => lines, { timeout: 60_000 })
      .toContainEqual(expect.objectContaining({ level: 40, msg, file, notAfter: endOfAuthorities(madeMs) }));
  }
});
