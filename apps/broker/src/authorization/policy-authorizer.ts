/** Decides what a connected client may do: by its certificate's status and the policies in effect. */

import type {
  Action,
  Authentication,
  Authenticator,
  Authorizer,
  Credentials,
  Decision,
  Denial,
} from "@latchkey/broker-core";
import {
  clientArn,
  topicArn,
  topicFilterArn,
  type ArnScope,
  type Explanation,
  type PolicyMatcher,
  type PolicyRequest,
  type RequestContext,
} from "@latchkey/policy";
import {
  requestContext,
  type ConnectionRights,
  type ConnectionRightsTable,
  type Principal as RegisteredPrincipal,
} from "@latchkey/registry";

/** A client after the TLS handshake: its certificate is registered, active and verified. */
export interface Peer {
  readonly principal: RegisteredPrincipal;
  readonly sourceIp: string;
  readonly serverName: string | undefined;
  /** Address and port, for the log. */
  readonly remote: string;
}

/** A client after CONNECT. What it may do follows the registry. */
export class Principal {
  readonly peer: Peer;
  readonly rights: ConnectionRights;
  /** What only the decision on CONNECT knows. */
  readonly #connect: Pick<RequestContext, "connectAttributes" | "lastWillTopic">;
  #context: RequestContext;

  constructor(
    peer: Peer,
    rights: ConnectionRights,
    connect: Pick<RequestContext, "connectAttributes" | "lastWillTopic">,
  ) {
    this.peer = peer;
    this.rights = rights;
    this.#connect = connect;
    this.#context = contextOf(rights, peer);
  }

  /** What holds for every request of the connection. Made anew only where its thing has changed. */
  get context(): RequestContext {
    if (this.#context.thing !== this.rights.thing) this.#context = contextOf(this.rights, this.peer);
    return this.#context;
  }

  /** The same, with what only the decision on CONNECT knows. */
  get connectContext(): RequestContext {
    return { ...this.context, ...this.#connect };
  }
}

/** Authenticates by the certificate's status and authorizes by its policies. */
export class PolicyAuthorizer implements Authenticator<Peer, Principal>, Authorizer<Principal> {
  readonly #table: ConnectionRightsTable;

  constructor(table: ConnectionRightsTable) {
    this.#table = table;
  }

  async authenticate(peer: Peer, credentials: Credentials): Promise<Authentication<Principal>> {
    const { clientIdentifier, isPersistent, willTopicName } = credentials;
    const rights = this.#table.open(peer.principal, clientIdentifier);
    // The certificate may have been revoked since the handshake.
    if (rights.refusal !== undefined) {
      const reason = rights.refusal;
      this.#table.close(rights);
      return { ok: false, reason };
    }
    const connect = {
      connectAttributes: [
        ...(isPersistent ? (["PersistentConnect"] as const) : []),
        ...(willTopicName === undefined ? [] : (["LastWill"] as const)),
      ],
      lastWillTopic: willTopicName === undefined ? undefined : topicArn(peer.principal.scope, willTopicName),
    };
    return { ok: true, principal: new Principal(peer, rights, connect) };
  }

  release(principal: Principal): void {
    this.#table.close(principal.rights);
  }

  decide(principal: Principal, action: Action, name: string): Decision {
    const { matcher } = principal.rights;
    const request = requestOf(principal, action, name);
    return matcher.decide(request) === "allow" ? true : new PolicyDenial(matcher, request);
  }
}

/** A refusal by the policies. The explanation costs some hundred decisions, so it is made when somebody reads it. */
export class PolicyDenial implements Denial {
  readonly isAllowed = false;
  readonly #matcher: PolicyMatcher;
  readonly #request: PolicyRequest;
  #explanation: Explanation | undefined;

  constructor(matcher: PolicyMatcher, request: PolicyRequest) {
    this.#matcher = matcher;
    this.#request = request;
  }

  get explanation(): Explanation {
    this.#explanation ??= this.#matcher.explain(this.#request);
    return this.#explanation;
  }

  get reason(): string {
    return this.explanation.sentence;
  }
}

function contextOf(rights: ConnectionRights, { sourceIp, serverName }: Peer): RequestContext {
  return requestContext(rights, { protocol: "mqtt", sourceIp, serverName });
}

function requestOf(principal: Principal, action: Action, name: string): PolicyRequest {
  const scope: ArnScope = principal.peer.principal.scope;
  switch (action) {
    case "connect":
      return { action: "iot:Connect", resource: clientArn(scope, name), context: principal.connectContext };
    case "publish":
      return { action: "iot:Publish", resource: topicArn(scope, name), context: principal.context };
    case "retain-publish":
      return { action: "iot:RetainPublish", resource: topicArn(scope, name), context: principal.context };
    case "subscribe":
      return { action: "iot:Subscribe", resource: topicFilterArn(scope, name), context: principal.context };
    case "receive":
      return { action: "iot:Receive", resource: topicArn(scope, name), context: principal.context };
  }
}
