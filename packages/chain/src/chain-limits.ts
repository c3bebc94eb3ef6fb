/** The names and meanings of the limits; `limits.ts` has their defaults and counts them down. */

export interface ChainLimits {
  /** Certificates between the one asked about and the trust anchor. Default 10; rustls-webpki takes 6. */
  readonly intermediates: number;
  /** Untrusted certificates that one answer may be given. Default 1024. */
  readonly candidates: number;
  /** Octets of one certificate. Default 1 MiB. */
  readonly certificateOctets: number;
  /** Revocation lists and OCSP responses that one answer may be given. Default 256. */
  readonly statements: number;
  /** Signatures checked for one answer, those of revocation lists included. Default 100, as Go and rustls-webpki. */
  readonly signatures: number;
  /** Whole paths validated. Default 200. */
  readonly paths: number;
  /** Candidates looked at. Default 50,000. */
  readonly steps: number;
  /** Names of one certificate held against the constraints of one other. Default 2^20, as BoringSSL. */
  readonly nameComparisons: number;
  /** The same of all certificates and paths. Default 2^22, some 60 ms; Go and rustls-webpki take 250,000. */
  readonly allNameComparisons: number;
}

export type LimitName = keyof ChainLimits;
