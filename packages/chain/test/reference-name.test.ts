/** RFC 9525: the names that a server is asked by, held against those that it presents. */

import { nodeProvider } from "@latchkey/crypto/node";
import { formatIpAddress, type GeneralName, parseIpAddress } from "@latchkey/x509";
import { describe, expect, test } from "vitest";
import { createChainVerifier, type ReferenceName } from "../src/index.ts";
import { dns, endEntity, entity, issue, now } from "./issuing.ts";

const ip = (...octets: number[]): GeneralName => ({ type: "iPAddress", value: Uint8Array.from(octets) });
const mail = (value: string): GeneralName => ({ type: "rfc822Name", value });

/** Whether a server certificate with these names and this common name is accepted for one of the reference names. */
function accepts(presented: readonly GeneralName[], ...referenceNames: ReferenceName[]): boolean {
  const server = entity("server.example");
  const certificate = issue({ subject: server, issuer: server, extensions: endEntity("serverAuth", presented) });
  const verifier = createChainVerifier({
    provider: nodeProvider,
    trustAnchors: [certificate],
    anchor: { acceptAsEndEntity: true },
    checks: { alternativeNameSyntax: "off" },
  });
  const result = verifier.verify({ certificate, purpose: "serverAuth", time: now, referenceNames });
  if (!result.ok) expect(result.failures.map(({ code }) => code)).toEqual(["ERR_CHAIN_REFERENCE_NAME"]);
  return result.ok;
}

describe("DNS names", () => {
  test.each([
    ["server.example", "server.example", true],
    ["SERVER.example", "server.EXAMPLE", true],
    ["server.example", "server.example.", true],
    ["server.example.", "server.example", true],
    ["server.example", "other.example", false],
    ["server.example", "a.server.example", false],
    ["a.server.example", "server.example", false],
    // §6.3: a wildcard is the whole left-most label and stands for one.
    ["*.server.example", "a.server.example", true],
    ["*.server.example", "A.Server.Example", true],
    ["*.server.example", "a.b.server.example", false],
    ["*.server.example", "server.example", false],
    ["a*.server.example", "abc.server.example", false],
    ["*a.server.example", "bca.server.example", false],
    ["x.*.example", "x.server.example", false],
    ["*", "localhost", false],
    ["*.", "localhost", false],
    ["*.example", "server.example", true],
    ["*.*.example", "a.server.example", false],
    ["server.example\0.evil.example", "server.example", false],
    ["xn--bcher-kva.example", "xn--bcher-kva.example", true],
    ["xn--*.example", "xn--bcher-kva.example", false],
    // An address in a dNSName identifies nothing.
    ["192.0.2.1", "192.0.2.1", false],
    ["_mqtt.server.example", "_mqtt.server.example", true],
  ])("%s presented, %s asked: %s", (presented, asked, expected) => {
    expect(accepts([dns(presented)], { type: "dns", value: asked })).toBe(expected);
  });

  test("the common name is never looked at", () => {
    expect(accepts([], { type: "dns", value: "server.example" })).toBe(false);
    expect(accepts([dns("other.example")], { type: "dns", value: "server.example" })).toBe(false);
  });

  test("one of several suffices, on either side", () => {
    const names = [dns("a.example"), dns("b.example")];
    expect(accepts(names, { type: "dns", value: "x.example" }, { type: "dns", value: "b.example" })).toBe(true);
    expect(accepts(names, { type: "dns", value: "x.example" }, { type: "ip", value: "192.0.2.1" })).toBe(false);
  });
});

describe("IP addresses", () => {
  test("are compared as octets, and as iPAddress only", () => {
    expect(accepts([ip(192, 0, 2, 1)], { type: "ip", value: "192.0.2.1" })).toBe(true);
    expect(accepts([ip(192, 0, 2, 1)], { type: "ip", value: "192.0.2.2" })).toBe(false);
    expect(accepts([dns("192.0.2.1")], { type: "ip", value: "192.0.2.1" })).toBe(false);
    const v6 = ip(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
    expect(accepts([v6], { type: "ip", value: "2001:DB8::1" })).toBe(true);
    expect(accepts([v6], { type: "ip", value: "2001:db8:0:0:0:0:0.0.0.1" })).toBe(true);
  });

  test("IPv4 within IPv6 is another address", () => {
    const mapped = ip(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1);
    expect(accepts([mapped], { type: "ip", value: "192.0.2.1" })).toBe(false);
    expect(accepts([mapped], { type: "ip", value: "::ffff:192.0.2.1" })).toBe(true);
  });

  test.each([
    "1.2.3",
    "1.2.3.4.5",
    "01.2.3.4",
    "256.1.1.1",
    "1.2.3.4 ",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "fe80::1%eth0",
    "::g",
    "12345::",
    "",
  ])("%j is none", (text) => expect(parseIpAddress(text)).toBeUndefined());

  test.each([
    ["::", "::"],
    ["::1", "::1"],
    ["2001:db8::", "2001:db8::"],
    ["2001:0DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["1:0:2:0:3:0:4:0", "1:0:2:0:3:0:4:0"],
    ["10.0.0.1", "10.0.0.1"],
  ])("%s is written as %s (RFC 5952)", (text, written) => expect(formatIpAddress(parseIpAddress(text)!)).toBe(written));
});

describe("mailboxes", () => {
  test.each([
    ["somebody@example.com", "somebody@EXAMPLE.com", true],
    ["Somebody@example.com", "somebody@example.com", false],
    ["somebody@example.com", "somebody@mail.example.com", false],
    ["somebody@example.com@evil.example", "somebody@example.com", false],
  ])("%s presented, %s asked: %s", (presented, asked, expected) => {
    expect(accepts([mail(presented)], { type: "email", value: asked })).toBe(expected);
  });
});
