/** The requests in files of refusals, `decisions.jsonl` and the full ones beside it, as `latchkey policy suggest` takes them. */

import { readFile } from "node:fs/promises";
import { messageOf, UsageError } from "@latchkey/command-line";
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

/** A file of refusals. */
export interface RefusalFile {
  readonly file: string;
  readonly text: string;
}

/** What files have. */
export interface RefusedRequests {
  /** Each once. */
  readonly requests: readonly PolicyRequest[];
  /** Lines that are left out because a Deny statement refuses them: no further policy allows those. */
  readonly explicitlyDenied: number;
  /** Lines that are not whole: a crash or a full disk leaves such. */
  readonly brokenLines: number;
}

/** Different requests that are taken; a policy for more would be none that AWS IoT takes. */
const maximumRequests = 1000;

/**
 * The file and the full ones that the broker has renamed, `FILE.1`, `FILE.2` and so on, the oldest first. Throws `UsageError` where there is
 * neither the file nor `FILE.1`.
 */
export async function readRefusalFiles(file: string): Promise<readonly RefusalFile[]> {
  const files: RefusalFile[] = [];
  let missing: unknown;
  // The newest is read first: where the broker renames files meanwhile, one is read twice and none is missed.
  for (let number = 0; ; number++) {
    const name = number === 0 ? file : `${file}.${number}`;
    try {
      files.unshift({ file: name, text: await readFile(name, "utf8") });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw unreadable(error);
      missing ??= error;
      // The broker makes the file anew a moment after it has renamed the full one.
      if (number > 0) break;
    }
  }
  if (files.length === 0) throw unreadable(missing);
  return files;
}

function unreadable(cause: unknown): UsageError {
  return new UsageError(`--decisions cannot be read: ${messageOf(cause)}`, { cause });
}

/** Reads JSON lines. Throws `UsageError` for what is no file of refusals. */
export function readRefusedRequests(files: readonly RefusalFile[], options: RefusedRequestsOptions): RefusedRequests {
  const requests = new Map<string, PolicyRequest>();
  let [refusals, explicitlyDenied, brokenLines] = [0, 0, 0];
  for (const [file, number, line] of linesOf(files)) {
    const value = parsedLine(line);
    if (value === undefined) {
      brokenLines++;
      continue;
    }
    const refusal = refusalOf(value);
    if (refusal === undefined) throw notRefusals(file, number);
    refusals++;
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
  if (refusals === 0 && brokenLines > 0) throw notRefusals(files.at(-1)?.file ?? "", 1);
  return { requests: [...requests.values()], explicitlyDenied, brokenLines };
}

/** The lines that are not empty, each with its file and its number there. */
function* linesOf(files: readonly RefusalFile[]): Generator<readonly [file: string, number: number, line: string]> {
  for (const { file, text } of files) {
    for (const [index, line] of text.split("\n").entries()) if (line.trim() !== "") yield [file, index + 1, line];
  }
}

function notRefusals(file: string, number: number): UsageError {
  return new UsageError(`line ${number} of ${file} is no refusal as decisions.jsonl has them`);
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

/** The value of a line; undefined for one that is not whole. */
function parsedLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function refusalOf(value: unknown): Refusal | undefined {
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
