/** Decides what a connected client may do: by its certificate's status and the policies attached to it. */

import type { Action, Authentication, Authenticator, Authorizer, Credentials } from "@latchkey/broker-core";
import {
  clientArn,
  compile,
  parsePolicy,
  topicArn,
  topicFilterArn,
  type ArnScope,
  type Explanation,
  type ParsedPolicy,
  type PolicyMatcher,
  type PolicyRequest,
  type RequestContext,
} from "@latchkey/policy";
import type { IdentifiedCertificate, RegistryStore } from "@latchkey/registry";
import { certificateAttributes } from "./request-context.ts";

/** A client after the TLS handshake: its certificate is registered, active and believed. */
export interface Peer {
  readonly identity: IdentifiedCertificate;
  readonly sourceIp: string;
  readonly serverName: string | undefined;
  readonly remote: string;
}

/** A client after CONNECT. Its policies are replaced when the registry changes; nothing else of it ever is. */
export interface Principal {
  readonly certificateId: string;
  readonly remote: string;
  /** What holds for every request of the connection. */
  readonly context: RequestContext;
  /** The same, with what only the decision on CONNECT knows. */
  readonly connectContext: RequestContext;
  /** The policies in effect, compiled. */
  matcher: PolicyMatcher;
  /** The registry's version that `matcher` was made of, or a later one. */
  registryVersion: number;
}

/** Authenticates by the certificate's status and authorizes by its policies. */
export class PolicyAuthorizer implements Authenticator<Peer, Principal>, Authorizer<Principal> {
  readonly #store: RegistryStore;
  readonly #scope: ArnScope;
  readonly #onPolicyError: (policyName: string, reason: string) => void;

  /** `onPolicyError` is called for each stored policy that cannot be read. */
  constructor(store: RegistryStore, scope: ArnScope, onPolicyError: (policyName: string, reason: string) => void) {
    this.#store = store;
    this.#scope = scope;
    this.#onPolicyError = onPolicyError;
  }

  async authenticate(peer: Peer, credentials: Credentials): Promise<Authentication<Principal>> {
    const { certificateId, certificate } = peer.identity;
    const registryVersion = this.#store.version();
    // The certificate may have been revoked since the handshake.
    const refusal = await this.#refusal(certificateId);
    if (refusal !== undefined) return { ok: false, reason: refusal };
    const { clientIdentifier, isPersistent, willTopicName } = credentials;
    const context: RequestContext = {
      clientId: clientIdentifier,
      sourceIp: peer.sourceIp,
      domainName: peer.serverName,
      certificateId,
      certificate: certificateAttributes(certificate),
    };
    const connectContext: RequestContext = {
      ...context,
      connectAttributes: [
        ...(isPersistent ? (["PersistentConnect"] as const) : []),
        ...(willTopicName === undefined ? [] : (["LastWill"] as const)),
      ],
      lastWillTopic: willTopicName === undefined ? undefined : topicArn(this.#scope, willTopicName),
    };
    const matcher = await this.#compilePolicies(certificateId);
    const { remote } = peer;
    return { ok: true, principal: { certificateId, remote, context, connectContext, matcher, registryVersion } };
  }

  allows(principal: Principal, action: Action, name: string): boolean {
    return principal.matcher.decide(this.#request(principal, action, name)) === "allow";
  }

  /** Why something is allowed or not. */
  explain(principal: Principal, action: Action, name: string): Explanation {
    return principal.matcher.explain(this.#request(principal, action, name));
  }

  /**
   * Brings a connected principal up to date with the registry. Resolves to the reason why it may not be connected any
   * more, or to undefined.
   */
  async refresh(principal: Principal): Promise<string | undefined> {
    const registryVersion = this.#store.version();
    if (principal.registryVersion === registryVersion) return undefined;
    const refusal = await this.#refusal(principal.certificateId);
    if (refusal !== undefined) {
      this.revoke(principal);
      return refusal;
    }
    principal.matcher = await this.#compilePolicies(principal.certificateId);
    principal.registryVersion = registryVersion;
    return undefined;
  }

  /** Takes all rights from a connected principal, that of publishing its will included. */
  revoke(principal: Principal): void {
    principal.matcher = compile([]);
  }

  async #refusal(certificateId: string): Promise<string | undefined> {
    const record = await this.#store.certificate(certificateId);
    return record?.status === "ACTIVE" ? undefined : `certificate is ${record?.status ?? "unknown"}`;
  }

  /** A policy that cannot be read might have been a Deny, so nothing is allowed beside it. */
  async #compilePolicies(certificateId: string): Promise<PolicyMatcher> {
    const parsed: ParsedPolicy[] = [];
    let areAllReadable = true;
    for (const { policyName, document } of await this.#store.attachedPolicies(certificateId)) {
      const result = parsePolicy(document, { name: policyName });
      if (result.ok) {
        parsed.push(result.policy);
      } else {
        areAllReadable = false;
        this.#onPolicyError(policyName, result.errors[0].message);
      }
    }
    return compile(areAllReadable ? parsed : []);
  }

  #request(principal: Principal, action: Action, name: string): PolicyRequest {
    const { context, connectContext } = principal;
    switch (action) {
      case "connect":
        return { action: "iot:Connect", resource: clientArn(this.#scope, name), context: connectContext };
      case "publish":
        return { action: "iot:Publish", resource: topicArn(this.#scope, name), context };
      case "retain-publish":
        return { action: "iot:RetainPublish", resource: topicArn(this.#scope, name), context };
      case "subscribe":
        return { action: "iot:Subscribe", resource: topicFilterArn(this.#scope, name), context };
      case "receive":
        return { action: "iot:Receive", resource: topicArn(this.#scope, name), context };
    }
  }
}
