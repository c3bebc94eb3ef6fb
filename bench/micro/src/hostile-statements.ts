/**
 * Questions with revocation lists and OCSP responses that are made to be expensive to answer. An attacker who has one certificate
 * below an anchor chooses in it where its lists are, and can send any OCSP response.
 */

import { contextConstructed, encodeDer, encodeOid, Tag } from "@latchkey/asn1";
import { checkRevocation } from "@latchkey/chain/revocation";
import {
  certificateIssuer,
  cRLDistributionPoints,
  cRLNumber,
  deltaCRLIndicator,
  type DistributionPointName,
  type Extension,
  type GeneralName,
  type IssuingDistributionPoint,
  issuingDistributionPoint,
  makeExtension,
  makeName,
  parseCertificate,
} from "@latchkey/x509";
import { defaultSignatureAlgorithm, encodeSignatureAlgorithm } from "@latchkey/crypto";
import {
  authority,
  entity,
  type Entity,
  issue,
  leaf,
  longName,
  many,
  newKeys,
  NOW,
  type Question,
  root,
  type Shapes,
  signed,
  writeExtensions,
} from "./hostile-certificates.ts";

const number = makeExtension(cRLNumber, Uint8Array.of(1));

interface ListInput {
  readonly issuer?: Entity;
  /** The extensions of each entry. */
  readonly entries?: readonly (readonly Extension[])[];
  readonly extensions: readonly Extension[];
  /** Seconds since it was made: no two lists of one question are the same. */
  readonly age?: number;
  /** Too old to say that anything is good. Default false. */
  readonly isStale?: boolean;
}

/** A revocation list, current unless it is said to be stale; `@latchkey/x509` refuses to issue some of these. */
function list({ issuer = root, entries = [], extensions, age = 1000, isStale = false }: ListInput): Uint8Array {
  const tbs = encodeDer((writer) => {
    writer.sequence((fields) => {
      fields.integer(1);
      fields.encoded(encodeSignatureAlgorithm(defaultSignatureAlgorithm(issuer.keys.privateKey.algorithm)));
      fields.encoded(issuer.name.encoding);
      fields.time(NOW - age);
      fields.time(isStale ? NOW - 1 : NOW + 1000);
      if (entries.length > 0) {
        fields.sequence((all) => {
          entries.forEach((ofEntry, index) =>
            all.sequence((entry) => {
              entry.integer(1_000_000 + index);
              entry.time(NOW - 1000);
              if (ofEntry.length > 0) entry.sequence((inner) => writeExtensions(inner, ofEntry));
            }),
          );
        });
      }
      fields.explicit(0, (explicit) => explicit.sequence((all) => writeExtensions(all, extensions)));
    });
  });
  return signed(tbs, issuer.keys);
}

function byLists(revocationLists: readonly Uint8Array[]): Pick<Question, "revocation"> {
  return { revocation: checkRevocation({ mode: "hard", revocationLists }) };
}

function scope(fields: Partial<IssuingDistributionPoint>): Extension {
  const everything: IssuingDistributionPoint = {
    distributionPoint: undefined,
    onlyContainsUserCerts: false,
    onlyContainsCACerts: false,
    onlySomeReasons: undefined,
    indirectCRL: false,
    onlyContainsAttributeCerts: false,
  };
  return makeExtension(issuingDistributionPoint, { ...everything, ...fields }, true);
}

function directoryName(text: string): GeneralName {
  return { type: "directoryName", value: makeName([{ type: "CN", value: text }]) };
}

function uri(value: string): GeneralName {
  return { type: "uniformResourceIdentifier", value };
}

function point(names: readonly GeneralName[]): DistributionPointName {
  return { type: "fullName", names };
}

function leafWithPoint(distributionPoint: DistributionPointName, issuer: Entity = root): Uint8Array {
  const points = [{ distributionPoint, reasons: undefined, cRLIssuer: undefined }];
  return leaf(issuer, [makeExtension(cRLDistributionPoints, points)]);
}

/** The name of a distribution point below the issuer of its lists. */
function relativeName(text: string): DistributionPointName {
  const [rdn = []] = makeName([{ type: "CN", value: text }]).rdns;
  const encoding = encodeDer((writer) =>
    writer.sequence((set) => {
      set.sequence((attribute) => {
        attribute.oid(encodeOid("2.5.4.3"));
        attribute.octetString(new TextEncoder().encode(text), Tag.utf8String);
      });
    }, contextConstructed(1)),
  );
  return { type: "nameRelativeToCRLIssuer", rdn, encoding };
}

