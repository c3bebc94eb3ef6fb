/** Roots, servers and devices for tests. */

import { generateKeyPairSync } from "node:crypto";
import { type KeyGenerationAlgorithm, type KeyPair } from "@latchkey/crypto";
import { nodeProvider } from "@latchkey/crypto/node";
import * as x509 from "@latchkey/x509";
import { type Credential, keyCredential } from "../src/index.ts";

/** Milliseconds. Other programs look at the real clock, so certificates are made for it. */
export const now: number = Date.now();
const seconds = Math.floor(now / 1000);

export type KeyKind = "p256" | "p384" | "p521" | "ed25519" | "rsa" | "rsa-pss";

const algorithms: Readonly<Record<Exclude<KeyKind, "rsa-pss">, KeyGenerationAlgorithm>> = {
  p256: { name: "ec", curve: "P-256" },
  p384: { name: "ec", curve: "P-384" },
  p521: { name: "ec", curve: "P-521" },
  ed25519: { name: "ed25519" },
  rsa: { name: "rsa", modulusBits: 2048 },
};

function newKeys(kind: KeyKind): KeyPair {
  if (kind !== "rsa-pss") return nodeProvider.generateKeyPair(algorithms[kind]);
  // A key for PSS only, with any hash: the provider makes none.
  const { privateKey } = generateKeyPairSync("rsa-pss", { modulusLength: 2048 });
  const key = nodeProvider.importPkcs8(new Uint8Array(privateKey.export({ format: "der", type: "pkcs8" })));
  return { privateKey: key, publicKey: key.publicKey };
}

export interface Identity {
  readonly certificate: x509.Certificate;
  readonly keys: KeyPair;
  readonly credential: Credential;
}

export interface Authority {
  readonly certificate: x509.Certificate;
  readonly keys: KeyPair;
}

function name(commonName: string): x509.Name {
  return x509.makeName([{ type: "commonName", value: commonName }]);
}

export function newAuthority(commonName: string = "Pizza Root", kind: KeyKind = "p256"): Authority {
  const keys = newKeys(kind);
  const template = x509.certificateAuthority({
    subject: name(commonName),
    validity: x509.validityFrom(seconds - 86_400, 3650),
  });
  const certificate = x509.issueSelfSignedCertificate({
    provider: nodeProvider,
    privateKey: keys.privateKey,
    template,
  });
  return { certificate, keys };
}

function newIdentity(authority: Authority, template: x509.CertificateTemplate, kind: KeyKind = "p256"): Identity {
  const keys = newKeys(kind);
  const issuer = { certificate: authority.certificate, privateKey: authority.keys.privateKey };
  const certificate = x509.issueCertificate({ provider: nodeProvider, issuer, template, publicKey: keys.publicKey });
  const credential = keyCredential({
    provider: nodeProvider,
    privateKey: keys.privateKey,
    chain: [certificate.encoding],
  });
  return { certificate, keys, credential };
}

export function newServer(authority: Authority, kind: KeyKind = "p256", dnsName: string = "broker.example"): Identity {
  const validity = x509.validityFrom(seconds - 3600, 365);
  return newIdentity(
    authority,
    x509.serverCertificate({ dnsNames: [dnsName], ipAddresses: ["127.0.0.1"], validity }),
    kind,
  );
}

export function newDevice(authority: Authority, kind: KeyKind = "p256", days: number = 365): Identity {
  const validity = x509.validityFrom(seconds - 3600, days);
  return newIdentity(authority, x509.deviceCertificate({ subject: name("button-1"), validity }), kind);
}

export const root: Authority = newAuthority();
export const server: Identity = newServer(root);
export const device: Identity = newDevice(root);
