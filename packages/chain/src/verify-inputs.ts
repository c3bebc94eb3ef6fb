/** What a verifier is made with, and what one question consists of. */

import { Asn1Error, encodeOid } from "@latchkey/asn1";
import type { CryptoProvider } from "@latchkey/crypto";
import type { Tolerances } from "@latchkey/x509";
import type { CertificateInput } from "./candidate-pool.ts";
import type { ProfileCheck, ProfileName, Severity } from "./profiles.ts";
import { ChainError } from "./errors.ts";
import type { ChainLimits } from "./limits.ts";
import { type PolicyKey, policyKey } from "./policy-graph.ts";
import { prepareReferenceName, type PreparedName, type ReferenceName } from "./reference-name.ts";
import { type ChainPurpose, chainPurposes } from "./result.ts";
import type { RevocationChecker } from "./revocation-checker.ts";
import type { TrustAnchorInput } from "./trust-anchor.ts";
import type { ValidationInputs } from "./validate-path.ts";

/** What of a trust anchor's certificate counts besides its name and key; RFC 5280 §6.2 leaves it open. */
export interface AnchorOptions {
  /** Whether its extensions bind what is below it: basicConstraints, key usages, name constraints, policies. Default true. */
  readonly enforceConstraints?: boolean;
  /**
   * Whether its validity does: short for the check `anchorValidity`, which it overrides. As the profile has it unless
   * set; all have it on.
   */
  readonly checkValidity?: boolean;
  /**
   * Whether a certificate that is an anchor itself, byte for byte, is accepted as the end entity: for self-signed
   * certificates that are trusted one by one. It still has to be valid and fit for purpose and name. Default false.
   */
  readonly acceptAsEndEntity?: boolean;
}

/** What a verifier is made with. */
export interface ChainVerifierOptions {
  readonly provider: CryptoProvider;
  readonly trustAnchors: readonly TrustAnchorInput[];
  /** Intermediates for every question; they are not trusted either. Their number has no limit. */
  readonly intermediates?: readonly CertificateInput[];
  /** Default `rfc5280`. */
  readonly profile?: ProfileName;
  /** Single checks that differ from the profile. */
  readonly checks?: Partial<Record<ProfileCheck, Severity>>;
  /**
   * Slips of makers, by their names in x509's `tolerances`, that differ from the profile: `allow`, `warn` or `refuse`. A
   * warning is `ERR_CHAIN_TOLERATED`. They are for certificates, and for signature algorithms of lists and responses.
   */
  readonly tolerances?: Tolerances;
  readonly anchor?: AnchorOptions;
  readonly limits?: Partial<ChainLimits>;
  /** Whether a domain is one under which the public registers names, for the check `publicSuffix`. Lower case. */
  readonly isPublicSuffix?: (domain: string) => boolean;
  /** How many intermediates are remembered with their checked signatures. Default 256; 0 remembers nothing. */
  readonly rememberedCertificates?: number;
}

/** The policy inputs of RFC 5280 §6.1.1 (c), (e), (f), (g). */
export interface PolicyInputs {
  /** Dotted object identifiers that are acceptable; any policy where absent. */
  readonly initialPolicySet?: readonly string[];
  readonly requireExplicitPolicy?: boolean;
  readonly inhibitPolicyMapping?: boolean;
  readonly inhibitAnyPolicy?: boolean;
}

/** One question. */
export interface VerifyInputs {
  /** The certificate in question. */
  readonly certificate: CertificateInput;
  /** Certificates that may lead from it to an anchor, in any order; they are not trusted. */
  readonly intermediates?: readonly CertificateInput[];
  readonly purpose: ChainPurpose;
  /** Seconds since 1970; a fraction is dropped. */
  readonly time: number;
  /** Names of which the certificate must present one. Without any, no name is checked: a server needs one. */
  readonly referenceNames?: readonly ReferenceName[];
  readonly policies?: PolicyInputs;
  /** How many intermediates that are not self-issued the path may have (RFC 5280's max_path_length). */
  readonly maximumPathLength?: number;
  /** Made by `checkRevocation` of `@latchkey/chain/revocation`. Without it, revocation is not looked at. */
  readonly revocation?: RevocationChecker;
}

/** The inputs of RFC 5280 §6.1.1, made ready. Throws `ERR_CHAIN_ARGUMENT` and `ERR_CHAIN_REFERENCE_NAME_SYNTAX`. */
export function validationInputs(options: ChainVerifierOptions, inputs: VerifyInputs): ValidationInputs {
  const { policies = {}, maximumPathLength = Number.POSITIVE_INFINITY, referenceNames = [] } = inputs;
  if (!Number.isFinite(inputs.time))
    throw new ChainError("ERR_CHAIN_ARGUMENT", `the time is ${inputs.time}, not a number of seconds since 1970`);
  if (!chainPurposes.includes(inputs.purpose))
    throw new ChainError(
      "ERR_CHAIN_ARGUMENT",
      `there is no purpose "${inputs.purpose}"; there are ${chainPurposes.join(", ")}`,
    );
  if (!(maximumPathLength >= 0))
    throw new ChainError("ERR_CHAIN_ARGUMENT", `maximumPathLength is ${maximumPathLength}, not a number from 0 on`);
  const prepared: readonly PreparedName[] = referenceNames.map(prepareReferenceName);
  return {
    time: Math.floor(inputs.time),
    purpose: inputs.purpose,
    isPublicSuffix: options.isPublicSuffix,
    referenceNames: prepared,
    initialPolicies:
      policies.initialPolicySet === undefined ? undefined : new Set(policies.initialPolicySet.map(readPolicy)),
    requireExplicitPolicy: policies.requireExplicitPolicy === true,
    inhibitPolicyMapping: policies.inhibitPolicyMapping === true,
    inhibitAnyPolicy: policies.inhibitAnyPolicy === true,
    maximumPathLength,
    enforceAnchorConstraints: options.anchor?.enforceConstraints !== false,
  };
}

function readPolicy(text: string): PolicyKey {
  try {
    return policyKey(encodeOid(text));
  } catch (cause) {
    if (!(cause instanceof Asn1Error)) throw cause;
    throw new ChainError("ERR_CHAIN_ARGUMENT", `a policy of initialPolicySet: ${cause.message}`, cause);
  }
}
