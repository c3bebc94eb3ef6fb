import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createChainVerifier } from "@latchkey/chain";
import { nodeProvider } from "@latchkey/crypto/node";
import { defaultScope, validityUnder } from "@latchkey/registry";
import { certificateId, certificatesFromPem } from "@latchkey/x509";
import { afterAll, expect, test } from "vitest";
import {
  openBrokerDirectory as openAt,
  openExistingDirectory,
  type BrokerDirectory,
} from "../src/data-directory/data-directory.ts";

const scratch = mkdtempSync(join(tmpdir(), "latchkey-data-"));
afterAll(() => rmSync(scratch, { recursive: true }));
let count = 0;
const newDirectory = (): string => join(scratch, String(count++), "nested");
const now = new Date("2026-11-24T00:00:00Z");
function openBrokerDirectory(
  directory: string,
  options: { readonly serverNames: readonly string[]; readonly now: Date },
): Promise<BrokerDirectory> {
  return openAt(directory, { serverNames: options.serverNames, scope: defaultScope, now: () => options.now });
}
const later = (days: number): Date => new Date(now.getTime() + days * 86_400_000);

test("a new directory gets authorities, a server certificate and a registry that knows the device authority", async () => {
  await using data = await openBrokerDirectory(newDirectory(), { serverNames: ["broker.example"], now });
  const [authority] = data.registry.authorities.list(defaultScope).items;
  expect(authority?.certificateId).toBe(certificateId(data.deviceAuthority.certificate, nodeProvider));
  const [server] = certificatesFromPem(data.server.certificate);
  // Five minutes back, since clocks of devices are behind, and never before its issuer.
  const fiveMinutesAgo = now.getTime() / 1000 - 300;
  expect(server?.validity.notBefore).toBe(fiveMinutesAgo);
  expect(server?.validity.notAfter).toBe(fiveMinutesAgo + 397 * 86_400 - 1);
  expect(data.serverAuthority.validity.notBefore).toBe(fiveMinutesAgo);
});

test("opened again it is the same, until the server certificate is about to run out", async () => {
  const directory = newDirectory();
  const open = async (at: Date, serverNames: string[] = ["a.example"]): Promise<string> => {
    await using data = await openBrokerDirectory(directory, { serverNames, now: at });
    return data.server.certificate;
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
  await (await openBrokerDirectory(directory, { serverNames: [], now }))[Symbol.asyncDispose]();
  rmSync(join(directory, "server.pem"));
  await using data = await openBrokerDirectory(directory, { serverNames: [], now });
  expect(readFileSync(join(directory, "server.pem"), "utf8")).toBe(data.server.certificate);
});

test("a certificate whose key is gone is refused, and nothing is replaced", async () => {
  const directory = newDirectory();
  await (await openBrokerDirectory(directory, { serverNames: [], now }))[Symbol.asyncDispose]();
  rmSync(join(directory, "device-ca.key"));
  const opened = openBrokerDirectory(directory, { serverNames: [], now });
  await expect(opened).rejects.toMatchObject({
    code: "ERR_BROKER_DATA_DIRECTORY",
    message: expect.stringContaining("device-ca.key is missing"),
  });
  expect(existsSync(join(directory, "device-ca.key"))).toBe(false);
});

test("a key of the wrong kind is refused without showing it", async () => {
  const directory = newDirectory();
  await (await openBrokerDirectory(directory, { serverNames: [], now }))[Symbol.asyncDispose]();
  writeFileSync(join(directory, "device-ca.key"), "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n");
  const error: unknown = await openBrokerDirectory(directory, { serverNames: [], now }).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code: "ERR_BROKER_DATA_DIRECTORY" });
  expect(String(error)).not.toContain("c2VjcmV0");
});

test("a certificate never begins before its issuer", async () => {
  const directory = newDirectory();
  const justMade = new Date(now.getTime());
  await using data = await openBrokerDirectory(directory, { serverNames: [], now: justMade });
  const { validity } = data.deviceAuthority.certificate;
  expect(validityUnder(data.deviceAuthority.certificate, validity.notBefore + 10, 1).notBefore).toBe(
    validity.notBefore,
  );
});

test.each([
  [
    "has expired",
    later(20 * 365 + 1),
    /server-ca\.pem expired at 2046-.*Move .*server-ca\.pem and .*server-ca\.key away/,
  ],
  ["does not begin yet", later(-1), /server-ca\.pem begins only at 2026-11-23T23:55:00Z, .*Set the clock/],
])("an authority that %s ends the start with what to do", async (_, at, message) => {
  const directory = newDirectory();
  await (await openBrokerDirectory(directory, { serverNames: [], now }))[Symbol.asyncDispose]();
  const opened = openBrokerDirectory(directory, { serverNames: [], now: at });
  await expect(opened).rejects.toMatchObject({
    code: "ERR_BROKER_DATA_DIRECTORY",
    message: expect.stringMatching(message),
  });
});

