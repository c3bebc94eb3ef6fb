/** The named curves of RFC 5480 §2.1.1.1 and their point encoding (SEC 1 §2.3). */

import { encodeOid, equalBytes, type DerElement } from "@latchkey/asn1";
import { decodeOid, Tag } from "@latchkey/asn1";
import { CryptoError } from "./errors.ts";
import { namedOid } from "./oid-names.ts";
import type { EcCurve } from "./provider.ts";

interface Curve {
  readonly name: EcCurve;
  readonly oid: Uint8Array;
  /** Octets of a coordinate, and of a private scalar. */
  readonly octets: number;
  /** The order of the base point, in hexadecimal (SEC 2 §2.4, §2.5, §2.6). */
  readonly order: string;
}

const curves: readonly Curve[] = [
  {
    name: "P-256",
    oid: /* @__PURE__ */ encodeOid("1.2.840.10045.3.1.7"),
    octets: 32,
    order: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
  },
  {
    name: "P-384",
    oid: /* @__PURE__ */ encodeOid("1.3.132.0.34"),
    octets: 48,
    order: "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
  },
  {
    name: "P-521",
    oid: /* @__PURE__ */ encodeOid("1.3.132.0.35"),
    octets: 66,
    order:
      "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
  },
];

/** What is known about a curve. */
export function curveOf(name: EcCurve): Curve {
  const curve = curves.find((candidate) => candidate.name === name);
  if (curve === undefined) throw unsupportedCurve(name, undefined);
  return curve;
}

/**
 * The curve that EC parameters name.
 *
 * RFC 5480 §2.1.1: the parameters are a namedCurve; implicitCurve and specifiedCurve must not be used.
 */
export function curveFromParameters(parameters: DerElement | undefined, offset: number): EcCurve {
  const clause = "RFC 5480 §2.1.1";
  if (parameters?.tag === Tag.sequence) {
    throw new CryptoError(
      "ERR_CRYPTO_EXPLICIT_EC_PARAMETERS",
      "The curve is written out in full instead of named: name P-256, P-384 or P-521",
      {
        offset: parameters.offset,
        clause,
      },
    );
  }
  if (parameters?.tag !== Tag.objectIdentifier) {
    throw new CryptoError("ERR_CRYPTO_MALFORMED_KEY", "The EC key names no curve", {
      problem: "curve",
      offset: parameters?.offset ?? offset,
      clause,
    });
  }
  const { content } = parameters;
  const curve = curves.find(({ oid }) => equalBytes(oid, content));
  if (curve === undefined) {
    throw unsupportedCurve(decodeOid(content), parameters.offset, namedOid(content));
  }
  return curve.name;
}

/**
 * Refuses everything but an uncompressed point of the right length; whether it is on the curve the provider checks.
 *
 * RFC 5480 §2.2: compressed points are optional. BoringSSL, Go and webpki refuse them, and so do we. The hybrid form
 * must not be used.
 */
export function checkPointForm(curve: EcCurve, point: Uint8Array, offset: number): void {
  if (point.length === 1 + 2 * curveOf(curve).octets && point[0] === 0x04) return;
  const octets = 1 + 2 * curveOf(curve).octets;
  const reason = `The point has ${point.length} octets and form ${point[0] ?? "none"}; an uncompressed one of ${curve} has ${octets} and form 4`;
  throw new CryptoError("ERR_CRYPTO_PUBLIC_POINT", reason, {
    curve,
    problem: "form",
    offset,
    clause: "RFC 5480 §2.2",
  });
}

function unsupportedCurve(curve: string, offset: number | undefined, shown = curve): CryptoError {
  const supported = curves.map(({ name }) => name);
  const reason = `The curve ${shown} is not supported; ${supported.join(", ")} are`;
  return new CryptoError("ERR_CRYPTO_UNSUPPORTED_CURVE", reason, { curve, supported, offset });
}

/** Whether a scalar has the curve's length and lies in 1 to n - 1 (SEC 1 §3.2.1). */
export function isScalar(curve: EcCurve, scalar: Uint8Array): boolean {
  const { octets, order } = curveOf(curve);
  if (scalar.length !== octets) return false;
  let borrow = 0;
  let anyBit = 0;
  for (let index = octets - 1; index >= 0; index--) {
    const octet = scalar[index] ?? 0;
    anyBit |= octet;
    borrow = octet - Number.parseInt(order.slice(2 * index, 2 * index + 2), 16) - borrow < 0 ? 1 : 0;
  }
  return borrow === 1 && anyBit !== 0;
}
