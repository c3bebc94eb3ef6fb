/**
 * The blocks of PEM text (RFC 7468) that are wanted. Blocks of other kinds are passed over, whatever they hold: encrypted
 * keys with headers, OpenPGP, text.
 */

import { findPemSections, type PemBlock } from "@latchkey/asn1";
import { reading, X509Error } from "./errors.ts";

/** Runs `read`; an error of it says which of the wanted blocks it is about. */
export function inBlock<T>(index: number, label: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof X509Error) error.message = `PEM block ${index + 1} (${label}): ${error.message}`;
    throw error;
  }
}

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
  const isDer = typeof text !== "string" && text[0] === 0x30;
  const reason =
    found.length > 0
      ? `${start}; found: ${listLabels(found)}`
      : isDer
        ? `${start}: the input is DER; the functions whose names start with parse read that`
        : `${start}: the text has no line -----BEGIN ${wanted[0] ?? ""}-----`;
  return new X509Error("ERR_X509_PEM_LABEL", reason, { found, wanted, clause: "RFC 7468" });
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
