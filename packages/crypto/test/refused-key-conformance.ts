/** Keys that every provider refuses; `conformance.ts` runs it. */

import { encodeDer, type DerWriter } from "@latchkey/asn1";
import { expect, it } from "vitest";
import { spkiFromRawPublicKey, type CryptoErrorCode, type CryptoProvider } from "../src/index.ts";
import { codeOf } from "./error-code.ts";
import { fromHex, pemFixture, keyFixtures } from "./fixtures.ts";

/** Keys that are no keys, weak, or of kinds that are not supported. */
export function refusedKeys(provider: CryptoProvider): void {
  it.each([
    ["refused-rsa1024.spki", "ERR_CRYPTO_RSA_MODULUS_SIZE"],
    ["refused-explicit-curve.spki", "ERR_CRYPTO_EXPLICIT_EC_PARAMETERS"],
    ["refused-secp256k1.spki", "ERR_CRYPTO_UNSUPPORTED_CURVE"],
    ["refused-compressed.spki", "ERR_CRYPTO_PUBLIC_POINT"],
    ["refused-ed448.spki", "ERR_CRYPTO_UNSUPPORTED_KEY"],
    ["refused-dsa.spki", "ERR_CRYPTO_UNSUPPORTED_KEY"],
    ["refused-rsa-pss-sha1.spki", "ERR_CRYPTO_SHA1_SIGNATURE"],
  ])("%s is %s", (name, code) => {
    expect(codeOf(() => provider.importSpki(pemFixture(name)))).toBe(code);
  });

  it.each([
    ["refused-secp256k1.spki", "secp256k1 (1.3.132.0.10)"],
    ["refused-ed448.spki", "Ed448 (1.3.101.113)"],
    ["refused-dsa.spki", "DSA (1.2.840.10040.4.1)"],
  ])("%s is named beside its identifier", (name, words) => {
    expect(() => provider.importSpki(pemFixture(name))).toThrow(
      expect.objectContaining({ message: expect.stringContaining(words) }),
    );
  });

  it("private keys are held to the same", () => {
    expect(codeOf(() => provider.importPkcs8(pemFixture("refused-rsa1024.pkcs8")))).toBe("ERR_CRYPTO_RSA_MODULUS_SIZE");
    expect(codeOf(() => provider.importPkcs8(pemFixture("refused-rsa-three-primes.pkcs8")))).toBe(
      "ERR_CRYPTO_UNSUPPORTED_KEY",
    );
    expect(codeOf(() => provider.importSec1(pemFixture("refused-explicit-curve.sec1")))).toBe(
      "ERR_CRYPTO_EXPLICIT_EC_PARAMETERS",
    );
  });

  it.each([
    ["even", 65_536n],
    ["one", 1n],
    ["zero", 0n],
    ["of 65 bits", 2n ** 64n + 1n],
  ])("an RSA exponent that is %s", (_name, exponent) => {
    expect(codeOf(() => provider.importPkcs1PublicKey(rsaPublicKey(2n ** 2047n + 1n, exponent)))).toBe(
      "ERR_CRYPTO_RSA_EXPONENT",
    );
  });

  it("RSA exponents from 3 to 64 bits, moduli from 2048 to 8192", () => {
    for (const exponent of [3n, 65_537n, 2n ** 64n - 1n]) {
      expect(provider.importPkcs1PublicKey(rsaPublicKey(2n ** 2047n + 1n, exponent)).algorithm.name).toBe("rsa");
    }
    expect(provider.importPkcs1PublicKey(rsaPublicKey(2n ** 8191n + 1n, 3n)).algorithm).toEqual({
      name: "rsa",
      modulusBits: 8192,
    });
    for (const modulus of [2n ** 2047n - 1n, 2n ** 8192n + 1n, 0n]) {
      expect(codeOf(() => provider.importPkcs1PublicKey(rsaPublicKey(modulus, 3n)))).toBe(
        "ERR_CRYPTO_RSA_MODULUS_SIZE",
      );
    }
    expect(codeOf(() => provider.importPkcs1PublicKey(rsaPublicKey(2n ** 2047n, 3n)))).toBe("ERR_CRYPTO_MALFORMED_KEY");
  });

  it.each(strangeKeys())("$what is $code", ({ spki, code }) => {
    expect(codeOf(() => provider.importSpki(spki))).toBe(code);
  });

  it("a point that is not on its curve", () => {
    for (const name of ["p256", "p384", "p521"]) {
      const spki = pemFixture(`${name}.spki`);
      spki[spki.length - 1]! ^= 1;
      expect(codeOf(() => provider.importSpki(spki))).toBe("ERR_CRYPTO_PUBLIC_POINT");
    }
    const infinity = spkiFromRawPublicKey("P-256", Uint8Array.of(0));
    expect(codeOf(() => provider.importSpki(infinity))).toBe("ERR_CRYPTO_PUBLIC_POINT");
  });

  it("a scalar of zero, of the group's order, or of another width", () => {
    const order = fromHex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    for (const scalar of [new Uint8Array(32), order, new Uint8Array(32).fill(0xff), new Uint8Array(31).fill(1)]) {
      expect(codeOf(() => provider.importSec1(sec1(scalar)))).toBe("ERR_CRYPTO_MALFORMED_KEY");
    }
    order[31]! -= 1;
    expect(provider.importSec1(sec1(order)).algorithm).toEqual({ name: "ec", curve: "P-256" });
  });

  it("RSA numbers that do not fit together", () => {
    const pkcs1 = pemFixture("rsa2048.pkcs1");
    let refused = 0;
    // The last octet of each secret number.
    for (const offset of integerEnds(pkcs1).slice(3)) {
      const changed = Uint8Array.from(pkcs1);
      changed[offset]! ^= 2;
      expect(codeOf(() => provider.importPkcs1PrivateKey(changed))).toBe("ERR_CRYPTO_MALFORMED_KEY");
      refused++;
    }
    expect(refused).toBe(6);
  });

  it("every prefix of every key, and every key with an octet behind", () => {
    for (const name of [...keyFixtures.map((key) => `${key}.spki`), ...keyFixtures.map((key) => `${key}.pkcs8`)]) {
      const der = pemFixture(name);
      const read = (octets: Uint8Array): unknown =>
        name.endsWith("spki") ? provider.importSpki(octets) : provider.importPkcs8(octets);
      for (let length = 0; length < der.length; length++) {
        expect(codeOf(() => read(der.subarray(0, length)))).toBe("ERR_CRYPTO_MALFORMED_KEY");
      }
      expect(codeOf(() => read(Uint8Array.from([...der, 0])))).toBe("ERR_CRYPTO_MALFORMED_KEY");
    }
  });
}

