/** BoringSSL's name constraints: reading them, single names against them, and the names of whole certificates. */

import { hasVectors, readVectors } from "@latchkey/tooling-vitest/vectors";
import {
  decodeExtension,
  type ExtensionReader,
  nameConstraints,
  type NameConstraints,
  parseName,
  subjectAltName,
  X509Error,
} from "@latchkey/x509";
import { describe, expect, test } from "vitest";
import { Budget } from "../src/budget.ts";
import { defaultLimits } from "../src/limits.ts";
import { checkNames, ConstrainedNames, PreparedConstraints } from "../src/name-constraints.ts";
import { base64Bytes, type CorpusException } from "./corpus.ts";

interface ConstraintCase {
  readonly id: string;
  readonly constraints: string;
  readonly op: "parse" | "dns" | "ip" | "directoryName" | "cert";
  readonly name?: string;
  readonly ip?: readonly number[];
  readonly dirName?: string;
  readonly subject?: string | null;
  readonly san?: string | null;
  readonly expected: boolean | { readonly critical: boolean; readonly nonCritical: boolean };
}

type BlobKind = "NAME CONSTRAINTS" | "NAME" | "SUBJECT ALTERNATIVE NAME";

interface Corpus {
  readonly blobs: Readonly<Record<BlobKind, Readonly<Record<string, string>>>>;
  readonly cases: readonly ConstraintCase[];
}

const none: Corpus = { blobs: { "NAME CONSTRAINTS": {}, NAME: {}, "SUBJECT ALTERNATIVE NAME": {} }, cases: [] };
const { blobs, cases } = hasVectors("boringssl-name-constraints.json")
  ? (readVectors("boringssl-name-constraints.json") as Corpus)
  : none;

const otherNameWithoutTag =
  "RFC 5280 §4.2.1.6: the value of an otherName is tagged [0] EXPLICIT; in this constraint it is not.";

const exceptions: readonly CorpusException[] = [
  "OtherNamesInPermitted/0",
  "OtherNamesInExcluded/0",
  "QuotedRfc822SanWithNoRfc822Constraints/0",
  "QuotedRfc822SanWithNoRfc822Constraints/1",
].map((id) => ({ id, expected: "true", actual: "ERR_X509_MALFORMED", reason: otherNameWithoutTag }));

function blob(kind: BlobKind, name: string): Uint8Array {
  return base64Bytes(blobs[kind][name]!);
}

function decodeValue<Value>(value: Uint8Array, type: ExtensionReader<Value>): Value {
  return decodeExtension({ oid: type.oid, critical: true, value, valueOffset: 0 }, type);
}

function namesOf(each: ConstraintCase): ConstrainedNames {
  switch (each.op) {
    case "dns":
      return new ConstrainedNames([{ type: "dNSName", value: each.name! }]);
    case "ip":
      return new ConstrainedNames([{ type: "iPAddress", value: Uint8Array.from(each.ip!) }]);
    case "directoryName":
      return new ConstrainedNames([{ type: "directoryName", value: parseName(blob("NAME", each.dirName!)) }]);
    default: {
      const subject = parseName(each.subject ? blob("NAME", each.subject) : Uint8Array.of(0x30, 0));
      const san = each.san ? decodeValue(blob("SUBJECT ALTERNATIVE NAME", each.san), subjectAltName) : undefined;
      return ConstrainedNames.of({ subject }, san);
    }
  }
}

/** `permitted`, the code of the failure, or the code of the error for what cannot be read. */
function outcome(each: ConstraintCase): string {
  try {
    const constraints: NameConstraints = decodeValue(blob("NAME CONSTRAINTS", each.constraints), nameConstraints);
    if (each.op === "parse") return "permitted";
    const onPath = [{ constraints: new PreparedConstraints(constraints), constrainedBy: 1, constrainedByName: "CA" }];
    const failure = checkNames(namesOf(each), onPath, 0, new Budget(defaultLimits));
    return failure?.code ?? "permitted";
  } catch (error) {
    if (error instanceof X509Error) return error.code;
    throw error;
  }
}

/** Critical or not does not matter here: a constraint that cannot be judged refuses (RFC 5280 §4.2.1.10 leaves it open). */
function expectedOf({ expected }: ConstraintCase): boolean {
  return typeof expected === "boolean" ? expected : expected.critical;
}

describe.skipIf(!hasVectors("boringssl-name-constraints.json"))("BoringSSL name_constraints_unittest", () => {
  test("has its 308 cases", () => expect(cases).toHaveLength(308));

  test.each(cases)("$id $op $name$ip$dirName$subject$san by $constraints", (each) => {
    const exception = exceptions.find(({ id }) => id === each.id);
    const actual = outcome(each);
    if (exception === undefined) expect(actual === "permitted", actual).toBe(expectedOf(each));
    else
      expect({ expected: String(expectedOf(each)), actual }).toEqual({
        expected: exception.expected,
        actual: exception.actual,
      });
  });
});
