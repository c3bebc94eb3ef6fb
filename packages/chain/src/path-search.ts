/**
 * Path building: depth first from the certificate in question to a trust anchor, with backtracking.
 *
 * At each certificate the candidates for its issuer are tried in order: anchors first, then by key identifier and by the
 * distance from an anchor. A link is taken only where the signature holds, so certificates that a peer invented lead no
 * further than the first; each pair of certificate and key is checked once. A path never visits an entity twice (RFC 4158
 * §2.4.2), which ends cycles. A whole path is validated by RFC 5280 §6.1; where it fails, the search goes on.
 *
 * There are two searches over the same candidates. One for acceptance looks only at certificates that can be on an
 * accepted path. Where it finds none, one for explanation looks at all of them, within a small budget, and notes why each
 * path ends. So a peer's useless certificates cost little, and a person still reads what is wrong with them.
 */

import { decodeOid, equalBytes } from "@latchkey/asn1";
import type { CryptoProvider, Tolerate } from "@latchkey/crypto";
import { hexText, nameText, type Tolerances } from "@latchkey/x509";
import { type Budget, limitFailure, price } from "./budget.ts";
import { type Candidate, type CandidatePool, isAnchorItself } from "./candidate-pool.ts";
import type { ChainCertificate } from "./chain-certificate.ts";
import { type ChainFailure, failure, maximumShown } from "./failures.ts";
import type { PassedCheck } from "./result.ts";
import type { SignatureFault, SigningKey } from "./signing-key.ts";
import type { PreparedAnchor } from "./trust-anchor.ts";

/** A path that does not hold, or that ended without an anchor. */
export interface Attempt {
  readonly path: readonly ChainCertificate[];
  readonly anchor: PreparedAnchor | undefined;
  readonly failures: readonly ChainFailure[];
  readonly warnings: readonly ChainFailure[];
  readonly checks: readonly PassedCheck[];
}

/** How many attempts are kept for the explanation. */
const maximumAttempts = 32;

/** What a search is made from. */
export interface SearchInputs<Found> {
  readonly provider: CryptoProvider;
  readonly time: number;
  /** By name key. */
  readonly anchors: ReadonlyMap<string, readonly PreparedAnchor[]>;
  readonly pool: CandidatePool;
  readonly budget: Budget;
  readonly tolerances: Tolerances;
  /** The tolerances as signature checks take them. */
  readonly tolerate: Tolerate;
  readonly signatures: LinkChecks;
  /** Whether a certificate can be on an accepted path as an issuer; undefined for the search for explanation. */
  readonly canIssue: ((candidate: ChainCertificate) => boolean) | undefined;
  /** Validates a whole path whose signatures hold. */
  readonly validate: (path: readonly ChainCertificate[], anchor: PreparedAnchor) => Found | Attempt;
  readonly isAttempt: (outcome: Found | Attempt) => outcome is Attempt;
}

/** The signatures that were checked for one answer and do not hold. */
export class LinkChecks {
  /** Made with the first fault: most answers find none. */
  #faults: Map<ChainCertificate, Map<SigningKey, SignatureFault>> | undefined;

  find(child: ChainCertificate, key: SigningKey): SignatureFault | undefined {
    return this.#faults?.get(child)?.get(key);
  }

  keep(child: ChainCertificate, key: SigningKey, fault: SignatureFault): void {
    this.#faults ??= new Map();
    const faults = this.#faults.get(child);
    if (faults === undefined) this.#faults.set(child, new Map([[key, fault]]));
    else faults.set(key, fault);
  }
}

/** One search, for acceptance or for explanation. */
export class PathSearch<Found> {
  readonly attempts: Attempt[] = [];
  readonly #inputs: SearchInputs<Found>;
  readonly #ordered = new Map<ChainCertificate, readonly Candidate[]>();

  constructor(inputs: SearchInputs<Found>) {
    this.#inputs = inputs;
  }

  /** The first path that holds; undefined where none does, or where the budget ended. */
  run(target: ChainCertificate): Found | undefined {
    return this.#extend([target], target);
  }

