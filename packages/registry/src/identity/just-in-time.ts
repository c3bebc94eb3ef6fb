/** Just-in-time provisioning: what an authority's template makes of a certificate that was shown for the first time. */

import { attributeText, attributesOf, type AttributeName, type Name } from "@latchkey/x509";
import { RegistryError } from "../errors.ts";
import type { CertificateAuthorityRecord } from "../records/certificate-authority.ts";
import { provisioningTemplates } from "../records/provisioning-template.ts";
import { scopeKey, type Scope } from "../scope.ts";
import { requireCertificate, wrongCertificateState } from "../stored-certificate.ts";
import { provision, type ProvisioningParts } from "./provision.ts";
import { readTemplate } from "./provisioning-template.ts";
import type { PresentedCertificate } from "./resolve-principal.ts";

/** The parameters that a template can have of a certificate, behind `AWS::IoT::Certificate::`; the values of its subject. */
const subjectParameters: Readonly<Record<string, AttributeName>> = {
  Country: "countryName",
  Organization: "organizationName",
  OrganizationalUnit: "organizationalUnitName",
  DistinguishedNameQualifier: "dnQualifier",
  StateName: "stateOrProvinceName",
  CommonName: "commonName",
  SerialNumber: "serialNumber",
};

/**
 * Carries the authority's template out for a certificate, which is active afterwards. Throws `ERR_REGISTRY_PROVISIONING`, and
 * `ERR_REGISTRY_CERTIFICATE_STATE` where the certificate does not wait for it any more: another connection of the device came first, or a
 * person has set another status.
 */
export async function provisionJustInTime(
  parts: ProvisioningParts,
  scope: Scope,
  { registrationConfig }: CertificateAuthorityRecord,
  presented: PresentedCertificate,
): Promise<void> {
  const body = registrationConfig?.templateBody ?? storedTemplate(parts, scope, registrationConfig?.templateName);
  if (body === undefined) return;
  await provision(parts, scope, readTemplate(body), certificateParameters(presented), (writer) => {
    const record = requireCertificate(writer, scopeKey(scope), presented.certificateId);
    if (record.status !== "PENDING_ACTIVATION") throw wrongCertificateState(record, ["PENDING_ACTIVATION"]);
  });
}

/** Values by the names that a template declares: `AWS::IoT::Certificate::CommonName`. What the subject lacks is left out. */
export function certificateParameters({
  certificateId,
  certificate,
}: PresentedCertificate): Readonly<Record<string, string>> {
  const parameters: [string, string][] = [["AWS::IoT::Certificate::Id", certificateId]];
  for (const [name, type] of Object.entries(subjectParameters)) {
    const value = firstValue(certificate.subject, type);
    if (value !== undefined) parameters.push([`AWS::IoT::Certificate::${name}`, value]);
  }
  return Object.fromEntries(parameters);
}

function firstValue(name: Name, type: AttributeName): string | undefined {
  const [first] = attributesOf(name, type);
  return first === undefined ? undefined : attributeText(first);
}

function storedTemplate(
  { context }: ProvisioningParts,
  scope: Scope,
  templateName: string | undefined,
): string | undefined {
  if (templateName === undefined) return undefined;
  const record = context.storage.read((reader) => provisioningTemplates.get(reader, scopeKey(scope), templateName));
  if (record === undefined || !record.enabled) {
    throw new RegistryError(
      "ERR_REGISTRY_PROVISIONING",
      `the provisioning template ${templateName} ${record === undefined ? "does not exist" : "is disabled"}`,
      { path: "$" },
    );
  }
  return record.templateBody;
}
