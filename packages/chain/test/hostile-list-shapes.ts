/** Questions with revocation lists that are made to cost, each at its worst. */

import { encodeOid } from "@latchkey/asn1";
import {
  cRLDistributionPoints,
  cRLNumber,
  deltaCRLIndicator,
  type DistributionPoint,
  type Extension,
  issuingDistributionPoint,
} from "@latchkey/x509";
import { entryOf, handMadeList, indirectList, withLists } from "./hostile-lists.ts";
import {
  directoryNamed,
  keysAt,
  leaf,
  levels,
  longName,
  mesh,
  named,
  names,
  people,
  person,
  type Question,
  uri,
} from "./hostile-questions.ts";
import type { HostileShape } from "./hostile-shapes.ts";
import {
  authority,
  endEntity,
  type Entity,
  extension,
  issue,
  listScope,
  relativePointName,
  unknownExtension,
} from "./issuing.ts";

const { root, device } = people;
const number = extension(cRLNumber, Uint8Array.of(1));

function leafOfSerial(serialNumber: number): Uint8Array {
  return issue({ subject: device, issuer: root, extensions: endEntity("clientAuth"), serialNumber });
}

function leafWithPoint(point: Partial<DistributionPoint>, issuer?: Entity): Uint8Array {
  const whole = { distributionPoint: undefined, reasons: undefined, cRLIssuer: undefined, ...point };
  return leaf(endEntity("clientAuth", [], [extension(cRLDistributionPoints, [whole])]), issuer);
}

/** So many extensions that nothing knows, of one octet of identifier each where there are few. */
function unknownOnes(count: number): Extension[] {
  return Array.from({ length: count }, (_, index) => ({
    ...unknownExtension(false),
    oid: encodeOid(`1.${index % 3}.${index}`),
    value: new Uint8Array(),
  }));
}

function listOfEntries(count: number, extensionsOfEntry: number): Question {
  const extensions = unknownOnes(extensionsOfEntry);
  const entries = Array.from({ length: count }, (_, index) => ({ serialNumber: index + 1000, extensions }));
  return { revocation: withLists([indirectList(entries)]) };
}

/** An authority with a long name, and a list by it. */
function longNamed(parts: number, extensions: readonly Extension[]): Question & { readonly issuer: Entity } {
  const issuer = { name: longName(parts), keys: keysAt(0) };
  return {
    issuer,
    intermediates: [issue({ subject: issuer, issuer: root, extensions: authority() })],
    revocation: withLists([handMadeList({ issuer, extensions: [number, ...extensions] })]),
  };
}

function scopeOf(fields: Parameters<typeof listScope>[0]): Extension {
  return extension(issuingDistributionPoint, listScope(fields), true);
}

/** Complete lists, and delta lists to each of them. None is current, so that all of them are looked at. */
function deltas(
  complete: number,
  delta: number,
  scope: Extension,
  numberOf: (last: number) => Uint8Array,
): Uint8Array[] {
  const made = (age: number, last: number, base?: number): Uint8Array =>
    handMadeList({
      age: 1000 + age,
      isStale: true,
      extensions: [
        scope,
        extension(cRLNumber, numberOf(last)),
        ...(base === undefined ? [] : [extension(deltaCRLIndicator, numberOf(base), true)]),
      ],
    });
  return [
    ...Array.from({ length: complete }, (_, age) => made(age, 10)),
    ...Array.from({ length: delta }, (_, age) => made(age, 20, 1)),
  ];
}

