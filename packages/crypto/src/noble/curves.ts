import { p256, p384, p521 } from "@noble/curves/nist.js";
import type { EcCurve } from "../provider.ts";

type NobleCurve = typeof p256;

const curves: Readonly<Record<EcCurve, NobleCurve>> = { "P-256": p256, "P-384": p384, "P-521": p521 };

/** The implementation of a curve. */
export function nobleCurve(name: EcCurve): NobleCurve {
  return curves[name];
}
