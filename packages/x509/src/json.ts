/** Certificates, requests and revocation lists as JSON: for logs, for tools, for pages. */

import { decodeOid, generalizedTimeText } from "@latchkey/asn1";
import type { AlgorithmIdentifier } from "./algorithm-identifier.ts";
import type { Certificate } from "./certificate.ts";
import type { CertificationRequest } from "./certification-request.ts";
import { decodeExtension, type Extension } from "./extension.ts";
import { extensionTypeOf } from "./extensions/extension-table.ts";
import { X509Error } from "./errors.ts";
import { hexText } from "./hex-text.ts";
import type { Name } from "./name.ts";
import { nameText } from "./name-text.ts";
import { oidName } from "./oid-names.ts";
import type { CertificateRevocationList } from "./revocation-list.ts";
import type { SubjectPublicKeyInfo } from "./subject-public-key-info.ts";

/** Octets are lower-case hexadecimal, object identifiers dotted, times ISO 8601. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** Everything that the certificate says. Not what it was read from: JSON is for looking, not for writing again. */
export function certificateToJson(certificate: Certificate): { readonly [key: string]: JsonValue } {
  return {
    version: certificate.version,
    serialNumber: hexText(certificate.serialNumber),
    signatureAlgorithm: algorithmToJson(certificate.signatureAlgorithm),
    issuer: nameToJson(certificate.issuer),
    validity: {
      notBefore: isoTime(certificate.validity.notBefore),
      notAfter: isoTime(certificate.validity.notAfter),
    },
    subject: nameToJson(certificate.subject),
    subjectPublicKeyInfo: publicKeyToJson(certificate.subjectPublicKeyInfo),
    extensions: certificate.extensions.map(extensionToJson),
    signatureValue: hexText(certificate.signatureValue),
  };
}

/** Everything that the request says. */
export function certificationRequestToJson(request: CertificationRequest): { readonly [key: string]: JsonValue } {
  return {
    subject: nameToJson(request.subject),
    subjectPublicKeyInfo: publicKeyToJson(request.subjectPublicKeyInfo),
    attributes: request.attributes.map(({ type, values }) => ({
      type: decodeOid(type),
      values: values.map((value) => hexText(value)),
    })),
    extensions: request.extensions.map(extensionToJson),
    signatureAlgorithm: algorithmToJson(request.signatureAlgorithm),
    signatureValue: hexText(request.signatureValue),
  };
}

/** Everything that the list says, every entry of it. */
export function revocationListToJson(list: CertificateRevocationList): { readonly [key: string]: JsonValue } {
  return {
    version: list.version,
    signatureAlgorithm: algorithmToJson(list.signatureAlgorithm),
    issuer: nameToJson(list.issuer),
    thisUpdate: isoTime(list.thisUpdate),
    nextUpdate: list.nextUpdate === undefined ? null : isoTime(list.nextUpdate),
    revokedCertificates: Array.from(list.revokedCertificates, ({ serialNumber, revocationDate, extensions }) => ({
      serialNumber: hexText(serialNumber),
      revocationDate: isoTime(revocationDate),
      extensions: extensions.map(extensionToJson),
    })),
    extensions: list.extensions.map(extensionToJson),
    signatureValue: hexText(list.signatureValue),
  };
}

/** `2026-11-23T00:00:00Z`, for the years 0 to 9999. */
function isoTime(seconds: number): string {
  return generalizedTimeText(seconds).replace(/(....)(..)(..)(..)(..)(..)Z/, "$1-$2-$3T$4:$5:$6Z");
}

function nameToJson(name: Name): JsonValue {
  return {
    text: nameText(name),
    attributes: name.rdns.map((rdn) =>
      rdn.map((attribute) => ({
        type: decodeOid(attribute.type),
        value: attribute.text ?? null,
        valueOctets: hexText(attribute.value),
      })),
    ),
  };
}

function algorithmToJson({ algorithm, parameters }: AlgorithmIdentifier): JsonValue {
  return {
    algorithm: decodeOid(algorithm),
    name: oidName(algorithm),
    parameters: parameters === undefined ? null : hexText(parameters),
  };
}

function publicKeyToJson({ algorithm, subjectPublicKey }: SubjectPublicKeyInfo): JsonValue {
  return { algorithm: algorithmToJson(algorithm), subjectPublicKey: hexText(subjectPublicKey) };
}

/** `value` is null for an unknown extension, and for one that is malformed in a certificate read without checking. */
function extensionToJson(extension: Extension): JsonValue {
  const type = extensionTypeOf(extension.oid);
  return {
    oid: decodeOid(extension.oid),
    name: type?.name ?? null,
    critical: extension.critical,
    value: type === undefined ? null : valueOrNull(extension, type),
    valueOctets: hexText(extension.value),
  };
}

function valueOrNull(extension: Extension, type: NonNullable<ReturnType<typeof extensionTypeOf>>): JsonValue {
  try {
    const value = decodeExtension(extension, type);
    return type.name === "extendedKeyUsage" ? toJson(value, "oid") : toJson(value, type.name);
  } catch (error) {
    if (error instanceof X509Error) return null;
    throw error;
  }
}

/** Fields whose octets are an object identifier. */
const oidFields: ReadonlySet<string> = new Set([
  "oid",
  "policyIdentifier",
  "policyQualifierId",
  "issuerDomainPolicy",
  "subjectDomainPolicy",
  "accessMethod",
  "typeId",
]);

/** JSON of a decoded value. `key` is the name of the field that holds it, and goes down into lists. */
function toJson(value: unknown, key: string): JsonValue {
  if (value === undefined || value === null) return null;
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return key === "invalidityDate" ? isoTime(value) : value;
  if (typeof value !== "object") return null;
  if (value instanceof Uint8Array) return oidFields.has(key) ? decodeOid(value) : hexText(value);
  if (Array.isArray(value)) return value.map((element) => toJson(element, key));
  if (isName(value)) return nameToJson(value);
  const isRegisteredId = "type" in value && value.type === "registeredID";
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, toJson(field, isRegisteredId ? "oid" : name)]),
  );
}

function isName(value: object): value is Name {
  return "rdns" in value && "encoding" in value;
}
