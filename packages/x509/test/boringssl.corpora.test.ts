import { DerReader, encodeDer } from "@latchkey/asn1";
import { readLimboCases } from "@latchkey/tooling-vitest/limbo";
import { hasVectors, readVectors } from "@latchkey/tooling-vitest/vectors";
import { describe, expect, it } from "vitest";
import {
  authorityInfoAccess,
  authorityKeyIdentifier,
  certificatePolicies,
  decodeExtension,
  type ExtensionReader,
  keyUsage,
  nameIsInSubtree,
  namesMatch,
  parseCertificate,
  parseCertificateRevocationList,
  parseName,
  X509Error,
} from "../src/index.ts";
import exceptions from "./boringssl-exceptions.json" with { type: "json" };

interface ParseCase {
  readonly id: string;
  readonly kind: string;
  readonly der: string;
  readonly expectParse: boolean;
}

const extensionTypes: Readonly<Record<string, ExtensionReader<unknown>>> = {
  "ext-authorityKeyIdentifier": authorityKeyIdentifier,
  "ext-authorityInfoAccess": authorityInfoAccess,
  "ext-certificatePolicies": certificatePolicies,
  "ext-keyUsage": keyUsage,
};

function bytes(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, "base64"));
}

/** A certificate around a TBSCertificate, with the algorithm that stands in it. */
function wrapTbs(tbs: Uint8Array): Uint8Array {
  const fields = new DerReader(tbs).sequence();
  if (fields.nextIs(0xa0)) fields.any();
  fields.any();
  const algorithm = fields.any().encoding;
  return encodeDer((writer) => {
    writer.sequence((certificate) => {
      certificate.encoded(tbs);
      certificate.encoded(algorithm);
      certificate.bitString(Uint8Array.of(1));
    });
  });
}

function parseCase({ kind, der }: ParseCase): void {
  const value = bytes(der);
  const type = extensionTypes[kind];
  if (type !== undefined) decodeExtension({ oid: type.oid, critical: false, value, valueOffset: 0 }, type);
  else if (kind === "tbs-certificate") parseCertificate(wrapTbs(value));
  else if (kind === "full-certificate" || kind === "certificate-shell") parseCertificate(value);
  else throw new Error(`no way to run a case of kind ${kind}`);
}

/** "ok", or the code of the error. */
function outcome(run: () => void): string {
  try {
    run();
    return "ok";
  } catch (error) {
    if (error instanceof X509Error) return error.code;
    throw error;
  }
}

describe.skipIf(!hasVectors("boringssl-parse-certificate.json"))("BoringSSL's corpora", () => {
  it("parses and refuses the certificates and extensions that BoringSSL does, but for listed exceptions", () => {
    const { cases } = readVectors("boringssl-parse-certificate.json") as { cases: ParseCase[] };
    const listed = new Map(exceptions.map((exception) => [exception.id, exception.actual]));
    const disagreements = cases
      .map((each) => ({ id: each.id, expected: each.expectParse, actual: outcome(() => parseCase(each)) }))
      .filter(({ expected, actual }) => (actual === "ok") !== expected);
    expect(Object.fromEntries(disagreements.map(({ id, actual }) => [id, actual]))).toEqual(Object.fromEntries(listed));
    const valid = cases.filter(({ expectParse }) => expectParse).length;
    const accepted = valid - disagreements.filter(({ expected }) => expected).length;
    expect({ cases: cases.length, accepted, valid, invalid: cases.length - valid }).toEqual({
      cases: 116,
      accepted: 41,
      valid: 54,
      invalid: 62,
    });
  });

  it("compares names as BoringSSL does in every case", () => {
    const { cases } = readVectors("boringssl-name-match.json") as {
      cases: { id: string; op: string; a: string; b: string; expected: boolean }[];
    };
    for (const { id, op, a, b, expected } of cases) {
      if (op === "parseMustFail") {
        expect(() => parseName(bytes(a)), id).toThrow(X509Error);
        continue;
      }
      const compare = op === "match" ? namesMatch : nameIsInSubtree;
      expect(compare(parseName(bytes(a)), parseName(bytes(b))), id).toBe(expected);
    }
    expect(cases.length).toBe(316);
  });

  it("parses revocation lists and refuses the malformed ones, every case", () => {
    const { cases } = readVectors("boringssl-crl.json") as { cases: { id: string; class: string; crl: string }[] };
    // Well-formed, and wrong only beside a certificate: for `@latchkey/chain`.
    const notOfParsing = new Set([
      "invalid_issuer_keyusage_no_crlsign",
      "invalid_key_rollover_issuer_keyusage_no_crlsign",
      "invalid_idp_onlycontainsusercerts_v1_leaf",
    ]);
    let refused = 0;
    for (const { id, class: kind, crl } of cases) {
      const isMalformed = kind === "invalid" && !notOfParsing.has(id);
      const result = outcome(() => parseCertificateRevocationList(bytes(crl)));
      expect(result === "ok", `${id}: ${result}`).toBe(!isMalformed);
      if (isMalformed) refused++;
    }
    expect({ cases: cases.length, refused }).toEqual({ cases: 66, refused: 26 });
  });
});

