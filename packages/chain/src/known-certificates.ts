/**
 * The intermediates that a verifier has seen hold: read once, their keys imported once, their signatures checked once.
 *
 * Only certificates of a path that was verified get in, so nobody fills the memory with what was never vouched for; and
 * the end entity does not, so a fleet's thousand devices do not push out the one authority above them. What is kept is
 * true for ever (these octets are signed by that key); validity, revocation and trust are judged anew each time.
 */

import { equalBytes } from "@latchkey/asn1";
import { parseCertificate } from "@latchkey/x509";
import { ChainCertificate } from "./chain-certificate.ts";

export class KnownCertificates {
  readonly #maximum: number;
  /** In order of use, the least recent first. */
  readonly #certificates = new Map<number, ChainCertificate>();

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** The certificate of these octets, if it is known. */
  recall(der: Uint8Array): ChainCertificate | undefined {
    const key = keyOf(der);
    const known = this.#certificates.get(key);
    if (known === undefined || !equalBytes(known.certificate.encoding, der)) return undefined;
    this.#certificates.delete(key);
    this.#certificates.set(key, known);
    return known;
  }

  /** Keeps a certificate that a verified path went through; `signer` is the key that signed it. */
  remember(candidate: ChainCertificate, signer: Uint8Array): void {
    if (this.#maximum === 0) return;
    const der = candidate.certificate.encoding;
    let known = candidate.isRemembered ? candidate : this.recall(der);
    if (known === undefined) {
      // A copy: the caller's buffer is the caller's.
      known = new ChainCertificate(parseCertificate(der.slice(), { maximumOctets: der.length }));
      known.isRemembered = true;
      const [oldest] = this.#certificates.keys();
      if (this.#certificates.size >= this.#maximum && oldest !== undefined) this.#certificates.delete(oldest);
      this.#certificates.set(keyOf(der), known);
    }
    known.rememberSigner(signer);
  }
}

/** Of the last octets, which are the signature's: as good as random, and cheaper than a hash. Equality is checked after. */
function keyOf(der: Uint8Array): number {
  let key = 0;
  for (let index = Math.max(0, der.length - 6); index < der.length; index++) key = key * 256 + (der[index] ?? 0);
  return key;
}
