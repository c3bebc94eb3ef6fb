/** What the runner expects the shim to see of a connection. */

import { readFileSync } from "node:fs";
import type { ConnectionInfo, CredentialRequest } from "@latchkey/tls";
import { certificatesFromPem } from "@latchkey/x509";
import { authorityNames } from "./engine-config.ts";
import type { Flags } from "./flags.ts";
import { cipherSuites, groups, numberOf, schemes, versions } from "./wire-numbers.ts";

/** What came is not what the runner said would come: exit code 90, which no test takes for a success. */
export class Mismatch extends Error {}

/** Holds what was agreed on to the flags. */
export function checkInfo(flags: Flags, info: ConnectionInfo, isResumption: boolean): void {
  expectNumber(flags, "-expect-version", numberOf(versions, info.version));
  const suite = numberOf(cipherSuites, info.cipherSuite);
  expectNumber(flags, "-expect-cipher", suite);
  expectNumber(flags, "-expect-cipher-aes", suite);
  if (!info.isResumption || info.version === "TLSv1.3") {
    expectNumber(flags, "-expect-curve-id", numberOf(groups, info.group));
  }
  if (!info.isResumption) {
    expectNumber(flags, "-expect-peer-signature-algorithm", numberOf(schemes, info.peerScheme));
  }
  expect("resumption", info.isResumption, isResumption && !flags.has("-expect-session-miss"));
  const serverName = flags.value("-expect-server-name");
  if (serverName !== undefined) expect("server name", info.serverName, serverName);
  const protocol = flags.has("-server") ? flags.value("-select-alpn") : flags.value("-expect-alpn");
  expect("application protocol", info.alpnProtocol, protocol);
  if (flags.has("-expect-hrr")) expect("HelloRetryRequest", info.wasRetried, true);
  if (flags.has("-expect-no-hrr")) expect("HelloRetryRequest", info.wasRetried, false);
  checkPeerChain(flags, info);
}

/** Holds the hints of a CertificateRequest to the flags. */
export function checkCredentialRequest(flags: Flags, { authorities }: CredentialRequest): void {
  const names = flags.value("-expect-client-ca-list");
  if (names === undefined || flags.has("-server")) return;
  expect("authorities", authorities.map(hexOf).join(","), authorityNames(names).map(hexOf).join(","));
}

function checkPeerChain(flags: Flags, { peerCertificates }: ConnectionInfo): void {
  const file = flags.value("-expect-peer-cert-file");
  if (file !== undefined) {
    const chain = certificatesFromPem(readFileSync(file, "utf8")).map(({ encoding }) => hexOf(encoding));
    expect("peer chain", peerCertificates.map(hexOf).join(","), chain.join(","));
  }
  const needsChain = !flags.has("-server") || flags.has("-require-any-client-certificate");
  if (needsChain) expect("peer chain", peerCertificates.length > 0, true);
}

function expectNumber(flags: Flags, name: Parameters<Flags["number"]>[0], actual: number | undefined): void {
  const expected = flags.number(name);
  if (expected !== undefined) expect(name, actual, expected);
}

/** Throws `Mismatch` where the two differ. */
export function expect(what: string, actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Mismatch(`${what}: ${String(actual)} instead of ${String(expected)}`);
}

function hexOf(octets: Uint8Array): string {
  return Buffer.from(octets).toString("hex");
}
