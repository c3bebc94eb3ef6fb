/**
 * The authorities that a server makes for itself at its first start: a root that vouches for the server, whose certificate devices are
 * given, and an issuing authority that vouches for devices. Both are P-256. Where their keys lie is behind a port.
 *
 * The server's certificate is made anew before it ends; what serves it asks for it now and then, and needs no restart.
 */

import { equalBytes } from "@latchkey/asn1";
import { verifySignedData, type CryptoProvider } from "@latchkey/crypto";
import {
  certificateAuthority,
  certificateToPem,
  extensionValue,
  issueCertificateAsync,
  issueSelfSignedCertificate,
  makeName,
  serverCertificate,
  subjectAltName,
  validityFrom,
  type Certificate,
  type CertificateIssuer,
  type CertificateTemplate,
  type Validity,
} from "@latchkey/x509";
import { dateText } from "./certificate-input.ts";
import { RegistryError } from "./errors.ts";

/** The pairs of a certificate and its key: the root, the issuing authority, and what the server shows. */
export type LocalPairName = "server-ca" | "device-ca" | "server";

/** Where the pairs are kept: files, a key store. */
export interface KeyPairStore {
  /** The pair, or undefined where it was never written whole. Rejects where it cannot be read. */
  read(name: LocalPairName): Promise<CertificateIssuer | undefined>;
  /**
   * The pair is kept when the promise resolves, its key readable by its owner only. An interruption leaves the pair of before, a pair
   * whose key is not the certificate's, or none.
   */
  write(name: LocalPairName, pair: CertificateIssuer): Promise<void>;
  /** What people call the two parts of a pair, for messages: for instance their files. */
  describe(name: LocalPairName): { readonly certificate: string; readonly privateKey: string };
}

/** Names that the server's certificate is to have besides `localhost` and the loopback addresses. */
export interface ServerNames {
  readonly dnsNames: readonly string[];
  /** IPv4 or IPv6, as text. */
  readonly ipAddresses: readonly string[];
}

/** What the server shows. */
export interface ServerPair extends CertificateIssuer {
  /** A sentence for the log where the pair should be replaced, and stays because its successor cannot be written. */
  readonly warning: string | undefined;
}

/** What a local authority is opened with. */
export interface LocalAuthorityOptions {
  readonly pairs: KeyPairStore;
  readonly provider: CryptoProvider;
  /** Seconds since 1970-01-01T00:00:00Z. */
  readonly nowSeconds: () => number;
}

const secondsPerDay = 86_400;
const authorityDays = 20 * 365;
/** What public authorities give at most: CA/Browser Forum Baseline Requirements §6.3.2, as of 2020. */
const serverDays = 397;
/** The server's certificate is replaced when it has less than this left. */
const renewalDays = 30;
/** Clocks of devices are behind; AWS IoT and public authorities date certificates back by minutes, too. */
const backdatedSeconds = 5 * 60;

/** The local authority of one server. `openLocalAuthority` makes one. */
export class LocalAuthority {
  /** What devices are to trust: for download. */
  readonly root: Certificate;
  /** Signs what a registry issues: its `issuer`. */
  readonly issuer: CertificateIssuer;
  readonly #rootIssuer: CertificateIssuer;
  readonly #options: LocalAuthorityOptions;

  constructor(rootIssuer: CertificateIssuer, issuer: CertificateIssuer, options: LocalAuthorityOptions) {
    this.root = rootIssuer.certificate;
    this.issuer = issuer;
    this.#rootIssuer = rootIssuer;
    this.#options = options;
  }

  /** The root as PEM. */
  get rootPem(): string {
    return certificateToPem(this.root);
  }

  /**
   * The server's certificate and key: the kept one, or a new one where that is missing, does not fit its key, is not signed by the root,
   * begins in the future (the clock was wrong when it was made), has less than 30 days left, or has other names. To be asked again about
   * once an hour.
   *
   * Where a new one cannot be written, the old one is given as long as it is valid, with a warning. Rejects with what the store
   * rejects with otherwise.
   */
  async serverPair(names: ServerNames): Promise<ServerPair> {
    const { pairs, provider } = this.#options;
    const nowSeconds = this.#options.nowSeconds();
    const template = this.#serverTemplate(names, nowSeconds);
    const kept = await pairs.read("server");
    const isUsable =
      kept !== undefined &&
      fitTogether(kept) &&
      isSignedBy(this.root, kept.certificate, provider) &&
      hasBegun(kept, nowSeconds);
    if (isUsable && hasDaysLeft(kept.certificate, nowSeconds) && hasNamesOf(template, kept.certificate)) {
      return { ...kept, warning: undefined };
    }
    const { privateKey, publicKey } = await provider.generateKeyPairAsync({ name: "ec", curve: "P-256" });
    const issuer = this.#rootIssuer;
    const renewed = { privateKey, certificate: await issueCertificateAsync({ provider, issuer, template, publicKey }) };
    try {
      await pairs.write("server", renewed);
    } catch (error) {
      const isStillValid = isUsable && nowSeconds <= kept.certificate.validity.notAfter;
      if (!isStillValid || !fitTogether((await pairs.read("server")) ?? renewed)) throw error;
      const why = error instanceof Error ? error.message : String(error);
      return { ...kept, warning: `the old server certificate stays: a new one cannot be written: ${why}` };
    }
    return { ...renewed, warning: undefined };
  }

