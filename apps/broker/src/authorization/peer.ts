/** Who is at the other end of a connection, as its handshake showed it. */

import type { AlertName } from "@latchkey/tls";
import type { AccessScope } from "./access-keys.ts";
import type { Principal as RegisteredPrincipal, PrincipalRefusal } from "@latchkey/registry";

/**
 * Why a client is not let in after its handshake: what the registry says, that the profile `aws` demands a server name (SNI), or that
 * the certificate of plain MQTT is not registered.
 */
export type ClientRefusal =
  | PrincipalRefusal
  | {
      readonly ok: false;
      readonly code: "ERR_IDENTITY_NO_SERVER_NAME" | "ERR_IDENTITY_PLAIN";
      readonly reason: string;
    };

/** The ends of a connection, besides the client's address. */
export interface SocketEnds {
  /** The client's port. */
  readonly sourcePort: number;
  /** The address and port that the client has reached. */
  readonly targetIp: string;
  readonly targetPort: number;
}

/** What every connection has. */
interface ConnectionFields {
  readonly sourceIp: string;
  /** The name that the client asked for (SNI). */
  readonly serverName: string | undefined;
  /** Address and port, for the log. */
  readonly remote: string;
  readonly ends: SocketEnds;
}

/** A client whose certificate is registered, active and verified. */
export interface DevicePeer extends ConnectionFields {
  readonly kind: "device";
  readonly principal: RegisteredPrincipal;
}

/** A client that is not let in. It is connected only to be told why. */
export interface RefusedPeer extends ConnectionFields {
  readonly kind: "refused";
  readonly reason: string;
  /** Whether another attempt may succeed: nothing is wrong with the client. */
  readonly isTemporary: boolean;
  /** What says it in TLS (RFC 8446 §6.2). */
  readonly alert: AlertName;
}

/** A program that signed the URL of its WebSocket with an access key. */
export interface ProgramPeer extends ConnectionFields {
  readonly kind: "program";
  readonly accessKeyId: string;
  readonly accessScope: AccessScope;
  /** Whether the key is still known. */
  readonly isValid: () => boolean;
}

/** What a handshake can show. */
export type HandshakePeer = DevicePeer | RefusedPeer;

export type Peer = HandshakePeer | ProgramPeer;
