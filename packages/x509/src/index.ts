/** X.509 certificates, requests and revocation lists: the public names of `@latchkey/x509`. */

export { type AlgorithmIdentifier } from "./algorithm-identifier.ts";
export { type AttributeName } from "./attribute-types.ts";
export {
  type Certificate,
  checkCertificateContents,
  parseCertificate,
  type ParseOptions,
  type Validity,
} from "./certificate.ts";
export {
  type CertificationRequest,
  certificationRequestFromPem,
  parseCertificationRequest,
  type RequestAttribute,
  verifyCertificationRequest,
} from "./certification-request.ts";
export {
  X509Error,
  type X509ErrorCode,
  type X509ErrorDetails,
  type X509Evidence,
  type X509LimitCode,
  type X509LimitEvidence,
  type X509MalformedCode,
  type X509MalformedEvidence,
  type X509MisuseCode,
  type X509MisuseEvidence,
  type X509UnsupportedCode,
  type X509UnsupportedEvidence,
  type X509VerificationCode,
  type X509VerificationEvidence,
} from "./errors.ts";
export {
  decodeExtension,
  type Extensible,
  type Extension,
  type ExtensionReader,
  type ExtensionType,
  extensionValue,
  findExtension,
  makeExtension,
} from "./extension.ts";
export { certificateIssuer, issuerAltName, subjectAltName } from "./extensions/alternative-names.ts";
export { type BasicConstraints, basicConstraints } from "./extensions/basic-constraints.ts";
export {
  cRLDistributionPoints,
  cRLNumber,
  cRLReason,
  deltaCRLIndicator,
  type DistributionPoint,
  type DistributionPointName,
  freshestCRL,
  invalidityDate,
  type IssuingDistributionPoint,
  issuingDistributionPoint,
  type ReasonFlag,
  reasonFlags,
  type RevocationReason,
  revocationReasons,
} from "./extensions/distribution-points.ts";
export {
  type AuthorityKeyIdentifier,
  authorityKeyIdentifier,
  subjectKeyIdentifier,
} from "./extensions/key-identifiers.ts";
export {
  extendedKeyUsage,
  hasKeyPurpose,
  keyPurposeName,
  type KeyPurposeName,
  keyPurposes,
  type KeyUsage,
  keyUsage,
} from "./extensions/key-usage.ts";
export {
  type ExtensionCriticality,
  extensionTypeOf,
  type ExtensionUser,
  isUnderstoodBy,
  type KnownExtension,
  knownExtension,
  knownExtensions,
} from "./extensions/extension-table.ts";
export { type NameConstraints, nameConstraints } from "./extensions/name-constraints.ts";
export {
  anyPolicy,
  certificatePolicies,
  inhibitAnyPolicy,
  type PolicyConstraints,
  policyConstraints,
  type PolicyInformation,
  type PolicyMapping,
  policyMappings,
  type PolicyQualifier,
  policyQualifierIds,
} from "./extensions/policies.ts";
export {
  type AccessDescription,
  accessMethods,
  authorityInfoAccess,
  ocspNoCheck,
  signedCertificateTimestamps,
  subjectInfoAccess,
  tlsFeature,
} from "./extensions/private-internet.ts";
export { certificateId, fingerprint, serialNumberDecimal } from "./fingerprint.ts";
export { hexText } from "./hex-text.ts";
export { type GeneralName } from "./general-name.ts";
export {
  type CertificateIssuer,
  issueCertificate,
  issueCertificateAsync,
  type IssueCertificateInput,
  issueSelfSignedCertificate,
  keyIdentifierOf,
  randomSerialNumber,
  type SelfSignedCertificateInput,
} from "./issue-certificate.ts";
export {
  issueCertificateRevocationList,
  type IssueRevocationListInput,
  type RevocationEntryInput,
} from "./issue-revocation-list.ts";
export { type CertificationRequestInput, createCertificationRequest } from "./issue-request.ts";
export {
  attributesOf,
  attributeText,
  attributeValues,
  makeName,
  makeNameOfSets,
  type Name,
  type NameAttribute,
  type NameAttributeInput,
  parseName,
  type RelativeDistinguishedName,
} from "./name.ts";
export { escapeAttributeValue, nameText, parseNameText } from "./name-text.ts";
export { nameIsInSubtree, nameKey, namesMatch } from "./name-match.ts";
export {
  type CertificateRevocationList,
  parseCertificateRevocationList,
  revocationListsFromPem,
} from "./revocation-list.ts";
export { type RevokedCertificate, type RevokedCertificates } from "./revoked-certificates.ts";
export {
  decryptPrivateKeyInfo,
  type DecryptOptions,
  defaultIterations,
  defaultMaximumIterations,
  type EncryptOptions,
  encryptPrivateKeyInfo,
  type KeyToleranceOptions,
  parsePrivateKeyInfo,
  type PrivateKeyInfo,
} from "./private-key.ts";
export {
  privateKeyFromPem,
  type PrivateKeyPemOptions,
  privateKeyToPem,
  type PrivateKeyToPemOptions,
  publicKeyFromPem,
  publicKeyToPem,
} from "./pem-keys.ts";
export { type Signing } from "./sign.ts";
export {
  addressOctets,
  certificateAuthority,
  type CertificateAuthorityInput,
  type CertificateTemplate,
  deviceCertificate,
  type DeviceCertificateInput,
  noWellDefinedExpiration,
  serverCertificate,
  type ServerCertificateInput,
  validityFrom,
} from "./templates.ts";
export { certificateRequestToPem, certificatesFromPem, certificateToPem, revocationListToPem } from "./pem-files.ts";
export { formatIpAddress, parseIpAddress, parseIpv4 } from "./ip-address.ts";
export {
  type Deviation,
  everyTolerance,
  type Tolerance,
  type ToleranceAction,
  type ToleranceCode,
  type ToleranceOptions,
  type Tolerances,
  tolerances,
  type Tolerate,
  toleratesBy,
} from "./tolerance.ts";
export { parseSubjectPublicKeyInfo, type SubjectPublicKeyInfo } from "./subject-public-key-info.ts";
