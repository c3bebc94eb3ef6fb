/** Certificates of any kind, right and wrong: `@latchkey/x509` would refuse to issue most of what a verifier must refuse. */

import { contextConstructed, encodeDer, encodeOid, Tag } from "@latchkey/asn1";
import { defaultSignatureAlgorithm, encodeSignatureAlgorithm, type KeyPair } from "@latchkey/crypto";
import { nodeProvider } from "@latchkey/crypto/node";
import {
  authorityKeyIdentifier,
  basicConstraints,
  type DistributionPointName,
  type Extension,
  type ExtensionType,
  extendedKeyUsage,
  type GeneralName,
  type IssuingDistributionPoint,
  keyPurposes,
  type KeyPurposeName,
  type KeyUsage,
  keyUsage,
  makeExtension,
  makeName,
  type Name,
  nameConstraints,
  type NameConstraints,
  parseSubjectPublicKeyInfo,
  subjectAltName,
  subjectKeyIdentifier,
} from "@latchkey/x509";

/** 2026-11-23T12:00:00Z. */
export const now = Date.UTC(2026, 10, 23, 12) / 1000;
const day = 86_400;

/** A name and a key; who has both can issue. */
export interface Entity {
  readonly name: Name;
  readonly keys: KeyPair;
}

export function entity(commonName: string, keys: KeyPair = newKeys()): Entity {
  return { name: makeName([{ type: "CN", value: commonName }]), keys };
}

/** With Ed25519, whose keys and signatures have one length. */
export function edwardsEntity(commonName: string): Entity {
  return entity(commonName, nodeProvider.generateKeyPair({ name: "ed25519" }));
}

export function newKeys(): KeyPair {
  return nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
}

export interface CertificateInput {
  readonly subject: Entity;
  readonly issuer: Entity;
  /** Besides the key identifiers. */
  readonly extensions?: readonly Extension[];
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly serialNumber?: number | Uint8Array;
  readonly version?: 1 | 3;
  readonly keyIdentifiers?: "both" | "none";
  /** Signs with another key than the issuer's. */
  readonly signer?: KeyPair;
}

let serialNumbers = 1;

export function issue(input: CertificateInput): Uint8Array {
  const { subject, issuer, extensions = [], version = 3, keyIdentifiers = "both", signer = issuer.keys } = input;
  const { privateKey } = signer;
  const algorithm = defaultSignatureAlgorithm(privateKey.algorithm);
  const identifiers =
    keyIdentifiers === "none"
      ? []
      : [
          makeExtension(subjectKeyIdentifier, identifierOf(subject)),
          makeExtension(authorityKeyIdentifier, {
            keyIdentifier: identifierOf(issuer),
            authorityCertIssuer: undefined,
            authorityCertSerialNumber: undefined,
          }),
        ];
  const tbs = encodeDer((writer) => {
    writer.sequence((fields) => {
      if (version === 3) fields.explicit(0, (explicit) => explicit.integer(2));
      fields.integer(input.serialNumber ?? serialNumbers++);
      fields.encoded(encodeSignatureAlgorithm(algorithm));
      fields.encoded(issuer.name.encoding);
      fields.sequence((validity) => {
        validity.time(input.notBefore ?? now - day);
        validity.time(input.notAfter ?? now + day);
      });
      fields.encoded(subject.name.encoding);
      fields.encoded(subject.keys.publicKey.spki);
      if (version === 3) {
        fields.explicit(3, (explicit) =>
          explicit.sequence((list) => {
            for (const { oid, critical, value } of [...extensions, ...identifiers]) {
              list.sequence((extension) => {
                extension.oid(oid);
                extension.booleanDefaultFalse(critical);
                extension.octetString(value);
              });
            }
          }),
        );
      }
    });
  });
  return encodeDer((writer) => {
    writer.sequence((fields) => {
      fields.encoded(tbs);
      fields.encoded(encodeSignatureAlgorithm(algorithm));
      fields.bitString(nodeProvider.sign(privateKey, algorithm, tbs));
    });
  });
}

