import { Tag, encodeDer } from "@latchkey/asn1";
import { describe, expect, it } from "vitest";
import {
  type AttributeName,
  attributesOf,
  attributeValues,
  escapeAttributeValue,
  makeName,
  makeNameOfSets,
  nameIsInSubtree,
  namesMatch,
  nameText,
  parseName,
  parseNameText,
  X509Error,
} from "../src/index.ts";

describe("attributes", () => {
  it("give every value in order, through sets of several", () => {
    const name = makeNameOfSets([
      [{ type: "countryName", value: "DE" }],
      [{ type: "commonName", value: "first" }],
      [
        { type: "commonName", value: "second" },
        { type: "serialNumber", value: "7" },
      ],
      [{ type: "commonName", value: "third" }],
    ]);
    expect(attributeValues(name, "commonName")).toEqual(["first", "second", "third"]);
    expect(attributeValues(name, "serialNumber")).toEqual(["7"]);
    expect(attributeValues(name, "title")).toEqual([]);
    expect(attributesOf(name, Uint8Array.of(0x55, 0x04, 0x06))).toHaveLength(1);
  });

  it("are those of AWS IoT's policy variables, by the identifiers of X.520", () => {
    const identifiers: Readonly<Partial<Record<AttributeName, number>>> = {
      commonName: 3,
      surname: 4,
      serialNumber: 5,
      countryName: 6,
      stateOrProvinceName: 8,
      organizationName: 10,
      organizationalUnitName: 11,
      title: 12,
      givenName: 42,
      initials: 43,
      generationQualifier: 44,
      dnQualifier: 46,
      pseudonym: 65,
    };
    for (const [type, arc] of Object.entries(identifiers)) {
      const [attribute] = makeName([{ type, value: "DE" }]).rdns[0] ?? [];
      expect(attribute?.type, type).toEqual(Uint8Array.of(0x55, 0x04, arc));
    }
  });

  it("are written with the string types that RFC 5280 wants, or refused", () => {
    const tagOf = (type: string, value: string): number | undefined =>
      makeName([{ type, value }]).rdns[0]?.[0]?.valueTag;
    expect(tagOf("commonName", "x")).toBe(Tag.utf8String);
    expect(tagOf("countryName", "DE")).toBe(Tag.printableString);
    expect(tagOf("serialNumber", "1")).toBe(Tag.printableString);
    expect(tagOf("domainComponent", "example")).toBe(Tag.ia5String);
    expect(tagOf("1.2.3", "x")).toBe(Tag.utf8String);
    for (const [type, value] of [
      ["countryName", "ä"],
      ["emailAddress", "ä@b"],
      ["serialNumber", "a_b"],
      ["commonName", "\ud800"],
      ["nothing", "x"],
    ] as const) {
      expect(() => makeName([{ type, value }]), type).toThrow(expect.objectContaining({ code: "ERR_X509_VALUE" }));
    }
  });
});

