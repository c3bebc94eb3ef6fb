/** The machine's openssl reads the keys that we write and checks the signatures that we make. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodePem } from "@latchkey/asn1";
import { findProgram } from "@latchkey/tooling-vitest/programs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultSignatureAlgorithm, type CryptoProvider, type KeyGenerationAlgorithm } from "../src/index.ts";
import { nobleProvider } from "../src/noble.ts";
import { nodeProvider } from "../src/node.ts";
import { message } from "./fixtures.ts";

const openssl = findProgram("openssl");

const keys: readonly (readonly [CryptoProvider, KeyGenerationAlgorithm])[] = [
  [nodeProvider, { name: "ec", curve: "P-256" }],
  [nodeProvider, { name: "ec", curve: "P-521" }],
  [nodeProvider, { name: "ed25519" }],
  [nodeProvider, { name: "rsa", modulusBits: 2048 }],
  [nobleProvider, { name: "ec", curve: "P-256" }],
  [nobleProvider, { name: "ec", curve: "P-384" }],
  [nobleProvider, { name: "ec", curve: "P-521" }],
  [nobleProvider, { name: "ed25519" }],
];

describe.skipIf(openssl.path === undefined)(`openssl (${openssl.path ?? openssl.skipReason})`, () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "latchkey-crypto-"));
    writeFileSync(join(folder, "message"), message);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = (...words: string[]): string =>
    execFileSync(openssl.path ?? "", words, { cwd: folder, encoding: "utf8" });

  it.each(keys.map(([provider, algorithm]) => ({ provider, algorithm, kind: JSON.stringify(algorithm) })))(
    "$provider.name $kind",
    ({ provider, algorithm }) => {
      const { privateKey, publicKey } = provider.generateKeyPair(algorithm);
      const spki = encodePem("PUBLIC KEY", publicKey.spki);
      writeFileSync(join(folder, "public.pem"), spki);
      writeFileSync(join(folder, "private.pem"), encodePem("PRIVATE KEY", provider.exportPkcs8(privateKey)));
      const signatureAlgorithm = defaultSignatureAlgorithm(publicKey.algorithm);
      writeFileSync(join(folder, "signature"), provider.sign(privateKey, signatureAlgorithm, message));

      expect(run("pkey", "-in", "private.pem", "-pubout")).toBe(spki);
      expect(run("pkey", "-in", "private.pem", "-check", "-noout")).toContain("valid");
      const input =
        signatureAlgorithm.name === "ed25519"
          ? ["-rawin"]
          : ["-rawin", "-digest", signatureAlgorithm.hash.toLowerCase().replace("-", "")];
      const verify = [
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "public.pem",
        "-in",
        "message",
        "-sigfile",
        "signature",
      ];
      expect(run(...verify, ...input)).toContain("Signature Verified Successfully");
    },
  );
});
