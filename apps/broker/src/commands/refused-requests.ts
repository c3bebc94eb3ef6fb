/** The requests in a file of refusals, `decisions.jsonl`, as `latchkey policy suggest` takes them. */

import { UsageError } from "@latchkey/command-line";
import { clientArn, topicArn, topicFilterArn, type ArnScope, type PolicyRequest } from "@latchkey/policy";
import { isObject } from "../http/json-body.ts";

/** Which of them are wanted. */
export interface RefusedRequestsOptions {
  /** Of the broker that wrote the file; a line has its account. */
  readonly region: string;
  /** Only those of this client. */
  readonly clientId?: string | undefined;
  /** Only those of certificates that begin so. */
  readonly certificateId?: string | undefined;
}

/** What a file has. */
export interface RefusedRequests {
  /** Each once. */
  readonly requests: readonly PolicyRequest[];
  /** Lines that are left out because a Deny statement refuses them: no further policy allows those. */
  readonly explicitlyDenied: number;
}

/** Different requests that are taken; a policy for more would be none that AWS IoT takes. */
const maximumRequests = 1000;

/** Reads JSON lines. A last line that is not whole, as after a crash, is left out. Throws `UsageError`. */
export function readRefusedRequests(text: string, options: RefusedRequestsOptions): RefusedRequests {
  const requests = new Map<string, PolicyRequest>();
  let explicitlyDenied = 0;
  const lines = text.split("\n");
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const refusal = refusalOf(line);
    if (refusal === undefined) {
      if (index === lines.length - 1) break;
      throw new UsageError(`line ${index + 1} is no refusal as decisions.jsonl has them`);
    }
    const { clientId, certificateId } = options;
    if (clientId !== undefined && refusal.clientId !== clientId) continue;
    if (certificateId !== undefined && !refusal.certificateId.startsWith(certificateId)) continue;
    if (refusal.decision === "explicit-deny") {
      explicitlyDenied++;
      continue;
    }
    const request = requestOf(refusal, options.region);
    requests.set(JSON.stringify(request), request);
    if (requests.size > maximumRequests) {
      throw new UsageError(`more than ${maximumRequests} different requests: choose a --client-id or a --certificate`);
    }
  }
  return { requests: [...requests.values()], explicitlyDenied };
}

const actions = {
  connect: ["iot:Connect", clientArn],
  publish: ["iot:Publish", topicArn],
  "retain-publish": ["iot:RetainPublish", topicArn],
  subscribe: ["iot:Subscribe", topicFilterArn],
  receive: ["iot:Receive", topicArn],
} as const;

interface Refusal {
  readonly action: keyof typeof actions;
  readonly name: string;
  readonly account: string;
  readonly certificateId: string;
  readonly clientId: string | undefined;
  readonly decision: unknown;
}

function refusalOf(line: string): Refusal | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const { action, name, account, certificateId, clientId, decision } = value;
  if (typeof name !== "string" || typeof account !== "string" || typeof certificateId !== "string") return undefined;
  if (clientId !== undefined && typeof clientId !== "string") return undefined;
  return isAction(action) ? { action, name, account, certificateId, clientId, decision } : undefined;
}

function isAction(value: unknown): value is keyof typeof actions {
  return typeof value === "string" && Object.hasOwn(actions, value);
}

function requestOf({ action, name, account, certificateId, clientId }: Refusal, region: string): PolicyRequest {
  const scope: ArnScope = { account, region };
  const [policyAction, arnOf] = actions[action];
  // Without a client identifier it was a request over HTTPS.
  const protocol = clientId === undefined ? "https" : "mqtt";
  return { action: policyAction, resource: arnOf(scope, name), context: { protocol, clientId, certificateId } };
}
