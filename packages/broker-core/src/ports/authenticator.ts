/** Who a client is: asked at CONNECT, and in the AUTH exchange of MQTT 5.0 §4.12. */

import type { ProtocolVersion, UserProperty } from "@latchkey/mqtt-codec";

/** What the CONNECT packet says of the client. Octets are views that are valid during the call only. */
export interface Credentials {
  readonly protocolVersion: ProtocolVersion;
  /** As the client sent it, or as the broker made it up. */
  readonly clientIdentifier: string;
  /** Whether the broker made the client identifier up, because the client sent none (MQTT-3.1.3-6). */
  readonly isAssignedIdentifier: boolean;
  readonly userName: string | undefined;
  readonly password: Uint8Array | undefined;
  /** The session is to outlive the connection: CleanSession 0, or a Session Expiry Interval above 0. */
  readonly isPersistent: boolean;
  readonly willTopicName: string | undefined;
  /** Of MQTT 5.0; undefined where the client does not ask for enhanced authentication. */
  readonly authenticationMethod: string | undefined;
  readonly authenticationData: Uint8Array | undefined;
  readonly userProperties: readonly UserProperty[];
}

/** The final answer of an authenticator. */
export type Authentication<Principal> =
  | {
      readonly ok: true;
      readonly principal: Principal;
      /** How long it holds. The connection is closed then (0xA0), unless the client has authenticated again. Default: as long as it lasts. */
      readonly validSeconds?: number | undefined;
      /** Sent as Authentication Data with CONNACK, or with the AUTH that ends a re-authentication. */
      readonly authenticationData?: Uint8Array | undefined;
    }
  | {
      readonly ok: false;
      /** For the event log, never sent to the client. */
      readonly reason: string;
      /** A reason code of CONNACK from 0x80 on; default 0x87 not authorized. 3.1.1 clients get the nearest return code. */
      readonly reasonCode?: number | undefined;
      /** Sent as Reason String to an MQTT 5.0 client in denial mode `explain`. */
      readonly reasonString?: string | undefined;
    };

/** One step of an AUTH exchange: the answer, or a question that the client has to answer first. */
export type AuthenticationStep<Principal> =
  | Authentication<Principal>
  | {
      readonly ok: "continue";
      /** Sent to the client in AUTH 0x18 (MQTT-4.12.0-2). */
      readonly authenticationData?: Uint8Array | undefined;
      /** Called with the Authentication Data of the client's AUTH. */
      readonly next: (
        authenticationData: Uint8Array | undefined,
        nowMs: number,
      ) => AuthenticationStep<Principal> | Promise<AuthenticationStep<Principal>>;
    };

/**
 * Says who a client is. `Peer` is what the transport knows of it (its certificate chain); the broker only hands it on. Each answer
 * may come at once or later; a rejection or a throw refuses.
 */
export interface Authenticator<Peer, Principal> {
  authenticate(
    peer: Peer,
    credentials: Credentials,
    nowMs: number,
  ): AuthenticationStep<Principal> | Promise<AuthenticationStep<Principal>>;
  /** The authentication methods that are known; a CONNECT with another one is refused with 0x8C. Default: none is. */
  readonly authenticationMethods?: ReadonlySet<string>;
  /**
   * A client that is connected begins its authentication again (AUTH 0x19). `ok: true` has to give the same principal or one that
   * replaces it; a refusal ends the connection (MQTT-4.12.1-2). Without it, re-authentication is a protocol error.
   */
  reauthenticate?(
    principal: Principal,
    authenticationData: Uint8Array | undefined,
    nowMs: number,
  ): AuthenticationStep<Principal> | Promise<AuthenticationStep<Principal>>;
  /**
   * Names who a principal is, the same for all its connections: limits of a principal are counted by it, and it is kept with sessions. Without
   * it there are no such limits. It must not throw.
   */
  nameOf?(principal: Principal): string;
  /**
   * What `restorePrincipal` makes a principal of again when the broker was killed or stopped: for its will, about which the authorizer is asked when it
   * is published. It is kept in the store as it is, so it must not be a secret. Without it wills end with the broker. It must not throw.
   */
  keepPrincipal?(principal: Principal): string;
  /**
   * Undefined where it has no rights any more: its will is not published then. After a rejection or a throw it is asked again, for a minute;
   * then the will is dropped. A promise that never settles is waited for.
   */
  restorePrincipal?(kept: string, clientIdentifier: string): Principal | undefined | Promise<Principal | undefined>;
  /**
   * Called once for each principal that was given, when nothing is decided for it any more: its connection has ended and its will was
   * published or dropped; also where the connection was never accepted. It must not throw.
   */
  release?(principal: Principal): void;
}
