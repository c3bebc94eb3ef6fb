/** Which list is about which certificate, by every rule of RFC 5280 §6.3.3 (b) and (d). */

import {
  type DistributionPoint,
  type GeneralName,
  type IssuingDistributionPoint,
  makeName,
  nameKey,
  reasonFlags,
} from "@latchkey/x509";
import { describe, expect, test } from "vitest";
import { issuersOwnPoint, outOfScope, pointNameKeys, preparePoint, reasonsCovered } from "../src/distribution-point.ts";
import { listScope } from "./issuing.ts";

const issuer = makeName([{ type: "CN", value: "Issuer" }]);
const clerk = makeName([{ type: "CN", value: "Clerk" }]);
const directory = (value: typeof issuer): GeneralName => ({ type: "directoryName", value });
const uri = (value: string): GeneralName => ({ type: "uniformResourceIdentifier", value });
const rdn = makeName([{ type: "CN", value: "part 1" }]).rdns[0]!;
const beside = (base: typeof issuer): typeof issuer => ({ rdns: [...base.rdns, rdn], encoding: new Uint8Array() });

function point(fields: Partial<DistributionPoint>): DistributionPoint {
  return { distributionPoint: undefined, reasons: undefined, cRLIssuer: undefined, ...fields };
}

interface Case {
  readonly point?: Partial<DistributionPoint>;
  readonly scope?: Partial<IssuingDistributionPoint>;
  readonly listIssuer?: typeof issuer;
  readonly version?: number;
  readonly isCa?: boolean;
}

function ask(each: Case): string | undefined {
  const { listIssuer = issuer, version = 3, isCa = false } = each;
  const ownPoint = each.scope?.distributionPoint;
  return outOfScope({ issuerNameKey: nameKey(issuer), version, isCa }, preparePoint(point(each.point ?? {}), issuer), {
    issuerNameKey: nameKey(listIssuer),
    issuingDistributionPoint: each.scope === undefined ? undefined : listScope(each.scope),
    pointNameKeys: ownPoint && pointNameKeys(ownPoint, listIssuer),
  });
}

const full = (...names: GeneralName[]) => ({ type: "fullName" as const, names });
const relative = { type: "nameRelativeToCRLIssuer" as const, rdn, encoding: new Uint8Array() };
const other = "is by another issuer than the certificate asks for";
const elsewhere = "is for another distribution point";
const byClerk = { listIssuer: clerk, scope: { indirectCRL: true }, point: { cRLIssuer: [directory(clerk)] } };

