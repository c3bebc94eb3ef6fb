/** What gives identities: the operations of AWS IoT's control plane that a button's owner needs, by any way to them. */

/** A certificate that the service knows, and may use it once it has a policy. */
export interface IssuedCertificate {
  /** `arn:aws:iot:REGION:ACCOUNT:cert/ID`. */
  readonly certificateArn: string;
  readonly certificateId: string;
}

/** The service. Certificates are ACTIVE from the start; without a policy they may do nothing. */
export interface IdentityService extends AsyncDisposable {
  /** CreateKeysAndCertificate: the service makes the key pair, too. */
  createKeysAndCertificate(): Promise<
    IssuedCertificate & { readonly certificatePem: string; readonly privateKeyPem: string }
  >;
  /** CreateCertificateFromCsr. */
  createCertificateFromCsr(requestPem: string): Promise<IssuedCertificate & { readonly certificatePem: string }>;
  /** GetRegistrationCode: what the owner of an authority has to put into a certificate to prove that the key is there. */
  registrationCode(): Promise<string>;
  /** RegisterCACertificate, ACTIVE. An authority that is registered already stays as it is. */
  registerAuthority(certificatePem: string, verificationCertificatePem: string): Promise<void>;
  /** RegisterCertificate: of a registered authority. */
  registerCertificate(certificatePem: string, authorityPem: string): Promise<IssuedCertificate>;
  /** CreatePolicy. A policy of this name that is there already stays as it is. */
  createPolicy(policyName: string, document: string): Promise<void>;
  /** AttachPolicy. */
  attachPolicy(policyName: string, certificateArn: string): Promise<void>;
  /** PEM of the root that devices are to believe. */
  root(): Promise<string>;
}
