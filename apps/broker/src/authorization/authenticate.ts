/** Who signed a request, and whether that key may call an operation. */

import type { Registry, Scope } from "@latchkey/registry";
import { isRegistryError } from "@latchkey/registry";
import { ServiceError } from "../http/service-error.ts";
import type { ProgramPeer, RefusedPeer } from "./peer.ts";
import {
  isSignedBy,
  readSignature,
  webSocketService,
  type SignatureClaim,
  type SignedParts,
} from "../http/signature-v4.ts";
import type { AccessKey, AccessKeys } from "./access-keys.ts";
import type { FailureLimit } from "./failure-limit.ts";
import type { Operation } from "../http/operation.ts";

/** Who signed a request. */
export interface Caller {
  readonly key: AccessKey;
  readonly scope: Scope;
}

/** A request whose headers were looked at, and whose signature waits for its body. */
export interface Claimed {
  readonly claim: SignatureClaim;
  readonly key: AccessKey;
}

/** What authentication works with. */
export interface Authentication {
  readonly keys: AccessKeys;
  readonly registry: Registry;
  readonly failures: FailureLimit;
  /** Milliseconds since 1970, for dates of signatures. */
  readonly now: () => number;
  /** Milliseconds of a clock that only goes forward. */
  readonly monotonicMs: () => number;
}

/**
 * Everything about a signature that needs no body, so that strangers' bodies are not read. Throws the exceptions of
 * `readSignature`, UnrecognizedClientException, and ThrottlingException after too many refusals.
 */
export function claimOf(authentication: Authentication, parts: SignedParts, address: string): Claimed {
  return refusing(authentication, parts, address, () => {
    const claim = readSignature(parts, authentication.now());
    const key = authentication.keys.find(claim.accessKeyId);
    if (key === undefined) {
      throw new ServiceError("UnrecognizedClientException", "the access key is not known: it may have been revoked");
    }
    return { claim, key };
  });
}

/** Who signed the whole request. Throws InvalidSignatureException, and ThrottlingException after too many refusals. */
export async function authenticate(
  authentication: Authentication,
  { claim, key }: Claimed,
  parts: SignedParts,
  body: Uint8Array,
  address: string,
): Promise<Caller> {
  const isRight = await isSignedBy(key.secretAccessKey, claim, parts, body);
  return refusing(authentication, parts, address, () => {
    if (!isRight) {
      throw new ServiceError(
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided: check the secret access key, and " +
          "that nothing changes the request on its way",
      );
    }
    const scope = { account: key.account, region: claim.region };
    requireRegion(authentication.registry, scope);
    return { key, scope };
  });
}

/** Who signed the URL of a WebSocket. Rejects as `claimOf` and `authenticate` do. */
export async function authenticateProgram(
  authentication: Authentication,
  parts: SignedParts,
  { sourceIp, serverName, remote, ends }: RefusedPeer,
): Promise<ProgramPeer> {
  const claimed = claimOf(authentication, parts, sourceIp);
  if (claimed.claim.service !== webSocketService) {
    throw new ServiceError(
      "InvalidSignatureException",
      `Credential should be scoped to the service ${webSocketService} for MQTT over WebSocket`,
    );
  }
  const { key } = await authenticate(authentication, claimed, parts, new Uint8Array(), sourceIp);
  const { accessKeyId, accessScope } = key;
  const isValid = (): boolean => authentication.keys.find(accessKeyId) !== undefined;
  return { kind: "program", accessKeyId, accessScope, isValid, sourceIp, serverName, remote, ends };
}

/** Throws AccessDeniedException, or ForbiddenException on the data plane, where the key may only read. */
export function authorize({ key }: Caller, { name, access, path }: Pick<Operation, "name" | "access" | "path">): void {
  if (key.accessScope === "administrator" || access === "read") return;
  throw new ServiceError(
    isDataPlane(path.split("/")[1]) ? "ForbiddenException" : "AccessDeniedException",
    `the key ${key.accessKeyId} has the scope ${key.accessScope}, and ${name} needs administrator`,
  );
}

/** Whether paths with this first segment are of the data plane, which has exceptions and statuses of its own. */
function isDataPlane(segment: string | undefined): boolean {
  return segment === "topics" || segment === "retainedMessage" || segment === "connections";
}

function requireRegion(registry: Registry, scope: Scope): void {
  try {
    registry.describeAccount(scope);
  } catch (error) {
    if (!isRegistryError(error) || error.code !== "ERR_REGISTRY_NOT_FOUND") throw error;
    throw new ServiceError(
      "InvalidSignatureException",
      `Credential should be scoped to a valid region: account ${scope.account} is not in ${JSON.stringify(scope.region)}`,
    );
  }
}

function refusing<T>(
  { failures, monotonicMs }: Authentication,
  { target }: SignedParts,
  address: string,
  body: () => T,
): T {
  try {
    return body();
  } catch (error) {
    const isUsedUp = failures.isUsedUp(address, monotonicMs());
    failures.count(address, monotonicMs());
    if (!isUsedUp) throw error;
    throw new ServiceError("ThrottlingException", "too many refused requests from this address: wait some seconds", {
      cause: error,
      statusCode: isDataPlane(target.segments[0]) ? 429 : 400,
    });
  }
}
