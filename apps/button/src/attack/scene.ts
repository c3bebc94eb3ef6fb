/**
 * Where attacks take place: a broker, its data directory, and identities that are made for the attacks and taken away after them. Making
 * an expired or a revoked certificate that the broker knows takes the broker's own authority, so this is for a broker of one's own.
 */

import { encodeDer } from "@latchkey/asn1";
import { nodeProvider } from "@latchkey/crypto/node";
import {
  certificateAuthority,
  certificateToPem,
  deviceCertificate,
  issueCertificate,
  issueSelfSignedCertificate,
  makeName,
  privateKeyToPem,
  type Certificate,
  type CertificateIssuer,
  type Name,
  type Validity,
} from "@latchkey/x509";
import type { PrivateKey } from "@latchkey/crypto";
import { buttonPolicy, serialNumberVariable, sharedPolicyName } from "../provision/button-policy.ts";
import { openDataDirectory, type OpenedDataDirectory } from "../provision/data-directory-service.ts";
import { makeSerialNumber } from "../serial-number.ts";

/** A client's certificate and key. */
export interface Identity {
  readonly serialNumber: string;
  readonly certificate: Certificate;
  readonly key: PrivateKey;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** The broker that is attacked. */
export interface Target {
  readonly host: string;
  readonly mqttPort: number;
  readonly httpsPort: number;
}

/** The scene. */
export interface Scene extends AsyncDisposable {
  readonly target: Target;
  readonly rootPem: string;
  /** A button that may do what buttons may. The attacker has it. */
  readonly own: Identity;
  /** The victim: the attacker knows its certificate, which is no secret, not its key. */
  readonly neighbour: Identity;
  /** Registered and ACTIVE, and its validity ends some seconds after the start. */
  readonly expiring: Identity;
  readonly revoked: Identity;
  /** Its serial number is `*`. */
  readonly wildcard: Identity;
  /** May connect under its serial number, and subscribe to `orders/` and its client identifier. */
  readonly roomGuest: Identity;
  readonly selfSigned: Identity;
  /** Of an authority that has the name of the broker's own. */
  readonly foreign: Identity;
}

const backdatedSeconds = 5 * 60;
const hour = 3600;
/** Registering takes less than this. */
const expiringSeconds = 3;
const roomPolicyName = "latchkey-attack-room";
const anyClientPolicyName = "latchkey-attack-any-client";

/** Makes the scene. Throws `UsageError` and what the registry throws. */
export async function setScene(dataDirectory: string, target: Target): Promise<Scene> {
  const data = await openDataDirectory(dataDirectory);
  const made: string[] = [];
  const nowSeconds = Math.floor(Date.now() / 1000);
  const notBefore = Math.max(nowSeconds - backdatedSeconds, data.deviceAuthority.certificate.validity.notBefore);
  const usual: Validity = { notBefore, notAfter: nowSeconds + hour };
  const dispose = async (): Promise<void> => {
    await removeIdentities(data, made);
    await data[Symbol.asyncDispose]();
  };
  try {
    await createPolicies(data);
    const register = async (identity: Identity, ...policyNames: string[]): Promise<Identity> => {
      made.push(await registerIdentity(data, identity, policyNames));
      return identity;
    };
    const { deviceAuthority } = data;
    const named = (serialNumber: string, issuer: CertificateIssuer, validity: Validity): Identity =>
      issueIdentity(serialNumber, subjectOf(serialNumber), issuer, validity);
    const own = await register(named(makeSerialNumber(), deviceAuthority, usual), sharedPolicyName);
    const neighbour = await register(named(makeSerialNumber(), deviceAuthority, usual), sharedPolicyName);
    const revoked = await register(named(makeSerialNumber(), deviceAuthority, usual), sharedPolicyName);
    await data.registry.certificates.updateStatus(data.scope, made.at(-1) ?? "", "REVOKED");
    const expiring = await register(
      named(makeSerialNumber(), deviceAuthority, {
        notBefore,
        notAfter: Math.floor(Date.now() / 1000) + expiringSeconds,
      }),
      sharedPolicyName,
    );
    const wildcard = issueIdentity("*", wildcardSubject(), deviceAuthority, usual);
    return {
      target,
      rootPem: data.rootPem,
      own,
      neighbour,
      revoked,
      expiring,
      wildcard: await register(wildcard, sharedPolicyName, anyClientPolicyName),
      roomGuest: await register(named(makeSerialNumber(), deviceAuthority, usual), roomPolicyName),
      selfSigned: selfSignedIdentity(makeSerialNumber(), usual),
      foreign: named(makeSerialNumber(), foreignAuthority(deviceAuthority.certificate.subject, usual), usual),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function createPolicies({ registry, scope }: OpenedDataDirectory): Promise<void> {
  const arn = `arn:aws:iot:${scope.region}:${scope.account}`;
  const allow = (action: string, resource: string): object => ({
    Effect: "Allow",
    Action: action,
    Resource: `${arn}:${resource}`,
  });
  const room = policyOf(
    allow("iot:Connect", `client/${serialNumberVariable}`),
    allow("iot:Subscribe", "topicfilter/orders/${iot:ClientId}"),
  );
  for (const [name, document] of [
    [sharedPolicyName, buttonPolicy(`${arn}:cert/any`, serialNumberVariable)],
    [roomPolicyName, room],
    [anyClientPolicyName, policyOf(allow("iot:Connect", "client/*"))],
  ] as const) {
    if (!policyNames(registry, scope).includes(name)) await registry.policies.create(scope, name, document);
  }
}

function policyOf(...statements: readonly object[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

async function registerIdentity(
  { registry, scope }: OpenedDataDirectory,
  { certificatePem }: Identity,
  policyNames: readonly string[],
): Promise<string> {
  const { certificateId } = await registry.certificates.register(scope, { certificatePem, status: "INACTIVE" });
  for (const name of policyNames) await registry.policies.attach(scope, name, { kind: "cert", certificateId });
  await registry.certificates.updateStatus(scope, certificateId, "ACTIVE");
  return certificateId;
}

async function removeIdentities({ registry, scope }: OpenedDataDirectory, ids: readonly string[]): Promise<void> {
  for (const certificateId of ids) {
    await registry.certificates.updateStatus(scope, certificateId, "INACTIVE", { force: true });
    await registry.certificates.delete(scope, certificateId, { force: true });
  }
  for (const name of [roomPolicyName, anyClientPolicyName]) {
    const isThere = policyNames(registry, scope).includes(name);
    if (isThere) await registry.policies.delete(scope, name);
  }
}

function policyNames(registry: OpenedDataDirectory["registry"], scope: OpenedDataDirectory["scope"]): string[] {
  return registry.policies.list(scope, { pageSize: 1000 }).items.map(({ policyName }) => policyName);
}

function issueIdentity(serialNumber: string, subject: Name, issuer: CertificateIssuer, validity: Validity): Identity {
  const { privateKey, publicKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const template = deviceCertificate({ subject, validity });
  const certificate = issueCertificate({ provider: nodeProvider, issuer, template, publicKey });
  return identityOf(serialNumber, certificate, privateKey);
}

function selfSignedIdentity(serialNumber: string, validity: Validity): Identity {
  const { privateKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const template = deviceCertificate({ subject: subjectOf(serialNumber), validity });
  const certificate = issueSelfSignedCertificate({ provider: nodeProvider, privateKey, template });
  return identityOf(serialNumber, certificate, privateKey);
}

function identityOf(serialNumber: string, certificate: Certificate, key: PrivateKey): Identity {
  return {
    serialNumber,
    certificate,
    key,
    certificatePem: certificateToPem(certificate),
    privateKeyPem: privateKeyToPem(key, { provider: nodeProvider }),
  };
}

function foreignAuthority(subject: Name, validity: Validity): CertificateIssuer {
  const { privateKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const template = certificateAuthority({ subject, validity });
  return { privateKey, certificate: issueSelfSignedCertificate({ provider: nodeProvider, privateKey, template }) };
}

function subjectOf(serialNumber: string): Name {
  return makeName([
    { type: "commonName", value: `button ${serialNumber}` },
    { type: "serialNumber", value: serialNumber },
  ]);
}

/** X.520 wants a PrintableString, which has no `*`; an authority that does not look takes it as UTF8String. */
function wildcardSubject(): Name {
  const star = encodeDer((writer) => writer.utf8String("*"));
  return makeName([
    { type: "commonName", value: "button of everybody" },
    { type: "serialNumber", value: star },
  ]);
}
