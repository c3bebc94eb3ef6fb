/** authorityInfoAccess, subjectInfoAccess (RFC 5280 §4.2.2), TLS feature (RFC 7633), SCTs (RFC 6962) and the OCSP mark. */

import { encodeOid } from "@latchkey/asn1";
import { refuseEmpty } from "../errors.ts";
import type { ExtensionType } from "../extension.ts";
import { type GeneralName, readAddress, readGeneralName, writeGeneralName } from "../general-name.ts";
import { idPe } from "./oid.ts";

/** A way to reach a service or a document. */
export interface AccessDescription {
  /** Content octets of the method's identifier, a view. */
  readonly accessMethod: Uint8Array;
  readonly accessLocation: GeneralName;
}

/** Methods of authorityInfoAccess, as content octets. */
export const accessMethods: { readonly ocsp: Uint8Array; readonly caIssuers: Uint8Array } = {
  ocsp: /* @__PURE__ */ encodeOid("1.3.6.1.5.5.7.48.1"),
  caIssuers: /* @__PURE__ */ encodeOid("1.3.6.1.5.5.7.48.2"),
};

/** Where the issuer answers OCSP, and where its certificate is (§4.2.2.1). */
export const authorityInfoAccess: ExtensionType<readonly AccessDescription[]> = /* @__PURE__ */ access(
  "authorityInfoAccess",
  1,
);
/** Where services of the subject are (§4.2.2.2). */
export const subjectInfoAccess: ExtensionType<readonly AccessDescription[]> = /* @__PURE__ */ access(
  "subjectInfoAccess",
  11,
);

function access(name: string, arc: number): ExtensionType<readonly AccessDescription[]> {
  return {
    name,
    oid: idPe(arc),
    read: (reader) => {
      const list = reader.sequence();
      refuseEmpty(list.isAtEnd, name, list.offset);
      const descriptions: AccessDescription[] = [];
      while (!list.isAtEnd) {
        const fields = list.sequence();
        const accessMethod = fields.oid();
        const accessLocation = readGeneralName(fields, readAddress);
        fields.end();
        descriptions.push({ accessMethod, accessLocation });
      }
      return descriptions;
    },
    write: (writer, descriptions) => {
      writer.sequence((list) => {
        for (const { accessMethod, accessLocation } of descriptions) {
          list.sequence((fields) => {
            fields.oid(accessMethod);
            writeGeneralName(fields, accessLocation);
          });
        }
      });
    },
  };
}

/** TLS extensions that the server promises, by number; 5 is status_request ("must staple"). */
export const tlsFeature: ExtensionType<readonly number[]> = {
  name: "tlsFeature",
  oid: /* @__PURE__ */ idPe(24),
  read: (reader) => {
    const list = reader.sequence();
    const features: number[] = [];
    while (!list.isAtEnd) features.push(list.smallInteger(65_535));
    return features;
  },
  write: (writer, features) => {
    writer.sequence((list) => {
      for (const feature of features) list.integer(feature);
    });
  },
};

/** The SignedCertificateTimestampList as bytes, a view; it is not looked into. */
export const signedCertificateTimestamps: ExtensionType<Uint8Array> = {
  name: "signedCertificateTimestamps",
  oid: /* @__PURE__ */ encodeOid("1.3.6.1.4.1.11129.2.4.2"),
  read: (reader) => reader.octetString(),
  write: (writer, list) => writer.octetString(list),
};

/** On an OCSP signer: its certificate is not checked for revocation (RFC 6960 §4.2.2.2.1). */
export const ocspNoCheck: ExtensionType<true> = {
  name: "ocspNoCheck",
  oid: /* @__PURE__ */ encodeOid("1.3.6.1.5.5.7.48.1.5"),
  read: (reader) => {
    reader.null();
    return true;
  },
  write: (writer) => writer.null(),
};
