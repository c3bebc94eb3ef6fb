/** What lists say by RFC 5280 §6.3.3: which list counts, how current it is, and why it says nothing. */

import { type DerWriter, encodeDer, encodeOid } from "@latchkey/asn1";
import {
  authorityKeyIdentifier,
  cRLNumber,
  cRLReason,
  deltaCRLIndicator,
  type DistributionPoint,
  type Extension,
  issuingDistributionPoint,
  type IssuingDistributionPoint,
  makeExtension,
  nameKey,
  parseCertificate,
  parseCertificateRevocationList,
  type ReasonFlag,
  reasonFlags,
  type RevocationReason as EntryReason,
} from "@latchkey/x509";
import { describe, expect, test } from "vitest";
import { KnownList } from "../src/known-list.ts";
import { type ListInputs, statusByLists } from "../src/list-status.ts";
import { revocationReason } from "../src/revocation-reason.ts";
import { endEntity, type Entity, entity, extension, issue, now, unknownExtension, listScope } from "./issuing.ts";

const issuer = entity("Issuer");
const other = entity("Other");
const subject = parseCertificate(
  issue({ subject: entity("leaf"), issuer, extensions: endEntity("clientAuth"), serialNumber: 7 }),
);

interface ListInput {
  readonly by?: Entity;
  readonly thisUpdate?: number;
  /** null for a list that does not say when it is replaced. */
  readonly nextUpdate?: number | null;
  /** null for a list without a number. */
  readonly number?: number | null;
  readonly isNumberCritical?: boolean;
  readonly base?: number;
  readonly scope?: Partial<IssuingDistributionPoint>;
  readonly keyIdentifier?: number;
  readonly entries?: readonly (readonly [serialNumber: number, reason?: EntryReason | undefined, more?: Extension])[];
}

/** A list whose signature is nobody's; whether it counts is said by `signatureFault`. */
function list(input: ListInput = {}): KnownList {
  const { by = issuer, thisUpdate = now - 100, nextUpdate = now + 100, number = 1, entries = [], scope } = input;
  const algorithm = encodeDer((writer) => writer.sequence((fields) => fields.oid(encodeOid("1.3.101.112"))));
  const extensions = [
    ...(number === null ? [] : [makeExtension(cRLNumber, Uint8Array.of(number), input.isNumberCritical === true)]),
    ...(input.base === undefined ? [] : [makeExtension(deltaCRLIndicator, Uint8Array.of(input.base), true)]),
    ...(scope === undefined ? [] : [extension(issuingDistributionPoint, listScope(scope), true)]),
    ...(input.keyIdentifier === undefined ? [] : [keyIdentifier(input.keyIdentifier)]),
  ];
  const tbs = encodeDer((writer) =>
    writer.sequence((fields) => {
      fields.integer(1);
      fields.encoded(algorithm);
      fields.encoded(by.name.encoding);
      fields.time(thisUpdate);
      if (nextUpdate !== null) fields.time(nextUpdate);
      if (entries.length > 0) {
        fields.sequence((all) => {
          for (const [serialNumber, reason, more] of entries) {
            all.sequence((entry) => {
              entry.integer(serialNumber);
              entry.time(now - 50);
              const has = [
                ...(reason === undefined ? [] : [makeExtension(cRLReason, reason)]),
                ...(more ? [more] : []),
              ];
              if (has.length > 0) writeExtensions(entry, has);
            });
          }
        });
      }
      if (extensions.length > 0) fields.explicit(0, (explicit) => writeExtensions(explicit, extensions));
    }),
  );
  const der = encodeDer((writer) =>
    writer.sequence((fields) => {
      fields.encoded(tbs);
      fields.encoded(algorithm);
      fields.bitString(new Uint8Array(64));
    }),
  );
  return new KnownList(parseCertificateRevocationList(der), 0, false, undefined);
}

function writeExtensions(writer: DerWriter, extensions: readonly Extension[]): void {
  writer.sequence((all) => {
    for (const { oid, critical, value } of extensions) {
      all.sequence((fields) => {
        fields.oid(oid);
        fields.booleanDefaultFalse(critical);
        fields.octetString(value);
      });
    }
  });
}