/** The shapes. */
export const hostileListShapes: HostileShape[] = [
  [
    "a list of 17,000 entries of one serial number, each of another issuer",
    () => ({
      certificate: leafOfSerial(5),
      revocation: withLists([
        indirectList(Array.from({ length: 17_000 }, (_, index) => entryOf(5, named(String(index))))),
      ]),
    }),
  ],
  [
    "a list of 25,000 entries of one serial number, below one long name of an issuer",
    () => ({
      certificate: leafOfSerial(5),
      revocation: withLists([
        indirectList([entryOf(5, named("x".repeat(400_000))), ...Array.from({ length: 25_000 }, () => entryOf(5))]),
      ]),
    }),
  ],
  [
    "a list of 25,000 entries below one long name of an issuer",
    () => ({
      certificate: leafOfSerial(5),
      revocation: withLists([
        indirectList([
          entryOf(6, named("x".repeat(400_000))),
          ...Array.from({ length: 25_000 }, (_, index) => entryOf(index + 7)),
        ]),
      ]),
    }),
  ],
  [
    "a list of 17,000 entries, each of another issuer",
    () => ({
      certificate: leafOfSerial(5),
      revocation: withLists([
        indirectList(Array.from({ length: 17_000 }, (_, index) => entryOf(index + 7, named(String(index))))),
      ]),
    }),
  ],
  ["a list of 43,000 entries", () => ({ certificate: leafOfSerial(5), ...listOfEntries(43_000, 0) })],
  [
    "a list of 9,000 entries with 6 extensions each",
    () => ({ certificate: leafOfSerial(5), ...listOfEntries(9000, 6) }),
  ],
  [
    "a list of 460 entries with 250 extensions each",
    () => ({ certificate: leafOfSerial(5), ...listOfEntries(460, 250) }),
  ],
  [
    "a certificate with 1,000 directory names of a point, and a list with a name below a long one",
    () => {
      const { issuer, ...question } = longNamed(1000, [scopeOf({ distributionPoint: relativePointName("r") })]);
      const point = { type: "fullName" as const, names: names(1000, (index) => directoryNamed(`${index}`)) };
      return { ...question, certificate: leafWithPoint({ distributionPoint: point }, issuer) };
    },
  ],
  [
    "a certificate with a name below a long one, and a list for 10,000 directory names",
    () => {
      const point = { type: "fullName" as const, names: names(10_000, (index) => directoryNamed(`${index}`)) };
      const { issuer, ...question } = longNamed(300, [scopeOf({ distributionPoint: point })]);
      return { ...question, certificate: leafWithPoint({ distributionPoint: relativePointName("r") }, issuer) };
    },
  ],
  [
    "60 complete lists and 140 delta lists with scopes of 3,000 octets",
    () => {
      const own = uri("u:");
      const scope = scopeOf({ distributionPoint: { type: "fullName", names: [own, uri("x".repeat(3000))] } });
      return {
        certificate: leafWithPoint({ distributionPoint: { type: "fullName", names: [own] } }),
        revocation: withLists(deltas(60, 140, scope, (last) => Uint8Array.of(last))),
      };
    },
  ],
  [
    "60 complete lists and 100 delta lists with numbers of 3,000 octets",
    () => {
      const long = (last: number): Uint8Array => Uint8Array.from({ length: 3000 }, (_, at) => (at < 2999 ? 1 : last));
      return {
        certificate: leafOfSerial(5),
        revocation: withLists(deltas(60, 100, scopeOf({ indirectCRL: true }), long)),
      };
    },
  ],
  [
    "256 paths, each with 200 lists that are too old",
    () => ({
      ...levels(4, 4, []),
      revocation: withLists(
        Array.from({ length: 200 }, (_, age) =>
          handMadeList({ issuer: person(3), isStale: true, age: 1000 + age, extensions: [number] }),
        ),
      ),
    }),
  ],
  [
    "80 lists by signers in a mesh",
    () => {
      const { intermediates } = mesh(8, root, person);
      const points = Array.from({ length: 8 }, (_, index) => ({
        distributionPoint: undefined,
        reasons: undefined,
        cRLIssuer: [{ type: "directoryName" as const, value: person(index).name }],
      }));
      const lists = Array.from({ length: 80 }, (_, index) =>
        handMadeList({
          issuer: person(index % 8),
          age: 1000 + index,
          extensions: [number, scopeOf({ indirectCRL: true })],
        }),
      );
      return {
        certificate: leaf(endEntity("clientAuth", [], [extension(cRLDistributionPoints, points)]), person(0)),
        intermediates,
        revocation: withLists(lists),
      };
    },
  ],
];