interface LimboCase {
  readonly id: string;
  readonly expected_result: string;
  readonly peer_certificate: string;
  readonly untrusted_intermediates: readonly string[];
  readonly trusted_certs: readonly string[];
}

/** Cases whose certificates are malformed, with the code that says so. */
const malformedLimboCases: Readonly<Record<string, string>> = {
  "rfc5280::eku::ee-eku-empty": "ERR_X509_EMPTY_LIST",
  "rfc5280::nc::invalid-ipv4-address": "ERR_X509_GENERAL_NAME",
  "rfc5280::nc::invalid-ipv6-address": "ERR_X509_GENERAL_NAME",
  "rfc5280::nc::nc-permits-invalid-ip-san": "ERR_X509_GENERAL_NAME",
  "rfc5280::san::malformed": "ERR_X509_MALFORMED",
  "rfc5280::san::noncritical-with-empty-subject": "ERR_X509_EMPTY_SUBJECT",
  "rfc5280::ee-empty-issuer": "ERR_X509_EMPTY_ISSUER",
  "rfc5280::ca-empty-subject": "ERR_X509_EMPTY_ISSUER",
  "rfc5280::root-inconsistent-ca-extensions": "ERR_X509_EXTENSION_VALUE",
  "rfc5280::duplicate-extensions": "ERR_X509_DUPLICATE_EXTENSION",
  "rfc5280::mismatching-signature-algorithm": "ERR_X509_SIGNATURE_ALGORITHM_MISMATCH",
  "webpki::aki::root-with-aki-authoritycertissuer": "ERR_X509_EXTENSION_VALUE",
  "webpki::aki::root-with-aki-authoritycertserialnumber": "ERR_X509_EXTENSION_VALUE",
  "webpki::nc::intermediate-permitted-excluded-subtrees-both-null": "ERR_X509_EMPTY_LIST",
  "webpki::nc::intermediate-permitted-excluded-subtrees-both-empty-sequences": "ERR_X509_EMPTY_LIST",
  "webpki::san::unicode-emoji-san": "ERR_X509_MALFORMED",
  "webpki::malformed-aia": "ERR_X509_MALFORMED",
};

describe.skipIf(!hasVectors("limbo.json"))("x509-limbo", () => {
  it("has every certificate parsed, but those that are malformed, which are all of invalid chains", () => {
    const testcases = readLimboCases() as readonly LimboCase[];
    const known = new Map<string, string>();
    const refused: Record<string, string> = {};
    for (const each of testcases) {
      for (const pem of [...each.trusted_certs, ...each.untrusted_intermediates, each.peer_certificate]) {
        const result = known.get(pem) ?? outcome(() => parseCertificate(derOf(pem)));
        known.set(pem, result);
        if (result === "ok") continue;
        refused[each.id] = result;
        expect(each.expected_result, each.id).toBe("FAILURE");
      }
    }
    expect(refused).toEqual(malformedLimboCases);
    expect(known.size).toBeGreaterThan(400);
  });
});

/** The DER of one PEM block, without this package's own reader. */
function derOf(pem: string): Uint8Array {
  return bytes(pem.replaceAll(/-----[^-]+-----|\s/g, ""));
}
