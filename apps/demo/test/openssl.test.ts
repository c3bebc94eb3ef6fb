/** What OpenSSL says of our certificates, and what the broker says to OpenSSL's client. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { decodePem, encodePem } from "@latchkey/asn1";
import { nodeProvider } from "@latchkey/crypto/node";
import { findProgram, runProgram, startProgram } from "@latchkey/tooling-vitest/programs";
import {
  certificateAuthority,
  certificatesFromPem,
  certificateToPem,
  deviceCertificate,
  issueCertificate,
  issueSelfSignedCertificate,
  makeName,
  type CertificateIssuer,
} from "@latchkey/x509";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openShop, type Shop } from "./shop.ts";

const found = findProgram("openssl");
const openssl = found.path ?? "";
const serial = "G030JF055364XVRB";

describe.skipIf(found.path === undefined)(`openssl (${found.path ?? found.skipReason})`, () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop();
    await shop.identity("button", "--serial", serial, "--policy", "button");
  }, 30_000);
  afterAll(() => shop[Symbol.asyncDispose]());

  test.each([
    ["server", "server-ca.pem", ["data", "server.pem"], ["-purpose", "sslserver", "-verify_hostname", "localhost"]],
    [
      "server by address",
      "server-ca.pem",
      ["data", "server.pem"],
      ["-purpose", "sslserver", "-verify_ip", "127.0.0.1"],
    ],
    ["device", "device-ca.pem", ["button", "certificate.pem"], ["-purpose", "sslclient"]],
  ])("verifies the %s certificate that we issued, strictly", async (_, authority, path, words) => {
    const verified = await runProgram(openssl, [
      ...["verify", "-x509_strict", "-check_ss_sig", "-CAfile", shop.file("data", authority)],
      ...words,
      shop.file(...path),
    ]);
    expect(verified).toMatchObject({ code: 0, stderr: "" });
    expect(verified.stdout).toContain("OK");
  });

  test("reads the serial number attribute as such", async () => {
    const { stdout } = await runProgram(openssl, [
      "x509",
      "-in",
      shop.file("button", "certificate.pem"),
      "-noout",
      "-subject",
    ]);
    expect(stdout).toContain(`serialNumber = ${serial}`);
  });

  /**
   * Connects without sending anything and tells whether the broker identifies the client, or ends the connection. Of a client with `-sess_out`
   * the file is waited for.
   */
  async function isIdentified(...words: string[]): Promise<boolean> {
    const linesBefore = shop.broker.log.length;
    const client = startProgram(openssl, ["s_client", "-connect", `localhost:${shop.broker.port}`, ...words]);
    let hasEnded = false;
    const ended = client.finished.then(() => (hasEnded = true));
    const wasIdentified = (): boolean =>
      shop.broker.log.slice(linesBefore).some(({ msg }) => msg === "client identified");
    const sessionFile = words[words.indexOf("-sess_out") + 1];
    const hasSession = (): boolean =>
      !words.includes("-sess_out") || (sessionFile !== undefined && isWritten(sessionFile));
    await vi.waitUntil(() => hasEnded || (wasIdentified() && hasSession()), { timeout: 30_000 });
    const verdict = wasIdentified() && !hasEnded;
    client.kill();
    await ended;
    return verdict;
  }

  const isWritten = (file: string): boolean =>
    existsSync(file) && readFileSync(file, "utf8").includes("-----END SSL SESSION PARAMETERS-----");

  const as = (name: string): string[] => [
    "-cert",
    shop.file(name, "certificate.pem"),
    "-key",
    shop.file(name, "private.key"),
  ];

  /** An identity that is not the registry's doing. */
  function writeIdentity(name: string, issuer: CertificateIssuer, notBefore: number, notAfter: number): void {
    const { privateKey, publicKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
    const template = deviceCertificate({
      subject: makeName([{ type: "serialNumber", value: serial }]),
      validity: { notBefore, notAfter },
    });
    const certificate = issueCertificate({ provider: nodeProvider, issuer, template, publicKey });
    writeFileSync(shop.file("button", `${name}.pem`), certificateToPem(certificate));
    writeFileSync(shop.file("button", `${name}.key`), encodePem("PRIVATE KEY", nodeProvider.exportPkcs8(privateKey)));
  }

  const written = (name: string): string[] => [
    "-cert",
    shop.file("button", `${name}.pem`),
    "-key",
    shop.file("button", `${name}.key`),
  ];

  function deviceAuthority(): CertificateIssuer {
    const [certificate] = certificatesFromPem(readFileSync(shop.file("data", "device-ca.pem"), "utf8"));
    const [key] = decodePem(readFileSync(shop.file("data", "device-ca.key"), "utf8"));
    return { certificate: certificate!, privateKey: nodeProvider.importPkcs8(key!.bytes) };
  }

  test.each(["-tls1_2", "-tls1_3"])("s_client with the right certificate is identified (%s)", async (version) => {
    expect(await isIdentified(version, ...as("button"))).toBe(true);
  });

  test.each(["-tls1_2", "-tls1_3"])("s_client resumes its session and is identified again (%s)", async (version) => {
    const session = shop.file("button", `session${version}`);
    expect(await isIdentified(version, ...as("button"), "-sess_out", session)).toBe(true);
    const linesBefore = shop.broker.log.length;
    expect(await isIdentified(version, ...as("button"), "-sess_in", session)).toBe(true);
    expect(shop.broker.log.slice(linesBefore)).toContainEqual(
      expect.objectContaining({ msg: "client identified", isResumed: true }),
    );
  });

  test("s_client without a certificate is refused", async () => {
    expect(await isIdentified()).toBe(false);
    expect(shop.broker.log).toContainEqual(expect.objectContaining({ code: "ERR_IDENTITY_NO_CERTIFICATE" }));
  });

  test("s_client with a certificate of a foreign authority of the same name is refused", async () => {
    const { privateKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
    const { certificate: real } = deviceAuthority();
    const template = certificateAuthority({ subject: real.subject, validity: real.validity });
    const certificate = issueSelfSignedCertificate({ provider: nodeProvider, privateKey, template });
    writeIdentity("foreign", { certificate, privateKey }, real.validity.notBefore, real.validity.notAfter);
    expect(await isIdentified(...written("foreign"))).toBe(false);
    expect(shop.broker.log).toContainEqual(
      expect.objectContaining({ code: "ERR_IDENTITY_CHAIN", reason: expect.stringMatching(/SIGNATURE|NO_ISSUER/) }),
    );
  });

  test("s_client with an expired certificate is refused", async () => {
    writeIdentity("expired", deviceAuthority(), 1_577_836_800, 1_577_923_200);
    expect(await isIdentified(...written("expired"))).toBe(false);
    expect(shop.broker.log).toContainEqual(
      expect.objectContaining({ code: "ERR_IDENTITY_CHAIN", reason: expect.stringContaining("EXPIRED") }),
    );
  });

  test("s_client with a certificate that our authority made and nobody registered is refused", async () => {
    writeIdentity("unregistered", deviceAuthority(), 1_577_836_800, 2_000_000_000);
    expect(await isIdentified(...written("unregistered"))).toBe(false);
    expect(shop.broker.log).toContainEqual(expect.objectContaining({ code: "ERR_IDENTITY_UNKNOWN" }));
  });

  test("s_client with the server's own certificate is refused: it is not for clients", async () => {
    expect(await isIdentified("-cert", shop.file("data", "server.pem"), "-key", shop.file("data", "server.key"))).toBe(
      false,
    );
  });
});
