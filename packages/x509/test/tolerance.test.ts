/**
 * The table of tolerances: each slip is built by hand, refused by default, and read where its row is allowed or warned of.
 * Every test changes one thing in a certificate, request or list that is otherwise right.
 */

import { type DerWriter, encodeDer, Tag } from "@latchkey/asn1";
import { defaultSignatureAlgorithm, encodeSignatureAlgorithm } from "@latchkey/crypto";
import { nodeProvider } from "@latchkey/crypto/node";
import { describe, expect, it } from "vitest";
import {
  attributeValues,
  basicConstraints,
  type Certificate,
  checkCertificateContents,
  cRLReason,
  decryptPrivateKeyInfo,
  encryptPrivateKeyInfo,
  everyTolerance,
  type Extension,
  extensionValue,
  inhibitAnyPolicy,
  issuingDistributionPoint,
  makeExtension,
  makeName,
  nameConstraints,
  nameIsInSubtree,
  nameKey,
  namesMatch,
  nameText,
  parseCertificate,
  parseCertificateRevocationList,
  parseCertificationRequest,
  parseName,
  policyConstraints,
  privateKeyFromPem,
  subjectAltName,
  type ToleranceCode,
  tolerances,
  verifyCertificationRequest,
  X509Error,
} from "../src/index.ts";
import { encodePem } from "@latchkey/asn1";