function keyIdentifier(octet: number): Extension {
  const none = { authorityCertIssuer: undefined, authorityCertSerialNumber: undefined };
  return makeExtension(authorityKeyIdentifier, { keyIdentifier: Uint8Array.of(octet), ...none });
}

interface Question {
  readonly maximumAgeSeconds?: number | undefined;
  readonly isWarningOnly?: boolean;
  readonly signatureFault?: ListInputs["signatureFault"];
  readonly points?: readonly DistributionPoint[];
  readonly needsListNumber?: boolean;
}

/** "good" with the seconds that it stays so, "revoked" with its reason, or the codes of why it is unknown. */
function ask(lists: readonly KnownList[], question: Question = {}): string {
  const { points = [], needsListNumber = false, ...rest } = question;
  const status = statusByLists({
    subject: {
      certificate: subject,
      issuerNameKey: nameKey(issuer.name),
      isCa: false,
      distributionPoints: points,
      time: now,
      needsListNumber,
      tolerances: {},
      spend: () => true,
    },
    lists,
    maximumAgeSeconds: undefined,
    isWarningOnly: false,
    signatureFault: () => undefined,
    ...rest,
  });
  if (status.status === "good") return `good ${status.validUntil - now}`;
  if (status.status === "revoked") return `revoked ${status.reason}`;
  return status.reasons.map(({ code }) => code.replace("ERR_REVOCATION_", "")).join(" ");
}

const revokes = { entries: [[7, "keyCompromise"]] } as const;
const some: readonly ReasonFlag[] = ["keyCompromise", "cACompromise"];
const rest = reasonFlags.filter((reason) => !some.includes(reason));

describe("which list counts", () => {
  test("the newest, whatever the order, once it says something about all reasons", () => {
    const older = list({ thisUpdate: now - 50, ...revokes });
    const newer = list({ thisUpdate: now - 10 });
    expect(ask([older])).toBe("revoked keyCompromise");
    expect([ask([older, newer]), ask([newer, older])]).toEqual(["good 100", "good 100"]);
    const held = list({ thisUpdate: now - 5, ...revokes });
    expect([ask([newer, held]), ask([held, newer])]).toEqual(["revoked keyCompromise", "revoked keyCompromise"]);
  });

  test("the newest for some reasons, once for each", () => {
    const first = list({ scope: { onlySomeReasons: some } });
    const older = list({ thisUpdate: now - 200, scope: { onlySomeReasons: some }, ...revokes });
    const second = list({ scope: { onlySomeReasons: rest }, nextUpdate: now + 30 });
    expect(ask([first, older, second])).toBe("good 30");
    expect(ask([older, second])).toBe("revoked keyCompromise");
    expect(ask([first])).toBe("REASONS_NOT_COVERED");
    expect(ask([])).toBe("");
  });

  test("what is missing is said", () => {
    const status = statusByLists({
      subject: {
        certificate: subject,
        issuerNameKey: nameKey(issuer.name),
        isCa: false,
        distributionPoints: [],
        time: now,
        needsListNumber: false,
        tolerances: {},
        spend: () => true,
      },
      lists: [list({ scope: { onlySomeReasons: some } })],
      maximumAgeSeconds: undefined,
      isWarningOnly: false,
      signatureFault: () => undefined,
    });
    expect(status).toEqual({
      status: "unknown",
      reasons: [{ code: "ERR_REVOCATION_REASONS_NOT_COVERED", evidence: { missing: rest } }],
    });
  });

  test("one by another issuer only where a point names that issuer", () => {
    const indirect = { by: other, scope: { indirectCRL: true } };
    const point = {
      distributionPoint: undefined,
      reasons: undefined,
      cRLIssuer: [{ type: "directoryName" as const, value: other.name }],
    };
    expect(ask([list(indirect)])).toBe("");
    expect(ask([list(indirect)], { points: [point] })).toBe("good 100");
    // Then the issuer's own does not count.
    expect(ask([list()], { points: [point] })).toBe("LIST_SCOPE");
  });

  test("not one that is of the future, out of scope, or signed by nobody who may", () => {
    expect(ask([list({ thisUpdate: now + 1, ...revokes })])).toBe("LIST_NOT_YET_VALID");
    expect(ask([list({ thisUpdate: now })])).toBe("good 100");
    expect(ask([list({ scope: { onlyContainsCACerts: true }, ...revokes })])).toBe("LIST_SCOPE");
    const signatureFault = () => revocationReason("ERR_REVOCATION_LIST_SIGNATURE", { list: "CN=Issuer" });
    expect(ask([list(revokes)], { signatureFault })).toBe("LIST_SIGNATURE");
  });
});

