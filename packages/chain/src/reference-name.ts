/**
 * Reference names (RFC 9525): the names that the caller knows the peer by, compared with those that the certificate presents.
 *
 * Only subjectAltName counts; the common name is never looked at (§2, §6.3). DNS names are compared in A-labels, as ASCII
 * without regard to case. A caller that has U-labels converts them first.
 */

import { equalBytes } from "@latchkey/asn1";
import { type GeneralName, parseIpAddress, parseIpv4 } from "@latchkey/x509";
import { canonicalHost, coversHost, isHostName, parseMailbox } from "./dns-name.ts";
import { ChainError } from "./errors.ts";

/** A DNS name in A-labels, an IP address in text, or a mailbox. */
export interface ReferenceName {
  readonly type: "dns" | "ip" | "email";
  readonly value: string;
}

/** A reference name, prepared once for comparing with any number of presented names. */
export type PreparedName =
  | { readonly type: "dns"; readonly host: string; readonly generalName: GeneralName }
  | { readonly type: "ip"; readonly octets: Uint8Array; readonly generalName: GeneralName }
  | { readonly type: "email"; readonly local: string; readonly host: string; readonly generalName: GeneralName };

const expectedForms: Readonly<Record<string, string>> = {
  dns: "a host name in A-labels is wanted, for instance broker.example or xn--bcher-kva.example",
  ip: "an IPv4 or IPv6 address is wanted, for instance 192.0.2.1 or 2001:db8::1",
  email: "a mailbox is wanted, for instance someone@broker.example",
};

/** Reads a reference name. Throws `ERR_CHAIN_REFERENCE_NAME_SYNTAX`. */
export function prepareReferenceName({ type, value }: ReferenceName): PreparedName {
  switch (type) {
    case "dns": {
      const host = canonicalHost(value);
      // Underscores are no part of host names, but the names that services are found by have them.
      if (!isHostName(host, { allowsUnderscore: true }) && parseIpv4(host) === undefined) break;
      return { type, host, generalName: { type: "dNSName", value: host } };
    }
    case "ip": {
      const octets = parseIpAddress(value);
      if (octets === undefined) break;
      return { type, octets, generalName: { type: "iPAddress", value: octets } };
    }
    case "email": {
      const mailbox = parseMailbox(value);
      if (mailbox === undefined) break;
      return { type, ...mailbox, generalName: { type: "rfc822Name", value } };
    }
    default:
  }
  throw new ChainError(
    "ERR_CHAIN_REFERENCE_NAME_SYNTAX",
    `"${value}" is no ${type} name; ${expectedForms[type] ?? "the types are dns, ip and email"}`,
  );
}

/** Whether one of the presented names is the reference name. */
export function presentsName(presented: readonly GeneralName[], reference: PreparedName): boolean {
  return presented.some((name) => isSameName(name, reference));
}

function isSameName(presented: GeneralName, reference: PreparedName): boolean {
  switch (reference.type) {
    case "dns":
      // RFC 9525 §6.3: an address in a dNSName identifies nothing.
      return (
        presented.type === "dNSName" &&
        coversHost(canonicalHost(presented.value), reference.host) &&
        parseIpv4(reference.host) === undefined
      );
    case "ip":
      return presented.type === "iPAddress" && equalBytes(presented.value, reference.octets);
    case "email": {
      if (presented.type !== "rfc822Name") return false;
      const mailbox = parseMailbox(presented.value);
      return mailbox !== undefined && mailbox.local === reference.local && mailbox.host === reference.host;
    }
  }
}
