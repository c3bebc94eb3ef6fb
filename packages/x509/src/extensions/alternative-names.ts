/** subjectAltName and issuerAltName (RFC 5280 §4.2.1.6, §4.2.1.7). */

import type { ExtensionType } from "../extension.ts";
import { type GeneralName, readGeneralNames, writeGeneralName } from "../general-name.ts";
import { idCe } from "./oid.ts";

/** Further names of the subject (§4.2.1.6). */
export const subjectAltName: ExtensionType<readonly GeneralName[]> = /* @__PURE__ */ generalNames("subjectAltName", 17);
/** Further names of the issuer (§4.2.1.7). */
export const issuerAltName: ExtensionType<readonly GeneralName[]> = /* @__PURE__ */ generalNames("issuerAltName", 18);
/** Who issued the certificate of a CRL entry, where the list is indirect (§5.3.3). */
export const certificateIssuer: ExtensionType<readonly GeneralName[]> = /* @__PURE__ */ generalNames(
  "certificateIssuer",
  29,
);

function generalNames(name: string, arc: number): ExtensionType<readonly GeneralName[]> {
  return {
    name,
    oid: idCe(arc),
    read: (reader) => readGeneralNames(reader.sequence()),
    write: (writer, names) => {
      writer.sequence((list) => {
        for (const each of names) writeGeneralName(list, each);
      });
    },
  };
}
