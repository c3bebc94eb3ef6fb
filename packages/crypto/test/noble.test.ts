import { DerReader, type DerWriter, encodeDer } from "@latchkey/asn1";
import { describe, expect, it } from "vitest";
import { defaultSignatureAlgorithm } from "../src/index.ts";
import { nobleProvider } from "../src/noble.ts";
import { nodeProvider } from "../src/node.ts";
import { conformance } from "./conformance.ts";
import { codeOf } from "./error-code.ts";
import { message, pemFixture } from "./fixtures.ts";

describe("the noble provider", () => conformance(nobleProvider, nodeProvider));

describe("what differs in the noble provider", () => {
  it.each(["p256", "p384", "p521", "ed25519"])("%s signs, and the node provider checks it", async (name) => {
    const privateKey = nobleProvider.importPkcs8(pemFixture(`${name}.pkcs8`));
    const publicKey = nodeProvider.importSpki(privateKey.publicKey.spki);
    const algorithm = defaultSignatureAlgorithm(privateKey.algorithm);
    const signature = nobleProvider.sign(privateKey, algorithm, message);
    expect(nodeProvider.verify(publicKey, algorithm, message, signature)).toBe(true);
    const later = await nobleProvider.signAsync(privateKey, algorithm, message);
    expect(nodeProvider.verify(publicKey, algorithm, message, later)).toBe(true);
  });

  it("every hash goes with every curve", () => {
    for (const name of ["p256", "p384", "p521"]) {
      const privateKey = nobleProvider.importPkcs8(pemFixture(`${name}.pkcs8`));
      const publicKey = nodeProvider.importSpki(privateKey.publicKey.spki);
      for (const hash of ["SHA-256", "SHA-384", "SHA-512"] as const) {
        const signature = nobleProvider.sign(privateKey, { name: "ecdsa", hash }, message);
        expect(nodeProvider.verify(publicKey, { name: "ecdsa", hash }, message, signature)).toBe(true);
      }
    }
  });

  it("RSA is checked only: no signatures, no new keys", async () => {
    const privateKey = nobleProvider.importPkcs8(pemFixture("rsa2048.pkcs8"));
    const code = "ERR_CRYPTO_UNSUPPORTED_OPERATION";
    expect(codeOf(() => nobleProvider.sign(privateKey, { name: "rsa-pkcs1", hash: "SHA-256" }, message))).toBe(code);
    expect(codeOf(() => nobleProvider.generateKeyPair({ name: "rsa", modulusBits: 2048 }))).toBe(code);
    await expect(nobleProvider.generateKeyPairAsync({ name: "rsa", modulusBits: 2048 })).rejects.toMatchObject({
      code,
    });
  });
});

describe("ECDSA signatures whose numbers are wider than the curve", () => {
  it.each([
    ["P-256", 33],
    ["P-384", 49],
    ["P-521", 67],
  ] as const)("%s: are not signatures, and no error", (curve, octets) => {
    const { publicKey } = nobleProvider.generateKeyPair({ name: "ec", curve });
    const wide = new Uint8Array(octets).fill(1);
    const narrow = Uint8Array.of(1);
    for (const [r, s] of [
      [wide, narrow],
      [narrow, wide],
      [wide, wide],
    ] as const) {
      const signature = encodeDer((writer) => {
        writer.sequence((body) => {
          body.unsignedInteger(r);
          body.unsignedInteger(s);
        });
      });
      expect(nobleProvider.verify(publicKey, { name: "ecdsa", hash: "SHA-256" }, message, signature)).toBe(false);
    }
  });
});

describe("an ECDSA signature that holds, written in another way, is none", () => {
  const { privateKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const { spki } = privateKey.publicKey;
  const algorithm = { name: "ecdsa", hash: "SHA-256" } as const;
  // Below, the last octet of r goes in front of s. It must not be 0, for a number in DER does not begin with 0.
  let signature: Uint8Array;
  let r: Uint8Array;
  let s: Uint8Array;
  do {
    signature = nodeProvider.sign(privateKey, algorithm, message);
    const body = new DerReader(signature).sequence();
    r = body.unsignedInteger();
    s = body.unsignedInteger();
  } while (r.at(-1) === 0);
  const written = (write: (writer: DerWriter) => void): Uint8Array => encodeDer((writer) => writer.sequence(write));
  const numbers = (first: Uint8Array, second: Uint8Array): Uint8Array =>
    written((fields) => {
      fields.unsignedInteger(first);
      fields.unsignedInteger(second);
    });
  const forms: readonly (readonly [string, Uint8Array])[] = [
    // Side by side in fixed width these are the same octets.
    [
      "s with the end of r in front",
      numbers(r, Uint8Array.of(...r.subarray(-1), ...new Uint8Array(32 - s.length), ...s)),
    ],
    ["a third number", written((fields) => [r, s, Uint8Array.of(1)].forEach((each) => fields.unsignedInteger(each)))],
    ["an octet behind it", Uint8Array.of(...signature, 0)],
    ["an octet less", signature.subarray(0, -1)],
  ];

  it.each([
    ["noble", nobleProvider],
    ["node", nodeProvider],
  ])("by %s", (_, provider) => {
    const publicKey = provider.importSpki(spki);
    expect(provider.verify(publicKey, algorithm, message, numbers(r, s))).toBe(true);
    for (const [form, other] of forms) {
      expect(provider.verify(publicKey, algorithm, message, other), form).toBe(false);
    }
  });
});
