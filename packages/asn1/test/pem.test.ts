import { growthOf } from "@latchkey/tooling-vitest/cpu-time";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Asn1Error, decodePem, encodePem, findPemSections } from "../src/index.ts";

const block = "-----BEGIN TEST-----\nAAEC\n-----END TEST-----\n";

function codeOf(text: string): string {
  try {
    decodePem(text);
    return "accepted";
  } catch (error) {
    if (error instanceof Asn1Error) return error.code;
    throw error;
  }
}

describe("PEM", () => {
  it("reads what Buffer encodes and writes what Buffer decodes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const text = encodePem("SOME LABEL", bytes);
        expect(text.split("\n").every((line) => line.length <= 64)).toBe(true);
        expect(Buffer.from(text.split("\n").slice(1, -2).join(""), "base64").equals(bytes)).toBe(true);
        const [read] = decodePem(text);
        expect(read?.label).toBe("SOME LABEL");
        expect(Buffer.from(read?.bytes ?? []).equals(bytes)).toBe(true);
        const oneLine = `-----BEGIN X-----\r\n${Buffer.from(bytes).toString("base64")}\r\n-----END X-----`;
        expect(Buffer.from(decodePem(oneLine)[0]?.bytes ?? []).equals(bytes)).toBe(true);
      }),
    );
  });

  it("reads several blocks with text around and between", () => {
    const text = `subject=CN = a\n${block}\nsome text -----BEGIN not at a line's start-----\n${block.replaceAll("\n", "\r\n")}the end`;
    expect(decodePem(text).map(({ label, bytes }) => [label, [...bytes]])).toEqual([
      ["TEST", [0, 1, 2]],
      ["TEST", [0, 1, 2]],
    ]);
    expect(decodePem(text)[0]?.offset).toBe("subject=CN = a\n".length);
    expect(decodePem(new TextEncoder().encode(text))).toHaveLength(2);
    expect(decodePem("no block at all")).toEqual([]);
  });

  it.each([
    ["a block without its end", "-----BEGIN TEST-----\nAAEC\n", "ERR_ASN1_PEM_BOUNDARY"],
    ["an end without its block", "-----END TEST-----\n", "ERR_ASN1_PEM_BOUNDARY"],
    ["a block in a block", `-----BEGIN TEST-----\nAAEC\n${block}`, "ERR_ASN1_PEM_BOUNDARY"],
    ["another label at the end", "-----BEGIN TEST-----\nAAEC\n-----END OTHER-----\n", "ERR_ASN1_PEM_BOUNDARY"],
    ["text after the dashes", "-----BEGIN TEST----- x\nAAEC\n-----END TEST-----\n", "ERR_ASN1_PEM_BOUNDARY"],
    ["headers", "-----BEGIN TEST-----\nProc-Type: 4,ENCRYPTED\n\nAAEC\n-----END TEST-----\n", "ERR_ASN1_PEM_HEADERS"],
    ["the URL alphabet", "-----BEGIN TEST-----\nAA_-\n-----END TEST-----\n", "ERR_ASN1_PEM_BASE64"],
    ["missing padding", "-----BEGIN TEST-----\nAAE\n-----END TEST-----\n", "ERR_ASN1_PEM_BASE64"],
    ["too much padding", "-----BEGIN TEST-----\nAAE==\n-----END TEST-----\n", "ERR_ASN1_PEM_BASE64"],
    ["padding without need", "-----BEGIN TEST-----\nAAEC=\n-----END TEST-----\n", "ERR_ASN1_PEM_BASE64"],
    ["one character alone", "-----BEGIN TEST-----\nAAECA===\n-----END TEST-----\n", "ERR_ASN1_PEM_BASE64"],
    ["padding in the middle", "-----BEGIN TEST-----\nAA==AAEC\n-----END TEST-----\n", "ERR_ASN1_PEM_BASE64"],
    ["unused bits set", "-----BEGIN TEST-----\nAAF=\n-----END TEST-----\n", "ERR_ASN1_PEM_BASE64"],
    ["a NUL", "-----BEGIN TEST-----\nAA\0EC\n-----END TEST-----\n", "ERR_ASN1_PEM_BASE64"],
    ["a letter beyond ASCII", "-----BEGIN TEST-----\nAAÉC\n-----END TEST-----\n", "ERR_ASN1_PEM_BASE64"],
  ])("refuses %s", (_, text, code) => {
    expect(codeOf(text)).toBe(code);
  });

  it("says which block is wrong, and where", () => {
    expect(() => decodePem(`${block}-----BEGIN TEST-----\nA*EC\n-----END TEST-----\n`)).toThrow(
      expect.objectContaining({ message: expect.stringContaining("PEM block 2"), offset: block.length + 22 }),
    );
  });

  it("refuses a label that cannot stand in a boundary", () => {
    expect(() => encodePem("A-----", new Uint8Array(1))).toThrow(expect.objectContaining({ code: "ERR_ASN1_VALUE" }));
  });

  it("takes linear time, also on boundaries that never close", () => {
    const readOf = (count: number): (() => void) => {
      const inputs = [
        block.repeat(count),
        "-----BEGIN A-----\n".repeat(count),
        "-----".repeat(count),
        "\n-----".repeat(count),
      ];
      return () => inputs.forEach((input) => void codeOf(input));
    };
    // Eight times the input: 8 is linear, 64 quadratic.
    expect(growthOf(readOf(8000), readOf(64_000), 24)).toBeLessThan(24);
  });
});

