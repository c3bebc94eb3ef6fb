/** Every suite, group, key and mode of client authentication, and the files that other programs need for them. */

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeProvider } from "@latchkey/crypto/node";
import { certificateToPem, privateKeyToPem } from "@latchkey/x509";
import { allCipherSuites, type CipherSuite } from "../src/cipher-suite.ts";
import type { NamedGroup, ServerConfig } from "../src/index.ts";
import { type Identity, type KeyKind, newDevice, newServer, root } from "./identities.ts";

export interface Combination {
  readonly suite: CipherSuite;
  readonly group: NamedGroup;
  readonly key: KeyKind;
  readonly clientAuthentication: ServerConfig["clientAuthentication"];
}

const keys: readonly KeyKind[] = ["p256", "p384", "ed25519", "rsa"];

/** All that can be negotiated: in TLS 1.2 the suite goes with the kind of the server's key. */
export function combinations(): Combination[] {
  const all: Combination[] = [];
  for (const suite of allCipherSuites) {
    for (const key of keys) {
      if (suite.authentication !== undefined && (suite.authentication === "rsa") !== (key === "rsa")) continue;
      for (const group of ["x25519", "secp256r1", "secp384r1"] as const) {
        for (const clientAuthentication of ["none", "request", "require"] as const) {
          all.push({ suite, key, group, clientAuthentication });
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
    rsa: party(`${role}-rsa`, make("rsa")),
  });
  return {
    rootFile: write("root.pem", certificateToPem(root.certificate)),
    servers: each("server", (kind) => newServer(root, kind)),
    devices: each("device", (kind) => newDevice(root, kind)),
  };
}
