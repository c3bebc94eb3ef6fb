/** OCSP responses made here: who may sign them, what they are about, and that every octet of them counts. */

import { type DerWriter, encodeDer, encodeOid } from "@latchkey/asn1";
import type { HashAlgorithm, KeyPair } from "@latchkey/crypto";
import { nodeProvider } from "@latchkey/crypto/node";
import {
  extendedKeyUsage,
  keyPurposes,
  keyUsage,
  type KeyUsage,
  parseCertificate,
  parseSubjectPublicKeyInfo,
} from "@latchkey/x509";
import { describe, expect, test } from "vitest";
import { checkOcspResponse } from "../src/revocation.ts";
import { type Entity, entity, extension, family, issue, newKeys, now, unknownExtension } from "./issuing.ts";
import { signedOcspResponse } from "./ocsp-response.ts";

const { intermediate, intermediateCertificate, deviceCertificate } = family();
const certificate = parseCertificate(deviceCertificate);
const issuer = parseCertificate(intermediateCertificate);
const deviceName = certificate.subject.encoding;

interface ResponseInput {
  readonly signer?: KeyPair;
  readonly responder?: Entity;
  readonly certificates?: readonly Uint8Array[];
  /** Of each response about the certificate, one after the other. */
  readonly statuses?: readonly ("good" | "revoked" | "unknown")[];
  readonly status?: "good" | "revoked" | "unknown";
  readonly serialNumber?: Uint8Array;
  readonly thisUpdate?: number;
  readonly nextUpdate?: number | undefined;
  readonly producedAt?: number;
  readonly hash?: readonly [oid: string, name: HashAlgorithm];
  readonly issuerName?: Uint8Array;
  readonly issuerKey?: KeyPair;
  /** The responder by the SHA-1 of its key instead of by its name. */
  readonly isByKey?: boolean;
  /** Unknown critical extensions, of the response or of each single response. */
  readonly critical?: "response" | "single";
}

function keyBits(keys: KeyPair): Uint8Array {
  return parseSubjectPublicKeyInfo(keys.publicKey.spki).subjectPublicKey;
}

function response(input: ResponseInput = {}): Uint8Array {
  const { signer = intermediate.keys, responder = intermediate, certificates = [], status = "good" } = input;
  const [hashOid, hash] = input.hash ?? (["2.16.840.1.101.3.4.2.1", "SHA-256"] as const);
  const nextUpdate = "nextUpdate" in input ? input.nextUpdate : now + 100;
  const data = encodeDer((writer) => {
    writer.sequence((fields) => {
      if (input.isByKey === true) {
        const hash = nodeProvider.hash("SHA-1", keyBits(responder.keys));
        fields.explicit(2, (explicit) => explicit.octetString(hash));
      } else fields.explicit(1, (explicit) => explicit.encoded(responder.name.encoding));
      fields.generalizedTime(input.producedAt ?? now - 10);
      fields.sequence((responses) => {
        for (const each of input.statuses ?? [status]) {
          responses.sequence((single) => {
            single.sequence((id) => {
              id.sequence((algorithm) => algorithm.oid(encodeOid(hashOid)));
              id.octetString(nodeProvider.hash(hash, input.issuerName ?? intermediate.name.encoding));
              id.octetString(nodeProvider.hash(hash, keyBits(input.issuerKey ?? intermediate.keys)));
              id.integer(input.serialNumber ?? certificate.serialNumber);
            });
            writeStatus(single, each);
            single.generalizedTime(input.thisUpdate ?? now - 10);
            if (nextUpdate !== undefined) single.explicit(0, (explicit) => explicit.generalizedTime(nextUpdate));
            if (input.critical === "single") single.explicit(1, writeUnknown);
          });
        }
      });
      if (input.critical === "response") fields.explicit(1, writeUnknown);
    });
  });
  return signedOcspResponse(data, signer.privateKey, certificates);
}

function writeUnknown(explicit: DerWriter): void {
  const { oid, value } = unknownExtension(true);
  explicit.sequence((list) =>
    list.sequence((fields) => {
      fields.oid(oid);
      fields.booleanDefaultFalse(true);
      fields.octetString(value);
    }),
  );
}

function writeStatus(writer: DerWriter, status: "good" | "revoked" | "unknown"): void {
  if (status === "good") writer.primitive(0x80, new Uint8Array());
  else if (status === "unknown") writer.primitive(0x82, new Uint8Array());
  else {
    writer.sequence((fields) => {
      fields.generalizedTime(now - 50);
      fields.explicit(0, (explicit) => explicit.integer(1, 0x0a));
    }, 0xa1);
  }
}

