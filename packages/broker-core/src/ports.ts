/** What the broker asks of the world: who a client is, what it may do, and a way to send it bytes. */

/** What a client wants to do. Names are those of the resource: a client identifier, a topic name or a topic filter. */
export type Action = "connect" | "publish" | "retain-publish" | "subscribe" | "receive";

/** What the CONNECT packet says of the client. */
export interface Credentials {
  readonly clientIdentifier: string;
  readonly userName: string | undefined;
  /** A view that is valid during the call only. */
  readonly password: Uint8Array | undefined;
  /** CleanSession 0: the session is to outlive the connection. */
  readonly isPersistent: boolean;
  readonly willTopicName: string | undefined;
}

/** The answer of an authenticator. `reason` goes to the event log and never to the client. */
export type Authentication<Principal> =
  | { readonly ok: true; readonly principal: Principal }
  | { readonly ok: false; readonly reason: string };

/**
 * Says who a client is. `Peer` is what the transport knows of it (its certificate chain); the broker only hands it on.
 * A rejection counts as a refusal.
 */
export interface Authenticator<Peer, Principal> {
  authenticate(peer: Peer, credentials: Credentials): Promise<Authentication<Principal>>;
  /**
   * Called once for each principal that `authenticate` gave, when its connection has ended and its will was published or not;
   * also where the connection was never accepted. It must not throw.
   */
  release?(principal: Principal): void;
}

/** Says what a principal may do. Called for every packet and every delivery, so it is synchronous. */
export interface Authorizer<Principal> {
  allows(principal: Principal, action: Action, name: string): boolean;
}

/** A connection's way out. The broker calls `write` at most once for each thing that happens to it. */
export interface Transport {
  /** Sends the chunks in order. They are not changed afterwards and may be kept. */
  write(chunks: readonly Uint8Array[]): void;
  /** Sends what was written, then closes. No `receive` or `closed` is needed after it, and either is ignored. */
  close(): void;
  /** Stops calling `receive`, until `resume`. What is on its way already may still come. */
  pause(): void;
  resume(): void;
  /** Octets that were written and not yet taken by the network. When it falls, `ClientConnection.drained` is called. */
  readonly bufferedOctets: number;
}
