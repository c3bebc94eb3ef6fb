/** Octets in hexadecimal. */

const octetTexts: readonly string[] = /* @__PURE__ */ Array.from({ length: 256 }, (_, octet) =>
  octet.toString(16).padStart(2, "0"),
);

/** Lower-case hexadecimal, two digits an octet, `separator` between octets. */
export function hexText(bytes: Uint8Array, separator = ""): string {
  // Joined, since a text that is added to octet by octet is kept as a chain of its parts, 2 KiB for an identifier.
  const texts: string[] = [];
  for (const octet of bytes) texts.push(octetTexts[octet] ?? "");
  return texts.join(separator);
}
