/** Every suite, group, key and mode of client authentication, and the files that other programs need for them. */

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeProvider } from "@latchkey/crypto/node";
import { certificateToPem, privateKeyToPem } from "@latchkey/x509";
import { allCipherSuites, type CipherSuite } from "../src/cipher-suite.ts";
import type { NamedGroup, ServerConfig, SignatureScheme } from "../src/index.ts";
import { allSchemes, schemeAuthentication, schemeIsOf } from "../src/signature-scheme.ts";
import { type Identity, type KeyKind, newDevice, newServer, root } from "./identities.ts";

export interface Combination {
  readonly suite: CipherSuite;
  readonly group: NamedGroup;
  /** What both sides sign by; the only one that ours takes. */
  readonly scheme: SignatureScheme;
  readonly clientAuthentication: ServerConfig["clientAuthentication"];
}

/** The kind of key that signs by a scheme. */
export function keyOf(scheme: SignatureScheme): KeyKind {
  if (scheme.startsWith("rsa")) return scheme.startsWith("rsa_pss_pss") ? "rsa-pss" : "rsa";
  if (scheme === "ecdsa_secp256r1_sha256") return "p256";
  if (scheme === "ecdsa_secp384r1_sha384") return "p384";
  return scheme === "ed25519" ? "ed25519" : "p521";
}

/**
 * All that can be negotiated. In TLS 1.2 the suite goes with the kind of key, and the curve of a certificate is one that the
 * client offers as a group (RFC 8422 §5.1), which P-521 is not here.
 */
export function combinations(): Combination[] {
  const all: Combination[] = [];
  for (const suite of allCipherSuites) {
    for (const scheme of allSchemes) {
      if (!schemeIsOf(scheme, suite.version)) continue;
      if (suite.version === "TLSv1.2" && keyOf(scheme) === "p521") continue;
      if (suite.authentication !== undefined && suite.authentication !== schemeAuthentication(scheme)) continue;
      for (const group of ["x25519", "secp256r1", "secp384r1"] as const) {
        for (const clientAuthentication of ["none", "request", "require"] as const) {
          all.push({ suite, scheme, group, clientAuthentication });
        }
      }
    }
  }
  return all;
}

interface Party {
  readonly identity: Identity;
  readonly certificateFile: string;
  readonly keyFile: string;
}

export interface Parties {
  readonly rootFile: string;
  readonly servers: Readonly<Record<KeyKind, Party>>;
  readonly devices: Readonly<Record<KeyKind, Party>>;
}

/** Issues one of each kind and writes PEM files into a folder for temporary files. */
export function writeParties(): Parties {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-tls-"));
  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  const party = (name: string, identity: Identity): Party => ({
    identity,
    certificateFile: write(`${name}.pem`, certificateToPem(identity.certificate)),
    keyFile: write(`${name}.key`, privateKeyToPem(identity.keys.privateKey, { provider: nodeProvider })),
  });
  const each = (role: string, make: (kind: KeyKind) => Identity): Record<KeyKind, Party> => ({
    p256: party(`${role}-p256`, make("p256")),
    p384: party(`${role}-p384`, make("p384")),
    ed25519: party(`${role}-ed25519`, make("ed25519")),
    p521: party(`${role}-p521`, make("p521")),
    rsa: party(`${role}-rsa`, make("rsa")),
    "rsa-pss": party(`${role}-rsa-pss`, make("rsa-pss")),
  });
  return {
    rootFile: write("root.pem", certificateToPem(root.certificate)),
    servers: each("server", (kind) => newServer(root, kind)),
    devices: each("device", (kind) => newDevice(root, kind)),
  };
}
