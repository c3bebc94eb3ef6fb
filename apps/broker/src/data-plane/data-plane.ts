/** What the two kinds of callers of the data plane may do of a broker. */

import type { Broker } from "@latchkey/broker-core";
import { ReasonCode } from "@latchkey/mqtt-codec";
import type { Peer } from "../authorization/peer.ts";
import type { DevicePrincipal, PolicyAuthorizer, Principal } from "../authorization/policy-authorizer.ts";
import { addressGroup } from "../listeners/address-group.ts";
import { ServiceError } from "../http/service-error.ts";
import type { DataPlane } from "./operations.ts";

/** For a program with an access key: everything but the broker's own topics. */
export function programDataPlane(broker: Broker<Peer, Principal>): DataPlane {
  return {
    async publish(message) {
      if (message.topicName.startsWith("$")) {
        const reason = "it begins with $: such topics are reserved";
        return { ok: false, reasonCode: ReasonCode.topicNameInvalid, reason };
      }
      return broker.publish(message, performance.now());
    },
    retained: (topicName) => broker.retained(topicName),
    retainedMessages: () => broker.retainedMessages(),
  };
}

/** For a device: what its policies allow. In denial mode `parity` it is not told which statement is in the way. */
export function deviceDataPlane(
  broker: Broker<Peer, Principal>,
  authorizer: PolicyAuthorizer,
  denial: "explain" | "parity",
): (principal: DevicePrincipal, requestId: string) => DataPlane {
  const forbidden = (reason: string): string => (denial === "explain" ? reason : "Forbidden");
  const requireRetained = (principal: DevicePrincipal, topicName: string | undefined): void => {
    const decision = authorizer.decideOnRetained(principal, topicName);
    if (decision !== true) throw new ServiceError("ForbiddenException", forbidden(decision.reason));
  };
  return (principal, requestId) => ({
    requestId,
    async publish(message) {
      const address = addressGroup(principal.peer.sourceIp);
      const result = await broker.publish({ ...message, principal, address }, performance.now());
      if (result.ok || result.reasonCode !== ReasonCode.notAuthorized) return result;
      return { ...result, reason: forbidden(result.reason) };
    },
    retained(topicName) {
      requireRetained(principal, topicName);
      return broker.retained(topicName);
    },
    retainedMessages() {
      requireRetained(principal, undefined);
      return broker.retainedMessages();
    },
  });
}
