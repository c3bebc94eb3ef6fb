/**
 * Lines of the log for what the broker core and the listener report.
 *
 * Each line of a connection has the same three names: `remote` (address and port), `certificateId` and
 * `clientIdentifier`, with `isAssignedIdentifier` where the broker made the identifier up. Never a payload or a key.
 */

import type { BrokerEvent, EventSource, PublishedEvent } from "@latchkey/broker-core";
import type { PrincipalRefusal } from "@latchkey/registry";
import { hexText, nameText } from "@latchkey/x509";
import type { Logger } from "pino";
import { PolicyDenial, type Peer, type Principal } from "../authorization/policy-authorizer.ts";

/** Writes what happened to a connection. */
export function logEvent(log: Logger, event: BrokerEvent<Peer, Principal>): void {
  switch (event.type) {
    case "denied": {
      const { action, name, denial } = event;
      const decision = denial instanceof PolicyDenial ? denial.explanation.decision : undefined;
      log.warn({ ...sourceFields(event), action, name, decision, why: denial.reason }, "denied");
      break;
    }
    case "subscribed":
      log.info({ ...sourceFields(event), topicFilter: event.topicFilter, qos: event.qos }, "subscribed");
      break;
    case "unsubscribed":
      log.info({ ...sourceFields(event), topicFilter: event.topicFilter }, "unsubscribed");
      break;
    case "connected":
      log.info({ ...sourceFields(event), protocolVersion: event.protocolVersion }, "connected");
      break;
    case "dropped": {
      const { topicName, limit, messages, octets } = event;
      log.warn({ ...sourceFields(event), topicName, limit, messages, octets }, "dropped");
      break;
    }
    case "session-ended":
      log.info({ clientIdentifier: event.clientIdentifier, reason: event.reason }, "session ended");
      break;
    case "closed": {
      const { reason, detail } = event;
      const isNormal = reason === "client-disconnect" || reason === "server-shutdown";
      log[isNormal ? "info" : "warn"]({ ...sourceFields(event), reason, detail }, "closed");
      break;
    }
  }
}

/** Writes that a message was published: one line a message, so it is only made for a log that takes it. */
export function logPublished(log: Logger, event: PublishedEvent<Peer, Principal>): void {
  const { topicName, qos, payloadOctets, receivers } = event;
  log.debug({ ...sourceFields(event), topicName, qos, payloadOctets, receivers }, "published");
}

/** Writes why a client was refused after its handshake, and which command mends it. */
export function logRefusal(
  log: Logger,
  connection: { readonly remote: string; readonly protocol: string },
  refusal: PrincipalRefusal,
): void {
  const { code, reason } = refusal;
  const presented = "certificate" in refusal ? refusal : undefined;
  log.warn(
    {
      ...connection,
      certificateId: presented?.certificateId,
      subject: presented && nameText(presented.certificate.subject),
      serialNumber: presented && hexText(presented.certificate.serialNumber),
      code,
      reason,
      mend: mendOf(refusal),
    },
    "client refused",
  );
}

/** What a person can do about a refusal. */
function mendOf(refusal: PrincipalRefusal): string {
  switch (refusal.code) {
    case "ERR_IDENTITY_NO_CERTIFICATE":
      return "configure the client with its certificate and private key; latchkey certificate create makes both";
    case "ERR_IDENTITY_MALFORMED":
      return "give the client a certificate that can be read; latchkey certificate create makes one";
    case "ERR_IDENTITY_UNKNOWN":
      return "latchkey certificate register --file CERTIFICATE.pem";
    case "ERR_IDENTITY_SERVER_NAME":
      return `connect with a server name (SNI) that selects one of the accounts ${refusal.accounts.join(", ")}`;
    case "ERR_IDENTITY_AUTHORITY_INACTIVE":
      return `set the certificate authority ${refusal.caCertificateId} ACTIVE again, or use a certificate of another one`;
    case "ERR_IDENTITY_PENDING_ACTIVATION":
      return `latchkey certificate status --certificate ${refusal.certificateId} --to ACTIVE, then connect again`;
    case "ERR_IDENTITY_DATES":
    case "ERR_IDENTITY_CHAIN":
      return "make the client a certificate under an authorizer of this broker: latchkey certificate create";
    case "ERR_IDENTITY_NOT_ACTIVE":
      return refusal.status === "REVOKED"
        ? "REVOKED is final: make the device a new certificate with latchkey certificate create"
        : `latchkey certificate status --certificate ${refusal.certificateId} --to ACTIVE`;
  }
}

function sourceFields(source: EventSource<Peer, Principal>): Record<string, unknown> {
  return {
    remote: source.peer?.remote,
    certificateId: source.peer?.principal.certificateId,
    clientIdentifier: source.clientIdentifier,
    ...(source.isAssignedIdentifier && { isAssignedIdentifier: true }),
  };
}
