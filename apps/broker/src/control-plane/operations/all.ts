/** All operations that need no more than a data directory. */

import type { Operation } from "../../http/operation.ts";
import { brokerOperations, type BrokerContext } from "./broker.ts";
import { diagnosisOperations } from "./diagnosis.ts";
import { authorityOperations } from "./authorities.ts";
import { authorizationOperations } from "./authorization.ts";
import { certificateOperations } from "./certificates.ts";
import { endpointOperations } from "./endpoints.ts";
import { policyAttachmentOperations } from "./policy-attachments.ts";
import { policyOperations } from "./policies.ts";
import { provisioningOperations } from "./provisioning.ts";
import { tagOperations } from "./tags.ts";
import { thingGroupOperations } from "./thing-groups.ts";
import { thingPrincipalOperations } from "./thing-principals.ts";
import { thingTypeOperations } from "./thing-types.ts";
import { thingOperations } from "./things.ts";
import { transferOperations } from "./transfers.ts";

/** The operations of AWS IoT's control plane that there are. */
export const registryOperations: readonly Operation[] = [
  ...certificateOperations,
  ...transferOperations,
  ...authorityOperations,
  ...policyOperations,
  ...policyAttachmentOperations,
  ...authorizationOperations,
  ...thingOperations,
  ...thingPrincipalOperations,
  ...thingGroupOperations,
  ...thingTypeOperations,
  ...provisioningOperations,
  ...tagOperations,
  ...endpointOperations,
];

/** Those, and what only a broker of ours has, under `/latchkey`. They need a data directory and no running broker. */
export const directoryOperations: readonly Operation<BrokerContext>[] = [
  ...registryOperations,
  ...brokerOperations,
  ...diagnosisOperations,
];
