import { Asn1Error, DerReader, encodeDer } from "../src/index.ts";

/** What the reader makes of a time's text, or the code of its error. */
export function readTime(tag: number, text: string): number | string {
  const encoding = encodeDer((writer) =>
    writer.primitive(
      tag,
      Uint8Array.from(text, (char) => char.charCodeAt(0)),
    ),
  );
  try {
    return new DerReader(encoding).time();
  } catch (error) {
    if (error instanceof Asn1Error) return error.code;
    throw error;
  }
}
