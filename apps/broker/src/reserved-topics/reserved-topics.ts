/** Topics that belong to the broker: what a client publishes to them is a request, or is refused. */

import { messageOf } from "@latchkey/command-line";
import type { Profile, ReservedOutcome, ReservedPublish, ServerPublish } from "@latchkey/broker-core";
import type { FleetProvisioning } from "@latchkey/registry";
import type { Logger } from "pino";
import type { Peer } from "../authorization/peer.ts";
import type { Principal } from "../authorization/policy-authorizer.ts";

/** What serves them. */
export interface ReservedTopicsOptions {
  readonly provisioning: Pick<FleetProvisioning, "isRequest" | "answer">;
  /** Sends to one client, whether it has subscribed or not, what it may receive; false where it does not get it. */
  readonly sendTo: (clientIdentifier: string, message: Omit<ServerPublish<never>, "principal">) => boolean;
  readonly profile: Profile;
  readonly log: Logger;
}

/** The names under which AWS IoT and this broker have topics of their own. */
const reservedPrefixes: readonly string[] = ["$aws/", "$SYS/"];

/** Takes what was published to a topic that begins with `$`. */
export function takeReserved(
  options: ReservedTopicsOptions,
  { peer, clientIdentifier, topicName, payload }: ReservedPublish<Peer, Principal>,
): ReservedOutcome {
  if (options.provisioning.isRequest(topicName)) {
    // The answer goes to the connection that asks, and only a certificate can be a claim.
    if (peer?.kind !== "device" || clientIdentifier === undefined) return "refused";
    const { scope, certificateId } = peer.principal;
    const caller = { scope, claimCertificateId: certificateId, clientIdentifier };
    void provision(options, caller, topicName, payload);
    return "taken";
  }
  // Basic Ingest: there are no rules here that would take the message, and subscribers do not get it.
  if (options.profile === "aws") return topicName.startsWith("$aws/rules/") ? "taken" : "refused";
  return reservedPrefixes.some((prefix) => topicName.startsWith(prefix)) ? "refused" : "routed";
}

/** Asks the registry, and tells the device alone: the answer can have a private key in it. */
async function provision(
  { provisioning, sendTo, log }: ReservedTopicsOptions,
  caller: Parameters<FleetProvisioning["answer"]>[0] & { readonly clientIdentifier: string },
  topic: string,
  payload: Uint8Array,
): Promise<void> {
  const { clientIdentifier, claimCertificateId } = caller;
  const fields = { clientIdentifier, certificateId: claimCertificateId, topicName: topic };
  try {
    const answer = await provisioning.answer(caller, { topic, payload });
    if (answer === undefined) return;
    const isSent = sendTo(clientIdentifier, { topicName: answer.topic, payload: answer.payload, qos: 1 });
    log.info({ ...fields, answer: answer.topic, isSent }, "provisioning asked");
  } catch (error) {
    log.error({ ...fields, reason: messageOf(error) }, "provisioning failed");
  }
}
