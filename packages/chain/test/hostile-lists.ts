/** Revocation lists that are made to cost. */

import { type DerWriter, encodeDer } from "@latchkey/asn1";
import { defaultSignatureAlgorithm, encodeSignatureAlgorithm } from "@latchkey/crypto";
import { nodeProvider } from "@latchkey/crypto/node";
import {
  certificateIssuer,
  cRLNumber,
  cRLDistributionPoints,
  type Extension,
  type GeneralName,
  issueCertificateRevocationList,
  issuingDistributionPoint,
  type Name,
  parseCertificate,
} from "@latchkey/x509";
import { checkRevocation, type RevocationChecker } from "../src/revocation.ts";
import { keysAt, leaf, people } from "./hostile-questions.ts";
import { authority, endEntity, type Entity, extension, issue, now, listScope } from "./issuing.ts";

const { root, rootCertificate } = people;

export function listForPoints(points: readonly GeneralName[]): Uint8Array {
  const scope = listScope({ distributionPoint: { type: "fullName", names: points } });
  return issueCertificateRevocationList({
    provider: nodeProvider,
    issuer: { certificate: parseCertificate(rootCertificate), privateKey: root.keys.privateKey },
    thisUpdate: now - 1000,
    nextUpdate: now + 1000,
    number: 1,
    entries: [],
    extensions: [extension(issuingDistributionPoint, scope, true)],
  }).encoding;
}

export function staleList(age: number): ReturnType<typeof issueCertificateRevocationList> {
  return issueCertificateRevocationList({
    provider: nodeProvider,
    issuer: { certificate: parseCertificate(rootCertificate), privateKey: root.keys.privateKey },
    thisUpdate: now - 1000 - age,
    nextUpdate: now - 1 - age,
    number: 1,
    entries: [],
  });
}

/** A certificate whose revocation lists are issued by somebody of this name. */
export function leafWithListIssuer(name: Name): Uint8Array {
  const point = {
    distributionPoint: undefined,
    reasons: undefined,
    cRLIssuer: [{ type: "directoryName" as const, value: name }],
  };
  return leaf(endEntity("clientAuth", [], [extension(cRLDistributionPoints, [point])]));
}

/** A list by an authority of this name, which nobody trusts. */
export function listBy(name: Name): Uint8Array {
  const certificate = parseCertificate(
    issue({ subject: { name, keys: keysAt(0) }, issuer: root, extensions: authority() }),
    { maximumOctets: 1e6 },
  );
  return issueCertificateRevocationList({
    provider: nodeProvider,
    issuer: { certificate, privateKey: keysAt(0).privateKey },
    thisUpdate: now - 1000,
    nextUpdate: now + 1000,
    number: 1,
    entries: [],
  }).encoding;
}

interface Entry {
  readonly serialNumber: number;
  readonly extensions: readonly Extension[];
}

/** What a list is made of, whether x509 would issue it or not. */
interface HandMadeList {
  readonly entries?: readonly Entry[];
  readonly extensions: readonly Extension[];
  readonly issuer?: Entity;
  /** Seconds since it was made. Default 1000. */
  readonly age?: number;
  /** Default false: it is current for 1000 seconds more. */
  readonly isStale?: boolean;
}

/** A list, by the root unless something else is said. */
export function handMadeList({
  entries = [],
  extensions,
  issuer = root,
  age = 1000,
  isStale,
}: HandMadeList): Uint8Array {
  const { privateKey } = issuer.keys;
  const algorithm = defaultSignatureAlgorithm(privateKey.algorithm);
  const tbs = encodeDer((writer) => {
    writer.sequence((fields) => {
      fields.integer(1);
      fields.encoded(encodeSignatureAlgorithm(algorithm));
      fields.encoded(issuer.name.encoding);
      fields.time(now - age);
      fields.time(isStale === true ? now - 1 : now + 1000);
      if (entries.length > 0) fields.sequence((list) => entries.forEach((each) => writeEntry(list, each)));
      fields.explicit(0, (explicit) => explicit.sequence((all) => writeExtensions(all, extensions)));
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

function writeEntry(list: DerWriter, { serialNumber, extensions }: Entry): void {
  list.sequence((entry) => {
    entry.integer(serialNumber);
    entry.time(now - 1000);
    if (extensions.length > 0) entry.sequence((all) => writeExtensions(all, extensions));
  });
}

/** An indirect list of the root's, which may name anything. */
export function indirectList(entries: readonly Entry[]): Uint8Array {
  const scope = extension(issuingDistributionPoint, listScope({ indirectCRL: true }), true);
  return handMadeList({ entries, extensions: [extension(cRLNumber, Uint8Array.of(1)), scope] });
}

function writeExtensions(writer: DerWriter, extensions: readonly Extension[]): void {
  for (const { oid, critical, value } of extensions) {
    writer.sequence((fields) => {
      fields.oid(oid);
      fields.booleanDefaultFalse(critical);
      fields.octetString(value);
    });
  }
}

/** An entry that names the issuer of the certificate, which the entries behind it share. */
export function entryOf(serialNumber: number, issuer?: Name): Entry {
  const names = issuer && [{ type: "directoryName" as const, value: issuer }];
  return { serialNumber, extensions: names === undefined ? [] : [extension(certificateIssuer, names, true)] };
}

/** Lists, each checked in hard mode. */
export function withLists(revocationLists: readonly Uint8Array[]): RevocationChecker {
  return checkRevocation({ mode: "hard", revocationLists });
}