describe("RFC 4514 text", () => {
  // The examples of RFC 4514 §4.
  it.each([
    ["UID=jsmith,DC=example,DC=net", 3],
    ["OU=Sales+CN=J.  Smith,DC=example,DC=net", 3],
    [String.raw`CN=James \"Jim\" Smith\, III,DC=example,DC=net`, 3],
    [String.raw`CN=Before\0dAfter,DC=example,DC=net`, 3],
    [String.raw`CN=Lučić`, 1],
  ])("%s comes back", (text, sets) => {
    const name = parseNameText(text);
    expect(name.rdns).toHaveLength(sets);
    expect(nameText(name).split(/[,+]/).sort()).toEqual(text.split(/[,+]/).sort());
    expect(namesMatch(parseName(name.encoding), parseNameText(nameText(name)))).toBe(true);
  });

  it("reads escapes as octets of UTF-8, and spaces around values as nothing", () => {
    expect(attributeValues(parseNameText(String.raw`CN=Lu\C4\8Di\C4\87`), "commonName")).toEqual(["Lučić"]);
    expect(attributeValues(parseNameText(String.raw`cn =  a b\20 , O= x `), "commonName")).toEqual(["a b "]);
    expect(attributeValues(parseNameText("CN=100%25,O=%"), "commonName")).toEqual(["100%25"]);
    expect(parseNameText("").rdns).toEqual([]);
  });

  it("shows a type without a label, and a value that is no text, in hexadecimal", () => {
    expect(nameText(makeName([{ type: "1.3.6.1.4.1.1466.0", value: "\u0004\u0002Hi" }]))).toBe(
      "1.3.6.1.4.1.1466.0=#0c0404024869",
    );
    const long = makeName([{ type: "1.2.3", value: "x".repeat(300) }]);
    expect(nameText(long)).toBe(`1.2.3=#0c82012c${"78".repeat(300)}`);
  });

  it.each([
    "CN",
    "CN=a,",
    "CN=a,,O=b",
    "=a",
    "foo=a",
    'CN="a',
    'CN="a"b',
    "CN=#04",
    "CN=#0",
    "CN=#",
    "CN=#0c0161 x",
    "/",
    "/foo=a",
    "CN=a/O=b\\",
    "/CN=a\\xff",
    "OID.2.5.4=a,",
    "CN=a;O=b",
    "CN=<a>",
    "CN=a\\",
    "CN=a\\zz",
    "CN=\\ff",
    "CN=#0401",
    "CN=a\0",
    "1..2=a",
    "CN=\ud800",
  ])("refuses %j", (text) => {
    expect(() => parseNameText(text)).toThrow(X509Error);
  });

  it.each<[string, [string, string][]]>([
    [
      "E=a@example.com,S=Bayern,C=DE",
      [
        ["countryName", "DE"],
        ["stateOrProvinceName", "Bayern"],
        ["emailAddress", "a@example.com"],
      ],
    ],
    [
      "EMAIL=a@example.com,SP=Bayern,G=Ada,T=Dr",
      [
        ["title", "Dr"],
        ["givenName", "Ada"],
        ["stateOrProvinceName", "Bayern"],
        ["emailAddress", "a@example.com"],
      ],
    ],
    [
      "OID.2.5.4.3=a,oid.2.5.4.10=b",
      [
        ["organizationName", "b"],
        ["commonName", "a"],
      ],
    ],
    [
      String.raw`CN="Sue, Grabbit + \"Runn\"",O= " x " , C=DE`,
      [
        ["countryName", "DE"],
        ["organizationName", " x "],
        ["commonName", 'Sue, Grabbit + "Runn"'],
      ],
    ],
    [
      "/C=US/ST=CA/O=A & B/CN=button-1",
      [
        ["countryName", "US"],
        ["stateOrProvinceName", "CA"],
        ["organizationName", "A & B"],
        ["commonName", "button-1"],
      ],
    ],
    [
      String.raw`/O=a\/b=c/CN=x/y+z=1/OU=\x2F\xC3\xA4%41`,
      [
        ["organizationName", "a/b=c"],
        ["commonName", "x/y+z=1"],
        ["organizationalUnitName", "/ä%41"],
      ],
    ],
    ["CN=a   ", [["commonName", "a"]]],
    [
      "CN=#0c0161,O=#13025a5a",
      [
        ["organizationName", "ZZ"],
        ["commonName", "a"],
      ],
    ],
  ])("reads what other programs write: %s", (text, expected) => {
    const name = parseNameText(text);
    expect(name.rdns.map(([attribute]) => attribute?.text)).toEqual(expected.map(([, value]) => value));
    for (const [type, value] of expected) {
      expect(attributeValues(name, type as "commonName"), type).toEqual([value]);
    }
    expect(namesMatch(parseNameText(nameText(name)), name)).toBe(true);
  });

  it("reads the sets of OpenSSL's form, and keeps what is given as DER octet for octet", () => {
    expect(parseNameText("/C=DE/UID=7+CN=x").rdns.map((set) => set.length)).toEqual([1, 2]);
    const written = makeName([{ type: "commonName", value: Uint8Array.of(Tag.teletexString, 2, 0x61, 0xe4) }]);
    expect(nameText(written)).toBe("CN=#140261e4");
    const two = Uint8Array.of(Tag.utf8String, 1, 0x61, Tag.utf8String, 1, 0x62);
    expect(() => makeName([{ type: "commonName", value: two }])).toThrow(
      expect.objectContaining({ code: "ERR_X509_VALUE" }),
    );
    expect(parseNameText("CN=#140261e4").encoding).toEqual(written.encoding);
  });

  it("takes time linear in the text, whatever stands in it", () => {
    // Quadratic time would take minutes here.
    for (const value of [" ".repeat(500_000), String.raw`\ `.repeat(250_000), "+".repeat(500_000)]) {
      const text = value.startsWith("+") ? `/CN=a${value}` : `CN=a${value}b`;
      expect(parseNameText(text).rdns).toHaveLength(1);
    }
  });

  it("says where the text goes wrong", () => {
    const fault = (text: string): unknown => {
      try {
        return parseNameText(text);
      } catch (error) {
        return error;
      }
    };
    expect(fault("CN=a,Foo=b")).toMatchObject({
      code: "ERR_X509_NAME_TEXT",
      offset: 5,
      problem: expect.stringContaining('"Foo"'),
    });
    expect(fault("CN=a;O=b")).toMatchObject({ offset: 4, message: expect.stringContaining(String.raw`write \;`) });
    expect(fault("C=Dä")).toMatchObject({
      code: "ERR_X509_VALUE",
      message: expect.stringContaining("PrintableString"),
    });
  });

  it("escapes what AWS IoT policies see escaped", () => {
    expect(escapeAttributeValue("Amazon Web Services O=Amazon.com Inc. L=Seattle")).toBe(
      String.raw`Amazon Web Services O\=Amazon.com Inc. L\=Seattle`,
    );
    expect(escapeAttributeValue(String.raw`,"\+=<>;`)).toBe(String.raw`\,\"\\\+\=\<\>\;`);
    expect(escapeAttributeValue(" #a ")).toBe(String.raw`\ #a\ `);
    expect(escapeAttributeValue("#a")).toBe(String.raw`\#a`);
    expect(escapeAttributeValue(" ")).toBe(String.raw`\ `);
  });
});

