/** Decides what a connected client may do: by its certificate's status and the policies in effect. */

import type {
  Action,
  Authentication,
  Authenticator,
  Authorizer,
  Credentials,
  Decision,
  Denial,
  Profile,
} from "@latchkey/broker-core";
import { ReasonCode } from "@latchkey/mqtt-codec";
import {
  clientArn,
  topicArn,
  topicFilterArn,
  type ArnScope,
  type Explanation,
  type PolicyMatcher,
  type PolicyRequest,
  type RequestContext,
  type RequestProtocol,
} from "@latchkey/policy";
import { requestContext, type ConnectionRights, type ConnectionRightsTable } from "@latchkey/registry";
import type { DevicePeer, Peer, ProgramPeer } from "./peer.ts";

/** A client that policies decide about: after CONNECT, or on HTTPS after the handshake. What it may do follows the registry. */
export class DevicePrincipal {
  readonly peer: DevicePeer;
  readonly rights: ConnectionRights;
  readonly #protocol: RequestProtocol;
  /** What only the decision on CONNECT knows. */
  readonly #connect: Pick<RequestContext, "connectAttributes" | "lastWillTopic">;
  #context: RequestContext;

  constructor(
    peer: DevicePeer,
    rights: ConnectionRights,
    protocol: RequestProtocol,
    connect: Pick<RequestContext, "connectAttributes" | "lastWillTopic"> = {},
  ) {
    this.peer = peer;
    this.rights = rights;
    this.#protocol = protocol;
    this.#connect = connect;
    this.#context = this.#contextOf();
  }

  /** What holds for every request of the connection. Made anew only where its thing has changed. */
  get context(): RequestContext {
    if (this.#context.thing !== this.rights.thing) this.#context = this.#contextOf();
    return this.#context;
  }

  /** Another number whenever a decision may have another outcome. */
  get revision(): number {
    return this.rights.revision;
  }

  /** The same, with what only the decision on CONNECT knows. */
  get connectContext(): RequestContext {
    return { ...this.context, ...this.#connect };
  }

  #contextOf(): RequestContext {
    const { sourceIp, serverName } = this.peer;
    return requestContext(this.rights, { protocol: this.#protocol, sourceIp, serverName });
  }
}

/** A program with an access key. No policy decides about it: an administrator may do everything, a reader may not publish. */
export class ProgramPrincipal {
  readonly peer: ProgramPeer;

  constructor(peer: ProgramPeer) {
    this.peer = peer;
  }

  /** Another number once the key is revoked: nothing else changes what it may do. */
  get revision(): number {
    return this.peer.isValid() ? 0 : 1;
  }

  decide(action: Action): Decision {
    const { accessKeyId, accessScope, isValid } = this.peer;
    if (!isValid()) return { isAllowed: false, reason: `the access key ${accessKeyId} is not known any more` };
    if (accessScope === "administrator" || !(action === "publish" || action === "retain-publish")) return true;
    return {
      isAllowed: false,
      reason: `the key ${accessKeyId} has the scope ${accessScope}, and to publish needs administrator`,
    };
  }
}

export type Principal = DevicePrincipal | ProgramPrincipal;

/** How long AWS IoT Core keeps a WebSocket whose URL was signed. */
const webSocketSeconds = 24 * 60 * 60;

/** Authenticates by the certificate's status and authorizes by its policies. */
export class PolicyAuthorizer implements Authenticator<Peer, Principal>, Authorizer<Principal> {
  readonly #table: ConnectionRightsTable;
  readonly #programSeconds: number | undefined;

  /** In profile `aws` a connection of a program ends after a day. */
  constructor(table: ConnectionRightsTable, profile: Profile = "standard") {
    this.#table = table;
    this.#programSeconds = profile === "aws" ? webSocketSeconds : undefined;
  }

  async authenticate(peer: Peer, credentials: Credentials): Promise<Authentication<Principal>> {
    if (peer.kind === "refused") {
      const { reason, isTemporary } = peer;
      const reasonCode = isTemporary ? ReasonCode.serverUnavailable : ReasonCode.notAuthorized;
      return { ok: false, reason, reasonCode, reasonString: reason };
    }
    if (peer.kind === "program") {
      return { ok: true, principal: new ProgramPrincipal(peer), validSeconds: this.#programSeconds };
    }
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
    return { ok: true, principal: new DevicePrincipal(peer, rights, "mqtt", connect) };
  }

  /**
   * A client on HTTPS, where nobody asks for iot:Connect and there is no client identifier; or why it may not go on. To be
   * released. Throws what the registry throws.
   */
  openHttps(peer: DevicePeer): DevicePrincipal {
    return new DevicePrincipal(peer, this.#table.open(peer.principal, undefined), "https");
  }

  /** Its certificate or its access key: what limits of a principal are counted by. */
  nameOf(principal: Principal): string {
    return principal instanceof ProgramPrincipal
      ? principal.peer.accessKeyId
      : principal.rights.principal.certificateId;
  }

  release(principal: Principal): void {
    if (principal instanceof DevicePrincipal) this.#table.close(principal.rights);
  }

  /**
   * An answer holds until the rights of the connection change: what else is asked about, address and names, stays as it is. The
   * time of day is no part of the context.
   */
  revision(principal: Principal): number {
    return principal.revision;
  }

  decide(principal: Principal, action: Action, name: string): Decision {
    if (principal instanceof ProgramPrincipal) return principal.decide(action);
    return this.#decide(principal, requestOf(principal, action, name));
  }

  /** Decides on reading retained messages over HTTPS: that of a topic, or without one the list of all. */
  decideOnRetained(principal: DevicePrincipal, topicName: string | undefined): Decision {
    const { context, peer } = principal;
    return this.#decide(
      principal,
      topicName === undefined
        ? { action: "iot:ListRetainedMessages", resource: "*", context }
        : { action: "iot:GetRetainedMessage", resource: topicArn(peer.principal.scope, topicName), context },
    );
  }

  #decide(principal: DevicePrincipal, request: PolicyRequest): Decision {
    const { matcher } = principal.rights;
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

function requestOf(principal: DevicePrincipal, action: Action, name: string): PolicyRequest {
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
