/** What a verifier keeps of paths that held: which certificates, which of them go first, and what is never taken for another. */

import { encodeOid } from "@latchkey/asn1";
import type { Extension } from "@latchkey/x509";
import { parseCertificate } from "@latchkey/x509";
import { expect, test } from "vitest";
import { Budget } from "../src/budget.ts";
import { ChainCertificate } from "../src/chain-certificate.ts";
import { KnownCertificates } from "../src/known-certificates.ts";
import { defaultLimits } from "../src/limits.ts";
import { authority, entity, issue, edwardsEntity } from "./issuing.ts";

const root = entity("Root");
const signer = root.keys.publicKey.spki;
const budget = (): Budget => new Budget({ ...defaultLimits, work: 1e9 });

function made(name: string, more: readonly Extension[] = []): Uint8Array {
  return issue({ subject: entity(name), issuer: root, extensions: authority({ more }) });
}

function prepared(der: Uint8Array): ChainCertificate {
  return new ChainCertificate(parseCertificate(der), {});
}

/** Which of these are known. */
function knownAmong(known: KnownCertificates, all: readonly Uint8Array[]): boolean[] {
  return all.map((der) => known.recall(der, budget()) !== undefined);
}

test("the ones that were used last stay", () => {
  const all = ["A", "B", "C", "D"].map((name) => made(name));
  const [a, b, c, d] = all as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const known = new KnownCertificates(3, {});
  for (const der of [a, b, c]) known.remember(prepared(der), signer);
  expect(known.recall(a, budget())).toBeDefined();
  known.remember(prepared(d), signer);
  expect(knownAmong(known, all)).toEqual([true, false, true, true]);
});

test("octets are copied, and the same certificate is kept once with each key that signed it", () => {
  const der = made("A");
  const given = der.slice();
  const known = new KnownCertificates(3, {});
  const key = signer.slice();
  known.remember(prepared(given), key);
  given.fill(0);
  key.fill(0);
  const kept = known.recall(der, budget());
  expect([kept?.certificate.encoding, kept?.isRemembered, kept?.wasSignedBy(signer)]).toEqual([der, true, true]);
  const another = entity("Other").keys.publicKey.spki;
  known.remember(prepared(der), another);
  expect(known.recall(der, budget())).toBe(kept);
  expect([kept?.wasSignedBy(signer), kept?.wasSignedBy(another)]).toEqual([true, true]);
});

test("one that ends with the same octets is another", () => {
  const der = made("A");
  const other = made("B");
  other.set(der.subarray(-6), other.length - 6);
  const known = new KnownCertificates(3, {});
  known.remember(prepared(der), signer);
  expect(known.recall(other, budget())).toBeUndefined();
  known.remember(prepared(other), signer);
  expect(known.recall(other, budget())?.certificate.encoding).toEqual(other);
  // It took the place of the first.
  expect(known.recall(der, budget())).toBeUndefined();
});

test("one of 16 KiB is kept, and a larger one is not", () => {
  const filler = (size: number): Extension => ({
    oid: encodeOid("1.2.3"),
    critical: false,
    value: new Uint8Array(size),
    valueOffset: 0,
  });
  // Ed25519, whose signatures have one length.
  const ofLength = (size: number): Uint8Array =>
    issue({
      subject: edwardsEntity("A"),
      issuer: edwardsEntity("Root"),
      extensions: authority({ more: [filler(size)] }),
      serialNumber: 1,
    });
  const size = 16_384 - ofLength(15_000).length + 15_000;
  const [largest, larger] = [ofLength(size), ofLength(size + 1)];
  expect([largest.length, larger.length]).toEqual([16_384, 16_385]);
  const known = new KnownCertificates(3, {});
  for (const der of [largest, larger]) known.remember(prepared(der), signer);
  expect(knownAmong(known, [largest, larger])).toEqual([true, false]);
});

test("comparing with a known one is charged, and ends with the budget", () => {
  const der = made("A");
  const known = new KnownCertificates(3, {});
  expect(known.recall(der, new Budget({ ...defaultLimits, work: 0 }))).toBeUndefined();
  known.remember(prepared(der), signer);
  const spent = budget();
  known.recall(der, spent);
  expect(spent.work).toBeCloseTo(der.length * 0.002);
  const ended = new Budget({ ...defaultLimits, work: 0 });
  expect(known.recall(der, ended)).toBeUndefined();
  expect(ended.exceeded).toMatchObject({ code: "ERR_CHAIN_LIMIT" });
});