interface StrangeKey {
  readonly what: string;
  readonly spki: Uint8Array;
  readonly code: CryptoErrorCode;
}

/** SubjectPublicKeyInfos that are DER, around sound keys, but not what the standards say. */
function strangeKeys(): StrangeKey[] {
  const p256 = pemFixture("p256.spki").subarray(-65);
  const rsa = pemFixture("rsa2048.pkcs1-public");
  const ed25519 = pemFixture("ed25519.spki").subarray(-32);
  const strange = (
    what: string,
    code: CryptoErrorCode,
    key: Uint8Array,
    oid: string,
    parameters: (body: DerWriter) => void,
    unusedBits: number = 0,
  ): StrangeKey => {
    const spki = encodeDer((writer) => {
      writer.sequence((outer) => {
        outer.sequence((algorithm) => {
          algorithm.oid(oid);
          parameters(algorithm);
        });
        outer.bitString(key, unusedBits);
      });
    });
    return { what, spki, code };
  };
  const none = (): void => undefined;
  const asNull = (body: DerWriter): void => body.null();
  const namedP256 = (body: DerWriter): void => body.oid("1.2.840.10045.3.1.7");
  const pss = "1.2.840.113549.1.1.10";
  const malformed = "ERR_CRYPTO_MALFORMED_KEY";
  return [
    strange("RSA without its NULL", malformed, rsa, "1.2.840.113549.1.1.1", none),
    strange("RSA with other parameters", malformed, rsa, "1.2.840.113549.1.1.1", (body) => body.integer(0)),
    strange("RSA under id-ea-rsa", "ERR_CRYPTO_UNSUPPORTED_KEY", rsa, "2.5.8.1.1", asNull),
    strange("RSA with octets behind", malformed, Uint8Array.from([...rsa, 0]), "1.2.840.113549.1.1.1", asNull),
    strange("PSS with NULL", malformed, rsa, pss, asNull),
    strange("PSS with all defaults", "ERR_CRYPTO_SHA1_SIGNATURE", rsa, pss, (body) => body.sequence(none)),
    strange("PSS with the default salt spelled out", malformed, rsa, pss, pssParameters(20)),
    strange("PSS with a salt of 1025", malformed, rsa, pss, pssParameters(1025)),
    strange("EC without a curve", malformed, p256, "1.2.840.10045.2.1", none),
    strange("EC with NULL", malformed, p256, "1.2.840.10045.2.1", asNull),
    strange("EC under id-ecDH", "ERR_CRYPTO_UNSUPPORTED_KEY", p256, "1.3.132.1.12", namedP256),
    strange("EC of another curve", "ERR_CRYPTO_PUBLIC_POINT", p256, "1.2.840.10045.2.1", (body) =>
      body.oid("1.3.132.0.34"),
    ),
    strange("EC with unused bits", malformed, Uint8Array.from([...p256, 0]), "1.2.840.10045.2.1", namedP256, 7),
    strange("Ed25519 with NULL", malformed, ed25519, "1.3.101.112", asNull),
    strange("Ed25519 of 31 octets", malformed, ed25519.subarray(1), "1.3.101.112", none),
  ];
}