const { privateKey, publicKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
const algorithm = defaultSignatureAlgorithm(publicKey.algorithm);
const rightAlgorithm = encodeSignatureAlgorithm(algorithm);
const someName = makeName([{ type: "commonName", value: "x" }]).encoding;

type Body = (writer: DerWriter) => void;

function der(body: Body): Uint8Array {
  return encodeDer(body);
}

/** SEQUENCE { toBeSigned, algorithm, signature }, signed by the key above. */
function signed(toBeSigned: Uint8Array, identifier: Uint8Array): Uint8Array {
  return der((writer) => {
    writer.sequence((fields) => {
      fields.encoded(toBeSigned);
      fields.encoded(identifier);
      fields.bitString(nodeProvider.sign(privateKey, algorithm, toBeSigned));
    });
  });
}

interface CertificateParts {
  readonly issuer?: Uint8Array;
  readonly subject?: Uint8Array;
  readonly algorithm?: Uint8Array;
  readonly extensions?: readonly Uint8Array[];
}

function certificateDer(parts: CertificateParts): Uint8Array {
  const { issuer = someName, subject = someName, algorithm: identifier = rightAlgorithm, extensions = [] } = parts;
  const tbs = der((writer) => {
    writer.sequence((fields) => {
      fields.explicit(0, (version) => version.integer(2));
      fields.integer(7);
      fields.encoded(identifier);
      fields.encoded(issuer);
      fields.sequence((validity) => {
        validity.time(1_795_392_000);
        validity.time(1_895_392_000);
      });
      fields.encoded(subject);
      fields.encoded(publicKey.spki);
      if (extensions.length > 0) {
        fields.explicit(3, (explicit) => {
          explicit.sequence((list) => {
            for (const extension of extensions) list.encoded(extension);
          });
        });
      }
    });
  });
  return signed(tbs, identifier);
}

interface ListParts {
  readonly issuer?: Uint8Array;
  readonly version?: 1 | 2;
  readonly algorithm?: Uint8Array;
  readonly entries?: readonly Uint8Array[] | undefined;
  readonly extensions?: readonly Uint8Array[];
}

function listDer(parts: ListParts): Uint8Array {
  const { issuer = someName, version = 2, algorithm: identifier = rightAlgorithm, entries, extensions = [] } = parts;
  const tbs = der((writer) => {
    writer.sequence((fields) => {
      if (version === 2) fields.integer(1);
      fields.encoded(identifier);
      fields.encoded(issuer);
      fields.time(1_795_392_000);
      fields.time(1_895_392_000);
      if (entries !== undefined) {
        fields.sequence((list) => {
          for (const entry of entries) list.encoded(entry);
        });
      }
      if (extensions.length > 0) {
        fields.explicit(0, (explicit) => {
          explicit.sequence((list) => {
            for (const extension of extensions) list.encoded(extension);
          });
        });
      }
    });
  });
  return signed(tbs, identifier);
}

function requestDer(attributes: Body | undefined, subject = someName, identifier = rightAlgorithm): Uint8Array {
  const information = der((writer) => {
    writer.sequence((fields) => {
      fields.integer(0);
      fields.encoded(subject);
      fields.encoded(publicKey.spki);
      if (attributes !== undefined) fields.sequence(attributes, 0xa0);
    });
  });
  return signed(information, identifier);
}

/** An extension whose `critical` has these content octets. */
function extensionDer({ oid, value }: Extension, critical?: Uint8Array): Uint8Array {
  return der((writer) => {
    writer.sequence((fields) => {
      fields.oid(oid);
      if (critical !== undefined) fields.primitive(Tag.boolean, critical);
      fields.octetString(value);
    });
  });
}

function withValue(type: { readonly oid: Uint8Array }, value: Uint8Array): Uint8Array {
  return extensionDer({ oid: type.oid, critical: false, value, valueOffset: 0 });
}

/** A name of one attribute with these content octets under this string type. */
function rawName(octets: Uint8Array, tag: number = Tag.printableString, type = "2.5.4.3"): Uint8Array {
  return der((writer) => {
    writer.sequence((name) => {
      name.sequence((set) => {
        set.sequence((attribute) => {
          attribute.oid(type);
          attribute.primitive(tag, octets);
        });
      }, Tag.set);
    });
  });
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function printable(text: string): Uint8Array {
  return rawName(ascii(text));
}

type Parse = (
  der: Uint8Array,
  options?: Parameters<typeof parseCertificate>[1],
) => { readonly deviations: Certificate["deviations"] };

/** Refused by default and by the other rows; read by its row; read without looking at contents. */
function expectTolerated(parse: Parse, input: Uint8Array, code: ToleranceCode, errorCode: string, count = 1): void {
  const all = everyTolerance("allow");
  for (const options of [{}, { tolerances: {} }, { tolerances: { ...all, [code]: "refuse" } }] as const) {
    let refused: unknown;
    try {
      parse(input, options);
    } catch (error) {
      refused = error;
    }
    expect(refused).toBeInstanceOf(X509Error);
    expect(refused).toMatchObject({ code: errorCode, tolerance: code, message: expect.stringContaining(code) });
  }
  for (const action of ["allow", "warn"] as const) {
    const { deviations } = parse(input, { tolerances: { [code]: action } });
    expect(deviations).toEqual([{ tolerance: code, action, offset: expect.any(Number), count }]);
  }
  expect(() => parse(input, { checkContents: false })).not.toThrow();
}

describe("characters that a string type of a name does not have", () => {
  it.each(["eui48_D88039ABCDEF", "A & B", "info@example.com", "*.example.com", "a#b", "100%", "a;b", "a!b", "[x]"])(
    "%s in subject, issuer, directoryName, list and request",
    (text) => {
      const name = printable(text);
      const alternative = makeExtension(subjectAltName, [{ type: "directoryName", value: makeRaw(name) }]);
      const code = "ERR_X509_NAME_STRING";
      expectTolerated(parseCertificate, certificateDer({ subject: name }), "nameString", code);
      expectTolerated(parseCertificate, certificateDer({ issuer: name }), "nameString", code);
      const withDirectoryName = certificateDer({ extensions: [extensionDer(alternative)] });
      expectTolerated(parseCertificate, withDirectoryName, "nameString", code);
      expectTolerated(parseCertificateRevocationList, listDer({ issuer: name }), "nameString", code);
      expectTolerated(
        parseCertificationRequest,
        requestDer(() => undefined, name),
        "nameString",
        code,
      );

      const certificate = parseCertificate(withDirectoryName, { tolerances: { nameString: "warn" } });
      const [directory] = extensionValue(certificate, subjectAltName) ?? [];
      expect(directory?.type === "directoryName" && attributeValues(directory.value, "commonName")).toEqual([text]);
      const unchecked = parseCertificate(withDirectoryName, { checkContents: false });
      expect(extensionValue(unchecked, subjectAltName)).toHaveLength(1);
    },
  );

  it.each<[string, Uint8Array, number]>([
    ["Latin-1 in a PrintableString", Uint8Array.of(0x4d, 0xfc), Tag.printableString],
    ["a control character", Uint8Array.of(0x4d, 0x07), Tag.printableString],
    ["Latin-1 in an IA5String", Uint8Array.of(0x4d, 0xfc), Tag.ia5String],
    ["Latin-1 in a UTF8String", Uint8Array.of(0x4d, 0xfc), Tag.utf8String],
    ["letters in a NumericString", ascii("12a"), Tag.numericString],
    ["half a character of a BMPString", Uint8Array.of(0, 0x4d, 0), Tag.bmpString],
  ])("%s are read, and have no text unless all of it is visible ASCII", (_, octets, tag) => {
    const input = certificateDer({ subject: rawName(octets, tag) });
    expectTolerated(parseCertificate, input, "nameString", "ERR_X509_NAME_STRING");
    const { subject } = parseCertificate(input, { tolerances: { nameString: "allow" } });
    const isVisible = octets.every((octet) => octet >= 0x20 && octet < 0x7f);
    expect(attributeValues(subject, "commonName")).toEqual([isVisible ? "12a" : undefined]);
  });

  it("names the attribute, the string type, the octet and its place", () => {
    expect(() => parseCertificate(certificateDer({ subject: printable("a_b") }))).toThrow(
      expect.objectContaining({ attribute: "commonName", type: "PrintableString (0x13)", octet: 0x5f, position: 1 }),
    );
    const unknown = rawName(ascii("a_b"), Tag.printableString, "1.2.3.4");
    expect(() => parseName(unknown)).toThrow(expect.objectContaining({ attribute: "1.2.3.4" }));
  });

  it("match the same octets only: no case, no spaces, no other string type", () => {
    const read = (input: Uint8Array): Certificate["subject"] =>
      parseCertificate(certificateDer({ subject: input }), { tolerances: { nameString: "allow" } }).subject;
    const name = read(printable("A & B"));
    expect(namesMatch(name, read(printable("A & B")))).toBe(true);
    expect(nameIsInSubtree(name, read(printable("A & B")))).toBe(true);
    expect(nameKey(name)).toBe(nameKey(read(printable("A & B"))));
    for (const other of [printable("a & b"), printable("A  & B"), rawName(ascii("A & B"), Tag.utf8String)]) {
      expect(namesMatch(name, read(other))).toBe(false);
      expect(nameKey(name)).not.toBe(nameKey(read(other)));
    }
    expect(nameText(name)).toBe("CN=A & B");
  });
});

/** A Name that holds what its string types do not allow. */
function makeRaw(encoding: Uint8Array): Certificate["subject"] {
  return parseCertificate(certificateDer({ subject: encoding }), { checkContents: false }).subject;
}

describe("BOOLEAN TRUE that is not 0xff", () => {
  const constraints = makeExtension(basicConstraints, { cA: true, pathLenConstraint: undefined });
  const lax = der((writer) => writer.sequence((fields) => fields.primitive(Tag.boolean, Uint8Array.of(1))));

  it.each([1, 2, 0x80, 0xfe])("0x%s as critical, and as cA", (octet) => {
    const critical = certificateDer({ extensions: [extensionDer(constraints, Uint8Array.of(octet))] });
    expectTolerated(parseCertificate, critical, "booleanTrue", "ERR_X509_MALFORMED");
    expect(parseCertificate(critical, { tolerances: { booleanTrue: "allow" } }).extensions[0]?.critical).toBe(true);
    const value = der((writer) => writer.sequence((fields) => fields.primitive(Tag.boolean, Uint8Array.of(octet))));
    const cA = certificateDer({ extensions: [withValue(basicConstraints, value)] });
    expectTolerated(parseCertificate, cA, "booleanTrue", "ERR_X509_MALFORMED");
  });

  it("is decoded again as it was read, and read without checking", () => {
    const input = certificateDer({ extensions: [withValue(basicConstraints, lax)] });
    for (const options of [{ tolerances: { booleanTrue: "warn" } }, { checkContents: false }] as const) {
      expect(extensionValue(parseCertificate(input, options), basicConstraints)?.cA).toBe(true);
    }
  });

  it("in lists, their entries and requests", () => {
    const reason = makeExtension(cRLReason, "keyCompromise");
    const entry = (critical: Uint8Array): Uint8Array =>
      der((writer) => {
        writer.sequence((fields) => {
          fields.integer(9);
          fields.time(1_795_392_000);
          fields.sequence((list) => list.encoded(extensionDer(reason, critical)));
        });
      });
    const entries = [entry(Uint8Array.of(1)), entry(Uint8Array.of(1))];
    expectTolerated(parseCertificateRevocationList, listDer({ entries }), "booleanTrue", "ERR_X509_MALFORMED", 2);
    const list = parseCertificateRevocationList(listDer({ entries }), { tolerances: { booleanTrue: "allow" } });
    expect(list.revokedCertificates.at(1).extensions[0]?.critical).toBe(true);
    const point = der((writer) => writer.sequence((fields) => fields.primitive(0x81, Uint8Array.of(1))));
    const scoped = listDer({ extensions: [withValue(issuingDistributionPoint, point)] });
    expectTolerated(parseCertificateRevocationList, scoped, "booleanTrue", "ERR_X509_MALFORMED");
    const request = requestDer(asking((extensions) => extensions.encoded(extensionDer(constraints, Uint8Array.of(1)))));
    expectTolerated(parseCertificationRequest, request, "booleanTrue", "ERR_X509_MALFORMED");
  });
});

/** The attribute extensionRequest with one value, a SEQUENCE of what `body` writes. */
function asking(body: Body): Body {
  return (attributes) => {
    attributes.sequence((attribute) => {
      attribute.oid("1.2.840.113549.1.9.14");
      attribute.sequence((set) => set.sequence(body), Tag.set);
    });
  };
}

describe("a default that is written out", () => {
  const constraints = makeExtension(basicConstraints, { cA: false, pathLenConstraint: undefined });
  const falsehood = Uint8Array.of(0);

  it("critical FALSE in certificates, lists, entries and requests", () => {
    const extension = extensionDer(constraints, falsehood);
    const certificate = certificateDer({ extensions: [extension] });
    expectTolerated(parseCertificate, certificate, "defaultWrittenOut", "ERR_X509_MALFORMED");
    const { extensions } = parseCertificate(certificate, { tolerances: { defaultWrittenOut: "allow" } });
    expect(extensions[0]?.critical).toBe(false);
    const list = listDer({ extensions: [extensionDer(makeExtension(cRLReason, "superseded"), falsehood)] });
    expectTolerated(parseCertificateRevocationList, list, "defaultWrittenOut", "ERR_X509_MALFORMED");
    const request = requestDer(asking((asked) => asked.encoded(extension)));
    expectTolerated(parseCertificationRequest, request, "defaultWrittenOut", "ERR_X509_MALFORMED");
  });

  it("FALSE in issuingDistributionPoint", () => {
    const point = der((writer) => {
      writer.sequence((fields) => {
        fields.primitive(0x81, Uint8Array.of(0xff));
        fields.primitive(0x82, falsehood);
      });
    });
    const list = listDer({ extensions: [withValue(issuingDistributionPoint, point)] });
    expectTolerated(parseCertificateRevocationList, list, "defaultWrittenOut", "ERR_X509_MALFORMED");
  });

  it("minimum 0 in a subtree, and no other minimum", () => {
    const constrained = (minimum: number): Uint8Array =>
      certificateDer({
        extensions: [
          withValue(
            nameConstraints,
            der((writer) => {
              writer.sequence((fields) => {
                fields.sequence((subtrees) => {
                  subtrees.sequence((subtree) => {
                    subtree.ia5String("example.com", 0x82);
                    subtree.integer(minimum, 0x80);
                  });
                }, 0xa0);
              });
            }),
          ),
        ],
      });
    expect(() => parseCertificate(constrained(0))).toThrow(X509Error);
    const tolerant = { tolerances: { defaultWrittenOut: "allow" } } as const;
    expect(extensionValue(parseCertificate(constrained(0), tolerant), nameConstraints)?.permittedSubtrees).toHaveLength(
      1,
    );
    expect(() => parseCertificate(constrained(1), tolerant)).toThrow(X509Error);
  });
});

describe("NULL parameters of the signature algorithm", () => {
  const identifier = der((writer) => {
    writer.sequence((body) => {
      body.oid("1.2.840.10045.4.3.2");
      body.null();
    });
  });

  it("never stop a parser, and are noted where they are tolerated", () => {
    const noted = [{ tolerance: "nullParameters", action: "warn", offset: expect.any(Number), count: 1 }];
    const options = { tolerances: { nullParameters: "warn" } } as const;
    expect(parseCertificate(certificateDer({ algorithm: identifier })).deviations).toEqual([]);
    expect(parseCertificate(certificateDer({ algorithm: identifier }), options).deviations).toEqual(noted);
    expect(parseCertificateRevocationList(listDer({ algorithm: identifier }), options).deviations).toEqual(noted);
    expect(parseCertificate(certificateDer({}), options).deviations).toEqual([]);
  });

  it("are refused with a request's signature unless they are tolerated", () => {
    const request = parseCertificationRequest(requestDer(() => undefined, someName, identifier));
    expect(() => verifyCertificationRequest(request, nodeProvider)).toThrow(
      expect.objectContaining({ code: "ERR_X509_PROOF_OF_POSSESSION", problem: "ERR_CRYPTO_MALFORMED_ALGORITHM" }),
    );
    verifyCertificationRequest(request, nodeProvider, { tolerances: { nullParameters: "allow" } });
  });
});

it("an empty subject beside a subjectAltName that is not critical", () => {
  const names = makeExtension(subjectAltName, [{ type: "dNSName", value: "example.com" }]);
  const subject = makeName([]).encoding;
  const input = certificateDer({ subject, extensions: [extensionDer(names)] });
  expectTolerated(parseCertificate, input, "emptySubject", "ERR_X509_EMPTY_SUBJECT");
  const right = certificateDer({ subject, extensions: [extensionDer(names, Uint8Array.of(0xff))] });
  expect(parseCertificate(right, { tolerances: everyTolerance("warn") }).deviations).toEqual([]);
});

it.each([1, 2] as const)("an empty list of entries in a list of version %s", (version) => {
  const input = listDer({ version, entries: [] });
  const code = "emptyRevokedCertificates";
  expectTolerated(parseCertificateRevocationList, input, code, "ERR_X509_EMPTY_LIST");
  const list = parseCertificateRevocationList(input, { tolerances: { [code]: "allow" } });
  expect(list.revokedCertificates.length).toBe(0);
  expect(list.revokedCertificates.find(Uint8Array.of(1))).toBeUndefined();
});

describe("requests that ask for nothing", () => {
  const extensionRequest = "1.2.840.113549.1.9.14";

  it("without attributes", () => {
    expectTolerated(parseCertificationRequest, requestDer(undefined), "missingAttributes", "ERR_X509_EMPTY_LIST");
    const request = parseCertificationRequest(requestDer(undefined), { tolerances: { missingAttributes: "warn" } });
    verifyCertificationRequest(request, nodeProvider);
    expect(request.attributes).toEqual([]);
    expect(parseCertificationRequest(requestDer(() => undefined)).attributes).toEqual([]);
  });

  it("with an extensionRequest that has no value, or no extension", () => {
    const noValue: Body = (attributes) => {
      attributes.sequence((attribute) => {
        attribute.oid(extensionRequest);
        attribute.sequence(() => undefined, Tag.set);
      });
    };
    for (const attributes of [noValue, asking(() => undefined)]) {
      const input = requestDer(attributes);
      expectTolerated(parseCertificationRequest, input, "emptyExtensionRequest", "ERR_X509_EMPTY_LIST");
    }
    expect(() => parseCertificationRequest(requestDer(noValue))).toThrow(/RFC 2986/);
    expect(() => parseCertificationRequest(requestDer(asking(() => undefined)))).toThrow(/RFC 2985/);
  });

  it("but an empty value of another attribute stays refused, by the request's own document", () => {
    const challenge: Body = (attributes) => {
      attributes.sequence((attribute) => {
        attribute.oid("1.2.840.113549.1.9.7");
        attribute.sequence(() => undefined, Tag.set);
      });
    };
    const parse = (): unknown =>
      parseCertificationRequest(requestDer(challenge), { tolerances: everyTolerance("allow") });
    expect(parse).toThrow(/1\.2\.840\.113549\.1\.9\.7.*RFC 2986/);
  });
});

describe("a count of certificates over 255", () => {
  const constraints = (count: number): Uint8Array =>
    der((writer) => {
      writer.sequence((fields) => {
        fields.boolean(true);
        fields.integer(count);
      });
    });

  it.each([256, 1000, 65_536, 2 ** 40])("%s", (count) => {
    const inputs = [
      withValue(basicConstraints, constraints(count)),
      withValue(
        policyConstraints,
        der((writer) => writer.sequence((fields) => fields.integer(count, 0x80))),
      ),
      withValue(
        inhibitAnyPolicy,
        der((writer) => writer.integer(count)),
      ),
    ].map((extension) => certificateDer({ extensions: [extension] }));
    for (const input of inputs) expectTolerated(parseCertificate, input, "pathLengthOverLimit", "ERR_X509_LIMIT");
    const [input] = inputs;
    const certificate = parseCertificate(input ?? someName, { tolerances: { pathLengthOverLimit: "allow" } });
    expect(extensionValue(certificate, basicConstraints)?.pathLenConstraint).toBe(count);
  });

  it("is a limit that the error names; 255 is within it", () => {
    const input = (count: number): Uint8Array =>
      certificateDer({ extensions: [withValue(basicConstraints, constraints(count))] });
    expect(() => parseCertificate(input(256))).toThrow(
      expect.objectContaining({ code: "ERR_X509_LIMIT", what: "pathLenConstraint", found: 256, limit: 255 }),
    );
    expect(extensionValue(parseCertificate(input(255)), basicConstraints)?.pathLenConstraint).toBe(255);
  });
});

describe("private keys", () => {
  it("an EC scalar with a leading zero too many, in PEM text", () => {
    const scalar = new Uint8Array(33).fill(5);
    scalar[0] = 0;
    const sec1 = der((writer) => {
      writer.sequence((body) => {
        body.integer(1);
        body.octetString(scalar);
        body.explicit(0, (field) => field.oid("1.2.840.10045.3.1.7"));
      });
    });
    const text = encodePem("EC PRIVATE KEY", sec1);
    expect(() => privateKeyFromPem(text, { provider: nodeProvider })).toThrow(/33 octets/);
    const warned: string[] = [];
    const tolerant = { tolerances: everyTolerance("warn"), onWarning: warn };
    function warn({ tolerance }: { readonly tolerance: string }): void {
      warned.push(tolerance);
    }
    expect(privateKeyFromPem(text, { provider: nodeProvider, ...tolerant }).type).toBe("private");
    expect(warned).toEqual(["scalarLength"]);
  });

  it("PBKDF2 with its default written out, with NULL and without", () => {
    const pkcs8 = nodeProvider.exportPkcs8(privateKey);
    const salt = new Uint8Array(8).fill(1);
    const iv = new Uint8Array(16).fill(2);
    const key = nodeProvider.pbkdf2("SHA-1", ascii("secret"), salt, 10, 32);
    const encrypted = (prf: Body): Uint8Array =>
      der((writer) => {
        writer.sequence((outer) => {
          outer.sequence((identifier) => {
            identifier.oid("1.2.840.113549.1.5.13");
            identifier.sequence((parameters) => {
              parameters.sequence((derivation) => {
                derivation.oid("1.2.840.113549.1.5.12");
                derivation.sequence((fields) => {
                  fields.octetString(salt);
                  fields.integer(10);
                  prf(fields);
                });
              });
              parameters.sequence((scheme) => {
                scheme.oid("2.16.840.1.101.3.4.1.42");
                scheme.octetString(iv);
              });
            });
          });
          outer.octetString(nodeProvider.encryptAesCbc(key, iv, pkcs8));
        });
      });
    const options = { provider: nodeProvider, password: "secret" };
    expect(
      decryptPrivateKeyInfo(
        encrypted(() => undefined),
        options,
      ),
    ).toEqual(pkcs8);
    for (const hasNull of [true, false]) {
      const input = encrypted((fields) => {
        fields.sequence((prf) => {
          prf.oid("1.2.840.113549.2.7");
          if (hasNull) prf.null();
        });
      });
      expect(() => decryptPrivateKeyInfo(input, options)).toThrow(
        expect.objectContaining({ code: "ERR_X509_UNSUPPORTED_ENCRYPTION", tolerance: "defaultPrfWrittenOut" }),
      );
      const tolerant = { ...options, tolerances: { defaultPrfWrittenOut: "allow" } } as const;
      expect(decryptPrivateKeyInfo(input, tolerant)).toEqual(pkcs8);
      expect(privateKeyFromPem(encodePem("ENCRYPTED PRIVATE KEY", input), tolerant).publicKey.spki).toEqual(
        publicKey.spki,
      );
    }
    const sha224 = encrypted((fields) => fields.sequence((prf) => prf.oid("1.2.840.113549.2.8")));
    expect(() => decryptPrivateKeyInfo(sha224, { ...options, tolerances: everyTolerance("allow") })).toThrow(
      expect.objectContaining({ code: "ERR_X509_UNSUPPORTED_ENCRYPTION", found: "1.2.840.113549.2.8" }),
    );
    expect(encryptPrivateKeyInfo(pkcs8, { ...options, iterations: 1 }).length).toBeGreaterThan(pkcs8.length);
  });
});

describe("the table", () => {
  it("says of each row what it is, who makes it, which rule it breaks and why it is harmless", () => {
    for (const row of tolerances) {
      for (const text of [row.what, row.madeBy, row.rule, row.harmless]) expect(text.length).toBeGreaterThan(10);
    }
    expect(Object.keys(everyTolerance("warn"))).toEqual(tolerances.map(({ code }) => code));
  });
});

describe("checking a certificate that was read before", () => {
  const input = certificateDer({ subject: printable("A & B") });

  it("costs nothing where nothing was tolerated", () => {
    expect(checkCertificateContents(parseCertificate(certificateDer({})))).toEqual([]);
  });

  it.each([{ checkContents: false }, { tolerances: { nameString: "allow" } }] as const)(
    "judges by the settings of the check what was read with %j",
    (options) => {
      const certificate = parseCertificate(input, options);
      expect(() => checkCertificateContents(certificate)).toThrow(
        expect.objectContaining({ code: "ERR_X509_NAME_STRING" }),
      );
      expect(checkCertificateContents(certificate, { tolerances: { nameString: "warn" } })).toEqual([
        { tolerance: "nameString", action: "warn", offset: expect.any(Number), count: 1 },
      ]);
    },
  );

  it("refuses what has no tolerance", () => {
    const broken = certificateDer({ extensions: [withValue(basicConstraints, Uint8Array.of(5, 0))] });
    const certificate = parseCertificate(broken, { checkContents: false });
    expect(certificate.isChecked).toBe(false);
    expect(() => checkCertificateContents(certificate, { tolerances: everyTolerance("allow") })).toThrow(X509Error);
  });
});
