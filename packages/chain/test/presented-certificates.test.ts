/** The certificates of a TLS connection, in the order in which the peer sent them. */

import { describe, expect, test } from "vitest";
import { type PresentedX509Certificate, presentedCertificates } from "../src/index.ts";

function chainOf(count: number): PresentedX509Certificate | undefined {
  let next: PresentedX509Certificate | undefined;
  for (let index = count; index > 0; index--) {
    next = { raw: Uint8Array.of(index), ...(next === undefined ? {} : { issuerCertificate: next }) };
  }
  return next;
}

describe("presented certificates", () => {
  test("are the peer's own and those above it", () => {
    const octets = presentedCertificates({ getPeerX509Certificate: () => chainOf(3) }).map(([first]) => first);
    expect(octets).toEqual([1, 2, 3]);
    expect(presentedCertificates({ getPeerX509Certificate: () => undefined })).toEqual([]);
  });

  test("end after 16, also where a root is its own issuer", () => {
    const root: { raw: Uint8Array; issuerCertificate?: PresentedX509Certificate } = { raw: Uint8Array.of(9) };
    root.issuerCertificate = root;
    expect(presentedCertificates({ getPeerX509Certificate: () => root })).toHaveLength(16);
    expect(presentedCertificates({ getPeerX509Certificate: () => chainOf(16) })).toHaveLength(16);
  });
});
