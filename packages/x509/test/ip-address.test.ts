/** IP addresses between text and octets: RFC 4291 §2.2 is read, RFC 5952 §4 is written. */

import { describe, expect, it } from "vitest";
import { formatIpAddress, parseIpAddress, parseIpv4 } from "../src/index.ts";

const hex = (octets: Uint8Array | undefined): string | undefined => octets && Buffer.from(octets).toString("hex");

describe("what is read", () => {
  it.each([
    ["192.0.2.1", "c0000201", "192.0.2.1"],
    ["0.0.0.0", "00000000", "0.0.0.0"],
    ["255.255.255.255", "ffffffff", "255.255.255.255"],
    ["2001:db8:0:0:0:0:0:1", "20010db8000000000000000000000001", "2001:db8::1"],
    ["2001:DB8::1", "20010db8000000000000000000000001", "2001:db8::1"],
    ["::", "00".repeat(16), "::"],
    ["::1", `${"00".repeat(15)}01`, "::1"],
    ["1::", `0001${"00".repeat(14)}`, "1::"],
    ["::ffff:192.0.2.1", "00000000000000000000ffffc0000201", "::ffff:c000:201"],
    ["64:ff9b::192.0.2.33", "0064ff9b0000000000000000c0000221", "64:ff9b::c000:221"],
    ["1:2:3:4:5:6:7::", "00010002000300040005000600070000", "1:2:3:4:5:6:7:0"],
    ["2001:0:0:1:0:0:0:1", "20010000000000010000000000000001", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "20010db8000000000001000000000001", "2001:db8::1:0:0:1"],
  ])("%s", (text, octets, written) => {
    const read = parseIpAddress(text);
    expect(hex(read)).toBe(octets);
    expect(formatIpAddress(read ?? new Uint8Array(0))).toBe(written);
    expect(hex(parseIpAddress(written))).toBe(octets);
  });
});

it.each([
  "",
  "1.2.3",
  "1.2.3.4.5",
  "01.2.3.4",
  "256.2.3.4",
  "1.2.3.-4",
  "1.2.3.4 ",
  "0x1.2.3.4",
  "1..3.4",
  ":",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7:8::",
  "12345::",
  "g::",
  "::1.2.3",
  "::1.2.3.4:5",
  "1.2.3.4::",
  "fe80::1%eth0",
  "[::1]",
  " ::1",
  `${"0".repeat(46)}::`,
])("%j is no address", (text) => {
  expect(parseIpAddress(text)).toBeUndefined();
});

it("an IPv6 address is no IPv4 address, and other octets have no text", () => {
  expect(parseIpv4("::1")).toBeUndefined();
  expect(hex(parseIpv4("10.0.0.1"))).toBe("0a000001");
  expect(formatIpAddress(Uint8Array.of(1, 2, 3))).toBe("0x010203");
});
