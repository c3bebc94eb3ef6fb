/** Slips of makers that are read on request, each built by hand, and refused otherwise. */

import { DerReader, encodeDer, encodeOid } from "@latchkey/asn1";
import { describe, expect, it } from "vitest";
import { nobleProvider } from "../src/noble.ts";
import { nodeProvider } from "../src/node.ts";
import { CryptoError, type EcCurve, parseSignatureAlgorithm, verifySignedData } from "../src/index.ts";
import { message } from "./fixtures.ts";

const asked: string[] = [];
const tolerant = { tolerate: (name: string): boolean => asked.push(name) > 0 };

function codeOf(act: () => unknown): string {
  try {
    act();
    return "accepted";
  } catch (error) {
    if (error instanceof CryptoError) return error.code;
    throw error;
  }
}

function algorithm(oid: string, parameters: Uint8Array): Uint8Array {
  return encodeDer((writer) => {
    writer.sequence((body) => {
      body.oid(oid);
      body.encoded(parameters);
    });
  });
}

const nullValue = Uint8Array.of(5, 0);

describe("NULL in the AlgorithmIdentifier of a signature", () => {
  it.each([
    ["ECDSA with SHA-256", "1.2.840.10045.4.3.2", { name: "ecdsa", hash: "SHA-256" }],
    ["ECDSA with SHA-384", "1.2.840.10045.4.3.3", { name: "ecdsa", hash: "SHA-384" }],
    ["ECDSA with SHA-512", "1.2.840.10045.4.3.4", { name: "ecdsa", hash: "SHA-512" }],
    ["Ed25519", "1.3.101.112", { name: "ed25519" }],
  ])("is read on request for %s", (_, oid, expected) => {
    const der = algorithm(oid, nullValue);
    expect(codeOf(() => parseSignatureAlgorithm(der))).toBe("ERR_CRYPTO_MALFORMED_ALGORITHM");
    asked.length = 0;
    expect(parseSignatureAlgorithm(der, tolerant)).toEqual(expected);
    expect(asked).toEqual(["nullParameters"]);
    // Anything but NULL stays refused.
    const other = algorithm(oid, Uint8Array.of(4, 0));
    expect(codeOf(() => parseSignatureAlgorithm(other, tolerant))).toBe("ERR_CRYPTO_MALFORMED_ALGORITHM");
  });

  it("does not get in the way of a signature check", () => {
    const { privateKey, publicKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
    const signature = nodeProvider.sign(privateKey, { name: "ecdsa", hash: "SHA-256" }, message);
    const signed = { publicKey, algorithm: algorithm("1.2.840.10045.4.3.2", nullValue), data: message, signature };
    expect(verifySignedData(nodeProvider, signed).ok).toBe(false);
    expect(verifySignedData(nodeProvider, signed, tolerant)).toEqual({ ok: true });
    const changed = { ...signed, data: message.subarray(1) };
    expect(verifySignedData(nodeProvider, changed, tolerant)).toMatchObject({
      error: { code: "ERR_CRYPTO_SIGNATURE_INVALID" },
    });
  });
});

/** The PKCS #8 and the SEC 1 form of a key whose scalar has these octets. */
function ecKey(curve: EcCurve, scalar: Uint8Array): { readonly pkcs8: Uint8Array; readonly sec1: Uint8Array } {
  const oid = { "P-256": "1.2.840.10045.3.1.7", "P-384": "1.3.132.0.34", "P-521": "1.3.132.0.35" }[curve];
  const write = (isNamed: boolean): Uint8Array =>
    encodeDer((writer) => {
      writer.sequence((body) => {
        body.integer(1);
        body.octetString(scalar);
        if (isNamed) body.explicit(0, (field) => field.oid(oid));
      });
    });
  const pkcs8 = encodeDer((writer) => {
    writer.sequence((body) => {
      body.integer(0);
      body.encoded(
        algorithm(
          "1.2.840.10045.2.1",
          encodeDer((parameters) => parameters.oid(oid)),
        ),
      );
      body.octetString(write(false));
    });
  });
  return { pkcs8, sec1: write(true) };
}

describe.each([nodeProvider, nobleProvider])("private keys by the $name provider", (provider) => {
  describe.each<[EcCurve, number]>([
    ["P-256", 32],
    ["P-384", 48],
    ["P-521", 66],
  ])("%s", (curve, length) => {
    const scalar = new Uint8Array(length).fill(7);
    scalar.fill(0, 0, 3);
    const point = provider.importSec1(ecKey(curve, scalar).sec1).publicKey.spki;

    it.each([
      ["one leading zero too many", Uint8Array.of(0, ...scalar)],
      ["five leading zeros too many", Uint8Array.of(0, 0, 0, 0, 0, ...scalar)],
      ["one leading zero too few", scalar.subarray(1)],
      ["no leading zero", scalar.subarray(3)],
    ])("reads a scalar with %s on request", (_, octets) => {
      const { pkcs8, sec1 } = ecKey(curve, octets);
      expect(codeOf(() => provider.importSec1(sec1))).toBe("ERR_CRYPTO_MALFORMED_KEY");
      expect(codeOf(() => provider.importPkcs8(pkcs8))).toBe("ERR_CRYPTO_MALFORMED_KEY");
      asked.length = 0;
      expect(provider.importSec1(sec1, tolerant).publicKey.spki).toEqual(point);
      expect(provider.importPkcs8(pkcs8, tolerant).publicKey.spki).toEqual(point);
      expect(asked).toEqual(["scalarLength", "scalarLength"]);
      // What is exported is right again.
      const exported = provider.exportPkcs8(provider.importSec1(sec1, tolerant));
      expect(provider.importPkcs8(exported).publicKey.spki).toEqual(point);
    });

    it.each([
      ["empty", new Uint8Array(0)],
      ["zero", new Uint8Array(length)],
      ["zero and too short", new Uint8Array(length - 1)],
      ["too long by an octet that counts", Uint8Array.of(1, ...scalar)],
      ["over the order of the curve, padded", Uint8Array.of(0, ...new Uint8Array(length).fill(0xff))],
    ])("refuses a scalar that is %s", (_, octets) => {
      const { pkcs8, sec1 } = ecKey(curve, octets);
      expect(codeOf(() => provider.importSec1(sec1, tolerant))).toBe("ERR_CRYPTO_MALFORMED_KEY");
      expect(codeOf(() => provider.importPkcs8(pkcs8, tolerant))).toBe("ERR_CRYPTO_MALFORMED_KEY");
    });
  });

  describe("Ed25519 as ring writes it: version 2, the public key with an explicit tag", () => {
    const { privateKey, publicKey } = provider.generateKeyPair({ name: "ed25519" });
    const seed = seedOf(provider.exportPkcs8(privateKey));

    it.each([
      ["an explicit tag", 1, "explicit"],
      ["an explicit tag in version 1", 0, "explicit"],
      ["its tag in version 1", 0, "implicit"],
    ] as const)("is read on request: %s", (_, version, tagging) => {
      const der = ringKey(seed, publicKey.spki.subarray(-32), version, tagging);
      expect(codeOf(() => provider.importPkcs8(der))).toBe("ERR_CRYPTO_MALFORMED_KEY");
      asked.length = 0;
      expect(provider.importPkcs8(der, tolerant).publicKey.spki).toEqual(publicKey.spki);
      expect(asked).toEqual(["explicitPublicKey"]);
    });

    it("is refused where the public key belongs to another", () => {
      const other = provider.generateKeyPair({ name: "ed25519" }).publicKey.spki.subarray(-32);
      const der = ringKey(seed, other, 1, "explicit");
      expect(codeOf(() => provider.importPkcs8(der, tolerant))).toBe("ERR_CRYPTO_KEY_PAIR_MISMATCH");
    });
  });
});

function seedOf(pkcs8: Uint8Array): Uint8Array {
  const body = new DerReader(pkcs8).sequence();
  body.integer();
  body.sequence();
  return new DerReader(body.octetString()).octetString();
}

function ringKey(seed: Uint8Array, point: Uint8Array, version: number, tagging: "explicit" | "implicit"): Uint8Array {
  return encodeDer((writer) => {
    writer.sequence((body) => {
      body.integer(version);
      body.sequence((identifier) => identifier.oid(encodeOid("1.3.101.112")));
      body.octetString(encodeDer((inner) => inner.octetString(seed)));
      if (tagging === "explicit") body.explicit(1, (field) => field.bitString(point));
      else body.bitString(point, 0, 0x81);
    });
  });
}
