/** authorityKeyIdentifier and subjectKeyIdentifier (RFC 5280 §4.2.1.1, §4.2.1.2). */

import { contextConstructed, contextPrimitive } from "@latchkey/asn1";
import { extensionFault } from "../errors.ts";
import type { ExtensionType } from "../extension.ts";
import { type GeneralName, readGeneralNames, writeGeneralName } from "../general-name.ts";
import { idCe } from "./oid.ts";

/** Which key signed: its identifier, or the certificate that holds it. Octets are views. */
export interface AuthorityKeyIdentifier {
  readonly keyIdentifier: Uint8Array | undefined;
  readonly authorityCertIssuer: readonly GeneralName[] | undefined;
  readonly authorityCertSerialNumber: Uint8Array | undefined;
}

/** Which key signed the certificate or list (§4.2.1.1). */
export const authorityKeyIdentifier: ExtensionType<AuthorityKeyIdentifier> = {
  name: "authorityKeyIdentifier",
  oid: /* @__PURE__ */ idCe(35),
  read: (reader) => {
    const { offset } = reader;
    const fields = reader.sequence();
    const keyIdentifier = fields.nextIs(0x80) ? fields.octetString(0x80) : undefined;
    const authorityCertIssuer = fields.nextIs(0xa1) ? readGeneralNames(fields.sequence(0xa1)) : undefined;
    const authorityCertSerialNumber = fields.nextIs(0x82) ? fields.integer(0x82) : undefined;
    fields.end();
    if ((authorityCertIssuer === undefined) !== (authorityCertSerialNumber === undefined)) {
      const reason = "authorityCertIssuer and authorityCertSerialNumber stand together or not at all";
      throw extensionFault("authorityKeyIdentifier", reason, offset, "RFC 5280 §A.2");
    }
    return { keyIdentifier, authorityCertIssuer, authorityCertSerialNumber };
  },
  write: (writer, { keyIdentifier, authorityCertIssuer, authorityCertSerialNumber }) => {
    writer.sequence((fields) => {
      if (keyIdentifier !== undefined) fields.octetString(keyIdentifier, contextPrimitive(0));
      if (authorityCertIssuer !== undefined) {
        fields.sequence((names) => {
          for (const name of authorityCertIssuer) writeGeneralName(names, name);
        }, contextConstructed(1));
      }
      if (authorityCertSerialNumber !== undefined) fields.integer(authorityCertSerialNumber, contextPrimitive(2));
    });
  },
};

/** The key's identifier, a view. */
export const subjectKeyIdentifier: ExtensionType<Uint8Array> = {
  name: "subjectKeyIdentifier",
  oid: /* @__PURE__ */ idCe(14),
  read: (reader) => reader.octetString(),
  write: (writer, identifier) => writer.octetString(identifier),
};