/** SHA-256 for both uses. */
function pssParameters(saltLength: number): (body: DerWriter) => void {
  const sha256 = (field: DerWriter): void => field.sequence((hash) => hash.oid("2.16.840.1.101.3.4.2.1"));
  return (body) => {
    body.sequence((parameters) => {
      parameters.explicit(0, sha256);
      parameters.explicit(1, (field) => {
        field.sequence((mask) => {
          mask.oid("1.2.840.113549.1.1.8");
          sha256(mask);
        });
      });
      parameters.explicit(2, (field) => field.integer(saltLength));
    });
  };
}

function magnitude(value: bigint): Uint8Array {
  const text = value.toString(16);
  return fromHex(text.padStart(text.length + (text.length % 2), "0"));
}

function rsaPublicKey(modulus: bigint, exponent: bigint): Uint8Array {
  return encodeDer((writer) => {
    writer.sequence((body) => {
      body.unsignedInteger(magnitude(modulus));
      body.unsignedInteger(magnitude(exponent));
    });
  });
}

function sec1(scalar: Uint8Array): Uint8Array {
  return encodeDer((writer) => {
    writer.sequence((body) => {
      body.integer(1);
      body.octetString(scalar);
      body.explicit(0, (field) => field.oid("1.2.840.10045.3.1.7"));
    });
  });
}

/** Where each INTEGER of a SEQUENCE has its last octet. */
function integerEnds(der: Uint8Array): number[] {
  const ends: number[] = [];
  let position = 4;
  while (position < der.length) {
    const first = der[position + 1]!;
    const [header, length] =
      first < 0x80
        ? [2, first]
        : first === 0x81
          ? [3, der[position + 2]!]
          : [4, der[position + 2]! * 256 + der[position + 3]!];
    position += header + length;
    ends.push(position - 1);
  }
  return ends;
}