function ask(der: Uint8Array, maximumAgeSeconds?: number): ReturnType<typeof checkOcspResponse> {
  const age = maximumAgeSeconds === undefined ? {} : { maximumAgeSeconds };
  return checkOcspResponse({ response: der, certificate, issuer, time: now, provider: nodeProvider, ...age });
}

describe("OCSP responses", () => {
  test("by the issuer count", () => {
    expect(ask(response())).toEqual({ status: "good", validUntil: now + 100, reasons: [] });
    expect(ask(response({ status: "revoked" }))).toEqual({
      status: "revoked",
      source: "ocsp",
      reason: "keyCompromise",
      revokedAt: now - 50,
    });
    expect(ask(response({ status: "unknown" })).status).toBe("unknown");
  });

  test.each([
    [["good", "good"], "good"],
    [["good", "unknown"], "unknown"],
    [["unknown", "good"], "unknown"],
    [["good", "revoked"], "revoked"],
    [["unknown", "revoked", "good"], "revoked"],
  ] as const)("that say %j of one certificate say %s", (statuses, expected) => {
    expect(ask(response({ statuses })).status).toBe(expected);
  });

  test("by an authorized responder count only while its certificate holds and is understood", () => {
    const responder = entity("Responder");
    const usage = extension(extendedKeyUsage, [keyPurposes.OCSPSigning]);
    const asked = (input: Partial<Parameters<typeof issue>[0]>): string => {
      const made = issue({ subject: responder, issuer: intermediate, extensions: [usage], ...input });
      return ask(response({ signer: responder.keys, responder, certificates: [made] })).status;
    };
    expect(asked({})).toBe("good");
    expect(asked({ notBefore: now, notAfter: now })).toBe("good");
    expect(asked({ notAfter: now - 1 })).toBe("unknown");
    expect(asked({ notBefore: now + 1 })).toBe("unknown");
    expect(asked({ extensions: [usage, unknownExtension(false)] })).toBe("good");
    expect(asked({ extensions: [usage, unknownExtension(true)] })).toBe("unknown");
  });

  test("by a responder that the issuer authorized count; by others they do not", () => {
    const responder = entity("Responder");
    const by = (oids: readonly Uint8Array[], signer: Entity = intermediate): string => {
      const made = issue({ subject: responder, issuer: signer, extensions: [extension(extendedKeyUsage, oids)] });
      return ask(response({ signer: responder.keys, responder, certificates: [made] })).status;
    };
    expect(by([keyPurposes.OCSPSigning])).toBe("good");
    expect(by([keyPurposes.anyExtendedKeyUsage])).toBe("unknown");
    expect(by([keyPurposes.clientAuth])).toBe("unknown");
    expect(by([keyPurposes.OCSPSigning], entity("Pizza Intermediate"))).toBe("unknown");
    expect(ask(response({ signer: responder.keys, responder })).status).toBe("unknown");
    expect(ask(response({ signer: newKeys() })).status).toBe("unknown");
  });

  test("about another certificate, or not current, say nothing", () => {
    expect(ask(response({ serialNumber: Uint8Array.of(99) })).status).toBe("unknown");
    expect(ask(response({ thisUpdate: now + 1 })).status).toBe("unknown");
    expect(ask(response({ nextUpdate: now - 1 })).status).toBe("unknown");
    expect(ask(response({ nextUpdate: undefined })).status).toBe("unknown");
    expect(ask(response({ nextUpdate: undefined }), 60)).toEqual({ status: "good", validUntil: now + 50, reasons: [] });
    expect(ask(response(), 5).status).toBe("unknown");
  });

  test("count from their first second to their last", () => {
    expect(ask(response({ thisUpdate: now })).status).toBe("good");
    expect(ask(response({ nextUpdate: now })).status).toBe("good");
    expect(ask(response(), 10).status).toBe("good");
    expect(ask(response(), 9)).toMatchObject({ reasons: [{ code: "ERR_REVOCATION_OCSP_TOO_OLD" }] });
    // The age limits how long the answer stays true, too.
    expect(ask(response(), 30)).toMatchObject({ validUntil: now + 20 });
    expect(ask(response({ nextUpdate: now + 5 }), 30)).toMatchObject({ validUntil: now + 5 });
    expect(ask(response({ nextUpdate: now - 1 }))).toMatchObject({ reasons: [{ code: "ERR_REVOCATION_OCSP_STALE" }] });
    // A revocation stands also where the response is too old to say "good".
    expect(ask(response({ nextUpdate: now - 1, status: "revoked" })).status).toBe("revoked");
  });

  test.each([
    ["1.3.14.3.2.26", "SHA-1"],
    ["2.16.840.1.101.3.4.2.1", "SHA-256"],
    ["2.16.840.1.101.3.4.2.2", "SHA-384"],
    ["2.16.840.1.101.3.4.2.3", "SHA-512"],
  ] as const)("name the issuer by %s, which is %s", (...hash) => {
    expect(ask(response({ hash })).status).toBe("good");
  });

  test.each<[string, ResponseInput, string]>([
    ["about another issuer's name", { issuerName: deviceName }, "OTHER_CERTIFICATE"],
    ["about another issuer's key", { issuerKey: newKeys() }, "OTHER_CERTIFICATE"],
    ["by a hash that is not known", { hash: ["1.2.3", "SHA-256"] }, "OTHER_CERTIFICATE"],
    ["about nothing", { statuses: [] }, "OTHER_CERTIFICATE"],
    ["made before the certificate", { producedAt: now - 86_401 }, "PRODUCED_AT"],
    ["made in the future", { producedAt: now + 1 }, "PRODUCED_AT"],
    ["with an unknown critical extension", { critical: "response" }, "CRITICAL_EXTENSION"],
    ["with one in the single response", { critical: "single" }, "CRITICAL_EXTENSION"],
    ["revoked, with one in the single response", { critical: "single", status: "revoked" }, "CRITICAL_EXTENSION"],
    ["of the future", { thisUpdate: now + 1 }, "NOT_YET_VALID"],
    ["without nextUpdate", { nextUpdate: undefined }, "WITHOUT_NEXT_UPDATE"],
    ["that does not know", { status: "unknown" }, "UNKNOWN"],
    ["by another key of the issuer's name", { signer: newKeys() }, "SIGNATURE"],
    ["by a stranger", { responder: entity("Stranger") }, "SIGNER"],
    ["by a stranger's key", { responder: entity("Stranger"), isByKey: true }, "SIGNER"],
  ])("%s say why they say nothing", (_, input, code) => {
    expect(ask(response(input))).toMatchObject({ reasons: [{ code: `ERR_REVOCATION_OCSP_${code}` }] });
  });

  test("name their signer by key, and are made within the certificate's validity", () => {
    expect(ask(response({ isByKey: true })).status).toBe("good");
    expect(ask(response({ producedAt: now })).status).toBe("good");
    expect(ask(response({ producedAt: now - 86_400 })).status).toBe("good");
    const asked = { response: response(), certificate, issuer, provider: nodeProvider };
    expect(checkOcspResponse({ ...asked, time: now + 0.9 }).status).toBe("good");
  });

  test("a responder signs with a key that is for it, and has the name that the response says", () => {
    const responder = entity("Responder");
    const by = (usages: readonly KeyUsage[] | undefined, signer = responder.keys, who = responder): unknown => {
      const usage = usages === undefined ? [] : [extension<readonly KeyUsage[]>(keyUsage, usages, true)];
      const extensions = [extension(extendedKeyUsage, [keyPurposes.OCSPSigning]), ...usage];
      const made = issue({ subject: responder, issuer: intermediate, extensions });
      const status = ask(response({ signer, responder: who, certificates: [Uint8Array.of(0x30, 0), made] }));
      return status.status === "unknown" ? status.reasons.map(({ code }) => code.slice(20)) : status.status;
    };
    expect(by(undefined)).toBe("good");
    expect(by(["digitalSignature"])).toBe("good");
    expect(by(["keyCertSign"])).toEqual(["SIGNER"]);
    expect(by(undefined, newKeys())).toEqual(["SIGNATURE"]);
    expect(by(undefined, responder.keys, entity("Somebody"))).toEqual(["SIGNER"]);
    const cased = entity("RESPONDER", responder.keys);
    expect(by(undefined, responder.keys, cased)).toBe("good");
  });

  test("no octet can be changed, and no end cut off", () => {
    const good = response();
    for (let at = 0; at < good.length; at++) {
      const changed = Uint8Array.from(good);
      changed[at]! ^= 0x11;
      expect(ask(changed).status, `octet ${at}`).toBe("unknown");
      expect(ask(good.subarray(0, at)).status).toBe("unknown");
    }
  });
});
