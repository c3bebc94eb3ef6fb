/**
 * The blocks of PEM text (RFC 7468) that are wanted. Blocks of other kinds are passed over, whatever they hold: encrypted
 * keys with headers, OpenPGP, text.
 */

import { findPemSections, type PemBlock } from "@latchkey/asn1";
import { reading, X509Error } from "./errors.ts";
import { type FileStructure, structureOf } from "./file-structure.ts";

/**
 * Reads a block; an error says which of the wanted blocks it is about, and what the block holds where its label says
 * something else.
 */
export function inBlock<T>(index: number, { label, bytes }: PemBlock, wanted: FileStructure, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof X509Error)) throw error;
    const structure = structureOf(bytes);
    if (structure !== undefined && structure !== wanted) throw otherContent(label, structure, [label], index);
    error.message = `PEM block ${index + 1} (${label}): ${error.message}`;
    throw error;
  }
}

/** A block that holds something else than its label says: says what, and which label and function are right for it. */
export function otherContent(
  label: string,
  structure: FileStructure,
  wanted: readonly string[],
  index?: number,
): X509Error {
  const { what, label: right, fromPem } = contents[structure];
  const block = index === undefined ? `the block labelled ${label}` : `PEM block ${index + 1} (${label})`;
  const mend = right === undefined ? fromPem : `label it ${right} for ${fromPem}`;
  const reason = `${block} holds ${what}: ${mend}`;
  return new X509Error("ERR_X509_PEM_LABEL", reason, { found: [label], wanted, clause: "RFC 7468" });
}

interface Content {
  /** What it is, in words. */
  readonly what: string;
  /** The label of its PEM block, where it has one. */
  readonly label?: string;
  /** The function that reads the block, or the command that makes PEM of it. */
  readonly fromPem: string;
  /** The function that reads its DER. */
  readonly fromDer?: string;
}

const privateKey = { label: "PRIVATE KEY", fromPem: "privateKeyFromPem" };
const publicKey = { label: "PUBLIC KEY", fromPem: "publicKeyFromPem" };
const contents: Readonly<Record<FileStructure, Content>> = {
  PrivateKeyInfo: { ...privateKey, what: "a private key (PrivateKeyInfo)", fromDer: "a provider's importPkcs8" },
  ECPrivateKey: { ...privateKey, what: "a private key (ECPrivateKey)", fromDer: "a provider's importSec1" },
  RSAPrivateKey: {
    ...privateKey,
    what: "a private key (RSAPrivateKey)",
    fromDer: "a provider's importPkcs1PrivateKey",
  },
  EncryptedPrivateKeyInfo: {
    what: "an encrypted private key",
    label: "ENCRYPTED PRIVATE KEY",
    fromPem: "privateKeyFromPem",
    fromDer: "decryptPrivateKeyInfo",
  },
  SubjectPublicKeyInfo: {
    ...publicKey,
    what: "a public key (SubjectPublicKeyInfo)",
    fromDer: "a provider's importSpki",
  },
  RSAPublicKey: { ...publicKey, what: "a public key (RSAPublicKey)", fromDer: "a provider's importPkcs1PublicKey" },
  Certificate: {
    what: "a certificate",
    label: "CERTIFICATE",
    fromPem: "certificatesFromPem",
    fromDer: "parseCertificate",
  },
  CertificationRequest: {
    what: "a certificate request",
    label: "CERTIFICATE REQUEST",
    fromPem: "certificationRequestFromPem",
    fromDer: "parseCertificationRequest",
  },
  CertificateList: {
    what: "a revocation list",
    label: "X509 CRL",
    fromPem: "revocationListsFromPem",
    fromDer: "parseCertificateRevocationList",
  },
  PFX: { what: "a PKCS #12 file", fromPem: "openssl pkcs12 -in FILE -nodes writes its parts as PEM" },
};

/** The blocks whose label is wanted; at least one. */
export function blocksOf(text: string | Uint8Array, wanted: readonly string[]): PemBlock[] {
  const sections = reading("PEM", () => findPemSections(text, (label) => wanted.includes(label)));
  const blocks = sections
    .filter(({ label }) => wanted.includes(label))
    .map(({ label, offset, decode }) => ({ label, offset, bytes: reading("PEM", decode) }));
  if (blocks.length > 0) return blocks;
  throw labelFault(
    text,
    wanted,
    sections.map(({ label }) => label),
  );
}

/** The only block whose label is wanted. */
export function blockOf(text: string | Uint8Array, wanted: readonly string[]): PemBlock {
  const blocks = blocksOf(text, wanted);
  const [block] = blocks;
  if (block !== undefined && blocks.length === 1) return block;
  throw severalBlocks(
    wanted,
    blocks.map(({ label }) => label),
  );
}

/** More blocks than the one that was asked for. */
export function severalBlocks(wanted: readonly string[], found: readonly string[]): Error {
  const reason = `${found.length} PEM blocks (${listLabels(found)}) where one belongs: split the text`;
  return new X509Error("ERR_X509_PEM_LABEL", reason, { found, wanted, clause: "RFC 7468" });
}

/** No block whose label is wanted: says what there is instead, and what reads it. */
export function labelFault(text: string | Uint8Array, wanted: readonly string[], found: readonly string[]): Error {
  const start = `no PEM block labelled ${wanted[0] ?? ""}`;
  const reason =
    found.length > 0
      ? `${start}; found: ${listLabels(found)}`
      : `${start}: ${derFault(text) ?? `the text has no line -----BEGIN ${wanted[0] ?? ""}-----`}`;
  return new X509Error("ERR_X509_PEM_LABEL", reason, { found, wanted, clause: "RFC 7468" });
}

/** What DER in place of PEM holds, and what reads it; undefined where the input is no DER. */
function derFault(input: string | Uint8Array): string | undefined {
  if (typeof input === "string" || input[0] !== 0x30) return undefined;
  const structure = structureOf(input);
  if (structure === undefined) return "the input is DER; the functions whose names start with parse read that";
  const { what, fromPem, fromDer } = contents[structure];
  return `the input is DER and holds ${what}: ${fromDer === undefined ? fromPem : `${fromDer} reads that`}`;
}

/** Each label once, with the function that reads it. */
function listLabels(labels: readonly string[]): string {
  return [...new Set(labels)]
    .slice(0, 8)
    .map((label) => {
      const reader = readers.find(([pattern]) => pattern.test(label))?.[1];
      return reader === undefined ? label : `${label} (${reader})`;
    })
    .join(", ");
}

const readers: readonly (readonly [pattern: RegExp, reader: string])[] = [
  [/^(?:X\.?509 |TRUSTED )?CERTIFICATE$/, "certificatesFromPem reads it"],
  [/^(?:NEW )?CERTIFICATE REQUEST$/, "certificationRequestFromPem reads it"],
  [/^X509 CRL$/, "revocationListsFromPem reads it"],
  [/^OPENSSH PRIVATE KEY$/, "ssh-keygen -p -m PKCS8 -f FILE rewrites it as PRIVATE KEY"],
  [/PRIVATE KEY$/, "privateKeyFromPem reads it"],
  [/PUBLIC KEY$/, "publicKeyFromPem reads it"],
  [/^(?:PKCS7|CMS)$/, "openssl pkcs7 -print_certs writes its certificates"],
];
