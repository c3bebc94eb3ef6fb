/** Making certification requests (RFC 2986). */

import { contextConstructed, encodeDer } from "@latchkey/asn1";
import { type CertificationRequest, extensionRequestOid, parseCertificationRequest } from "./certification-request.ts";
import { type Extension, writeExtensions } from "./extension.ts";
import type { Name } from "./name.ts";
import { makeSigner, type Signing } from "./sign.ts";

/** What a request says, and the key that signs it. */
export interface CertificationRequestInput extends Signing {
  readonly subject: Name;
  /** Extensions to ask for, made with `makeExtension`. Default none. */
  readonly extensions?: readonly Extension[] | undefined;
}

/** A request for the private key's public key, signed by it. Throws what the provider throws. */
export function createCertificationRequest(input: CertificationRequestInput): CertificationRequest {
  const signer = makeSigner(input);
  return parseCertificationRequest(signer.sign(requestInfo(input)));
}

function requestInfo({ subject, privateKey, extensions = [] }: CertificationRequestInput): Uint8Array {
  return encodeDer((writer) => {
    writer.sequence((fields) => {
      fields.integer(0);
      fields.encoded(subject.encoding);
      fields.encoded(privateKey.publicKey.spki);
      fields.sequence((attributes) => {
        if (extensions.length === 0) return;
        attributes.sequence((attribute) => {
          attribute.oid(extensionRequestOid);
          attribute.setOf([encodeDer((value) => writeExtensions(value, extensions))]);
        });
      }, contextConstructed(0));
    });
  });
}
