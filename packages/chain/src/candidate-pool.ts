/**
 * The certificates that a path may go through, by subject, and how far each is from a trust anchor.
 *
 * A candidate is taken in by its outline and read in full only when a path tries it. Distances are counted over names
 * alone, breadth first from the anchors down, in time linear in the pool. They prune and order the search: what leads
 * nowhere is never entered, however densely it is cross-signed, and the shortest way is tried first. Only certificates
 * that may be issuers at the time asked about are steps of such a way. Signatures are not checked here; the search checks
 * each link that it takes. All work is charged to the budget of the answer.
 */

import { equalBytes } from "@latchkey/asn1";
import { type Certificate, nameKey, parseCertificate, parseName, type Tolerances, X509Error } from "@latchkey/x509";
import { type Budget, nameWeight, price } from "./budget.ts";
import { type CertificateOutline, outlineOf, outlineOfCertificate } from "./certificate-outline.ts";
import { ChainCertificate } from "./chain-certificate.ts";
import type { KnownCertificates } from "./known-certificates.ts";
import type { ChainLimits } from "./limits.ts";
import { type PreparedAnchor, readChainCertificate } from "./trust-anchor.ts";

/** A certificate as callers hand one in: parsed, or DER. */
export type CertificateInput = Certificate | Uint8Array;

/** One certificate that a path may go through. */
export class Candidate {
  readonly input: CertificateInput;
  readonly source: "intermediates" | "verifier";
  /** Its place among those that it came with, from 0. */
  readonly position: number;
  /** Undefined where not even that can be read. */
  readonly outline: CertificateOutline | undefined;
  #read: ChainCertificate | X509Error | undefined;
  #subjectNameKey: string | undefined;
  #issuerNameKey: string | undefined;

  constructor(
    input: CertificateInput,
    source: "intermediates" | "verifier",
    position: number,
    known?: ChainCertificate,
  ) {
    this.input = input;
    this.source = source;
    this.position = position;
    this.#read = known;
    if (known !== undefined) this.outline = known.outline;
    else this.outline = input instanceof Uint8Array ? outlineOf(input) : outlineOfCertificate(input);
  }

  /** The DER. */
  get encoding(): Uint8Array {
    return this.input instanceof Uint8Array ? this.input : this.input.encoding;
  }

  /** The subject as a key, `ChainCertificate.subjectNameKey`. */
  get subjectNameKey(): string {
    this.#subjectNameKey ??=
      this.#read instanceof ChainCertificate ? this.#read.subjectNameKey : this.#nameKeyOf("subject");
    return this.#subjectNameKey;
  }

  get issuerNameKey(): string {
    this.#issuerNameKey ??=
      this.#read instanceof ChainCertificate ? this.#read.issuerNameKey : this.#nameKeyOf("issuer");
    return this.#issuerNameKey;
  }

  /** Reads the certificate once; the X509Error where it is malformed; undefined where the budget ends. */
  read(budget: Budget, tolerances: Tolerances): ChainCertificate | X509Error | undefined {
    this.#read ??= readCertificate(this.input, budget, tolerances);
    return this.#read;
  }

  /** Whether it may be an issuer at a time. */
  mayIssueAt(time: number): boolean {
    const { outline } = this;
    return outline !== undefined && outline.mayIssue && outline.notBefore <= time && time <= outline.notAfter;
  }

  #nameKeyOf(which: "subject" | "issuer"): string {
    const { input, outline } = this;
    if (!(input instanceof Uint8Array)) return nameKey(input[which]);
    if (outline === undefined) return "";
    try {
      // A string that is malformed is compared as it is.
      return nameKey(parseName(outline[which], { checkContents: false }));
    } catch (error) {
      if (error instanceof X509Error) return "";
      throw error;
    }
  }
}

/** Candidates by subject. */
type BySubject = Map<string, Candidate[]>;

/** The verifier's own intermediates, taken in once. */
export class OwnCandidates {
  readonly all: readonly Candidate[];
  readonly bySubject: BySubject;

  constructor(inputs: readonly CertificateInput[]) {
    this.all = inputs.map((input, position) => new Candidate(input, "verifier", position));
    this.bySubject = Map.groupBy(this.all, ({ subjectNameKey }) => subjectNameKey);
  }
}

/** What a pool is made from. */
export interface PoolInputs {
  readonly intermediates: readonly CertificateInput[];
  readonly own: OwnCandidates;
  /** By name key. */
  readonly anchors: ReadonlyMap<string, readonly PreparedAnchor[]>;
  readonly known: KnownCertificates;
  readonly time: number;
}

/** The candidates of one answer. */
export class CandidatePool {
  readonly #inputs: PoolInputs;
  #given: { readonly all: readonly Candidate[]; readonly bySubject: BySubject } | undefined;
  #distances: ReadonlyMap<string, number> | undefined;

  /** Takes nothing in yet: a certificate right below an anchor needs no candidates. */
  constructor(inputs: PoolInputs) {
    this.#inputs = inputs;
  }

  /** Every candidate with this subject; those that came with the question first. Fewer where the budget ends. */
  withSubject(subjectNameKey: string, budget: Budget): readonly Candidate[] {
    const given = this.#takeIn(budget).bySubject.get(subjectNameKey);
    const own = this.#inputs.own.bySubject.get(subjectNameKey);
    if (own === undefined) return given ?? [];
    return given === undefined ? own : [...given, ...own];
  }

