/** A `PeerVerifier` that stands on `@latchkey/chain`: RFC 5280 paths, RFC 9525 names. */

import {
  type ChainFailureCode,
  type ChainVerifier,
  type ChainVerifierOptions,
  createChainVerifier,
  describeFailure,
  type ReferenceName,
  type RefusedChain,
  type RevocationChecker,
} from "@latchkey/chain";
import { equalBytes } from "@latchkey/asn1";
import type { CryptoProvider, PublicKey } from "@latchkey/crypto";
import type { AlertName } from "./alert.ts";
import type { PeerEndEntity, PeerToVerify, PeerVerdict, PeerVerifier } from "./peer-verifier.ts";

export interface ChainPeerVerifierOptions extends ChainVerifierOptions {
  /** Is asked for each chain, so that lists can be replaced. Without it revocation is not looked at. */
  readonly revocation?: () => RevocationChecker | undefined;
  /**
   * How many accepted chains are remembered until the first of their certificates expires, so that a peer that comes back
   * costs no signature check. Default 256; 0 remembers nothing. With `revocation` nothing is remembered.
   */
  readonly rememberedChains?: number;
}

/**
 * Servers are held to `serverAuth` and the name that the client wants, clients to `clientAuth`.
 *
 * The reason of a refusal is the `RefusedChain`. Throws what `createChainVerifier` throws.
 */
export function chainPeerVerifier(options: ChainPeerVerifierOptions): PeerVerifier {
  const verifier = createChainVerifier(options);
  const remembered = options.revocation === undefined ? (options.rememberedChains ?? 256) : 0;
  const accepted = new AcceptedChains(remembered);
  return {
    verify: (peer) => {
      if (accepted.has(peer)) return { ok: true };
      return verify(verifier, options.revocation?.(), peer, accepted);
    },
    rememberedKey: (certificate, provider) => accepted.keyOf(certificate, provider),
  };
}

function verify(
  verifier: ChainVerifier,
  revocation: RevocationChecker | undefined,
  peer: PeerToVerify,
  accepted: AcceptedChains,
): PeerVerdict {
  const [certificate, ...intermediates] = peer.chain;
  if (certificate === undefined) return { ok: false, alert: "bad_certificate", reason: "no certificate" };
  const referenceNames = peer.role === "server" ? namesOf(peer.serverName) : [];
  if (referenceNames === undefined) {
    return { ok: false, alert: "bad_certificate", reason: "no name to hold the server to" };
  }
  const result = verifier.verify({
    certificate: peer.endEntity?.certificate ?? certificate,
    intermediates,
    purpose: peer.role === "server" ? "serverAuth" : "clientAuth",
    time: peer.time,
    referenceNames,
    ...(revocation === undefined ? {} : { revocation }),
  });
  if (!result.ok) return { ok: false, alert: alertOf(result), reason: refusal(result) };
  accepted.add(peer, result.validUntil);
  return { ok: true };
}

/** The name as RFC 9525 wants it; undefined without a name, which proves nothing. */
function namesOf(serverName: string | undefined): readonly ReferenceName[] | undefined {
  if (serverName === undefined) return undefined;
  const isAddress = serverName.includes(":") || /^[0-9.]+$/.test(serverName);
  return [{ type: isAddress ? "ip" : "dns", value: serverName }];
}

const alerts: { readonly [Code in ChainFailureCode]?: AlertName } = {
  ERR_CHAIN_NO_ISSUER: "unknown_ca",
  ERR_CHAIN_EXPIRED: "certificate_expired",
  ERR_CHAIN_NOT_YET_VALID: "certificate_expired",
  ERR_CHAIN_REVOKED: "certificate_revoked",
  ERR_CHAIN_EXTENDED_KEY_USAGE: "unsupported_certificate",
  ERR_CHAIN_KEY_USAGE: "unsupported_certificate",
};

/** RFC 8446 §6.2: the alert that fits the first failure. */
function alertOf({ failures }: RefusedChain): AlertName {
  const [first] = failures;
  return (first && alerts[first.code]) ?? "bad_certificate";
}

function refusal(result: RefusedChain): ChainRefusal {
  return new ChainRefusal(result);
}

/** Why a chain was refused: the reason of the verdict, and the `cause` of `ERR_TLS_PEER_REFUSED`. */
export class ChainRefusal extends Error {
  override readonly name: string = "ChainRefusal";
  /** Everything that `@latchkey/chain` says. */
  readonly result: RefusedChain;

  constructor(result: RefusedChain) {
    super(
      result.failures
        .slice(0, 3)
        .map((failure) => describeFailure(failure))
        .join("; "),
    );
    this.result = result;
  }
}

interface AcceptedChain {
  readonly peer: PeerToVerify;
  readonly validUntil: number;
  endEntity: PeerEndEntity | undefined;
}

/** Chains that were accepted, the least recently used first. Compared octet by octet, and given up when they expire. */
class AcceptedChains {
  readonly #maximum: number;
  readonly #entries = new Map<number, AcceptedChain>();

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  has(peer: PeerToVerify): boolean {
    const key = hintOf(peer.chain[0]);
    const entry = this.#entries.get(key);
    if (entry === undefined || !isSame(entry.peer, peer)) return false;
    this.#entries.delete(key);
    if (peer.time > entry.validUntil || peer.time < entry.peer.time) return false;
    // A chain that was accepted at a resumption has no key yet.
    entry.endEntity ??= withoutCertificate(peer);
    this.#entries.set(key, entry);
    return true;
  }

  add(peer: PeerToVerify, validUntil: number): void {
    if (this.#maximum === 0) return;
    const key = hintOf(peer.chain[0]);
    this.#entries.delete(key);
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined && this.#entries.size >= this.#maximum) this.#entries.delete(oldest);
    const chain = peer.chain.map((der) => new Uint8Array(der));
    const endEntity = withoutCertificate(peer);
    this.#entries.set(key, { peer: { ...peer, chain, endEntity: undefined }, validUntil, endEntity });
  }

  /** The key of an end entity of these octets, where the provider has made it. */
  keyOf(certificate: Uint8Array, provider: CryptoProvider): PublicKey | undefined {
    const entry = this.#entries.get(hintOf(certificate));
    if (entry?.endEntity?.provider !== provider) return undefined;
    return equalBytes(entry.peer.chain[0] ?? none, certificate) ? entry.endEntity.publicKey : undefined;
  }
}

/** To be kept: a certificate as it was read takes many times the room of its octets. */
function withoutCertificate({ endEntity }: PeerToVerify): PeerEndEntity | undefined {
  return endEntity && { ...endEntity, certificate: undefined };
}

/** The last octets of the certificate, which belong to its signature. Only a hint: all octets are compared. */
function hintOf(certificate: Uint8Array | undefined): number {
  let key = 0;
  for (const octet of certificate?.subarray(-6) ?? []) key = key * 256 + octet;
  return key;
}

function isSame(left: PeerToVerify, right: PeerToVerify): boolean {
  return (
    left.role === right.role &&
    left.serverName === right.serverName &&
    left.chain.length === right.chain.length &&
    left.chain.every((der, index) => equalBytes(der, right.chain[index] ?? none))
  );
}

const none = new Uint8Array(0);

/** For callers that verify the chain themselves, later or elsewhere: believes every chain. The engine's own checks stay. */
export const acceptEveryChain: PeerVerifier = { verify: () => ({ ok: true }) };
