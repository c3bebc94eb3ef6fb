/** Octets in hexadecimal. */

const octetTexts: readonly string[] = /* @__PURE__ */ Array.from({ length: 256 }, (_, octet) =>
  octet.toString(16).padStart(2, "0"),
);

/** Lower-case hexadecimal, two digits an octet, `separator` between octets. */
export function hexText(bytes: Uint8Array, separator = ""): string {
  let text = "";
  for (let index = 0; index < bytes.length; index++) {
    if (index > 0 && separator !== "") text += separator;
    text += octetTexts[bytes[index] ?? 0] ?? "";
  }
  return text;
}