function identifierOf({ keys }: Entity): Uint8Array {
  return nodeProvider.hash("SHA-1", parseSubjectPublicKeyInfo(keys.publicKey.spki).subjectPublicKey);
}

export interface AuthorityInput {
  readonly pathLenConstraint?: number;
  readonly usages?: readonly KeyUsage[];
  readonly nameConstraints?: NameConstraints;
  readonly more?: readonly Extension[];
}

/** The extensions of an authority. */
export function authority(input: AuthorityInput = {}): Extension[] {
  const constrained =
    input.nameConstraints === undefined ? [] : [makeExtension(nameConstraints, input.nameConstraints, true)];
  return [
    makeExtension(basicConstraints, { cA: true, pathLenConstraint: input.pathLenConstraint }, true),
    makeExtension<readonly KeyUsage[]>(keyUsage, input.usages ?? ["keyCertSign", "cRLSign"], true),
    ...constrained,
    ...(input.more ?? []),
  ];
}

/** The extensions of an end entity. */
export function endEntity(
  purpose: KeyPurposeName,
  names: readonly GeneralName[] = [],
  more: readonly Extension[] = [],
): Extension[] {
  return [
    makeExtension(keyUsage, ["digitalSignature"], true),
    makeExtension(extendedKeyUsage, [keyPurposes[purpose]]),
    ...(names.length === 0 ? [] : [makeExtension(subjectAltName, names)]),
    ...more,
  ];
}

export function dns(value: string): GeneralName {
  return { type: "dNSName", value };
}

/** An extension that nothing knows. */
export function unknownExtension(critical: boolean): Extension {
  return { oid: encodeOid("1.3.6.1.4.1.55738.666.1"), critical, value: Uint8Array.of(0x05, 0x00), valueOffset: 0 };
}

/** An extension of a value, critical or not. */
export function extension<Value>(type: ExtensionType<Value>, value: Value, critical = false): Extension {
  return makeExtension(type, value, critical);
}

/** The scope of a revocation list: everything, but for the given fields. */
export function listScope(fields: Partial<IssuingDistributionPoint> = {}): IssuingDistributionPoint {
  return {
    distributionPoint: undefined,
    onlyContainsUserCerts: false,
    onlyContainsCACerts: false,
    onlySomeReasons: undefined,
    indirectCRL: false,
    onlyContainsAttributeCerts: false,
    ...fields,
  };
}

/** The name of a distribution point below the issuer of its lists. */
export function relativePointName(commonName: string): DistributionPointName {
  const { rdns } = makeName([{ type: "CN", value: commonName }]);
  const encoding = encodeDer((writer) =>
    writer.sequence((set) => {
      set.sequence((attribute) => {
        attribute.oid(encodeOid("2.5.4.3"));
        attribute.octetString(new TextEncoder().encode(commonName), Tag.utf8String);
      });
    }, contextConstructed(1)),
  );
  return { type: "nameRelativeToCRLIssuer", rdn: rdns[0]!, encoding };
}

/** A root, an intermediate and a device below it, and their certificates. */
export interface Family {
  readonly root: Entity;
  readonly intermediate: Entity;
  readonly device: Entity;
  readonly rootCertificate: Uint8Array;
  readonly intermediateCertificate: Uint8Array;
  readonly deviceCertificate: Uint8Array;
}

export function family(): Family {
  const [root, intermediate, device] = ["Pizza Root", "Pizza Intermediate", "button-1"].map((name) => entity(name));
  return {
    root: root!,
    intermediate: intermediate!,
    device: device!,
    rootCertificate: issue({ subject: root!, issuer: root!, extensions: authority() }),
    intermediateCertificate: issue({ subject: intermediate!, issuer: root!, extensions: authority() }),
    deviceCertificate: issue({ subject: device!, issuer: intermediate!, extensions: endEntity("clientAuth") }),
  };
}