describe("PEM as files have it", () => {
  const block = encodePem("TEST", Uint8Array.of(1, 2, 3));

  it.each<[string, string | Uint8Array]>([
    ["a byte order mark", `\ufeff${block}`],
    ["a byte order mark in octets", new TextEncoder().encode(`\ufeff${block}`)],
    ["UTF-16, little-endian", utf16(block, "little")],
    ["UTF-16, big-endian", utf16(block, "big")],
    ["NUL octets at the end", `${block}\0\0`],
    ["a NUL octet on the END line", `${block.trimEnd()}\0`],
    ["an indented block", block.replaceAll(/^/gm, "    ")],
    ["a block indented by tabs", block.replaceAll(/^/gm, "\t\t")],
    ["lines ended by CRLF", block.replaceAll("\n", "\r\n")],
    ["spaces behind the dashes", block.replaceAll("-----\n", "-----  \n")],
  ])("reads %s", (_, text) => {
    expect(decodePem(text)).toEqual([expect.objectContaining({ label: "TEST", bytes: Uint8Array.of(1, 2, 3) })]);
  });

  it.each<[string, string]>([
    ["an encrypted key of OpenSSL's old form", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAEC"],
    ["an OpenPGP message with its checksum", "Version: GnuPG v2\n\nAAEC\n=abcd"],
    ["what is no base64 at all", "!?"],
  ])("finds blocks beside %s", (_, body) => {
    const other = `-----BEGIN OTHER THING-----\n${body}\n-----END OTHER THING-----\n`;
    const sections = findPemSections(`${other}${block}${other}`);
    expect(sections.map(({ label }) => label)).toEqual(["OTHER THING", "TEST", "OTHER THING"]);
    expect(sections[1]?.decode()).toEqual(Uint8Array.of(1, 2, 3));
    expect(sections[1]?.offset).toBe(other.length);
    expect(() => sections[0]?.decode()).toThrow(Asn1Error);
  });

  it("refuses a wanted block that ends under a label that is not wanted, and the reverse", () => {
    for (const text of [
      "-----BEGIN TEST-----\nAAEC\n-----END OTHER-----\n",
      "-----BEGIN OTHER-----\nAAEC\n-----END TEST-----\n",
    ]) {
      expect(() => findPemSections(text, (label) => label === "TEST")).toThrow(
        expect.objectContaining({ code: "ERR_ASN1_PEM_BOUNDARY", problem: "another label at the END" }),
      );
    }
  });

  it.each<[string, string]>([
    ["without its END line", `-----BEGIN OTHER-----\nAAEC\n${block}`],
    ["without its BEGIN line", `-----END OTHER-----\n${block}`],
    ["closed by another label", `-----BEGIN OTHER-----\nAAEC\n-----END ANOTHER-----\n${block}`],
    ["that nothing ends", `${block}-----BEGIN OTHER-----\nAAEC\n`],
    ["whose BEGIN line has lost its dashes", `${block}-----BEGIN OTHER---\nAAEC\n`],
  ])("passes over a block of another label %s, and refuses it among wanted ones", (_, text) => {
    expect(findPemSections(text, (label) => label === "TEST").map(({ label }) => label)).toEqual(["TEST"]);
    expect(codeOf(text)).toBe("ERR_ASN1_PEM_BOUNDARY");
  });
});

describe("what an error about PEM says", () => {
  it.each<[string, string, object]>([
    [
      "-----BEGIN A-----\nAA\0C\n-----END A-----",
      "ERR_ASN1_PEM_BASE64",
      { problem: "character", character: "\0", offset: 20 },
    ],
    [
      "-----BEGIN A-----\nAA😀C\n-----END A-----",
      "ERR_ASN1_PEM_BASE64",
      { problem: "character", character: "😀", offset: 20 },
    ],
    ["-----BEGIN A-----\nAAE\n-----END A-----", "ERR_ASN1_PEM_BASE64", { problem: "padding", character: undefined }],
    [
      "-----BEGIN A-----\nAB==\n-----END A-----",
      "ERR_ASN1_PEM_BASE64",
      { problem: "stray bits", label: "A", block: 1 },
    ],
    ["-----BEGIN A-----\nAAEC\n", "ERR_ASN1_PEM_BOUNDARY", { problem: "no END", label: "A" }],
    ["-----BEGIN A-----\nAAEC\n-----END B-----", "ERR_ASN1_PEM_BOUNDARY", { problem: "another label at the END" }],
    ["-----END A-----", "ERR_ASN1_PEM_BOUNDARY", { problem: "END without BEGIN", label: "A", block: 1 }],
    ["-----BEGIN A----- AAEC -----END A-----", "ERR_ASN1_PEM_BOUNDARY", { problem: "malformed", label: "A" }],
    [
      "-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A\n\nAAEC\n-----END A-----",
      "ERR_ASN1_PEM_HEADERS",
      { headers: ["Proc-Type", "DEK-Info"], isEncrypted: true, label: "A" },
    ],
    ["-----BEGIN A-----\nComment: x\n\nAAEC\n-----END A-----", "ERR_ASN1_PEM_HEADERS", { isEncrypted: false }],
  ])("%j", (text, code, evidence) => {
    expect(() => decodePem(text)).toThrow(expect.objectContaining({ code, ...evidence }));
  });
});

function utf16(text: string, order: "little" | "big"): Uint8Array {
  const octets = new Uint8Array(2 * text.length + 2);
  const view = new DataView(octets.buffer);
  for (const [index, character] of Array.from(`\ufeff${text}`).entries()) {
    view.setUint16(2 * index, character.charCodeAt(0), order === "little");
  }
  return octets;
}
