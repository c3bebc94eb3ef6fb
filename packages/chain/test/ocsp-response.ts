/** An OCSP response (RFC 6960 §4.2.1) around its data. */

import { encodeDer, encodeOid } from "@latchkey/asn1";
import { defaultSignatureAlgorithm, encodeSignatureAlgorithm, type PrivateKey } from "@latchkey/crypto";
import { nodeProvider } from "@latchkey/crypto/node";

/** Signs the DER of a ResponseData. `certificates` are the responder's, as DER. */
export function signedOcspResponse(
  data: Uint8Array,
  privateKey: PrivateKey,
  certificates: readonly Uint8Array[],
): Uint8Array {
  const algorithm = defaultSignatureAlgorithm(privateKey.algorithm);
  const basic = encodeDer((writer) => {
    writer.sequence((fields) => {
      fields.encoded(data);
      fields.encoded(encodeSignatureAlgorithm(algorithm));
      fields.bitString(nodeProvider.sign(privateKey, algorithm, data));
      if (certificates.length > 0) {
        fields.explicit(0, (explicit) =>
          explicit.sequence((list) => certificates.forEach((each) => list.encoded(each))),
        );
      }
    });
  });
  return encodeDer((writer) => {
    writer.sequence((fields) => {
      fields.integer(0, 0x0a);
      fields.explicit(0, (explicit) =>
        explicit.sequence((bytes) => {
          bytes.oid(encodeOid("1.3.6.1.5.5.7.48.1.1"));
          bytes.octetString(basic);
        }),
      );
    });
  });
}
