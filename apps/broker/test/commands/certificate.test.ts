/** Certificates of devices and authorities by commands: made, registered, listed and taken away. */

import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { certificatesFromPem, certificateToPem } from "@latchkey/x509";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeAuthority, makeCertificatePem, makeRequestPem } from "../control-plane/identities.ts";
import { BrokerCommands, done, policy } from "./broker-commands.ts";

let commands: BrokerCommands;
beforeAll(async () => {
  commands = await BrokerCommands.start();
});
afterAll(() => commands[Symbol.asyncDispose]());

test("a device by the API: its key is made here, and each side sees what the other does", async () => {
  const document = commands.file("button.json", policy("topic/iotbutton/${iot:Certificate.Subject.SerialNumber}"));
  done(await commands.local("policy", "create", "--name", "button", "--document", document));
  const out = join(commands.scratch, "device");
  const id = done(
    await commands.remote("certificate", "create", "--out", out, "--serial", "G030", "--policy", "button"),
  );
  expect(statSync(join(out, "private.key")).mode & 0o777).toBe(0o600);
  const [certificate] = certificatesFromPem(readFileSync(join(out, "certificate.pem"), "utf8"));
  expect(certificate).toBeDefined();
  expect(readFileSync(join(out, "root-ca.pem"), "utf8")).toBe(
    readFileSync(join(commands.plane.directory, "server-ca.pem"), "utf8"),
  );
  const listed = await commands.local("certificate", "list");
  expect(done(listed)).toMatch(new RegExp(`${id} +ACTIVE +serialNumber=G030,CN=G030 .* button`));
  const [row] = JSON.parse(done(await commands.remote("certificate", "list", "--json"))) as { policies: string[] }[];
  expect(row).toMatchObject({ certificateId: id, policies: ["button"], serialNumber: expect.any(String) as string });
  expect(done(await commands.remote("certificate", "deactivate", "--certificate", id.slice(0, 8)))).toBe(
    `${id} is INACTIVE, was ACTIVE`,
  );
  expect(done(await commands.local("certificate", "show", "--certificate", id.slice(0, 8)))).toMatch(
    /status +INACTIVE/,
  );
  const mistyped = await commands.remote("policy", "detach", "--name", "buton", "--certificate", id.slice(0, 8));
  expect(mistyped).toMatchObject({ code: 1, stdout: "" });
  expect(mistyped.stderr).toMatch(/ResourceNotFoundException: there is no policy "buton"/);
  done(await commands.local("policy", "detach", "--name", "button", "--certificate", id.slice(0, 8)));
  const [detached] = JSON.parse(done(await commands.remote("certificate", "list", "--json"))) as {
    policies: string[];
  }[];
  expect(detached).toMatchObject({ certificateId: id, policies: [] });
  const again = await commands.remote("certificate", "create", "--out", out, "--serial", "G030");
  expect(again).toMatchObject({ code: 1 });
  expect(again.stderr).toMatch(/^ERR_BROKER_USAGE: .*private\.key exists already/);
});

test("a device that keeps its key, and one of an own authority", async () => {
  const request = commands.file("device.csr", makeRequestPem("own key"));
  const pem = done(await commands.remote("certificate", "from-csr", "--file", request));
  expect(certificatesFromPem(pem)).toHaveLength(1);
  const authority = makeAuthority("Own CA");
  const code = done(await commands.remote("ca", "registration-code"));
  const words = ["--file", commands.file("ca.pem", certificateToPem(authority.certificate))];
  const unproven = await commands.remote("ca", "register", ...words);
  expect(unproven.stderr).toMatch(/^ERR_BROKER_USAGE: a proof of the key is needed/);
  const verification = commands.file("verification.pem", makeCertificatePem(authority, { commonName: code }));
  const caId = done(await commands.remote("ca", "register", ...words, "--verification", verification));
  expect(done(await commands.local("ca", "list"))).toMatch(new RegExp(`${caId} +ACTIVE +DEFAULT +CN=Own CA`));
  const id = done(
    await commands.remote("certificate", "register", "--file", commands.file("own.pem", makeCertificatePem(authority))),
  );
  const out = join(commands.scratch, "bundle");
  expect(done(await commands.remote("certificate", "bundle", "--certificate", id, "--out", out))).toBe(id);
  expect(existsSync(join(out, "endpoint.json"))).toBe(true);
  expect(existsSync(join(out, "private.key"))).toBe(false);
  const active = await commands.remote("ca", "delete", "--authority", caId.slice(0, 8));
  expect(active.stderr).toMatch(/^ERR_BROKER_REQUEST: CertificateStateException: /);
});

test("what fails behind the request for a certificate leaves no certificate that nobody has, and no folder", async () => {
  const count = async (): Promise<number> =>
    (JSON.parse(done(await commands.remote("certificate", "list", "--json"))) as object[]).length;
  const names = Array.from({ length: 11 }, (_, index) => `many-${index}`);
  const document = commands.file("many.json", policy("topic/a"));
  for (const name of names) done(await commands.local("policy", "create", "--name", name, "--document", document));
  const before = await count();
  const out = join(commands.scratch, "left-over");
  const words = ["--policy", names.join(","), "--out", out];
  const created = await commands.remote("certificate", "create", "--serial", "G031", ...words);
  expect(created).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(/LimitExceededException/) });
  const request = commands.file("left-over.csr", makeRequestPem("left over"));
  const fromCsr = await commands.remote("certificate", "from-csr", "--file", request, ...words);
  expect(fromCsr).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(/LimitExceededException/) });
  const taken = await commands.remote(
    "certificate",
    "from-csr",
    "--file",
    request,
    "--out",
    commands.scratch,
    "--policy",
    "none",
  );
  expect(taken.stderr).toMatch(/ResourceNotFoundException/);
  writeFileSync(join(commands.scratch, "certificate.pem"), "another's");
  const occupied = await commands.remote("certificate", "from-csr", "--file", request, "--out", commands.scratch);
  expect(occupied.stderr).toMatch(/certificate\.pem exists already/);
  expect([await count(), existsSync(out)]).toEqual([before, false]);
});

test("certificates are listed from the oldest, or from the newest", async () => {
  for (const name of ["older", "newer"]) {
    done(await commands.local("certificate", "create", "--out", join(commands.scratch, name), "--common-name", name));
  }
  const subjects = async (...words: string[]): Promise<string[]> =>
    (JSON.parse(done(await commands.local("certificate", "list", "--json", ...words))) as { subject: string }[])
      .map(({ subject }) => subject)
      .filter((subject) => /older|newer/.test(subject));
  expect(await subjects()).toEqual([expect.stringContaining("older"), expect.stringContaining("newer")]);
  expect(await subjects("--newest-first")).toEqual([
    expect.stringContaining("newer"),
    expect.stringContaining("older"),
  ]);
});