  #serverTemplate({ dnsNames, ipAddresses }: ServerNames, nowSeconds: number): CertificateTemplate {
    return serverCertificate({
      subject: makeName([{ type: "commonName", value: "Latchkey broker" }]),
      validity: validityUnder(this.root, nowSeconds, serverDays),
      dnsNames: [...new Set(["localhost", ...dnsNames])],
      ipAddresses: [...new Set(["127.0.0.1", "::1", ...ipAddresses])],
    });
  }
}

/**
 * Reads the two authorities, and makes those that are not there.
 *
 * Rejects with `ERR_REGISTRY_LOCAL_AUTHORITY` where a key is not its certificate's, or an authority is not valid now, and with what the
 * store rejects with. Nothing is replaced then.
 */
export async function openLocalAuthority(options: LocalAuthorityOptions): Promise<LocalAuthority> {
  const root = await openAuthority("server-ca", "Latchkey Server CA", options);
  const issuer = await openAuthority("device-ca", "Latchkey Device CA", options);
  return new LocalAuthority(root, issuer, options);
}

/**
 * `days` of validity for a new certificate, from some minutes before now, since clocks of devices are behind; never from
 * before its issuer's own start.
 */
export function validityUnder(issuer: Certificate, nowSeconds: number, days: number): Validity {
  return validityFrom(Math.max(nowSeconds - backdatedSeconds, issuer.validity.notBefore), days);
}

async function openAuthority(
  name: LocalPairName,
  commonName: string,
  { pairs, provider, nowSeconds }: LocalAuthorityOptions,
): Promise<CertificateIssuer> {
  const kept = await pairs.read(name);
  if (kept !== undefined) {
    checkUsable(kept, pairs.describe(name), nowSeconds());
    return kept;
  }
  const { privateKey } = await provider.generateKeyPairAsync({ name: "ec", curve: "P-256" });
  const certificate = issueSelfSignedCertificate({
    provider,
    privateKey,
    template: certificateAuthority({
      subject: makeName([
        { type: "organizationName", value: "Latchkey" },
        { type: "commonName", value: commonName },
      ]),
      validity: validityFrom(nowSeconds() - backdatedSeconds, authorityDays),
      pathLenConstraint: 0,
    }),
  });
  await pairs.write(name, { certificate, privateKey });
  return { certificate, privateKey };
}

function checkUsable(
  pair: CertificateIssuer,
  names: { readonly certificate: string; readonly privateKey: string },
  nowSeconds: number,
): void {
  const { notBefore, notAfter } = pair.certificate.validity;
  const both = `${names.certificate} and ${names.privateKey}`;
  const refuse = (problem: "mismatch" | "expired" | "not-yet-valid", message: string): never => {
    throw new RegistryError("ERR_REGISTRY_LOCAL_AUTHORITY", message, { ...names, problem, notBefore, notAfter });
  };
  if (!fitTogether(pair)) refuse("mismatch", `${names.privateKey} is not the key of ${names.certificate}`);
  if (nowSeconds > notAfter) {
    refuse(
      "expired",
      `the authority in ${names.certificate} expired at ${dateText(notAfter)}. Move ${both} away, start again ` +
        "to have a new one made, and give devices new certificates and the new root",
    );
  }
  if (nowSeconds < notBefore) {
    refuse(
      "not-yet-valid",
      `the authority in ${names.certificate} begins only at ${dateText(notBefore)}, and this machine's clock ` +
        `says ${dateText(nowSeconds)}. Set the clock, or move ${both} away and start again to have a new one made`,
    );
  }
}

function fitTogether({ certificate, privateKey }: CertificateIssuer): boolean {
  return equalBytes(certificate.subjectPublicKeyInfo.encoding, privateKey.publicKey.spki);
}

/** A root that was made again has the name of the one before it, so that names say nothing. */
function isSignedBy(issuer: Certificate, certificate: Certificate, provider: CryptoProvider): boolean {
  const { signatureAlgorithm, tbsCertificate, signatureValue } = certificate;
  const publicKey = issuer.subjectPublicKeyInfo.encoding;
  const signed = { publicKey, algorithm: signatureAlgorithm.encoding, data: tbsCertificate, signature: signatureValue };
  return verifySignedData(provider, signed).ok;
}

function hasBegun({ certificate }: CertificateIssuer, nowSeconds: number): boolean {
  return nowSeconds >= certificate.validity.notBefore;
}

function hasDaysLeft({ validity }: Certificate, nowSeconds: number): boolean {
  return validity.notAfter - nowSeconds > renewalDays * secondsPerDay;
}

function hasNamesOf(template: CertificateTemplate, certificate: Certificate): boolean {
  const wanted = extensionValue(template, subjectAltName);
  return JSON.stringify(extensionValue(certificate, subjectAltName)) === JSON.stringify(wanted);
}
