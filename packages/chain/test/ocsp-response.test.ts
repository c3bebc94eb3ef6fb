/** Reading OCSP responses (RFC 6960 §4.2.1): every field, and nothing behind any of them. */

import { type DerWriter, encodeDer, encodeOid } from "@latchkey/asn1";
import { describe, expect, test } from "vitest";
import { parseOcspResponse } from "../src/ocsp-response.ts";

type Write = (writer: DerWriter) => void;

/** What is written at the end of each structure, and in place of some. */
interface Parts {
  readonly at?: string;
  readonly status?: number;
  readonly withoutBytes?: boolean;
  readonly type?: string;
  readonly version?: number;
  readonly responder?: Write;
  readonly hashParameters?: Write;
  readonly singleStatus?: Write;
  readonly nextUpdate?: number;
  readonly singleExtensions?: readonly (readonly [oid: string, critical: boolean])[];
  readonly extensions?: readonly (readonly [oid: string, critical: boolean])[];
  readonly singles?: number;
  readonly certificates?: number;
}

const good: Write = (writer) => writer.primitive(0x80, new Uint8Array());
const time = Date.UTC(2026, 10, 23) / 1000;

/** A response; `at` names the structure that has a NULL behind its last field. */
function response(parts: Parts = {}): Uint8Array {
  const end = (where: string, writer: DerWriter): void => {
    if (parts.at === where) writer.null();
  };
  const extensions = (writer: DerWriter, tag: number, where: string, list: Parts["extensions"]): void => {
    if (list === undefined) return;
    writer.explicit(tag, (explicit) => {
      explicit.sequence((all) => {
        for (const [oid, critical] of list) {
          all.sequence((extension) => {
            extension.oid(encodeOid(oid));
            extension.booleanDefaultFalse(critical);
            extension.octetString(Uint8Array.of(5, 0));
            end(`${where} extension`, extension);
          });
        }
      });
      end(`${where} extensions`, explicit);
    });
  };
  const single: Write = (writer) =>
    writer.sequence((fields) => {
      fields.sequence((id) => {
        id.sequence((hash) => {
          hash.oid(encodeOid("1.3.14.3.2.26"));
          (parts.hashParameters ?? (() => {}))(hash);
          end("hash", hash);
        });
        id.octetString(Uint8Array.of(1));
        id.octetString(Uint8Array.of(2));
        id.integer(3);
        end("id", id);
      });
      (parts.singleStatus ?? good)(fields);
      fields.generalizedTime(time);
      if (parts.nextUpdate !== undefined) {
        fields.explicit(0, (explicit) => {
          explicit.generalizedTime(parts.nextUpdate!);
          end("next", explicit);
        });
      }
      extensions(fields, 1, "single", parts.singleExtensions);
      end("single", fields);
    });
  const basic = encodeDer((writer) => {
    writer.sequence((fields) => {
      fields.sequence((data) => {
        if (parts.version !== undefined) {
          data.explicit(0, (explicit) => {
            explicit.integer(parts.version!);
            end("version", explicit);
          });
        }
        const byName: Write = (choice) =>
          choice.explicit(1, (explicit) => {
            explicit.sequence(() => {});
            end("name", explicit);
          });
        (parts.responder ?? byName)(data);
        data.generalizedTime(time);
        data.sequence((list) => {
          for (let index = 0; index < (parts.singles ?? 1); index++) single(list);
        });
        extensions(data, 1, "data", parts.extensions);
        end("data", data);
      });
      fields.sequence((algorithm) => algorithm.oid(encodeOid("1.3.101.112")));
      fields.bitString(Uint8Array.of(7));
      if (parts.certificates !== undefined) {
        fields.explicit(0, (explicit) => {
          explicit.sequence((list) => {
            for (let index = 0; index < parts.certificates!; index++) list.sequence(() => {});
          });
          end("certificates", explicit);
        });
      }
      end("basic", fields);
    });
    end("behind basic", writer);
  });
  return encodeDer((writer) => {
    writer.sequence((fields) => {
      fields.integer(parts.status ?? 0, 0x0a);
      if (parts.withoutBytes !== true) {
        fields.explicit(0, (explicit) => {
          explicit.sequence((bytes) => {
            bytes.oid(encodeOid(parts.type ?? "1.3.6.1.5.5.7.48.1.1"));
            bytes.octetString(basic);
            end("bytes", bytes);
          });
          end("response", explicit);
        });
      }
      end("fields", fields);
    });
    end("behind", writer);
  });
}

const unknown = "1.3.6.1.4.1.55738.1";
const byKey: Write = (data) => data.explicit(2, (explicit) => explicit.octetString(Uint8Array.of(9)));
const revokedWith =
  (reason: number | undefined, behind?: "status" | "reason"): Write =>
  (writer) =>
    writer.sequence((fields) => {
      fields.generalizedTime(time);
      if (reason !== undefined) {
        fields.explicit(0, (explicit) => {
          explicit.integer(reason, 0x0a);
          if (behind === "reason") explicit.null();
        });
      }
      if (behind === "status") fields.null();
    }, 0xa1);