  /**
   * Notes that no way leads from the certificate to an anchor, where the search has only seen signatures that do not hold or
   * has ended early.
   */
  noteMissingIssuer(target: ChainCertificate): void {
    const { budget, pool } = this.#inputs;
    const isSaid = this.attempts.some(
      ({ anchor, failures: [first] }) => anchor !== undefined || first?.code !== "ERR_CHAIN_SIGNATURE",
    );
    if (isSaid || pool.distance(target.issuerNameKey, budget) !== undefined) return;
    const failures = [this.#noIssuer(target, 0, pool.withSubject(target.issuerNameKey, budget).length > 0)];
    this.attempts.unshift({ path: [target], anchor: undefined, failures, warnings: [], checks: [] });
  }

  #extend(path: ChainCertificate[], last: ChainCertificate): Found | undefined {
    const { budget } = this.#inputs;
    if (!budget.spend(price.step)) return undefined;
    const atAnchor = this.#tryAnchors(path, last);
    if (atAnchor !== undefined || budget.exceeded !== undefined) return atAnchor;
    let isDeadEnd = !this.#inputs.anchors.has(last.issuerNameKey);
    const candidates = this.#candidatesFor(last);
    for (const candidate of candidates) {
      if (!budget.spend(price.step)) return undefined;
      const issuer = this.#readIssuer(path, candidate);
      if (issuer === "malformed") isDeadEnd = false;
      if (issuer === undefined || issuer === "malformed") continue;
      if (path.length > budget.limits.intermediates) {
        this.#noteTooLong(path, last);
        return undefined;
      }
      isDeadEnd = false;
      if (!this.#linkHolds(path, last, issuer.key, undefined, issuer)) {
        if (budget.exceeded === undefined) continue;
        return undefined;
      }
      path.push(issuer);
      const found = this.#extend(path, issuer);
      path.pop();
      if (found !== undefined || budget.exceeded !== undefined) return found;
    }
    if (isDeadEnd) this.#note(path, undefined, () => this.#noIssuer(last, path.length - 1, candidates.length > 0));
    return undefined;
  }

  /** A longer path than the limit allows: that says something only where it could lead to an anchor. */
  #noteTooLong(path: readonly ChainCertificate[], last: ChainCertificate): void {
    const { budget, pool } = this.#inputs;
    const leadsToAnchor = pool.distance(last.issuerNameKey, budget) !== undefined;
    this.#note(path, undefined, () =>
      leadsToAnchor
        ? limitFailure("intermediates", budget.limits, path.length, path.length - 1)
        : this.#noIssuer(last, path.length - 1, true),
    );
  }

  /** A candidate read in full; undefined where it is not to be taken, or the budget ended. */
  #readIssuer(path: readonly ChainCertificate[], candidate: Candidate): ChainCertificate | "malformed" | undefined {
    const { budget, canIssue, tolerances } = this.#inputs;
    const read = candidate.read(budget, tolerances);
    if (read === undefined) return undefined;
    if (read instanceof Error) {
      const { code, message, offset } = read;
      const { source, position } = candidate;
      const evidence = { reason: code, message, offset, source, position };
      this.#note(path, undefined, () => failure("ERR_CHAIN_CERTIFICATE_MALFORMED", path.length, evidence));
      return "malformed";
    }
    if (canIssue !== undefined && !canIssue(read)) return undefined;
    if (!budget.spend(path.length * read.weight * price.comparedOctet)) return undefined;
    return path.some((visited) => visited.isSameEntity(read)) ? undefined : read;
  }

  #tryAnchors(path: readonly ChainCertificate[], last: ChainCertificate): Found | undefined {
    const { anchors, budget, validate, isAttempt } = this.#inputs;
    const matching = anchors.get(last.issuerNameKey);
    if (matching === undefined) return undefined;
    const ordered =
      matching.length < 2
        ? matching
        : byRank(matching, ({ chainCertificate }) => rankOf(last, chainCertificate?.values.subjectKeyIdentifier));
    for (const anchor of ordered) {
      if (!budget.spend(price.step)) return undefined;
      if (!this.#linkHolds(path, last, anchor.key, anchor, anchor.chainCertificate)) {
        if (budget.exceeded === undefined) continue;
        return undefined;
      }
      const outcome = validate(path, anchor);
      if (!isAttempt(outcome)) return outcome;
      if (this.attempts.length < maximumAttempts) this.attempts.push(outcome);
      if (budget.exceeded !== undefined) return undefined;
    }
    return undefined;
  }

  /** The candidates that may have issued a certificate, best first; in a search for acceptance only what leads to an anchor. */
  #candidatesFor(child: ChainCertificate): readonly Candidate[] {
    const known = this.#ordered.get(child);
    if (known !== undefined) return known;
    const { pool, time, budget, anchors, canIssue } = this.#inputs;
    const named = pool.withSubject(child.issuerNameKey, budget);
    const sameName = anchors.get(child.issuerNameKey) ?? [];
    let candidates: readonly Candidate[] = [];
    if (named.length === 0) return candidates;
    if (budget.spend(named.length * (1 + sameName.length) * price.step)) {
      candidates = named.filter(
        (candidate) =>
          (canIssue === undefined ||
            (candidate.mayIssueAt(time) && pool.distance(candidate.issuerNameKey, budget) !== undefined)) &&
          !isAnchorItself(candidate.encoding, sameName),
      );
      if (candidates.length > 1) {
        candidates = byRank(
          candidates,
          (candidate) =>
            rankOf(child, candidate.outline?.keyIdentifier) +
            (candidate.mayIssueAt(time) ? 0 : 1000) +
            (canIssue === undefined ? 0 : (pool.distance(candidate.issuerNameKey, budget) ?? 0)),
        );
      }
    }
    this.#ordered.set(child, candidates);
    return candidates;
  }

  /** Whether the last certificate of a path is signed by a key; each pair is checked once. */
  #linkHolds(
    path: readonly ChainCertificate[],
    child: ChainCertificate,
    key: SigningKey,
    anchor: PreparedAnchor | undefined,
    issuer: ChainCertificate | undefined,
  ): boolean {
    const { budget, provider, signatures, tolerate } = this.#inputs;
    if (child.wasSignedBy(key.spki)) return true;
    let fault = signatures.find(child, key);
    if (fault === undefined) {
      const { tbsCertificate, signatureAlgorithm, signatureValue } = child.certificate;
      const signed = { data: tbsCertificate, algorithm: signatureAlgorithm.encoding, signature: signatureValue };
      const checked = key.check(provider, signed, budget, tolerate);
      if (checked === "limit") return false;
      if (checked === undefined) {
        child.rememberSigner(key.spki);
        return true;
      }
      fault = checked;
      signatures.keep(child, key, fault);
    }
    const why = fault;
    this.#note(path, anchor, () => signatureFailure(child, path.length - 1, why, issuer));
    return false;
  }

  #noIssuer(last: ChainCertificate, index: number, hasCandidates: boolean): ChainFailure {
    const { anchors } = this.#inputs;
    const names: string[] = [];
    let count = 0;
    for (const each of anchors.values()) {
      count += each.length;
      if (names.length < maximumShown && each[0] !== undefined) names.push(each[0].text);
    }
    return failure("ERR_CHAIN_NO_ISSUER", index, {
      issuer: nameText(last.certificate.issuer),
      keyIdentifier: keyIdentifierText(last.values.authorityKeyIdentifier?.keyIdentifier),
      isSelfIssued: last.isSelfIssued,
      hasCandidates,
      trustAnchors: names,
      trustAnchorCount: count,
    });
  }

  /** Keeps why a path ended, where that is what the search is for. What is not kept is not made. */
  #note(path: readonly ChainCertificate[], anchor: PreparedAnchor | undefined, found: () => ChainFailure): void {
    if (this.#inputs.canIssue !== undefined || this.attempts.length >= maximumAttempts) return;
    const names = path.at(-1)?.namesWeight ?? 0;
    if (!this.#inputs.budget.spend(price.note + names * price.nameOctet)) return;
    this.attempts.push({ path: [...path], anchor, failures: [found()], warnings: [], checks: [] });
  }
}