  /** Candidates of which not even the subject can be read. */
  unreadable(budget: Budget): readonly Candidate[] {
    const all = [...this.#takeIn(budget).all, ...this.#inputs.own.all];
    return all.filter(({ outline }) => outline === undefined);
  }

  /** How many certificates are between one by this issuer and the nearest anchor by names; undefined where none leads there. */
  distance(issuerNameKey: string, budget: Budget): number | undefined {
    if (this.#inputs.anchors.has(issuerNameKey)) return 0;
    this.#distances ??= this.#measure(budget);
    return this.#distances.get(issuerNameKey);
  }

  #takeIn(budget: Budget): { readonly all: readonly Candidate[]; readonly bySubject: BySubject } {
    if (this.#given !== undefined) return this.#given;
    const { intermediates, known } = this.#inputs;
    const all: Candidate[] = [];
    const bySubject: BySubject = new Map();
    let recalled: Set<ChainCertificate> | undefined;
    let position = -1;
    for (const input of intermediates) {
      position++;
      if (!budget.spend(price.candidate)) break;
      const remembered = known.recall(input instanceof Uint8Array ? input : input.encoding, budget);
      if (remembered !== undefined) {
        recalled ??= new Set();
        // The same certificate twice.
        if (recalled.has(remembered)) continue;
        recalled.add(remembered);
      }
      const candidate = new Candidate(input, "intermediates", position, remembered);
      all.push(candidate);
      if (candidate.outline === undefined) continue;
      // What is remembered has its key already.
      const isPrepared = remembered !== undefined;
      if (!isPrepared && !budget.spend(nameWeight(candidate.outline.subject) * price.nameOctet)) break;
      const sameSubject = bySubject.get(candidate.subjectNameKey);
      if (sameSubject === undefined) bySubject.set(candidate.subjectNameKey, [candidate]);
      else sameSubject.push(candidate);
    }
    this.#given = { all, bySubject };
    return this.#given;
  }

  /** The distance of each name: of anchors 0, of what they issued 1, and so on. */
  #measure(budget: Budget): ReadonlyMap<string, number> {
    const { anchors, own, time } = this.#inputs;
    const issuers: Candidate[] = [];
    for (const candidate of this.#takeIn(budget).all) {
      if (!candidate.mayIssueAt(time)) continue;
      if (!budget.spend(nameWeight(candidate.outline?.issuer ?? nothing) * price.nameOctet)) break;
      issuers.push(candidate);
    }
    // The verifier's own have their keys already.
    for (const candidate of own.all) if (candidate.mayIssueAt(time)) issuers.push(candidate);
    const byIssuer = Map.groupBy(issuers, ({ issuerNameKey }) => issuerNameKey);
    const distances = new Map<string, number>();
    for (const name of anchors.keys()) if (byIssuer.has(name)) distances.set(name, 0);
    for (const [name, distance] of distances) {
      for (const { subjectNameKey } of byIssuer.get(name) ?? []) {
        // A Map visits what is added while it is walked, in order: so it is the queue of the breadth-first walk.
        if (!distances.has(subjectNameKey)) distances.set(subjectNameKey, distance + 1);
      }
    }
    return distances;
  }
}

const nothing = new Uint8Array();

/** Reads a certificate in full; the X509Error where it is malformed; undefined where the budget ends. */
export function readCertificate(
  input: CertificateInput,
  budget: Budget,
  tolerances: Tolerances,
): ChainCertificate | X509Error | undefined {
  const octets = octetsOf(input);
  const dense = Math.min(octets, 4096) * price.extensionOctet;
  if (!budget.spend(price.certificate + octets * price.certificateOctet + dense)) return undefined;
  const read = readInput(input, budget.limits.certificateOctets, tolerances);
  if (read instanceof Error) return read;
  // Names that are ASCII are paid for with the other octets.
  const { issuer, subject } = read.certificate;
  const beyondAscii = read.namesWeight - issuer.encoding.length - subject.encoding.length;
  return budget.spend(beyondAscii * price.nameOctet) ? read : undefined;
}

function readInput(
  input: CertificateInput,
  maximumOctets: number,
  tolerances: Tolerances,
): ChainCertificate | X509Error {
  if (!(input instanceof Uint8Array)) return readChainCertificate(input, tolerances);
  try {
    return readChainCertificate(parseCertificate(input, { maximumOctets, tolerances }), tolerances);
  } catch (error) {
    if (error instanceof X509Error) return error;
    throw error;
  }
}

/** Octets of a certificate. */
function octetsOf(input: CertificateInput): number {
  return input instanceof Uint8Array ? input.length : input.encoding.length;
}

/** The first limit that the certificates of a question break by their number and size, before any is read. */
export function sizeFault(
  certificate: CertificateInput,
  intermediates: readonly CertificateInput[],
  limits: ChainLimits,
): { readonly limit: keyof ChainLimits; readonly used: number; readonly certificateIndex?: number } | undefined {
  if (intermediates.length > limits.candidates) return { limit: "candidates", used: intermediates.length };
  let octets = octetsOf(certificate);
  if (octets > limits.certificateOctets) return { limit: "certificateOctets", used: octets, certificateIndex: 0 };
  for (const intermediate of intermediates) {
    const size = octetsOf(intermediate);
    if (size > limits.certificateOctets) return { limit: "certificateOctets", used: size };
    octets += size;
  }
  return octets > limits.octets ? { limit: "octets", used: octets } : undefined;
}

/** Whether a candidate is one of these anchors, octet for octet. */
export function isAnchorItself(encoding: Uint8Array, anchors: readonly PreparedAnchor[]): boolean {
  return anchors.some(
    ({ anchor: { certificate } }) => certificate !== undefined && equalBytes(certificate.encoding, encoding),
  );
}
