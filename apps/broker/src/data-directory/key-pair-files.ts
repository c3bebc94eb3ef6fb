/**
 * A certificate and its private key, each in a file of the data directory.
 *
 * The key is written first, so a certificate without its key means damage, and a key without its certificate an interrupted
 * start.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "@latchkey/command-line";
import { decodePem, encodePem } from "@latchkey/asn1";
import type { PrivateKey } from "@latchkey/crypto";
import { nodeProvider } from "@latchkey/crypto/node";
import type { KeyPairStore } from "@latchkey/registry";
import { certificatesFromPem, certificateToPem, type CertificateIssuer } from "@latchkey/x509";
import { writeFileWhole } from "./write-file.ts";

/** Where a certificate and its key lie. */
interface KeyPairFiles {
  readonly certificate: string;
  readonly privateKey: string;
}

/** The pairs of a data directory, each in two files. */
export function keyPairStore(directory: string): KeyPairStore {
  return {
    read: (name) => readKeyPair(keyPairFiles(directory, name)),
    write: (name, pair) => writeKeyPair(keyPairFiles(directory, name), pair),
    describe: (name) => keyPairFiles(directory, name),
  };
}

/** The files of the pair `name` in a data directory: `NAME.pem` and `NAME.key`. */
function keyPairFiles(directory: string, name: string): KeyPairFiles {
  return { certificate: join(directory, `${name}.pem`), privateKey: join(directory, `${name}.key`) };
}

/** Undefined where the certificate is not there. Throws an `Error` that names the file which cannot be read. */
async function readKeyPair(files: KeyPairFiles): Promise<CertificateIssuer | undefined> {
  const pem = await readIfThere(files.certificate);
  if (pem === undefined) return undefined;
  const keyPem = await readIfThere(files.privateKey);
  if (keyPem === undefined)
    throw new Error(`${files.privateKey} is missing: ${files.certificate} is useless without it`);
  const certificate = within(files.certificate, () => certificatesFromPem(pem)[0]);
  const privateKey = within(files.privateKey, () => {
    const [block] = decodePem(keyPem);
    return block?.label === "PRIVATE KEY" ? nodeProvider.importPkcs8(block.bytes) : undefined;
  });
  return { certificate, privateKey };
}

/** Writes the key, readable by its owner only, then the certificate. */
async function writeKeyPair(files: KeyPairFiles, { certificate, privateKey }: CertificateIssuer): Promise<void> {
  await writeFileWhole(files.privateKey, privateKeyToPem(privateKey), 0o600);
  await writeFileWhole(files.certificate, certificateToPem(certificate), 0o644);
}

/** PKCS #8 as PEM. */
export function privateKeyToPem(privateKey: PrivateKey): string {
  return encodePem("PRIVATE KEY", nodeProvider.exportPkcs8(privateKey));
}

/** Names the file in whatever goes wrong with its content. */
function within<T>(file: string, read: () => T | undefined): T {
  let value: T | undefined;
  try {
    value = read();
  } catch (cause) {
    throw new Error(`${file}: ${messageOf(cause)}`, { cause });
  }
  if (value === undefined) throw new Error(`${file} does not hold what it should`);
  return value;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new Error(`${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
