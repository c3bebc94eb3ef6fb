/** What node and @peculiar/x509 say of a certificate, held against what we say of it. */

// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 needs the polyfill before it
import "reflect-metadata";
import { X509Certificate } from "node:crypto";
import * as peculiar from "@peculiar/x509";
import { expect, it } from "vitest";
import {
  basicConstraints,
  extensionValue,
  fingerprint,
  type GeneralName,
  hexText,
  parseCertificate,
  subjectAltName,
} from "../src/index.ts";
import { certificateToJson } from "../src/text.ts";
import { provider } from "./authority.ts";

/** Tests that compare every one of the certificates, given as DER. */
export function agreesWithPeers(encodings: () => readonly Uint8Array[]): void {
  it("node's X509Certificate: serial number, validity, key, SHA-256, alternative names", () => {
    for (const der of encodings()) {
      const ours = parseCertificate(der);
      const theirs = new X509Certificate(der);
      const serial =
        ours.serialNumber[0] === 0 && ours.serialNumber.length > 1 ? ours.serialNumber.subarray(1) : ours.serialNumber;
      expect(hexText(serial).toUpperCase()).toBe(theirs.serialNumber);
      expect(ours.validity.notBefore * 1000).toBe(theirs.validFromDate.getTime());
      expect(ours.validity.notAfter * 1000).toBe(theirs.validToDate.getTime());
      expect(hexText(fingerprint(ours, provider), ":").toUpperCase()).toBe(theirs.fingerprint256);
      expect(hexText(fingerprint(ours, provider, "SHA-512"), ":").toUpperCase()).toBe(theirs.fingerprint512);
      expect(extensionValue(ours, basicConstraints)?.cA === true).toBe(theirs.ca);
      expect(nodeNames(extensionValue(ours, subjectAltName) ?? [])).toEqual(splitNodeNames(theirs.subjectAltName));
    }
  });

  it("@peculiar/x509: serial number, validity, key, number and octets of extensions", () => {
    for (const der of encodings()) {
      const ours = parseCertificate(der);
      const theirs = new peculiar.X509Certificate(new Uint8Array(der));
      expect(hexText(ours.serialNumber).replace(/^00(?=.)/, "")).toBe(theirs.serialNumber.replace(/^00(?=.)/, ""));
      expect(ours.validity.notBefore * 1000).toBe(theirs.notBefore.getTime());
      expect(ours.validity.notAfter * 1000).toBe(theirs.notAfter.getTime());
      expect(Buffer.from(ours.subjectPublicKeyInfo.encoding).equals(Buffer.from(theirs.publicKey.rawData))).toBe(true);
      expect(ours.extensions.map(({ critical, value }) => [critical, hexText(value)])).toEqual(
        theirs.extensions.map(({ critical, value }) => [critical, Buffer.from(value).toString("hex")]),
      );
    }
  });

  it("itself in JSON, which holds every field and is plain data", () => {
    for (const der of encodings()) {
      const json = certificateToJson(parseCertificate(der));
      expect(JSON.parse(JSON.stringify(json))).toEqual(json);
    }
  });
}

/** The names that node shows as text, those whose text is beyond doubt. */
function nodeNames(names: readonly GeneralName[]): string[] {
  return names.flatMap((name) => {
    if (name.type === "dNSName") return [`DNS:${name.value}`];
    if (name.type === "rfc822Name") return [`email:${name.value}`];
    if (name.type === "iPAddress" && name.value.length === 4) return [`IP Address:${name.value.join(".")}`];
    return [];
  });
}

function splitNodeNames(text: string | undefined): string[] {
  return (text ?? "").split(", ").filter((name) => /^(DNS|email):|^IP Address:[0-9.]+$/.test(name));
}