describe("how current a list is", () => {
  test.each<[ListInput, number | undefined, string]>([
    [{ nextUpdate: now }, undefined, "good 0"],
    [{ nextUpdate: now - 1 }, undefined, "LIST_STALE"],
    [{ nextUpdate: null }, undefined, "LIST_WITHOUT_NEXT_UPDATE"],
    [{ nextUpdate: null }, 100, "good 0"],
    [{ nextUpdate: null }, 130, "good 30"],
    [{}, 99, "LIST_TOO_OLD"],
    [{}, 100, "good 0"],
    [{}, 300, "good 100"],
    [{ nextUpdate: now - 1, ...revokes }, undefined, "revoked keyCompromise"],
    [{ nextUpdate: null, ...revokes }, undefined, "revoked keyCompromise"],
    [revokes, 99, "revoked keyCompromise"],
  ])("%o by an age of %s: %s", (input, maximumAgeSeconds, expected) => {
    expect(ask([list(input)], { maximumAgeSeconds })).toBe(expected);
  });

  test("a list has a number that is not critical, where that is asked for", () => {
    for (const input of [{ number: null }, { isNumberCritical: true }]) {
      expect(ask([list(input)], { needsListNumber: true })).toBe("LIST_NUMBER");
      expect(ask([list(input)])).toBe("good 100");
      expect(ask([list({ ...input, ...revokes })], { needsListNumber: true })).toBe("revoked keyCompromise");
    }
    expect(ask([list()], { needsListNumber: true })).toBe("good 100");
  });
});

describe("an entry with a critical extension that is not understood", () => {
  test("keeps a list from saying good, and from revoking but where an unknown status is only a warning", () => {
    const odd = unknownExtension(true);
    const naming = list({
      entries: [
        [7, "keyCompromise"],
        [8, undefined, odd],
      ],
    });
    expect(ask([naming])).toBe("LIST_CRITICAL_EXTENSION");
    expect(ask([naming], { isWarningOnly: true })).toBe("revoked keyCompromise");
    const silent = list({ entries: [[8, undefined, odd]] });
    expect(ask([silent])).toBe("LIST_CRITICAL_EXTENSION");
    expect(ask([silent], { isWarningOnly: true })).toBe("LIST_CRITICAL_EXTENSION");
    expect(ask([list({ entries: [[8, undefined, unknownExtension(false)]] })])).toBe("good 100");
    // In a delta list as well.
    const delta = list({ number: 2, base: 1, entries: [[8, undefined, odd]] });
    expect(ask([list(), delta])).toBe("LIST_CRITICAL_EXTENSION");
    expect(ask([list(revokes), delta])).toBe("LIST_CRITICAL_EXTENSION");
    expect(ask([list(revokes), delta], { isWarningOnly: true })).toBe("revoked keyCompromise");
  });
});

