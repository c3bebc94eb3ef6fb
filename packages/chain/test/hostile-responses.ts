/** OCSP responses that are made to cost. A peer can send them: what is in them is looked at before they are known to be signed. */

import { encodeDer, encodeOid } from "@latchkey/asn1";
import type { Name } from "@latchkey/x509";
import { people } from "./hostile-questions.ts";
import { now } from "./issuing.ts";
import { signedOcspResponse } from "./ocsp-response.ts";

interface HostileResponse {
  /** Answers about this serial number. */
  readonly answers: number;
  readonly serialNumber: number;
  readonly responder: Name;
  readonly certificates?: readonly Uint8Array[];
  /** Of the issuer's name and key; others by default. */
  readonly hashes?: readonly [name: Uint8Array, key: Uint8Array];
}

/** A response that is signed by nobody who may. */
export function hostileResponse(input: HostileResponse): Uint8Array {
  const { answers, serialNumber, responder, certificates = [] } = input;
  const { privateKey } = people.device.keys;
  const [nameHash, keyHash] = input.hashes ?? [new Uint8Array(64), new Uint8Array(64)];
  const data = encodeDer((writer) => {
    writer.sequence((fields) => {
      fields.explicit(1, (explicit) => explicit.encoded(responder.encoding));
      fields.generalizedTime(now - 10);
      fields.sequence((responses) => {
        for (let index = 0; index < answers; index++) {
          responses.sequence((single) => {
            single.sequence((id) => {
              id.sequence((hash) => hash.oid(encodeOid("2.16.840.1.101.3.4.2.3")));
              id.octetString(nameHash);
              id.octetString(keyHash);
              id.integer(serialNumber);
            });
            single.primitive(0x80, new Uint8Array());
            single.generalizedTime(now - 10);
          });
        }
      });
    });
  });
  return signedOcspResponse(data, privateKey, certificates);
}
