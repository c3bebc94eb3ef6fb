/** What a policy can ask about a client, taken from its certificate (AWS IoT policy variables). */

import {
  type AlternativeNameInput,
  certificateAttributes as attributesOf,
  type CertificateAttributes,
} from "@latchkey/policy";
import {
  extensionValue,
  issuerAltName,
  nameText,
  subjectAltName,
  type Certificate,
  type GeneralName,
} from "@latchkey/x509";

/** The certificate's part of a request context. */
export function certificateAttributes(certificate: Certificate): CertificateAttributes {
  return attributesOf({
    serialNumber: certificate.serialNumber,
    subject: certificate.subject,
    issuer: certificate.issuer,
    subjectAlternativeName: extensionValue(certificate, subjectAltName)?.map(alternativeName),
    issuerAlternativeName: extensionValue(certificate, issuerAltName)?.map(alternativeName),
  });
}

/** A directory name becomes text; every other form is passed on as it is. */
function alternativeName(name: GeneralName): AlternativeNameInput {
  return name.type === "directoryName" ? { type: name.type, value: nameText(name.value) } : name;
}
