import { nodeProvider } from "@latchkey/crypto/node";
import {
  deviceCertificate,
  certificateAuthority,
  issueCertificate,
  issueSelfSignedCertificate,
  makeName,
  serialNumberDecimal,
  type Certificate,
  type GeneralName,
  type NameAttributeInput,
} from "@latchkey/x509";
import { expect, test } from "vitest";
import { certificateAttributes } from "../src/certificate-attributes.ts";

const validity = { notBefore: 0, notAfter: 2_000_000_000 };

function certificate(
  subject: readonly NameAttributeInput[],
  alternativeNames: readonly GeneralName[] = [],
): Certificate {
  const { privateKey, publicKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const authority = certificateAuthority({ subject: makeName([{ type: "O", value: "Pizza" }]), validity });
  const issuer = issueSelfSignedCertificate({ provider: nodeProvider, privateKey, template: authority });
  const template = deviceCertificate({ subject: makeName(subject), validity, alternativeNames });
  return issueCertificate({ provider: nodeProvider, issuer: { certificate: issuer, privateKey }, publicKey, template });
}

test("every attribute that AWS IoT has a variable for is there, with all values in order", () => {
  const one = certificate([
    { type: "C", value: "IE" },
    { type: "O", value: "A" },
    { type: "OU", value: "B" },
    { type: "ST", value: "C" },
    { type: "CN", value: "first" },
    { type: "CN", value: "second" },
    { type: "serialNumber", value: "G030" },
    { type: "title", value: "D" },
    { type: "surname", value: "E" },
    { type: "givenName", value: "F" },
    { type: "initials", value: "G" },
    { type: "pseudonym", value: "H" },
    { type: "generationQualifier", value: "I" },
    { type: "dnQualifier", value: "J" },
    { type: "L", value: "no variable for this" },
  ]);
  expect(certificateAttributes(one)).toMatchObject({
    serialNumber: serialNumberDecimal(one.serialNumber),
    subject: {
      Country: ["IE"],
      Organization: ["A"],
      OrganizationalUnit: ["B"],
      State: ["C"],
      CommonName: ["first", "second"],
      SerialNumber: ["G030"],
      Title: ["D"],
      Surname: ["E"],
      GivenName: ["F"],
      Initials: ["G"],
      Pseudonym: ["H"],
      GenerationQualifier: ["I"],
      DistinguishedNameQualifier: ["J"],
    },
    issuer: { Organization: ["Pizza"] },
  });
});

test("an attribute that the certificate does not have is not there", () => {
  expect(certificateAttributes(certificate([{ type: "CN", value: "x" }])).subject).toEqual({ CommonName: ["x"] });
});

test("alternative names come by their form", () => {
  const names: GeneralName[] = [
    { type: "dNSName", value: "a.example" },
    { type: "rfc822Name", value: "a@b.example" },
    { type: "dNSName", value: "b.example" },
    { type: "iPAddress", value: Uint8Array.of(192, 0, 2, 1) },
    { type: "iPAddress", value: Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1) },
    { type: "uniformResourceIdentifier", value: "urn:x" },
    { type: "directoryName", value: makeName([{ type: "CN", value: "d" }]) },
  ];
  expect(certificateAttributes(certificate([{ type: "CN", value: "x" }], names)).subjectAlternativeName).toEqual({
    DNSName: ["a.example", "b.example"],
    RFC822Name: ["a@b.example"],
    IPAddress: ["192.0.2.1", "2001:db8:0:0:0:0:0:1"],
    UniformResourceIdentifier: ["urn:x"],
    DirectoryName: ["CN=d"],
  });
});

test("a serial number of more octets than policies take has no value, as its decimals would take long", () => {
  const one = certificate([{ type: "CN", value: "x" }]);
  const valueFor = (octets: number): string | undefined =>
    certificateAttributes({ ...one, serialNumber: new Uint8Array(octets).fill(1) }).serialNumber;
  expect(valueFor(64)).toMatch(/^\d{152,154}$/);
  expect(valueFor(65)).toBeUndefined();
});