/** Complete lists, and delta lists to each of them, for one point beside a name of so many octets. All of them are stale. */
function deltaLists(complete: number, delta: number, octets: number): Question {
  const own = uri("u:");
  const shared = scope({ distributionPoint: point([own, uri("x".repeat(octets))]) });
  const made = (age: number, last: number, more: readonly Extension[]): Uint8Array =>
    list({
      age: 1000 + age,
      isStale: true,
      extensions: [shared, makeExtension(cRLNumber, Uint8Array.of(last)), ...more],
    });
  const base = makeExtension(deltaCRLIndicator, Uint8Array.of(1), true);
  return {
    certificate: leafWithPoint(point([own])),
    ...byLists([...many(complete, (age) => made(age, 10, [])), ...many(delta, (age) => made(age, 20, [base]))]),
  };
}

/** OCSP responses of many answers about another certificate of the same serial number, signed by nobody who may. */
function ocspResponses(count: number, answers: number): Question {
  const { keys } = entity("nobody");
  const response = (): Uint8Array => {
    const data = encodeDer((writer) => {
      writer.sequence((fields) => {
        fields.explicit(1, (responder) => responder.encoded(root.name.encoding));
        fields.generalizedTime(NOW - 10);
        fields.sequence((all) => many(answers, () => all.encoded(answer)));
      });
    });
    return encodeDer((writer) => {
      writer.sequence((fields) => {
        fields.integer(0, Tag.enumerated);
        fields.explicit(0, (explicit) =>
          explicit.sequence((bytes) => {
            bytes.oid(encodeOid("1.3.6.1.5.5.7.48.1.1"));
            bytes.octetString(signed(data, keys));
          }),
        );
      });
    });
  };
  const certificate = leaf(root);
  const answer = encodeDer((writer) => {
    writer.sequence((single) => {
      single.sequence((id) => {
        id.sequence((hash) => hash.oid(encodeOid("2.16.840.1.101.3.4.2.3")));
        id.octetString(new Uint8Array(64));
        id.octetString(new Uint8Array(64));
        id.integer(parseCertificate(certificate).serialNumber);
      });
      single.primitive(0x80, new Uint8Array());
      single.generalizedTime(NOW - 10);
    });
  });
  return {
    certificate,
    revocation: checkRevocation({ mode: "hard", ocspResponses: many(count, response) }),
  };
}

/** The shapes. */
export const statementShapes: Shapes = {
  "list-17000-entries-17000-issuers": () => ({
    certificate: leaf(root),
    ...byLists([
      list({
        entries: many(17_000, (index) => [makeExtension(certificateIssuer, [directoryName(String(index))], true)]),
        extensions: [number, scope({ indirectCRL: true })],
      }),
    ]),
  }),
  "list-460-entries-250-extensions": () => {
    const unknown = many(250, (index) => ({
      oid: encodeOid(`1.2.${index}`),
      critical: false,
      value: new Uint8Array(),
      valueOffset: 0,
    }));
    return {
      certificate: leaf(root),
      ...byLists([list({ entries: many(460, () => unknown), extensions: [number, scope({ indirectCRL: true })] })]),
    };
  },
  // A name below one of 1,000 parts, beside 1,000 names that it could be.
  "list-1000-points-below-1000-part-name": () => {
    const issuer = { name: longName(1000, ""), keys: newKeys() };
    return {
      certificate: leafWithPoint(point(many(1000, (index) => directoryName(String(index)))), issuer),
      intermediates: [issue(issuer, root, authority)],
      ...byLists([list({ issuer, extensions: [number, scope({ distributionPoint: relativeName("r") })] })]),
    };
  },
  "60-lists-140-deltas": () => deltaLists(60, 140, 3000),
  "256-paths-200-lists": () => {
    const people = many(4, (index) => entity(`Level ${index}`));
    const last = people.at(-1) ?? root;
    return {
      certificate: leaf(last),
      intermediates: people.flatMap((subject, level) =>
        many(4, () => issue(subject, people[level - 1] ?? root, authority)),
      ),
      ...byLists(many(200, (age) => list({ issuer: last, isStale: true, age: 1000 + age, extensions: [number] }))),
    };
  },
  "200-responses-5600-answers": () => ocspResponses(200, 28),
};
