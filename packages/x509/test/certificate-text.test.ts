import { describe, expect, it } from "vitest";
import { certificateAuthority, issueSelfSignedCertificate, makeName } from "../src/index.ts";
import { certificateText } from "../src/text.ts";
import { now, provider } from "./authority.ts";

describe("a serial number is shown as openssl shows it", () => {
  const { privateKey } = provider.generateKeyPair({ name: "ec", curve: "P-256" });
  it.each([
    [
      "of 19 octets that begin with a set bit",
      "cec00fd5c92242c121b27617a9750b3059a48c01",
      "\n            ce:c0:0f:d5:c9",
    ],
    ["of 19 octets", "4ec00fd5c92242c121b27617a9750b3059a48c01", "\n            4e:c0:0f:d5:c9"],
    ["of 8 octets that begin with a set bit", "921285cbb7a5e086", "\n            92:12:85:cb:b7:a5:e0:86"],
    ["that is small", "0100", " 256 (0x100)"],
  ])("%s", (_, hex, shown) => {
    const serialNumber = Uint8Array.from(Buffer.from(hex, "hex").subarray(0, 19));
    const subject = makeName([{ type: "CN", value: "Root" }]);
    const template = certificateAuthority({ subject, validity: { notBefore: now, notAfter: now + 1 } });
    const certificate = issueSelfSignedCertificate({ provider, privateKey, template, serialNumber });
    expect(certificateText(certificate)).toContain(`        Serial Number:${shown}`);
  });
});