describe("a list is out of scope", () => {
  test.each<[string, Case, string | undefined]>([
    ["by the issuer, about everything", {}, undefined],
    ["by another issuer", { listIssuer: clerk }, other],
    ["by the issuer that the point names", byClerk, undefined],
    ["by another than the point names", { ...byClerk, listIssuer: issuer }, other],
    [
      "by the one that is named, not indirect",
      { ...byClerk, scope: {} },
      "is only about certificates of its own issuer",
    ],
    [
      "by the one that is named, without a scope",
      { listIssuer: clerk, point: byClerk.point },
      "is only about certificates of its own issuer",
    ],
    [
      "a point of the same name",
      { point: { distributionPoint: full(uri("u:1")) }, scope: { distributionPoint: full(uri("u:2"), uri("u:1")) } },
      undefined,
    ],
    [
      "a point of another name",
      { point: { distributionPoint: full(uri("u:1")) }, scope: { distributionPoint: full(uri("u:2")) } },
      elsewhere,
    ],
    [
      "a point of another form",
      {
        point: { distributionPoint: full({ type: "dNSName", value: "u:1" }) },
        scope: { distributionPoint: full(uri("u:1")) },
      },
      elsewhere,
    ],
    ["no point of its own", { scope: { distributionPoint: full(uri("u:1")) } }, elsewhere],
    [
      "a directory name of the same value",
      {
        point: { distributionPoint: full(directory(clerk)) },
        scope: { distributionPoint: full(directory(makeName([{ type: "CN", value: "clerk" }]))) },
      },
      undefined,
    ],
    [
      "a directory name of another value",
      { point: { distributionPoint: full(directory(clerk)) }, scope: { distributionPoint: full(directory(issuer)) } },
      elsewhere,
    ],
    [
      "a relative name, the same",
      { point: { distributionPoint: relative }, scope: { distributionPoint: relative } },
      undefined,
    ],
    [
      "a relative name, written in full",
      { point: { distributionPoint: full(directory(beside(issuer))) }, scope: { distributionPoint: relative } },
      undefined,
    ],
    [
      "a relative name below another",
      { point: { distributionPoint: full(directory(beside(clerk))) }, scope: { distributionPoint: relative } },
      elsewhere,
    ],
    [
      "a relative name below the point's issuer",
      {
        listIssuer: clerk,
        point: { cRLIssuer: [directory(clerk)], distributionPoint: relative },
        scope: { indirectCRL: true, distributionPoint: full(directory(beside(clerk))) },
      },
      undefined,
    ],
    [
      "the point's issuer as its name",
      { ...byClerk, scope: { indirectCRL: true, distributionPoint: full(directory(clerk)) } },
      undefined,
    ],
    [
      "an address, the same",
      {
        point: { distributionPoint: full({ type: "iPAddress", value: Uint8Array.of(1, 2) }) },
        scope: { distributionPoint: full({ type: "iPAddress", value: Uint8Array.of(1, 2) }) },
      },
      undefined,
    ],
    [
      "an address, another",
      {
        point: { distributionPoint: full({ type: "iPAddress", value: Uint8Array.of(1, 2) }) },
        scope: { distributionPoint: full({ type: "iPAddress", value: Uint8Array.of(1, 3) }) },
      },
      elsewhere,
    ],
    ["end entities only, of one", { scope: { onlyContainsUserCerts: true } }, undefined],
    [
      "end entities only, of an authority",
      { scope: { onlyContainsUserCerts: true }, isCa: true },
      "is for end entities only",
    ],
    ["authorities only, of one", { scope: { onlyContainsCACerts: true }, isCa: true }, undefined],
    [
      "authorities only, of an end entity",
      { scope: { onlyContainsCACerts: true } },
      "is for certificate authorities only",
    ],
    [
      "one kind only, of version 1",
      { scope: { onlyContainsUserCerts: true }, version: 1 },
      "is for one kind of certificates, and a certificate of version 1 does not say of which kind it is",
    ],
    ["every kind, of version 1", { scope: {}, version: 1 }, undefined],
    ["attribute certificates", { scope: { onlyContainsAttributeCerts: true } }, "is for attribute certificates only"],
  ])("%s", (_, each, expected) => expect(ask(each)).toBe(expected));

  test("names of other forms are the same by type and value", () => {
    const named = (typeId: number, value: number): Case["point"] => ({
      distributionPoint: full({ type: "otherName", typeId: Uint8Array.of(typeId), value: Uint8Array.of(value) }),
    });
    const listed = { scope: { distributionPoint: named(1, 2)!.distributionPoint } };
    expect(ask({ ...listed, point: named(1, 2)! })).toBeUndefined();
    expect(ask({ ...listed, point: named(1, 3)! })).toBe(elsewhere);
    expect(ask({ ...listed, point: named(2, 2)! })).toBe(elsewhere);
    const split = (typeId: readonly number[], value: readonly number[]): Case["point"] => ({
      distributionPoint: full({ type: "otherName", typeId: Uint8Array.from(typeId), value: Uint8Array.from(value) }),
    });
    const whole = { scope: { distributionPoint: split([0x2a, 0x3a], [0x30])!.distributionPoint } };
    expect(ask({ ...whole, point: split([0x2a], [0x3a, 0x30])! })).toBe(elsewhere);
  });
});

test("the issuer's own point is in the scope of a list that names the issuer as its point", () => {
  const listed = { scope: { distributionPoint: full(directory(issuer)) } };
  expect(ask({ ...listed, point: issuersOwnPoint(issuer) })).toBeUndefined();
  expect(ask({ ...listed, point: issuersOwnPoint(clerk) })).toBe(elsewhere);
});

test("the reasons covered are those that both the point and the list are about", () => {
  const some = ["keyCompromise", "cACompromise"] as const;
  const one = ["cACompromise", "superseded"] as const;
  expect(reasonsCovered(point({}), undefined)).toEqual(reasonFlags);
  expect(reasonsCovered(point({}), listScope({}))).toEqual(reasonFlags);
  expect(reasonsCovered(point({ reasons: some }), undefined)).toEqual(some);
  expect(reasonsCovered(point({}), listScope({ onlySomeReasons: some }))).toEqual(some);
  expect(reasonsCovered(point({ reasons: some }), listScope({ onlySomeReasons: one }))).toEqual(["cACompromise"]);
});
