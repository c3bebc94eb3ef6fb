/** ECDSA (FIPS 186-5 §6) with signatures as DER ECDSA-Sig-Values (RFC 3279 §2.2.3). */

import { Asn1Error, DerReader, encodeDer } from "@latchkey/asn1";
import { curveOf } from "../curve.ts";
import type { EcCurve } from "../provider.ts";
import { nobleCurve } from "./curves.ts";

/** X.509 does not demand a low s, as blockchains do. Noble does not hash: a curve may be used with any hash here. */
const options = { prehash: false, lowS: false, format: "compact" } as const;

/** Signs a hash, by RFC 6979 with fresh randomness mixed in (its §3.6). */
export function signEcdsa(curve: EcCurve, scalar: Uint8Array, hash: Uint8Array): Uint8Array {
  const { octets } = curveOf(curve);
  const signature = nobleCurve(curve).sign(hash, scalar, { ...options, extraEntropy: true });
  return encodeDer((writer) => {
    writer.sequence((body) => {
      body.unsignedInteger(signature.subarray(0, octets));
      body.unsignedInteger(signature.subarray(octets));
    });
  });
}

/** Whether a signature over a hash is by the key of `point`. Anything but strict DER is not. */
export function verifyEcdsa(curve: EcCurve, point: Uint8Array, hash: Uint8Array, signature: Uint8Array): boolean {
  const compact = compactSignature(signature, curveOf(curve).octets);
  return compact !== undefined && nobleCurve(curve).verify(compact, hash, point, options);
}

/** r and s, each of fixed width, one behind the other. */
function compactSignature(der: Uint8Array, octets: number): Uint8Array | undefined {
  try {
    const reader = new DerReader(der);
    const body = reader.sequence();
    const r = body.unsignedInteger();
    const s = body.unsignedInteger();
    body.end();
    reader.end();
    if (r.length > octets || s.length > octets) return undefined;
    const compact = new Uint8Array(2 * octets);
    compact.set(r, octets - r.length);
    compact.set(s, 2 * octets - s.length);
    return compact;
  } catch (error) {
    if (error instanceof Asn1Error) return undefined;
    throw error;
  }
}
