/**
 * The checks that go beyond path validation (RFC 5280 §6), and what each profile makes of them.
 *
 * §6 says which paths hold. §4 says what a certificate has to look like, and the CA/Browser Forum adds rules for servers
 * on the Web. Test suites and users disagree on how much of that a verifier has to check. So each such rule is a check of
 * its own here, which can be an error, a warning, or off.
 */

import { everyTolerance, type Tolerances } from "@latchkey/x509";

/** What a failed check means: a refusal, a note on the result, or nothing. */
export type Severity = "error" | "warning" | "off";

/** The name of a profile. */
export type ProfileName = "rfc5280" | "webpki" | "iotDevice";

/** The failure code of each check that a caller can set. */
export const profileChecks = {
  /** The trust anchor's certificate is within its validity (§6.2 leaves it open). */
  anchorValidity: "ERR_CHAIN_ANCHOR_EXPIRED",
  /** Version 3, in the end entity too; authorities must have it in any case. */
  version: "ERR_CHAIN_VERSION",
  /** Positive, at most 20 octets. */
  serialNumber: "ERR_CHAIN_SERIAL_NUMBER",
  /** An authority has a subject. */
  authoritySubject: "ERR_CHAIN_EMPTY_SUBJECT",
  /** Extensions that MUST NOT be critical: key identifiers, access information, freshestCRL. */
  nonCriticalExtensions: "ERR_CHAIN_EXTENSION_CRITICAL",
  /** Extensions that MUST be critical: an authority's basicConstraints, policyConstraints, inhibitAnyPolicy. */
  mandatoryCriticalExtensions: "ERR_CHAIN_EXTENSION_NOT_CRITICAL",
  /** nameConstraints are critical; apart from the others, for the Web PKI allows the contrary. */
  nameConstraintsCritical: "ERR_CHAIN_NAME_CONSTRAINTS_NOT_CRITICAL",
  /** authorityKeyIdentifier with a keyIdentifier, in all but trust anchors. */
  authorityKeyIdentifier: "ERR_CHAIN_AUTHORITY_KEY_IDENTIFIER",
  /** subjectKeyIdentifier in authorities. */
  subjectKeyIdentifier: "ERR_CHAIN_SUBJECT_KEY_IDENTIFIER",
  /** A root's authorityKeyIdentifier names itself, by key identifier only. */
  rootAuthorityKeyIdentifier: "ERR_CHAIN_ROOT_AUTHORITY_KEY_IDENTIFIER",
  /** keyCertSign in authorities only. */
  certSignWithoutCa: "ERR_CHAIN_CERT_SIGN_WITHOUT_CA",
  /** nameConstraints in authorities only. */
  nameConstraintsInEndEntity: "ERR_CHAIN_NAME_CONSTRAINTS_IN_END_ENTITY",
  /** Name constraints in the RFC's syntax: no wildcard, no leading period on a DNS name, well-formed mailboxes. */
  nameConstraintSyntax: "ERR_CHAIN_NAME_CONSTRAINT_SYNTAX",
  /** The end entity's alternative names in their syntax: DNS names of letters, digits and hyphens; mailboxes. */
  alternativeNameSyntax: "ERR_CHAIN_ALTERNATIVE_NAME_SYNTAX",
  /** The end entity's keyUsage allows what TLS does with the key. */
  endEntityKeyUsage: "ERR_CHAIN_KEY_USAGE",
  /** The end entity is no authority. */
  endEntityIsCa: "ERR_CHAIN_END_ENTITY_IS_CA",
  /** extendedKeyUsage is there, not critical, without anyExtendedKeyUsage, and not in a root. */
  extendedKeyUsageForm: "ERR_CHAIN_EXTENDED_KEY_USAGE_FORM",
  /** A common name repeats an alternative name of its form, character for character, or is a wildcard's domain. */
  commonName: "ERR_CHAIN_COMMON_NAME",
  /** subjectAltName beside a subject is not critical. */
  subjectAltNameCritical: "ERR_CHAIN_SUBJECT_ALT_NAME_CRITICAL",
  /** The end entity's key is RSA of 2048 bits or more in whole octets, a named curve's, or Ed25519. */
  subjectKey: "ERR_CHAIN_SUBJECT_KEY",
  /** No wildcard stands right under a public suffix; without `isPublicSuffix` that is any name of one label. */
  publicSuffix: "ERR_CHAIN_PUBLIC_SUFFIX",
  /**
   * A revocation list has a number that is not critical (§5.2.3). An error here means that a list without is not used;
   * a warning lets it count like off does.
   */
  revocationListNumber: "ERR_CHAIN_REVOCATION_UNKNOWN",
} as const;

/** The checks that can be set one by one. */
export type ProfileCheck = keyof typeof profileChecks;

/** The severity of every check that can be set. */
export type CheckSeverities = Readonly<Record<ProfileCheck, Severity>>;

/** One severity for all; for instance `everyCheck("off")` leaves path validation by RFC 5280 §6 alone. */
export function everyCheck(severity: Severity): Record<ProfileCheck, Severity> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of one object are those of the other
  return Object.fromEntries(Object.keys(profileChecks).map((check) => [check, severity])) as Record<
    ProfileCheck,
    Severity
  >;
}

/** Each profile's severities; the README has them as a table. */
export const profiles: Readonly<Record<ProfileName, CheckSeverities>> = /* @__PURE__ */ makeProfiles();

function makeProfiles(): Readonly<Record<ProfileName, CheckSeverities>> {
  return {
    // What RFC 5280 asks of certificates is asked; what only the Web asks is not.
    rfc5280: {
      ...everyCheck("error"),
      version: "off",
      rootAuthorityKeyIdentifier: "off",
      endEntityIsCa: "off",
      extendedKeyUsageForm: "off",
      commonName: "off",
      subjectAltNameCritical: "off",
      subjectKey: "off",
      publicSuffix: "off",
    },
    webpki: { ...everyCheck("error"), nameConstraintsCritical: "off" },
    // Fleets are often below private certificate authorities that were made with a few lines of openssl. So path validation
    // is in full, and keys and usages have to fit; the rest is a warning, for a device in the field cannot be reissued.
    iotDevice: {
      ...everyCheck("warning"),
      anchorValidity: "error",
      endEntityKeyUsage: "error",
      endEntityIsCa: "error",
      subjectKey: "error",
      version: "off",
      rootAuthorityKeyIdentifier: "off",
      extendedKeyUsageForm: "off",
      commonName: "off",
      subjectAltNameCritical: "off",
      publicSuffix: "off",
    },
  };
}

/**
 * What each profile makes of the slips in x509's table of tolerances: `rfc5280` and `webpki` refuse each as malformed,
 * `iotDevice` reads on and warns.
 */
export function profileTolerances(profile: ProfileName = "rfc5280"): Tolerances {
  return profile === "iotDevice" ? everyTolerance("warn") : {};
}
