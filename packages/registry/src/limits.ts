/** Quotas of AWS IoT that the registry keeps (AWS General Reference, IoT Core endpoints and quotas; CreatePolicy and so on). */

/** Policies attached to one certificate. */
export const maximumPoliciesPerCertificate = 10;
/** Policies attached to one thing group. */
export const maximumPoliciesPerThingGroup = 2;
/** Versions of one policy. */
export const maximumPolicyVersions = 5;
/** Certificate authorities of one subject in one account and region. */
export const maximumAuthoritiesPerSubject = 10;
/** Attributes of a thing without a thing type. */
export const maximumAttributesWithoutType = 3;
/** Attributes of a thing with a thing type. */
export const maximumAttributesWithType = 50;
/** Groups between a group and its root, both included. */
export const maximumGroupDepth = 7;
/** Direct children of a group. */
export const maximumGroupChildren = 100;
/** Groups that one thing is directly in. */
export const maximumGroupsPerThing = 10;
/** Tags of one resource. */
export const maximumTagsPerResource = 50;
/** Characters of a certificate in PEM. */
export const maximumCertificatePemCharacters = 65_536;
/** Characters of a certification request in PEM. */
export const maximumRequestPemCharacters = 4096;
/** Characters of a provisioning template. */
export const maximumTemplateCharacters = 10_240;
/** Seconds for which a certificate ownership token can be used (fleet provisioning). */
export const ownershipTokenSeconds = 3600;
/** Seconds for which a provisioning claim certificate is valid. */
export const claimCertificateSeconds = 300;
/** Most certificates, and most connections' rights, whose records are kept in memory (ours). */
export const maximumRememberedAnswers = 10_000;
/** Octets of a request of fleet provisioning: the most that a message of AWS IoT has. */
export const maximumProvisioningPayloadOctets = 131_072;
/** Requests of fleet provisioning that are carried out at once (ours): each may make an RSA key pair, some 100 ms of a processor. */
export const maximumProvisioningRequestsAtOnce = 100;
