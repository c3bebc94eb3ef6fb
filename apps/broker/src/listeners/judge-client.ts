/** Decides who a client is, after its handshake. */

import { messageOf } from "@latchkey/command-line";
import type { PrincipalResult, Registry, Scope } from "@latchkey/registry";
import type { AlertName } from "@latchkey/tls";
import type { Logger } from "pino";
import type { Handshake } from "./tls-layer.ts";
import type { Observability } from "../observability/observability.ts";
import type { ClientRefusal, HandshakePeer } from "../authorization/peer.ts";
import { registeredChain } from "../authorization/registered-chain.ts";

/** Learns how clients are judged. */
type HandshakeObserver = Pick<Observability, "handshakeAccepted" | "clientRefused">;

/** What clients are judged by. */
export interface JudgeOptions {
  readonly registry: Registry;
  /** A client has to ask for a server name (SNI), as with AWS IoT. */
  readonly isServerNameRequired: boolean;
  readonly observed: HandshakeObserver;
  readonly log: Logger;
}

/** Asks the registry, and logs the answer. Never rejects: a registry that cannot be read lets nobody in. */
export function judgeClient(options: JudgeOptions, handshake: Handshake): Promise<HandshakePeer> {
  const { chain, serverName } = handshake;
  return judge(options, handshake, async () => {
    if (!options.isServerNameRequired || serverName !== undefined) {
      return options.registry.resolvePrincipal(chain, serverName);
    }
    return {
      ok: false,
      code: "ERR_IDENTITY_NO_SERVER_NAME",
      reason: "the client asked for no server name (SNI), and the profile aws demands one",
    };
  });
}

/**
 * The same for a client that shows nothing of itself: it has the rights of one registered certificate, which is judged as if the client
 * had shown it. One that is not registered is refused, and never registered just in time: nobody has proved to hold its key.
 */
export function judgePlainClient(
  options: JudgeOptions,
  handshake: Handshake,
  { scope, certificateId }: { readonly scope: Scope; readonly certificateId: string },
): Promise<HandshakePeer> {
  return judge(options, handshake, async () => {
    const chain = registeredChain(options.registry, scope, certificateId);
    // The account is known; the client of a listener without TLS has no way to name it.
    const { registry } = options;
    if (chain !== undefined) return registry.resolvePrincipal(chain, registry.describeAccount(scope).endpoint);
    const reason = `certificate ${certificateId} of plain MQTT is not registered`;
    return { ok: false, code: "ERR_IDENTITY_PLAIN", reason };
  });
}

async function judge(
  { observed, log }: JudgeOptions,
  handshake: Handshake,
  resolve: () => Promise<PrincipalResult | ClientRefusal>,
): Promise<HandshakePeer> {
  const { serverName, address, remote, ends, version: protocol, isResumed } = handshake;
  const connection = { sourceIp: address, serverName, remote, ends };
  const refused = (refusal: ClientRefusal): HandshakePeer => {
    observed.clientRefused({ remote, protocol }, refusal);
    return { kind: "refused", reason: refusal.reason, isTemporary: false, alert: alertOf(refusal), ...connection };
  };
  try {
    const result = await resolve();
    if (result.ok) {
      const { principal } = result;
      observed.handshakeAccepted();
      const { certificateId } = principal;
      log.info({ remote, protocol, certificateId, ...(isResumed && { isResumed }) }, "client identified");
      return { kind: "device", principal, ...connection };
    }
    return refused(result);
  } catch (error) {
    log.error({ remote, protocol, reason: messageOf(error) }, "the client cannot be judged");
    const reason = "the broker cannot look up the client's certificate now";
    return { kind: "refused", reason, isTemporary: true, alert: "internal_error", ...connection };
  }
}

/** The alert that says a refusal best (RFC 8446 §6.2). */
function alertOf(refusal: ClientRefusal): AlertName {
  switch (refusal.code) {
    case "ERR_IDENTITY_NO_CERTIFICATE":
      return "certificate_required";
    case "ERR_IDENTITY_MALFORMED":
      return "bad_certificate";
    case "ERR_IDENTITY_UNKNOWN":
      return "certificate_unknown";
    case "ERR_IDENTITY_NO_SERVER_NAME":
    case "ERR_IDENTITY_SERVER_NAME":
      return "unrecognized_name";
    case "ERR_IDENTITY_NOT_ACTIVE":
      return refusal.status === "REVOKED" ? "certificate_revoked" : "access_denied";
    case "ERR_IDENTITY_DATES":
      return "certificate_expired";
    case "ERR_IDENTITY_CHAIN":
      return refusal.failures.some(({ code }) => code === "ERR_CHAIN_EXPIRED") ? "certificate_expired" : "unknown_ca";
    case "ERR_IDENTITY_PLAIN":
    case "ERR_IDENTITY_AUTHORITY_INACTIVE":
    case "ERR_IDENTITY_PENDING_ACTIVATION":
      return "access_denied";
  }
}
