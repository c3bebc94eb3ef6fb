/** The certificate's part of a context: attributes under AWS's names, made from any parser's fields. */

import { certificateAttributes } from "@latchkey/policy";
import { expect, test } from "vitest";

test("attributes by dotted type or by octets, in the order of the certificate", () => {
  const { subject, issuer, serialNumber } = certificateAttributes({
    serialNumber: Uint8Array.of(0, 0x92, 0x12, 0x85, 0xcb, 0xb7, 0xa5, 0xe0, 0x86),
    subject: {
      rdns: [
        [
          { type: "2.5.4.3", text: "a" },
          { type: Uint8Array.of(0x55, 0x04, 0x05), text: "G03X" },
        ],
        [{ type: "2.5.4.3", text: "b" }],
        // Locality, and an attribute that only ends like one of AWS's: neither has a variable.
        [{ type: "2.5.4.7", text: "x" }],
        [{ type: "1.2.5.4.10", text: "x" }],
        [{ type: Uint8Array.of(0x55, 0x05, 0x0a), text: "x" }],
      ],
    },
    issuer: { rdns: [[{ type: "2.5.4.10", text: "o" }], [{ type: "2.5.4.6", text: undefined }]] },
  });
  expect(serialNumber).toBe("10525622389124227206");
  expect(subject).toEqual({ CommonName: ["a", "b"], SerialNumber: ["G03X"] });
  expect(issuer).toEqual({ Organization: ["o"] });
});

test("an attribute with one unreadable value is left out, so that no other value takes its number", () => {
  const rdns = [[{ type: "2.5.4.3", text: undefined }], [{ type: "2.5.4.3", text: "b" }]];
  expect(certificateAttributes({ serialNumber: 1n, subject: { rdns }, issuer: { rdns: [] } }).subject).toEqual({});
});

test("every name attribute of AWS by its type", () => {
  const arcs = [46, 6, 10, 11, 8, 3, 5, 12, 4, 42, 43, 65, 44];
  const rdns = arcs.map((arc) => [{ type: `2.5.4.${arc}`, text: String(arc) }]);
  expect(
    Object.values(certificateAttributes({ serialNumber: "7", subject: { rdns }, issuer: { rdns } }).subject ?? {}),
  ).toEqual(arcs.map((arc) => [String(arc)]));
});

test("a serial number of any length takes no time; over 64 octets it is no value", () => {
  const of = (octets: number): string | undefined =>
    certificateAttributes({
      serialNumber: new Uint8Array(octets).fill(0x7f),
      subject: { rdns: [] },
      issuer: { rdns: [] },
    }).serialNumber;
  expect(of(64)).toHaveLength(154);
  const start = process.cpuUsage();
  expect(of(1_000_000)).toBeUndefined();
  expect(process.cpuUsage(start).user).toBeLessThan(1_000_000);
});

test("alternative names by their form; serial numbers in every form", () => {
  const attributes = certificateAttributes({
    serialNumber: Uint8Array.of(0xff),
    subject: { rdns: [] },
    issuer: { rdns: [] },
    subjectAlternativeName: [
      { type: "dNSName", value: "a.example" },
      { type: "iPAddress", value: Uint8Array.of(192, 0, 2, 1) },
      { type: "iPAddress", value: Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1) },
      { type: "iPAddress", value: Uint8Array.of(1, 2, 3) },
      { type: "registeredID", value: Uint8Array.of(1) },
      { type: "directoryName", value: "CN=d" },
    ],
  });
  expect(attributes.subjectAlternativeName).toEqual({
    DNSName: ["a.example"],
    IPAddress: ["192.0.2.1", "2001:db8:0:0:0:0:0:1"],
    DirectoryName: ["CN=d"],
  });
  expect(attributes.serialNumber).toBe("-1");
});
