/**
 * The certificates that a path may go through, by subject, and how far each is from a trust anchor.
 *
 * Distances are counted over names alone, breadth first from the anchors down, in time linear in the pool. They prune
 * and order the search: what leads nowhere is never entered, however densely it is cross-signed, and the shortest way
 * is tried first. Signatures are not looked at here; the search checks each link that it takes.
 */

import { equalBytes } from "@latchkey/asn1";
import { type Certificate, nameKey, parseCertificate, X509Error } from "@latchkey/x509";
import { ChainCertificate } from "./chain-certificate.ts";
import type { KnownCertificates } from "./known-certificates.ts";
import type { ChainLimits } from "./limits.ts";
import { type PreparedAnchor, readChainCertificate } from "./prepared-anchor.ts";

/** A certificate as callers hand one in: parsed, or DER. */
export type CertificateInput = Certificate | Uint8Array;

export class CandidatePool {
  readonly #bySubject = new Map<string, ChainCertificate[]>();
  readonly #malformedBySubject = new Map<string, X509Error>();
  readonly #anchors: ReadonlyMap<string, readonly PreparedAnchor[]>;
  #distances: ReadonlyMap<string, number> | undefined;

  constructor(
    candidates: readonly CertificateInput[],
    anchors: ReadonlyMap<string, readonly PreparedAnchor[]>,
    known: KnownCertificates,
    limits: ChainLimits,
  ) {
    this.#anchors = anchors;
    for (const input of candidates) {
      const read = readCandidate(input, known, limits);
      if (read instanceof ChainCertificate) this.#add(read);
      else this.#addMalformed(input, read);
    }
  }

  /** Puts in certificates that were read before. */
  addAll(candidates: Iterable<ChainCertificate>): void {
    for (const candidate of candidates) this.#add(candidate);
  }

  /** Every candidate with this subject. */
  withSubject(subjectKey: string): readonly ChainCertificate[] {
    return this.#bySubject.get(subjectKey) ?? [];
  }

  /** What was wrong with a candidate of this subject that could not be read. */
  malformedWithSubject(subjectKey: string): X509Error | undefined {
    return this.#malformedBySubject.get(subjectKey);
  }

  /** How many certificates are between this one and the nearest anchor by names; undefined where none is. */
  distance(candidate: ChainCertificate): number | undefined {
    if (this.#anchors.has(candidate.issuerKey)) return 0;
    this.#distances ??= this.#measure();
    return this.#distances.get(candidate.issuerKey);
  }

  /** From a certificate's issuer up, as far as the pool goes: the name that is missing. */
  missingIssuer(from: ChainCertificate): ChainCertificate {
    const seen = new Set([from]);
    let last = from;
    for (;;) {
      const next = this.withSubject(last.issuerKey).find((candidate) => !seen.has(candidate));
      if (next === undefined || seen.size > maximumWalk) return last;
      seen.add(next);
      last = next;
    }
  }

  #add(candidate: ChainCertificate): void {
    const sameSubject = this.#bySubject.get(candidate.subjectKey);
    if (sameSubject === undefined) this.#bySubject.set(candidate.subjectKey, [candidate]);
    else if (!sameSubject.includes(candidate)) sameSubject.push(candidate);
  }

  #addMalformed(input: CertificateInput, error: X509Error): void {
    try {
      const certificate = input instanceof Uint8Array ? parseCertificate(input, { checkContents: false }) : input;
      this.#malformedBySubject.set(nameKey(certificate.subject), error);
    } catch (unreadable) {
      // Not even its name: nothing can be said about where it belongs.
      if (!(unreadable instanceof X509Error)) throw unreadable;
    }
  }

  /** The distance of each name: of anchors 0, of what they issued 1, and so on. */
  #measure(): ReadonlyMap<string, number> {
    const byIssuer = new Map<string, ChainCertificate[]>();
    for (const candidates of this.#bySubject.values()) {
      for (const candidate of candidates) {
        const sameIssuer = byIssuer.get(candidate.issuerKey);
        if (sameIssuer === undefined) byIssuer.set(candidate.issuerKey, [candidate]);
        else sameIssuer.push(candidate);
      }
    }
    const distances = new Map([...this.#anchors.keys()].map((name) => [name, 0]));
    for (const [name, distance] of distances) {
      for (const { subjectKey } of byIssuer.get(name) ?? []) {
        // A Map visits what is added while it is walked, in order: that makes it the queue.
        if (!distances.has(subjectKey)) distances.set(subjectKey, distance + 1);
      }
    }
    return distances;
  }
}

const maximumWalk = 100;

/** Reads a candidate, or takes it from memory. */
export function readCandidate(
  input: CertificateInput,
  known: KnownCertificates,
  limits: ChainLimits,
): ChainCertificate | X509Error {
  return known.recall(input instanceof Uint8Array ? input : input.encoding) ?? readTarget(input, limits);
}

/** Reads a certificate that is not looked for in memory, because none like it is kept there. */
export function readTarget(input: CertificateInput, limits: ChainLimits): ChainCertificate | X509Error {
  if (!(input instanceof Uint8Array)) return readChainCertificate(input);
  try {
    return readChainCertificate(parseCertificate(input, { maximumOctets: limits.certificateOctets }));
  } catch (error) {
    if (error instanceof X509Error) return error;
    throw error;
  }
}

/** Whether an anchor is this very certificate. */
export function isAnchorItself(candidate: ChainCertificate, anchors: readonly PreparedAnchor[]): boolean {
  return anchors.some(
    ({ anchor }) =>
      anchor.certificate !== undefined && equalBytes(anchor.certificate.encoding, candidate.certificate.encoding),
  );
}
