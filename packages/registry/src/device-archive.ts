/** A device bundle as one file: a tar archive in the ustar format (POSIX.1-1988), which every tar program reads. */

import type { BundleFile } from "./device-bundle.ts";

const blockOctets = 512;

/** The archive of a bundle's files, all in a folder `name`. `modifiedAtSeconds` is the files' time. */
export function deviceArchive(name: string, files: readonly BundleFile[], modifiedAtSeconds: number): Uint8Array {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  for (const file of files) {
    const content = encoder.encode(file.content);
    parts.push(header(`${name}/${file.name}`, content.length, file.isSecret ? "600" : "644", modifiedAtSeconds));
    parts.push(content, new Uint8Array((blockOctets - (content.length % blockOctets)) % blockOctets));
  }
  // Two empty blocks end an archive.
  parts.push(new Uint8Array(2 * blockOctets));
  const archive = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    archive.set(part, offset);
    offset += part.length;
  }
  return archive;
}

/** The fields of a ustar header at their places; numbers are octal text. The path has at most 100 octets. */
function header(path: string, size: number, mode: string, modifiedAtSeconds: number): Uint8Array {
  const block = new Uint8Array(blockOctets);
  const put = (text: string, offset: number): void => block.set(new TextEncoder().encode(text), offset);
  put(path.slice(0, 100), 0);
  put(`${mode.padStart(7, "0")}\0`, 100);
  put(octal(0, 8), 108);
  put(octal(0, 8), 116);
  put(octal(size, 12), 124);
  put(octal(modifiedAtSeconds, 12), 136);
  // While the sum of the header is taken, its own field is spaces.
  put(" ".repeat(8), 148);
  put("0", 156);
  put("ustar\u000000", 257);
  const sum = block.reduce((total, octet) => total + octet, 0);
  put(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function octal(value: number, length: number): string {
  return `${value.toString(8).padStart(length - 1, "0")}\0`;
}