describe("comparison by RFC 5280 §7.1", () => {
  const named = (value: string): ReturnType<typeof makeName> => makeName([{ type: "commonName", value }]);

  it("folds case and compatibility forms beyond ASCII, and spaces", () => {
    expect(namesMatch(named("ÉCOLE  x "), named(" école X"))).toBe(true);
    expect(namesMatch(named("e\u0301cole"), named("école"))).toBe(true);
    expect(namesMatch(named("ａｂ"), named("AB"))).toBe(true);
    expect(namesMatch(named("a b"), named("ab"))).toBe(false);
    expect(namesMatch(named("école"), named("ecole"))).toBe(false);
  });

  it("cannot be confused by values that look like its keys", () => {
    const one = makeNameOfSets([[{ type: "commonName", value: "a+550403=b" }]]);
    const two = makeNameOfSets([
      [
        { type: "commonName", value: "a" },
        { type: "commonName", value: "b" },
      ],
    ]);
    expect(namesMatch(one, two)).toBe(false);
    expect(
      namesMatch(
        named("a\n550403=b"),
        makeName([
          { type: "commonName", value: "a" },
          { type: "commonName", value: "b" },
        ]),
      ),
    ).toBe(false);
  });

  it("finds subtrees by whole sets", () => {
    const base = makeName([
      { type: "countryName", value: "DE" },
      { type: "organizationName", value: "Pizza" },
    ]);
    const below = makeName([
      { type: "countryName", value: "de" },
      { type: "organizationName", value: "PIZZA" },
      { type: "commonName", value: "x" },
    ]);
    expect(nameIsInSubtree(below, base)).toBe(true);
    expect(nameIsInSubtree(base, below)).toBe(false);
    expect(nameIsInSubtree(base, makeName([]))).toBe(true);
  });

  it("compares values that are no strings as bytes with their tags", () => {
    const valued = (tag: number): ReturnType<typeof parseName> =>
      parseName(
        encodeDer((writer) => {
          writer.sequence((sequence) => {
            sequence.sequence((set) => {
              set.sequence((attribute) => {
                attribute.oid("2.5.4.45");
                attribute.primitive(tag, Uint8Array.of(0, 1));
              });
            }, Tag.set);
          });
        }),
      );
    expect(namesMatch(valued(Tag.bitString), valued(Tag.bitString))).toBe(true);
    expect(namesMatch(valued(Tag.bitString), valued(Tag.octetString))).toBe(false);
  });
});
