/**
 * Principals that outlive the process: what is kept of one beside its will, and the principal again when the broker has started anew. Its
 * certificate is judged by the registry as it is then, with the intermediates that had proved it: nobody is there to send them.
 */

import type { Authenticator } from "@latchkey/broker-core";
import type { ConnectionRightsTable, Registry } from "@latchkey/registry";
import { isObject } from "../http/json-body.ts";
import type { AccessKeys } from "./access-keys.ts";
import type { DevicePeer, Peer, ProgramPeer } from "./peer.ts";
import { DevicePrincipal, type PolicyAuthorizer, ProgramPrincipal, type Principal } from "./policy-authorizer.ts";
import { registeredChain } from "./registered-chain.ts";

/** What principals are made of. */
export interface KeptPrincipalsOptions {
  readonly registry: Registry;
  readonly rights: ConnectionRightsTable;
  /** Undefined where there are none. */
  readonly accessKeys: AccessKeys | undefined;
}

/** What is known of the connection. */
type Connection = Pick<DevicePeer, "sourceIp" | "serverName" | "remote" | "ends">;

/** An authenticator whose principals outlive the process. */
export function outliving(
  authorizer: PolicyAuthorizer,
  options: KeptPrincipalsOptions,
): Authenticator<Peer, Principal> {
  return {
    authenticate: (peer, credentials) => authorizer.authenticate(peer, credentials),
    nameOf: (principal) => authorizer.nameOf(principal),
    release: (principal) => authorizer.release(principal),
    keepPrincipal: keptPrincipal,
    restorePrincipal: (kept, clientIdentifier) => restoredPrincipal(options, kept, clientIdentifier),
  };
}

/** Text of a principal. It has no secret. */
function keptPrincipal(principal: Principal): string {
  const { sourceIp, serverName, remote, ends } = principal.peer;
  const connection = { sourceIp, serverName, remote, ends };
  if (principal instanceof ProgramPrincipal) {
    return JSON.stringify({ accessKeyId: principal.peer.accessKeyId, ...connection });
  }
  const { certificateId, scope, chain } = principal.rights.principal;
  const { account, region } = scope;
  const intermediates = chain?.intermediates.map((der) => Buffer.from(der).toString("base64"));
  return JSON.stringify({ certificateId, account, region, intermediates, ...connection });
}

/** The principal of a text; undefined where its certificate or key is not let in any more. Rejects with what the registry throws. */
async function restoredPrincipal(
  options: KeptPrincipalsOptions,
  kept: string,
  clientIdentifier: string,
): Promise<Principal | undefined> {
  const fields: unknown = JSON.parse(kept);
  const connection = connectionOf(fields);
  if (!isObject(fields) || connection === undefined) return undefined;
  const { accessKeyId, certificateId, account, region } = fields;
  if (typeof accessKeyId === "string") return program(options, accessKeyId, connection);
  if (typeof certificateId !== "string" || typeof account !== "string" || typeof region !== "string") return undefined;
  const { registry, rights: table } = options;
  const own = registeredChain(registry, { account, region }, certificateId);
  if (own === undefined) return undefined;
  const chain = [...own, ...intermediatesOf(fields["intermediates"])];
  const result = await registry.resolvePrincipal(chain, connection.serverName);
  if (!result.ok) return undefined;
  const { principal } = result;
  const rights = table.open(principal, clientIdentifier);
  if (rights.refusal === undefined) {
    return new DevicePrincipal({ kind: "device", principal, ...connection }, rights, "mqtt");
  }
  table.close(rights);
  return undefined;
}

/** None for a certificate that an authority has signed itself. What is no certificate proves nothing, and the registry says so. */
function intermediatesOf(kept: unknown): readonly Uint8Array[] {
  if (!Array.isArray(kept)) return [];
  return kept.flatMap((text: unknown) => (typeof text === "string" ? [Buffer.from(text, "base64")] : []));
}

function program(
  { accessKeys }: KeptPrincipalsOptions,
  accessKeyId: string,
  connection: Connection,
): ProgramPrincipal | undefined {
  const key = accessKeys?.find(accessKeyId);
  if (key === undefined) return undefined;
  const isValid = (): boolean => accessKeys?.find(accessKeyId) !== undefined;
  const peer: ProgramPeer = { kind: "program", accessKeyId, accessScope: key.accessScope, isValid, ...connection };
  return new ProgramPrincipal(peer);
}

function connectionOf(fields: unknown): Connection | undefined {
  if (!isObject(fields) || !isObject(fields["ends"])) return undefined;
  const { sourceIp, serverName, remote } = fields;
  const { sourcePort, targetIp, targetPort } = fields["ends"];
  if (typeof sourceIp !== "string" || typeof remote !== "string" || typeof targetIp !== "string") return undefined;
  if (typeof sourcePort !== "number" || typeof targetPort !== "number") return undefined;
  const name = typeof serverName === "string" ? serverName : undefined;
  return { sourceIp, serverName: name, remote, ends: { sourcePort, targetIp, targetPort } };
}
