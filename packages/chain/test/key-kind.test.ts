/** Which kind of key there is, its size, and which keys the CA/Browser Forum accepts. */

import { encodeDer, encodeOid } from "@latchkey/asn1";
import { nodeProvider } from "@latchkey/crypto/node";
import { expect, test } from "vitest";
import { keyFault, keyKindOf } from "../src/key-kind.ts";

function spki(oid: string, key: Uint8Array, parameter?: Uint8Array): Uint8Array {
  return encodeDer((writer) =>
    writer.sequence((fields) => {
      fields.sequence((algorithm) => {
        algorithm.oid(encodeOid(oid));
        if (parameter !== undefined) algorithm.encoded(parameter);
      });
      fields.bitString(key);
    }),
  );
}

/** A modulus of so many bits, all of them set. */
function rsa(bits: number, oid = "1.2.840.113549.1.1.1"): Uint8Array {
  const modulus = new Uint8Array(Math.ceil(bits / 8)).fill(0xff);
  if (bits % 8 > 0) modulus[0] = (1 << (bits % 8)) - 1;
  const positive = (modulus[0]! & 0x80) === 0 ? modulus : Uint8Array.from([0, ...modulus]);
  const key = encodeDer((writer) =>
    writer.sequence((numbers) => {
      numbers.primitive(0x02, positive);
      numbers.integer(65_537);
    }),
  );
  return spki(oid, key);
}

test.each(["P-256", "P-384", "P-521"] as const)("%s", (curve) => {
  const kind = keyKindOf(nodeProvider.generateKeyPair({ name: "ec", curve }).publicKey.spki);
  expect(kind).toEqual({ name: curve });
  expect(keyFault(kind)).toBeUndefined();
});

test("Ed25519", () => {
  const kind = keyKindOf(nodeProvider.generateKeyPair({ name: "ed25519" }).publicKey.spki);
  expect(kind).toEqual({ name: "Ed25519" });
  expect(keyFault(kind)).toBeUndefined();
});

test.each([
  [2048, true],
  [2047, false],
  [2049, false],
  [2056, true],
  [1024, false],
  [4096, true],
])("RSA of %i bits is accepted: %o", (modulusBits, isAccepted) => {
  const kind = keyKindOf(rsa(modulusBits));
  expect(kind).toEqual({ name: "RSA", modulusBits, exponentBits: 17 });
  expect(keyFault(kind)?.bits).toBe(isAccepted ? undefined : modulusBits);
  expect(keyKindOf(rsa(modulusBits, "1.2.840.113549.1.1.10"))).toEqual(kind);
});

test.each([
  ["1.3.101.110", "1.3.101.110", undefined],
  ["1.2.840.10045.2.1", "an unnamed curve", undefined],
  ["1.2.840.10045.2.1", "an unnamed curve", Uint8Array.of(0x06, 3, 0x2b, 0x81, 0x04)],
])("%s is another key: %s", (oid, algorithm, parameter) => {
  const kind = keyKindOf(spki(oid, Uint8Array.of(1), parameter));
  expect(kind).toEqual({ name: "other", algorithm });
  expect(keyFault(kind)).toMatchObject({ algorithm, bits: undefined });
});

test("a key that cannot be read is none that is accepted", () => {
  const kind = keyKindOf(Uint8Array.of(1, 2, 3));
  expect(kind).toEqual({ name: "other", algorithm: "an unreadable key" });
  expect(keyFault(kind)).toBeDefined();
});