/** All parts that are optional, so that each has an end that something can stand behind. */
const full: Parts = {
  version: 0,
  nextUpdate: time + 1,
  certificates: 1,
  hashParameters: (hash) => hash.null(),
  singleExtensions: [[unknown, false]],
  extensions: [[unknown, false]],
};

test("every field is read", () => {
  expect(parseOcspResponse(response())).toMatchObject({
    responseStatus: "successful",
    basic: {
      responderId: { type: "byName", name: Uint8Array.of(0x30, 0) },
      producedAt: time,
      responses: [
        {
          certificateId: {
            hashAlgorithm: encodeOid("1.3.14.3.2.26"),
            issuerNameHash: Uint8Array.of(1),
            issuerKeyHash: Uint8Array.of(2),
            serialNumber: Uint8Array.of(3),
          },
          status: "good",
          thisUpdate: time,
          nextUpdate: undefined,
          unknownCritical: undefined,
        },
      ],
      unknownCritical: undefined,
      signature: Uint8Array.of(7),
      certificates: [],
    },
  });
  expect(parseOcspResponse(response(full))?.basic).toMatchObject({
    responses: [{ nextUpdate: time + 1, unknownCritical: undefined }],
    certificates: [Uint8Array.of(0x30, 0)],
  });
  expect(parseOcspResponse(response({ responder: byKey }))?.basic?.responderId).toEqual({
    type: "byKey",
    keyHash: Uint8Array.of(9),
  });
});

test("the status of a certificate is read with its reason", () => {
  const statusBy = (singleStatus: Write): unknown => parseOcspResponse(response({ singleStatus }))?.basic?.responses[0];
  expect(statusBy((writer) => writer.primitive(0x82, new Uint8Array()))).toMatchObject({ status: "unknown" });
  expect(statusBy(revokedWith(undefined))).toMatchObject({ status: "revoked", revokedAt: time, reason: undefined });
  expect(statusBy(revokedWith(10))).toMatchObject({ status: "revoked", reason: 10 });
  expect(statusBy(revokedWith(11))).toBeUndefined();
});

test("a critical extension that is unknown is named, the first of them", () => {
  const other = "1.3.6.1.4.1.55738.2";
  const list = [
    [unknown, false],
    [other, true],
    [unknown, true],
  ] as const;
  const { basic } = parseOcspResponse(response({ extensions: list, singleExtensions: list })) ?? {};
  expect(basic?.unknownCritical).toBe(other);
  expect(basic?.responses[0]?.unknownCritical).toBe(other);
  // Signed certificate timestamps change nothing.
  const timestamps = parseOcspResponse(response({ singleExtensions: [["1.3.6.1.4.1.11129.2.4.5", true]] }));
  expect(timestamps?.basic?.responses[0]?.unknownCritical).toBeUndefined();
});

describe("a response is malformed", () => {
  test.each([
    "fields",
    "behind",
    "response",
    "bytes",
    "basic",
    "behind basic",
    "data",
    "version",
    "name",
    "hash",
    "id",
    "next",
    "single",
    "single extension",
    "single extensions",
    "data extension",
    "data extensions",
    "certificates",
  ])("with something at the end: %s", (at) => {
    expect(parseOcspResponse(response(full))).toBeDefined();
    expect(parseOcspResponse(response({ ...full, at }))).toBeUndefined();
  });

  test.each<[string, Parts]>([
    ["with something behind its revocation", { singleStatus: revokedWith(1, "status") }],
    ["with something behind its reason", { singleStatus: revokedWith(1, "reason") }],
    [
      "with a key hash that has something behind it",
      {
        responder: (data) =>
          data.explicit(2, (explicit) => {
            explicit.octetString(Uint8Array.of(9));
            explicit.null();
          }),
      },
    ],
    ["of another type", { type: unknown }],
    ["of another version", { version: 1 }],
    ["without the response that its status promises", { withoutBytes: true }],
    ["with a response that its status denies", { status: 3 }],
    ["of a status that there is not", { status: 4, withoutBytes: true }],
    ["with more single responses than are read", { singles: 1001 }],
    ["with more certificates than are read", { certificates: 17 }],
  ])("%s", (_, parts) => expect(parseOcspResponse(response(parts))).toBeUndefined());

  test("only beyond the numbers that are read", () => {
    expect(parseOcspResponse(response({ singles: 1000 }))?.basic?.responses).toHaveLength(1000);
    expect(parseOcspResponse(response({ certificates: 16 }))?.basic?.certificates).toHaveLength(16);
  });
});

test.each([
  [1, "malformedRequest"],
  [2, "internalError"],
  [3, "tryLater"],
  [5, "sigRequired"],
  [6, "unauthorized"],
])("status %i is %s, without a response", (status, responseStatus) => {
  expect(parseOcspResponse(response({ status, withoutBytes: true }))).toEqual({ responseStatus, basic: undefined });
});