describe("delta lists", () => {
  const delta = (input: ListInput = {}): KnownList => list({ number: 5, base: 3, ...revokes, ...input });

  test.each<[string, ListInput, ListInput, string]>([
    ["of the base", { number: 3 }, {}, "revoked keyCompromise"],
    ["for a list between base and itself", { number: 4 }, {}, "revoked keyCompromise"],
    ["for a list older than its base", { number: 2 }, {}, "good 100"],
    ["not newer than the list", { number: 5 }, {}, "good 100"],
    ["for a list without a number", { number: null }, {}, "good 100"],
    ["without a number", { number: 3 }, { number: null }, "good 100"],
    ["by another issuer", { number: 3 }, { by: other }, "good 100"],
    ["by another issuer, that ends sooner", { number: 3 }, { by: other, nextUpdate: now + 20 }, "good 100"],
    ["of this very second", { number: 3 }, { thisUpdate: now }, "revoked keyCompromise"],
    ["of another scope", { number: 3 }, { scope: { onlyContainsUserCerts: true } }, "good 100"],
    [
      "of the same scope",
      { number: 3, scope: { onlyContainsUserCerts: true } },
      { scope: { onlyContainsUserCerts: true } },
      "revoked keyCompromise",
    ],
    ["for a list of a scope, without one", { number: 3, scope: { onlyContainsUserCerts: true } }, {}, "good 100"],
    ["by the same key", { number: 3, keyIdentifier: 1 }, { keyIdentifier: 1 }, "revoked keyCompromise"],
    ["by another key", { number: 3, keyIdentifier: 1 }, { keyIdentifier: 2 }, "good 100"],
    ["by a key that is not named", { number: 3, keyIdentifier: 1 }, {}, "good 100"],
    ["of the future", { number: 3 }, { thisUpdate: now + 1 }, "good 100"],
    ["that is stale", { number: 3 }, { nextUpdate: now - 1 }, "revoked keyCompromise"],
    ["that takes away", { number: 3, ...revokes }, { entries: [[7, "removeFromCRL"]] }, "good 100"],
    [
      "that takes away, and is stale",
      { number: 3, ...revokes },
      { entries: [[7, "removeFromCRL"]], nextUpdate: now - 1 },
      "revoked keyCompromise",
    ],
    ["that says nothing", { number: 3, ...revokes }, { entries: [] }, "revoked keyCompromise"],
    ["that ends sooner", { number: 3 }, { entries: [], nextUpdate: now + 20 }, "good 20"],
  ])("%s", (_, complete, input, expected) => expect(ask([list(complete), delta(input)])).toBe(expected));

  test("the newest counts, whatever the order, if it is signed", () => {
    const adds = delta({ number: 5 });
    const takes = delta({ number: 6, entries: [[7, "removeFromCRL"]] });
    const complete = list({ number: 3 });
    expect([ask([complete, adds, takes]), ask([complete, takes, adds])]).toEqual(["good 100", "good 100"]);
    const fault = revocationReason("ERR_REVOCATION_LIST_SIGNATURE", { list: "CN=Issuer" });
    const signatureFault = (known: KnownList) => (known === takes ? fault : undefined);
    expect(ask([complete, adds, takes], { signatureFault })).toBe("revoked keyCompromise");
    const stale = delta({ nextUpdate: now - 1 });
    expect(ask([complete, stale], { signatureFault: (known) => (known === stale ? fault : undefined) })).toBe(
      "good 100",
    );
    const staleLater = delta({ nextUpdate: now + 1, thisUpdate: now + 1 });
    expect(ask([complete, staleLater])).toBe("good 100");
  });

  test("needs a number where lists need one", () => {
    expect(ask([list({ number: 3 }), delta({ isNumberCritical: true })], { needsListNumber: true })).toBe("good 100");
    expect(ask([list({ number: 3 }), delta()], { needsListNumber: true })).toBe("revoked keyCompromise");
  });
});

test("which keys signed a list is remembered for sixteen of each kind", () => {
  const known = list();
  for (let key = 0; key < 17; key++) known.rememberCheck(Uint8Array.of(key), false);
  known.rememberCheck(Uint8Array.of(99), true);
  expect([known.wasNotSignedBy(Uint8Array.of(15)), known.wasNotSignedBy(Uint8Array.of(16))]).toEqual([true, false]);
  expect([known.wasSignedBy(Uint8Array.of(99)), known.wasSignedBy(Uint8Array.of(0))]).toEqual([true, false]);
  expect(known.wasNotSignedBy(Uint8Array.of(99))).toBe(false);
});