function signatureFailure(
  child: ChainCertificate,
  index: number,
  { at, error }: SignatureFault,
  issuer: ChainCertificate | undefined,
): ChainFailure {
  const { code: reason, message } = error;
  if (at === "key") return failure("ERR_CHAIN_ISSUER_KEY", index + 1, { reason, message });
  if (at === "signature") {
    return failure("ERR_CHAIN_SIGNATURE", index, {
      issuer: nameText(child.certificate.issuer),
      wantedKeyIdentifier: keyIdentifierText(child.values.authorityKeyIdentifier?.keyIdentifier),
      triedKeyIdentifier: keyIdentifierText(issuer?.values.subjectKeyIdentifier),
    });
  }
  const algorithm = decodeOid(child.certificate.signatureAlgorithm.algorithm);
  return failure("ERR_CHAIN_SIGNATURE_ALGORITHM", index, { reason, message, algorithm });
}

/** Key identifiers are mostly 20 octets; a peer may have made one of any length. */
function keyIdentifierText(identifier: Uint8Array | undefined): string | undefined {
  return identifier === undefined ? undefined : hexText(identifier.subarray(0, 32));
}

/** In rising rank; candidates of one rank keep their order. */
function byRank<Item>(items: readonly Item[], rank: (item: Item) => number): readonly Item[] {
  return items
    .map((item) => ({ item, rank: rank(item) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}

/** RFC 4158 §3.5.12: key identifiers are hints. One that differs comes last, one that is missing between. */
function rankOf(child: ChainCertificate, offered: Uint8Array | undefined): number {
  const wanted = child.values.authorityKeyIdentifier?.keyIdentifier;
  if (wanted === undefined || offered === undefined) return 10_000;
  return equalBytes(wanted, offered) ? 0 : 100_000;
}
