/** What all readers of keys and algorithms use: they turn errors of the DER reader into errors of this package. */

import { Asn1Error, DerReader, equalBytes, type DerElement } from "@latchkey/asn1";
import { CryptoError } from "./errors.ts";

/** An AlgorithmIdentifier (RFC 5280 §4.1.1.2) taken apart; the views are valid as long as the bytes that were read. */
export interface AlgorithmIdentifier {
  readonly oid: Uint8Array;
  readonly parameters: DerElement | undefined;
  /** Where it starts. */
  readonly offset: number;
}

/** The codes of structures that are malformed. */
export type StructureCode = "ERR_CRYPTO_MALFORMED_KEY" | "ERR_CRYPTO_MALFORMED_ALGORITHM";

/** Runs `read`; what the DER reader throws in it comes out as `code`, with its reason, offset and clause. */
export function reading<T>(code: StructureCode, what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof Asn1Error) {
      throw new CryptoError(code, `${what} is malformed: ${cause.reason}`, {
        problem: "structure",
        offset: cause.offset,
        clause: cause.clause,
        cause,
      });
    }
    throw cause;
  }
}

/** Reads `SEQUENCE { OBJECT IDENTIFIER, ANY OPTIONAL }`. */
export function readAlgorithmIdentifier(parent: DerReader): AlgorithmIdentifier {
  const offset = parent.offset;
  const body = parent.sequence();
  const oid = body.oid();
  const parameters = body.isAtEnd ? undefined : body.any();
  body.end();
  return { oid, parameters, offset };
}

/** Whether the parameters are there and are NULL. */
export function isNull(parameters: DerElement | undefined): boolean {
  return parameters !== undefined && equalBytes(parameters.encoding, Uint8Array.of(0x05, 0x00));
}

/** A reader over the content of `element`, whose errors count from where `element` was read. */
export function contentReader(element: DerElement): DerReader {
  return new DerReader(element.content, { baseOffset: element.contentOffset });
}

/** A reader over a view into `whole`, whose errors count from the start of `whole`. */
export function innerReader(whole: Uint8Array, view: Uint8Array): DerReader {
  return new DerReader(view, { baseOffset: view.byteOffset - whole.byteOffset });
}
