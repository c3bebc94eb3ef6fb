/** Lifecycle events on a broker: published as its own word, with what the registry knows of things. */

import { messageOf } from "@latchkey/command-line";
import type { Broker } from "@latchkey/broker-core";
import type { Registry } from "@latchkey/registry";
import type { Logger } from "pino";
import type { Peer } from "../authorization/peer.ts";
import { exclusiveThing } from "../authorization/exclusive-thing.ts";
import type { Principal } from "../authorization/policy-authorizer.ts";
import { endedByApi } from "../data-plane/operations.ts";
import { LifecycleEvents } from "./lifecycle-events.ts";

/** Starts them. */
export function lifecycleOn(broker: Broker<Peer, Principal>, registry: Registry, log: Logger): LifecycleEvents {
  const encoder = new TextEncoder();
  return new LifecycleEvents({
    apiDetail: endedByApi,
    exclusiveThing: (principal) => exclusiveThing(registry, principal),
    isWanted: (topicName) => broker.isWanted(topicName),
    publish(topicName, text) {
      const message = { topicName, payload: encoder.encode(text), qos: 1 } as const;
      broker.publish(message, performance.now()).catch((error: unknown) => {
        log.error({ topicName, reason: messageOf(error) }, "a lifecycle event cannot be published");
      });
    },
  });
}
