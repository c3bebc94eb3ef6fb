/**
 * Path building: depth first from the certificate that was asked about to a trust anchor, with backtracking.
 *
 * At each certificate the candidates for its issuer are tried in order: anchors first, then by key identifier, validity
 * and distance from an anchor. A link is taken only if the signature holds, so that whoever invents certificates gets no
 * further than the first; each (certificate, key) pair is checked once. A path never visits an entity twice (RFC 4158
 * §2.4.2), which ends cycles. A whole path is validated by RFC 5280 §6.1; if it fails, the search goes on. What failed is
 * kept for the explanation. All work is charged to one budget.
 */

import { equalBytes } from "@latchkey/asn1";
import { decodeOid } from "@latchkey/asn1";
import { nameText } from "@latchkey/x509";
import { type CandidatePool, isAnchorItself } from "./candidate-pool.ts";
import type { ChainCertificate } from "./chain-certificate.ts";
import { type ChainFailure, failure } from "./failures.ts";
import type { IssuerKey, SignatureFault } from "./issuer-key.ts";
import { type Budget, limitFailure } from "./limits.ts";
import type { PreparedAnchor } from "./prepared-anchor.ts";
import type { PassedCheck } from "./result.ts";
import type { CryptoProvider } from "@latchkey/crypto";

/** A path that does not hold, or that ended without an anchor. */
export interface Attempt {
  readonly path: readonly ChainCertificate[];
  readonly anchor: PreparedAnchor | undefined;
  readonly failures: readonly ChainFailure[];
  readonly warnings: readonly ChainFailure[];
  readonly checks: readonly PassedCheck[];
}

/** How many attempts are kept for the explanation. */
const maximumAttempts = 100;

export interface SearchInputs<Found> {
  readonly provider: CryptoProvider;
  readonly time: number;
  /** By subject. */
  readonly anchors: ReadonlyMap<string, readonly PreparedAnchor[]>;
  readonly pool: CandidatePool;
  readonly budget: Budget;
  /** Judges a whole path whose signatures hold. */
  readonly judge: (path: readonly ChainCertificate[], anchor: PreparedAnchor) => Found | Attempt;
  readonly isAttempt: (outcome: Found | Attempt) => outcome is Attempt;
}

export class PathSearch<Found> {
  readonly attempts: Attempt[] = [];
  readonly #inputs: SearchInputs<Found>;
  readonly #faults = new Map<ChainCertificate, Map<IssuerKey, SignatureFault>>();
  readonly #ordered = new Map<ChainCertificate, readonly ChainCertificate[]>();

  constructor(inputs: SearchInputs<Found>) {
    this.#inputs = inputs;
  }

  /** The first path that holds; undefined where none does, or where the budget ran out. */
  run(target: ChainCertificate): Found | undefined {
    return this.#extend([target]);
  }