test("a second broker is refused, commands are not, and the directory is free again after the first", async () => {
  const directory = newDirectory();
  const first = await openBrokerDirectory(directory, { serverNames: ["a.example"], now });
  const second = openBrokerDirectory(directory, { serverNames: ["b.example"], now });
  await expect(second).rejects.toMatchObject({
    code: "ERR_BROKER_DATA_DIRECTORY",
    message: expect.stringContaining("another broker runs on it. Stop that one, or give this one"),
  });
  expect(readFileSync(join(directory, "server.pem"), "utf8")).toBe(first.server.certificate);
  await (await openExistingDirectory(directory, () => now))[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
  await (await openBrokerDirectory(directory, { serverNames: [], now }))[Symbol.asyncDispose]();
});

test("the registry and what SQLite puts beside it are for the owner only, whatever the folder allows", async () => {
  const directory = newDirectory();
  mkdirSync(directory, { recursive: true });
  chmodSync(directory, 0o777);
  const umask = process.umask(0);
  try {
    await using data = await openBrokerDirectory(directory, { serverNames: [], now });
    await data.registry.authorities.registrationCode(defaultScope);
    const modes = readdirSync(directory)
      .filter((name) => name.startsWith("registry.db"))
      .map((name) => [name, (statSync(join(directory, name)).mode & 0o777).toString(8)]);
    expect(Object.fromEntries(modes)).toEqual({
      "registry.db": "600",
      "registry.db-shm": "600",
      "registry.db-wal": "600",
    });
  } finally {
    process.umask(umask);
  }
});

test("files of the registry that others may read, as after an interrupted run of another program, are taken from them", async () => {
  const directory = newDirectory();
  const first = await openBrokerDirectory(directory, { serverNames: [], now });
  const files = ["registry.db", "registry.db-wal", "registry.db-shm"].map((name) => join(directory, name));
  for (const file of files) chmodSync(file, 0o644);
  // The first has them open still, so they stay what they are.
  await (await openExistingDirectory(directory, () => now))[Symbol.asyncDispose]();
  expect(files.map((file) => (statSync(file).mode & 0o777).toString(8))).toEqual(["600", "600", "600"]);
  await first[Symbol.asyncDispose]();
});

test("authorities that were moved away, as the refusal of an expired one says, are made again with all that hangs on them", async () => {
  const directory = newDirectory();
  await (await openBrokerDirectory(directory, { serverNames: [], now }))[Symbol.asyncDispose]();
  for (const name of ["server-ca.pem", "server-ca.key", "device-ca.pem", "device-ca.key"])
    rmSync(join(directory, name));
  await using data = await openBrokerDirectory(directory, { serverNames: [], now: later(20 * 365 + 1) });
  const time = later(20 * 365 + 1).getTime() / 1000;
  const verifier = createChainVerifier({ provider: nodeProvider, trustAnchors: [data.serverAuthority] });
  const [certificate] = certificatesFromPem(data.server.certificate);
  if (certificate === undefined) throw new Error("no certificate");
  expect(verifier.verify({ certificate, purpose: "serverAuth", time }).ok).toBe(true);
  const { record } = await data.registry.certificates.createKeysAndCertificate(defaultScope, {
    setAsActive: true,
    keyAlgorithm: "p-256",
    notAfterSeconds: time + 86_400,
  });
  const [device] = certificatesFromPem(record.certificatePem);
  expect(await data.registry.resolvePrincipal([device?.encoding ?? new Uint8Array()], undefined)).toMatchObject({
    ok: true,
  });
});

test("a folder in place of the server's key is named", async () => {
  const directory = newDirectory();
  const first = await openBrokerDirectory(directory, { serverNames: [], now });
  await first[Symbol.asyncDispose]();
  rmSync(join(directory, "server.key"));
  mkdirSync(join(directory, "server.key", "occupied"), { recursive: true });
  await expect(openBrokerDirectory(directory, { serverNames: ["b.example"], now })).rejects.toMatchObject({
    code: "ERR_BROKER_DATA_DIRECTORY",
    message: expect.stringContaining("server.key"),
  });
});

test("commands work in the only account, and refuse to choose among several", async () => {
  const directory = newDirectory();
  const scope = { account: "123456789012", region: "eu-west-1" };
  const options = { serverNames: [], scope, now: () => now };
  await (await openAt(directory, options))[Symbol.asyncDispose]();
  const opened = await openExistingDirectory(directory, () => now);
  expect(opened.scope).toEqual(scope);
  await opened[Symbol.asyncDispose]();
  await (await openBrokerDirectory(directory, { serverNames: [], now }))[Symbol.asyncDispose]();
  await expect(openExistingDirectory(directory, () => now)).rejects.toThrow(
    "several accounts, and commands work in one: 000000000000 in us-east-1, 123456789012 in eu-west-1",
  );
});

test("a running broker's server certificate is renewed when it runs out soon, and only then", async () => {
  const directory = newDirectory();
  let at = now;
  await using data = await openAt(directory, { serverNames: ["a.example"], scope: defaultScope, now: () => at });
  at = later(366);
  expect((await data.renewServer()).certificate).toBe(data.server.certificate);
  at = later(368);
  const renewed = await data.renewServer();
  expect(renewed.certificate).not.toBe(data.server.certificate);
  expect(readFileSync(join(directory, "server.pem"), "utf8")).toBe(renewed.certificate);
});
