import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeProvider } from "@latchkey/crypto/node";
import { certificateId, certificatesFromPem } from "@latchkey/x509";
import { afterAll, expect, test } from "vitest";
import { openDataDirectory } from "../src/data-directory.ts";

const scratch = mkdtempSync(join(tmpdir(), "latchkey-data-"));
afterAll(() => rmSync(scratch, { recursive: true }));
let count = 0;
const newDirectory = (): string => join(scratch, String(count++), "nested");
const now = new Date("2026-11-24T00:00:00Z");
const later = (days: number): Date => new Date(now.getTime() + days * 86_400_000);

test("a new directory gets authorities, a server certificate and a registry that knows the device authority", async () => {
  await using data = await openDataDirectory(newDirectory(), { serverNames: ["broker.example"], now });
  const [authority] = await data.registry.certificateAuthorities();
  expect(authority?.certificateId).toBe(certificateId(data.deviceAuthority.certificate, nodeProvider));
  const [server] = certificatesFromPem(data.serverCertificate);
  expect(server?.validity.notAfter).toBe(now.getTime() / 1000 + 397 * 86_400 - 1);
});

test("opened again it is the same, until the server certificate is about to run out", async () => {
  const directory = newDirectory();
  const open = async (at: Date, serverNames?: string[]): Promise<string> => {
    await using data = await openDataDirectory(directory, { serverNames, now: at });
    return data.serverCertificate;
  };
  const first = await open(now, ["a.example"]);
  expect(await open(later(366), ["a.example"])).toBe(first);
  expect(await open(later(1))).toBe(first);
  const renewed = await open(later(368), ["a.example"]);
  expect(renewed).not.toBe(first);
  expect(await open(later(368), ["b.example"])).not.toBe(renewed);
});

test("a start that was interrupted after the key was written is made good", async () => {
  const directory = newDirectory();
  await (await openDataDirectory(directory, { serverNames: [], now }))[Symbol.asyncDispose]();
  rmSync(join(directory, "server.pem"));
  await using data = await openDataDirectory(directory, { serverNames: [], now });
  expect(readFileSync(join(directory, "server.pem"), "utf8")).toBe(data.serverCertificate);
});

test("a certificate whose key is gone is refused, and nothing is replaced", async () => {
  const directory = newDirectory();
  await (await openDataDirectory(directory, { serverNames: [], now }))[Symbol.asyncDispose]();
  rmSync(join(directory, "device-ca.key"));
  const opened = openDataDirectory(directory, { serverNames: [], now });
  await expect(opened).rejects.toMatchObject({
    code: "ERR_BROKER_DATA_DIRECTORY",
    message: expect.stringContaining("device-ca.key is missing"),
  });
  expect(existsSync(join(directory, "device-ca.key"))).toBe(false);
});

test("a key of the wrong kind is refused without showing it", async () => {
  const directory = newDirectory();
  await (await openDataDirectory(directory, { serverNames: [], now }))[Symbol.asyncDispose]();
  writeFileSync(join(directory, "device-ca.key"), "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n");
  const error: unknown = await openDataDirectory(directory, { serverNames: [], now }).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code: "ERR_BROKER_DATA_DIRECTORY" });
  expect(String(error)).not.toContain("c2VjcmV0");
});
