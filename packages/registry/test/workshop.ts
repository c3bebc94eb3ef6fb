/** A registry in memory, with a local authority and certificates to try it with. */

import type { KeyPair } from "@latchkey/crypto";
import { nodeProvider } from "@latchkey/crypto/node";
import {
  certificateAuthority,
  certificateId,
  certificateToPem,
  createCertificationRequest,
  deviceCertificate,
  issueCertificate,
  issueSelfSignedCertificate,
  makeName,
  validityFrom,
  type Certificate,
  type CertificateIssuer,
  type NameAttributeInput,
} from "@latchkey/x509";
import { encodePem } from "@latchkey/asn1";
import {
  createMemoryStorage,
  createRegistry,
  defaultScope,
  type Registry,
  type RegistryOptions,
  type Storage,
} from "../src/index.ts";

export const startSeconds = 1_795_700_000;
const day = 86_400;

export const newKey = (): KeyPair => nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });

/** A root, or an authority below `issuer`. */
export function makeAuthority(
  commonName = "Own CA",
  { days = 3650, issuer }: { readonly days?: number; readonly issuer?: CertificateIssuer } = {},
): CertificateIssuer {
  const { privateKey, publicKey } = newKey();
  const template = certificateAuthority({
    subject: makeName([{ type: "CN", value: commonName }]),
    validity: validityFrom(startSeconds - day, days),
  });
  const certificate =
    issuer === undefined
      ? issueSelfSignedCertificate({ provider: nodeProvider, privateKey, template })
      : issueCertificate({ provider: nodeProvider, issuer, publicKey, template });
  return { privateKey, certificate };
}

export function makeDevice(
  issuer: CertificateIssuer,
  options: {
    readonly subject?: readonly NameAttributeInput[];
    readonly notBefore?: number;
    readonly days?: number;
    readonly key?: KeyPair;
  } = {},
): Certificate {
  const { subject = [{ type: "CN", value: "device" }], notBefore = startSeconds - 60, days = 365 } = options;
  return issueCertificate({
    provider: nodeProvider,
    issuer,
    publicKey: (options.key ?? newKey()).publicKey,
    template: deviceCertificate({ subject: makeName(subject), validity: validityFrom(notBefore, days) }),
  });
}

export function makeRequestPem(key: KeyPair = newKey(), commonName = "csr"): string {
  const request = createCertificationRequest({
    provider: nodeProvider,
    privateKey: key.privateKey,
    subject: makeName([{ type: "CN", value: commonName }]),
  });
  return encodePem("CERTIFICATE REQUEST", request.encoding);
}

export const idOf = (certificate: Certificate): string => certificateId(certificate, nodeProvider);
export const pemOf = (certificate: Certificate): string => certificateToPem(certificate);

/** A policy document that allows one action on one resource of the default account. */
export function allow(action: string, resource: string): string {
  const arn = resource === "*" ? "*" : `arn:aws:iot:us-east-1:000000000000:${resource}`;
  return JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: action, Resource: arn }] });
}

export class Workshop implements AsyncDisposable {
  readonly storage: Storage;
  readonly registry: Registry;
  readonly local: CertificateIssuer = makeAuthority("Local CA");
  nowSeconds = startSeconds;

  private constructor(options: Partial<RegistryOptions>, storage: Storage) {
    this.storage = storage;
    this.registry = createRegistry({
      storage,
      provider: nodeProvider,
      nowSeconds: () => this.nowSeconds,
      issuer: this.local,
      ...options,
    });
  }

  static async open(options: Partial<RegistryOptions> = {}): Promise<Workshop> {
    const workshop = new Workshop(options, options.storage ?? createMemoryStorage());
    await workshop.registry.createAccount(defaultScope);
    await workshop.registry.authorities.registerLocal(defaultScope, workshop.local.certificate);
    return workshop;
  }

  /** Registers an authority in DEFAULT mode with its proof. */
  async registerAuthority(
    authority: CertificateIssuer,
    options: { readonly autoRegistration?: boolean; readonly templateBody?: string } = {},
  ): Promise<string> {
    const code = await this.registry.authorities.registrationCode(defaultScope);
    const verification = makeDevice(authority, { subject: [{ type: "CN", value: code }] });
    const record = await this.registry.authorities.register(defaultScope, {
      caCertificatePem: pemOf(authority.certificate),
      verificationCertificatePem: pemOf(verification),
      setAsActive: true,
      allowAutoRegistration: options.autoRegistration,
      registrationConfig: options.templateBody === undefined ? undefined : { templateBody: options.templateBody },
    });
    return record.certificateId;
  }

  /** A device certificate of the local authority, registered and ACTIVE. */
  async activeDevice(): Promise<{ readonly id: string; readonly der: Uint8Array }> {
    const { record } = await this.registry.certificates.createKeysAndCertificate(defaultScope, {
      setAsActive: true,
      keyAlgorithm: "p-256",
    });
    return { id: record.certificateId, der: derOf(record.certificatePem) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.registry[Symbol.asyncDispose]();
  }
}

export function derOf(pem: string): Uint8Array {
  return Uint8Array.from(Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64"));
}
