/**
 * Where our answer is not Wycheproof's: tests that it calls valid or acceptable, and that we refuse. Everything else that
 * it calls valid or acceptable has to be accepted, and an exception that is accepted after all is a failure, too.
 */

import type { Outcome, WycheproofResult } from "./wycheproof.ts";

export interface WycheproofException {
  readonly expected: "valid" | "acceptable";
  /** Which tests it is about. */
  readonly applies: (result: WycheproofResult) => boolean;
  /** What each of them has to come to: one of these. */
  readonly actual: readonly Outcome[];
  readonly reason: string;
}

const isPss = ({ file }: WycheproofResult): boolean => file.startsWith("rsa_pss_");
/** PSS whose AlgorithmIdentifier stands in the key. */
const isPssInKey = (result: WycheproofResult): boolean => isPss(result) && result.file.includes("_params_");
const isKeyAgreement = ({ file }: WycheproofResult): boolean => file.startsWith("ecdh_") || file.startsWith("x25519_");

const supportedHashes = ["SHA-256", "SHA-384", "SHA-512"];
const usesSha1 = ({ group }: WycheproofResult): boolean => group["sha"] === "SHA-1" || group["mgfSha"] === "SHA-1";
const usesOneSupportedHash = ({ group }: WycheproofResult): boolean =>
  group["sha"] === group["mgfSha"] && supportedHashes.includes(group["sha"]);

export const exceptions: readonly WycheproofException[] = [
  {
    expected: "valid",
    applies: (result) => isPss(result) && !isPssInKey(result) && !usesOneSupportedHash(result),
    actual: ["inapplicable"],
    reason:
      "A SignatureAlgorithm names one of SHA-256, SHA-384 and SHA-512 for both uses (RFC 4055 §2.2 advises one hash; " +
      "RFC 8446 §4.2.3 and the CA/Browser Forum's requirements know no other form), so this cannot be asked for.",
  },
  {
    expected: "valid",
    applies: (result) => isPssInKey(result) && usesSha1(result),
    actual: ["ERR_CRYPTO_SHA1_SIGNATURE", "ERR_CRYPTO_UNSUPPORTED_SIGNATURE_ALGORITHM"],
    reason: "The key restricts itself to SHA-1, in the hash or the mask (RFC 9155, RFC 8017 §B.1).",
  },
  {
    expected: "valid",
    applies: (result) => isPssInKey(result) && !usesSha1(result) && !usesOneSupportedHash(result),
    actual: ["ERR_CRYPTO_UNSUPPORTED_SIGNATURE_ALGORITHM"],
    reason: "The key restricts itself to two different hashes, or to one of SHA-224, SHA-512/224 and SHA-512/256.",
  },
  {
    expected: "acceptable",
    applies: ({ flags }) => flags.includes("MissingNull"),
    actual: ["refused"],
    reason:
      "The DigestInfo lacks its NULL. RFC 8017 §9.2 note 2 lets verifiers take it; building the one right encoding and " +
      "comparing (§8.2.2) leaves no room for forgeries such as CVE-2006-4339.",
  },
  {
    expected: "acceptable",
    applies: (result) => isKeyAgreement(result) && result.flags.includes("CompressedPoint"),
    actual: ["ERR_CRYPTO_PUBLIC_POINT"],
    reason: "RFC 5480 §2.2 makes compressed points optional, RFC 8446 §4.2.8.2 does not know them.",
  },
  {
    expected: "acceptable",
    applies: (result) => isKeyAgreement(result) && result.flags.includes("UnnamedCurve"),
    actual: ["ERR_CRYPTO_EXPLICIT_EC_PARAMETERS"],
    reason: "RFC 5480 §2.1.1: specifiedCurve must not be used (CVE-2020-0601, CVE-2022-0778).",
  },
  {
    expected: "acceptable",
    applies: (result) => isKeyAgreement(result) && result.flags.includes("InvalidAsn"),
    actual: [
      "ERR_CRYPTO_MALFORMED_KEY",
      "ERR_CRYPTO_UNSUPPORTED_KEY",
      "ERR_CRYPTO_UNSUPPORTED_CURVE",
      "ERR_CRYPTO_PUBLIC_POINT",
    ],
    reason: "The SubjectPublicKeyInfo is not DER, or its identifiers are not those of RFC 5480.",
  },
  {
    expected: "acceptable",
    applies: (result) => isKeyAgreement(result) && result.flags.includes("ZeroSharedSecret"),
    actual: ["ERR_CRYPTO_SMALL_ORDER_POINT"],
    reason: "RFC 7748 §6.1 lets one refuse the all-zero secret; RFC 8446 §7.4.2 demands it.",
  },
  {
    expected: "valid",
    applies: ({ file, group }) => file.startsWith("aes_gcm_") && group["keySize"] === 192,
    actual: ["inapplicable"],
    reason: "AES-192-GCM is in no protocol of this project and has no name here.",
  },
  {
    expected: "valid",
    applies: ({ file, group }) => file.startsWith("aes_gcm_") && group["keySize"] !== 192 && group["ivSize"] !== 96,
    actual: ["ERR_CRYPTO_ARGUMENT"],
    reason: "Nonces have 12 octets, as in RFC 5116 §5.1; others are hashed first, which weakens GCM's bound on reuse.",
  },
];
