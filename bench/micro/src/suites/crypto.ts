/**
 * The crypto providers beside the bare node:crypto calls with a KeyObject: what the node provider adds to them, and what
 * going without node:crypto costs. Everything is over octets of the size of a device certificate's TBSCertificate.
 */

import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from "node:crypto";
import type { CryptoProvider, PrivateKey, PublicKey, SignatureAlgorithm } from "@latchkey/crypto";
import { nobleProvider } from "@latchkey/crypto/noble";
import { nodeProvider } from "@latchkey/crypto/node";
import type { Contender, Scenario, Suite } from "../scenario.ts";

const OURS = "@latchkey/crypto";
const BARE = "bare";
const OCTETS = 420;
const ECDSA: SignatureAlgorithm = { name: "ecdsa", hash: "SHA-256" };
const PKCS1: SignatureAlgorithm = { name: "rsa-pkcs1", hash: "SHA-256" };

interface Signed {
  readonly data: Uint8Array;
  readonly signature: Uint8Array;
}

/** A key in all the forms that the contenders want, and 32 different signatures by it. */
interface Material {
  readonly spki: Uint8Array;
  readonly pkcs8: Uint8Array;
  readonly publicHandle: KeyObject;
  readonly signed: readonly Signed[];
}

export const suite: Suite = {
  name: "crypto",
  scenarios: {
    "crypto/verify/p256/node": () => {
      const p256 = p256Material();
      return scenario("signature", OCTETS, verifying(nodeProvider, p256, ECDSA), bareVerifying(p256));
    },
    "crypto/sign/p256/node": () => {
      const p256 = p256Material();
      return scenario("signature", OCTETS, signing(p256), bareSigning(p256));
    },
    "crypto/verify/rsa2048/node": async () => {
      const rsa = await rsaMaterial();
      return scenario("signature", OCTETS, verifying(nodeProvider, rsa, PKCS1), bareVerifying(rsa));
    },
    "crypto/import/p256/node": () => {
      const p256 = p256Material();
      return scenario("key", p256.spki.length, importing(nodeProvider, p256), bareImporting(p256));
    },
    "crypto/verify/p256/noble": () => {
      const p256 = p256Material();
      return scenario("signature", OCTETS, verifying(nobleProvider, p256, ECDSA), bareVerifying(p256));
    },
    "crypto/verify/rsa2048/noble": async () => {
      const rsa = await rsaMaterial();
      return scenario("signature", OCTETS, verifying(nobleProvider, rsa, PKCS1), bareVerifying(rsa));
    },
  },
};

function scenario(unit: string, bytesPerOperation: number, subject: Contender, peer: Contender): Scenario {
  return { unit, bytesPerOperation, subject, peers: [peer] };
}

function p256Material(): Material {
  return material(nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" }), ECDSA);
}

async function rsaMaterial(): Promise<Material> {
  return material(await nodeProvider.generateKeyPairAsync({ name: "rsa", modulusBits: 2048 }), PKCS1);
}

function material(
  { privateKey, publicKey }: { privateKey: PrivateKey; publicKey: PublicKey },
  algorithm: SignatureAlgorithm,
): Material {
  const signed = Array.from({ length: 32 }, () => {
    const data = nodeProvider.randomBytes(OCTETS);
    return { data, signature: nodeProvider.sign(privateKey, algorithm, data) };
  });
  return {
    spki: publicKey.spki,
    pkcs8: nodeProvider.exportPkcs8(privateKey),
    publicHandle: createPublicKey({ key: Buffer.from(publicKey.spki), format: "der", type: "spki" }),
    signed,
  };
}

function verifying(provider: CryptoProvider, { spki, signed }: Material, algorithm: SignatureAlgorithm): Contender {
  const key = provider.importSpki(spki);
  return {
    name: OURS,
    run: () => count(signed, ({ data, signature }) => provider.verify(key, algorithm, data, signature)),
  };
}

function bareVerifying({ publicHandle, signed }: Material): Contender {
  return {
    name: BARE,
    run: () => count(signed, ({ data, signature }) => verify("sha256", data, publicHandle, signature)),
  };
}

function signing({ pkcs8, signed }: Material): Contender {
  const key = nodeProvider.importPkcs8(pkcs8);
  return { name: OURS, run: () => count(signed, ({ data }) => nodeProvider.sign(key, ECDSA, data).length > 0) };
}

function bareSigning({ pkcs8, signed }: Material): Contender {
  const handle = createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
  return { name: BARE, run: () => count(signed, ({ data }) => sign("sha256", data, handle).length > 0) };
}

function importing(provider: CryptoProvider, { spki, signed }: Material): Contender {
  return { name: OURS, run: () => count(signed, () => provider.importSpki(spki).algorithm.name === "ec") };
}

function bareImporting({ spki, signed }: Material): Contender {
  const key = Buffer.from(spki);
  return {
    name: BARE,
    run: () => count(signed, () => createPublicKey({ key, format: "der", type: "spki" }).asymmetricKeyType === "ec"),
  };
}

/** How many items passed; all have to. */
function count<T>(items: readonly T[], passes: (item: T) => boolean): number {
  let passed = 0;
  for (const item of items) if (passes(item)) passed++;
  if (passed !== items.length) throw new Error(`${items.length - passed} of ${items.length} failed`);
  return passed;
}