  #extend(path: ChainCertificate[]): Found | undefined {
    const { budget, pool } = this.#inputs;
    const last = path.at(-1);
    if (last === undefined || !budget.takeSteps(1)) return undefined;
    const atAnchor = this.#tryAnchors(path, last);
    if (atAnchor !== undefined || budget.exceeded !== undefined) return atAnchor;
    const candidates = this.#candidatesFor(last);
    let isDeadEnd = !this.#inputs.anchors.has(last.issuerKey);
    for (const candidate of candidates) {
      if (path.some((visited) => visited.isSameEntity(candidate))) continue;
      if (path.length > budget.limits.intermediates) {
        this.#note(path, undefined, limitFailure("intermediates", budget.limits, path.length - 1));
        return undefined;
      }
      isDeadEnd = false;
      if (!this.#linkHolds(path, candidate.key, undefined)) {
        if (budget.exceeded === undefined) continue;
        return undefined;
      }
      path.push(candidate);
      const found = this.#extend(path);
      path.pop();
      if (found !== undefined || budget.exceeded !== undefined) return found;
    }
    if (isDeadEnd) this.#noteDeadEnd(path, last, pool);
    return undefined;
  }

  #tryAnchors(path: readonly ChainCertificate[], last: ChainCertificate): Found | undefined {
    const { anchors, budget, judge, isAttempt } = this.#inputs;
    const matching = anchors.get(last.issuerKey) ?? [];
    const ordered =
      matching.length < 2 ? matching : byRank(matching, ({ chainCertificate }) => rankOf(last, chainCertificate));
    for (const anchor of ordered) {
      if (!budget.takeSteps(1)) return undefined;
      if (!this.#linkHolds(path, anchor.key, anchor)) {
        if (budget.exceeded === undefined) continue;
        return undefined;
      }
      if (!budget.takePath()) return undefined;
      const outcome = judge(path, anchor);
      if (!isAttempt(outcome)) return outcome;
      this.#keep(outcome);
      if (budget.exceeded !== undefined) return undefined;
    }
    return undefined;
  }

  /** Those who may have issued a certificate and lead to an anchor, best first. */
  #candidatesFor(child: ChainCertificate): readonly ChainCertificate[] {
    const known = this.#ordered.get(child);
    if (known !== undefined) return known;
    const { pool, time, budget, anchors } = this.#inputs;
    const named = pool.withSubject(child.issuerKey);
    const sameName = anchors.get(child.issuerKey) ?? [];
    let candidates: readonly ChainCertificate[] = [];
    if (named.length === 0) return candidates;
    if (budget.takeSteps(named.length)) {
      candidates = named.filter(
        (candidate) =>
          candidate !== child && pool.distance(candidate) !== undefined && !isAnchorItself(candidate, sameName),
      );
      if (candidates.length > 1) {
        candidates = byRank(
          candidates,
          (candidate) => rankOf(child, candidate) + rankOfTime(candidate, time) + (pool.distance(candidate) ?? 0),
        );
      }
    }
    this.#ordered.set(child, candidates);
    return candidates;
  }

  /** Whether the last certificate of the path is signed by a key; each pair is checked once. */
  #linkHolds(path: readonly ChainCertificate[], key: IssuerKey, anchor: PreparedAnchor | undefined): boolean {
    const child = path.at(-1);
    if (child === undefined) return false;
    if (child.wasSignedBy(key.spki)) return true;
    let fault = this.#faults.get(child)?.get(key);
    if (fault === undefined) {
      const { budget, provider } = this.#inputs;
      if (!budget.takeSignature()) return false;
      const { tbsCertificate, signatureAlgorithm, signatureValue } = child.certificate;
      fault = key.check(provider, {
        data: tbsCertificate,
        algorithm: signatureAlgorithm.encoding,
        signature: signatureValue,
      });
      if (fault === undefined) {
        // The certificate that was asked about is at the end of every path, and its links are taken once each.
        if (path.length > 1) child.rememberSigner(key.spki);
        return true;
      }
      const faults = this.#faults.get(child);
      if (faults === undefined) this.#faults.set(child, new Map([[key, fault]]));
      else faults.set(key, fault);
    }
    this.#note(path, anchor, signatureFailure(child, path.length - 1, fault));
    return false;
  }

  #noteDeadEnd(path: readonly ChainCertificate[], last: ChainCertificate, pool: CandidatePool): void {
    const malformed = pool.malformedWithSubject(last.issuerKey);
    if (malformed !== undefined) {
      const { code, message, offset } = malformed;
      this.#note(
        path,
        undefined,
        failure("ERR_CHAIN_CERTIFICATE_MALFORMED", path.length, { reason: code, message, offset }),
      );
      return;
    }
    const missing = pool.missingIssuer(last);
    this.#note(
      path,
      undefined,
      failure("ERR_CHAIN_NO_ISSUER", path.length - 1, {
        issuer: nameText(missing.certificate.issuer),
        hasCandidates: missing !== last,
      }),
    );
  }

  #note(path: readonly ChainCertificate[], anchor: PreparedAnchor | undefined, found: ChainFailure): void {
    this.#keep({ path: [...path], anchor, failures: [found], warnings: [], checks: [] });
  }

  #keep(attempt: Attempt): void {
    if (this.attempts.length < maximumAttempts) this.attempts.push(attempt);
  }
}

function signatureFailure(child: ChainCertificate, index: number, { at, error }: SignatureFault): ChainFailure {
  const { issuer, signatureAlgorithm } = child.certificate;
  if (at === "key") return failure("ERR_CHAIN_ISSUER_KEY", index + 1, { reason: error.code });
  if (at === "signature") return failure("ERR_CHAIN_SIGNATURE", index, { issuer: nameText(issuer) });
  const algorithm = decodeOid(signatureAlgorithm.algorithm);
  return failure("ERR_CHAIN_SIGNATURE_ALGORITHM", index, { reason: error.code, algorithm });
}

/** In rising rank; candidates of one rank keep their order. */
function byRank<Item>(items: readonly Item[], rank: (item: Item) => number): readonly Item[] {
  return items
    .map((item) => ({ item, rank: rank(item) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}

/** The key identifiers of RFC 4158 §3.5.12 are hints: those that differ come last, those that are missing between. */
function rankOf(child: ChainCertificate, issuer: ChainCertificate | undefined): number {
  const wanted = child.values.authorityKeyIdentifier?.keyIdentifier;
  const offered = issuer?.values.subjectKeyIdentifier;
  if (wanted === undefined || offered === undefined) return 10_000;
  return equalBytes(wanted, offered) ? 0 : 100_000;
}

function rankOfTime({ certificate, isCa }: ChainCertificate, time: number): number {
  const { notBefore, notAfter } = certificate.validity;
  return (time < notBefore || time > notAfter ? 1000 : 0) + (isCa ? 0 : 1000);
}
