/**
 * The intermediates that a verifier found on paths that hold: read once, their keys imported once, their signatures
 * checked once.
 *
 * Only certificates of a verified path get in, so a peer cannot fill the memory with certificates that it invented.
 * The end entity does not get in, so the thousand devices of a fleet do not push out the one authority above them. What is
 * kept stays true for ever (these octets are signed by that key); validity, revocation and trust are checked each time.
 */

import { parseCertificate, type Tolerances } from "@latchkey/x509";
import { type Budget, price } from "./budget.ts";
import { ChainCertificate } from "./chain-certificate.ts";

/** Larger certificates are not remembered, so that 256 of them stay below some megabytes. */
const maximumOctetsRemembered = 16_384;

/** The memory of one verifier. */
export class KnownCertificates {
  readonly #maximum: number;
  readonly #tolerances: Tolerances;
  /** In order of use, the least recent first. */
  readonly #certificates = new Map<number, ChainCertificate>();

  constructor(maximum: number, tolerances: Tolerances) {
    this.#maximum = maximum;
    this.#tolerances = tolerances;
  }

  /** The certificate of these octets, if it is known. */
  recall(der: Uint8Array, budget: Budget): ChainCertificate | undefined {
    if (this.#certificates.size === 0) return undefined;
    const key = keyOf(der);
    const known = this.#certificates.get(key);
    // A peer may send many certificates that differ from a known one in little.
    if (known === undefined || !budget.spend(der.length * price.comparedOctet)) return undefined;
    if (!isSame(known.certificate.encoding, der)) return undefined;
    this.#certificates.delete(key);
    this.#certificates.set(key, known);
    return known;
  }

  /** Keeps a certificate that a verified path went through; `signer` is the key that signed it, which is copied. */
  remember(candidate: ChainCertificate, signer: Uint8Array): void {
    const der = candidate.certificate.encoding;
    if (this.#maximum === 0 || der.length > maximumOctetsRemembered) return;
    let known = candidate;
    if (!candidate.isRemembered) {
      const key = keyOf(der);
      const other = this.#certificates.get(key);
      if (other !== undefined && isSame(other.certificate.encoding, der)) known = other;
      else {
        // A copy, for the caller may write over the buffer.
        const options = { maximumOctets: der.length, tolerances: this.#tolerances };
        known = new ChainCertificate(parseCertificate(der.slice(), options), this.#tolerances);
        known.isRemembered = true;
        const [oldest] = this.#certificates.keys();
        if (this.#certificates.size >= this.#maximum && oldest !== undefined) this.#certificates.delete(oldest);
        this.#certificates.set(key, known);
      }
    }
    if (!known.wasSignedBy(signer)) known.rememberSigner(signer.slice());
  }
}

/** Of the last octets, which are the signature's: as good as random, and cheaper than a hash. Equality is checked after. */
function keyOf(der: Uint8Array): number {
  let key = 0;
  for (let index = Math.max(0, der.length - 6); index < der.length; index++) key = key * 256 + (der[index] ?? 0);
  return key;
}

/** Whether two certificates are the same octets, compared four at a time: every answer compares some hundred octets. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  const { length } = a;
  if (length !== b.length) return false;
  const left = new DataView(a.buffer, a.byteOffset, length);
  const right = new DataView(b.buffer, b.byteOffset, length);
  let index = 0;
  for (; index + 4 <= length; index += 4) if (left.getInt32(index) !== right.getInt32(index)) return false;
  for (; index < length; index++) if (a[index] !== b[index]) return false;
  return true;
}
