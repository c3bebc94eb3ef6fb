/** ServerKeyExchange and ClientKeyExchange of ECDHE (RFC 8422 §5.4 and §5.7). */

import { illegalParameter } from "../errors.ts";
import { Reader } from "../reader.ts";
import { type SignatureScheme, schemeNumber } from "../signature-scheme.ts";
import { written } from "../writer.ts";
import { type DigitallySigned, readSigned } from "./certificate-verify.ts";

const namedCurve = 3;

/** A ServerKeyExchange. */
export interface ServerKeyExchange extends DigitallySigned {
  readonly group: number;
  readonly publicValue: Uint8Array;
  /** ServerECDHParams as it came: what is signed behind the two randoms. */
  readonly parameters: Uint8Array;
}

/** Reads a ServerKeyExchange: a named curve, nothing else. */
export function readServerKeyExchange(body: Uint8Array): ServerKeyExchange {
  const reader = new Reader(body, "ServerKeyExchange");
  const kind = reader.uint8();
  if (kind !== namedCurve) {
    throw illegalParameter("The key exchange names no curve", "RFC 8422 §5.4", { found: `${kind}`, allowed: "3" });
  }
  const group = reader.uint16();
  const publicValue = reader.vector8(1);
  const parameters = body.subarray(0, reader.offset);
  return { group, publicValue, parameters, ...readSigned(reader) };
}

/** ServerECDHParams. */
export function writeParameters(group: number, publicValue: Uint8Array): Uint8Array<ArrayBuffer> {
  return written((writer) => writer.uint8(namedCurve).uint16(group).vector8(publicValue));
}

/** What the signature of a ServerKeyExchange is over (RFC 8422 §5.4): both randoms and the parameters. */
export function signedParameters(
  clientRandom: Uint8Array,
  serverRandom: Uint8Array,
  parameters: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return written((writer) => writer.octets(clientRandom).octets(serverRandom).octets(parameters));
}

/** The body of a ServerKeyExchange. */
export function writeServerKeyExchange(
  parameters: Uint8Array,
  scheme: SignatureScheme,
  signature: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return written((writer) => writer.octets(parameters).uint16(schemeNumber(scheme)).vector16(signature));
}

/** Reads a ClientKeyExchange: the client's public value. */
export function readClientKeyExchange(body: Uint8Array): Uint8Array {
  const reader = new Reader(body, "ClientKeyExchange");
  const publicValue = reader.vector8(1);
  reader.end();
  return publicValue;
}

/** The body of a ClientKeyExchange. */
export function writeClientKeyExchange(publicValue: Uint8Array): Uint8Array<ArrayBuffer> {
  return written((writer) => writer.vector8(publicValue));
}
