/**
 * Fleet provisioning as messages (AWS IoT, "Device provisioning MQTT API"): what a device with a claim certificate publishes, and what it
 * is answered. A transport calls `answer` with each message on a topic that `isRequest` says yes to.
 *
 * The payload is JSON or CBOR, as the topic says, and the answer is in the same form.
 */

import { readCbor, writeCbor, type CborValue } from "./cbor.ts";
import { isRegistryError, type AnyRegistryError } from "./errors.ts";
import { maximumProvisioningPayloadOctets, maximumProvisioningRequestsAtOnce } from "./limits.ts";
import type { ClaimedCertificate, ProvisioningTemplates } from "./provisioning-templates.ts";
import type { Scope } from "./scope.ts";

/** A message of MQTT, as far as it matters here. */
export interface ProvisioningMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** The connection that asks. */
export interface ProvisioningCaller {
  readonly scope: Scope;
  /** The certificate that it connected with. The pre-provisioning hook gets it. */
  readonly claimCertificateId?: string | undefined;
  readonly clientIdentifier?: string | undefined;
}

/** A refusal, as the payload of a `rejected` topic has it. */
interface Refusal {
  readonly statusCode: number;
  readonly errorCode: string;
  readonly errorMessage: string;
}

type Payload = Readonly<Record<string, CborValue | undefined>>;
type Outcome = { readonly accepted: Payload } | { readonly refused: Refusal };

type Operation = { readonly isCbor: boolean } & (
  | { readonly kind: "create" }
  | { readonly kind: "create-from-csr" }
  | { readonly kind: "provision"; readonly templateName: string }
);

/** Answers the requests of fleet provisioning for one registry. */
export class FleetProvisioning {
  readonly #templates: ProvisioningTemplates;
  #atOnce = 0;

  constructor(templates: ProvisioningTemplates) {
    this.#templates = templates;
  }

  /** Whether a topic is one of the requests. Cheap: for each PUBLISH. */
  isRequest(topic: string): boolean {
    return operationOf(topic) !== undefined;
  }

  /**
   * Carries a request out. The answer, on `TOPIC/accepted` or `TOPIC/rejected`, is for the connection that asked and for no other
   * subscriber of that topic: it can hold a private key. Undefined where the topic is no request.
   *
   * The answer is `rejected` for every refusal of the registry, also where it cannot be read or written now. Rejects for a defect alone.
   * At most 100 requests are carried out at once; further ones are refused.
   */
  async answer(
    caller: ProvisioningCaller,
    { topic, payload }: ProvisioningMessage,
  ): Promise<ProvisioningMessage | undefined> {
    const operation = operationOf(topic);
    if (operation === undefined) return undefined;
    const { isCbor } = operation;
    const rejected = (refusal: Refusal): ProvisioningMessage => message(`${topic}/rejected`, { ...refusal }, isCbor);
    if (this.#atOnce >= maximumProvisioningRequestsAtOnce) {
      return rejected(refusalOf(429, "Throttling", "too many devices are provisioned at this moment: try again"));
    }
    const members = membersOf(payload, isCbor);
    if (members === undefined) {
      const most = `at most ${maximumProvisioningPayloadOctets} octets`;
      return rejected(
        refusalOf(
          400,
          "InvalidPayload",
          `the payload is no ${isCbor ? "map in CBOR" : "JSON object in UTF-8"} of ${most}`,
        ),
      );
    }
    this.#atOnce++;
    try {
      const answer = await this.#carryOut(caller, operation, members);
      return "refused" in answer ? rejected(answer.refused) : message(`${topic}/accepted`, answer.accepted, isCbor);
    } catch (error) {
      if (!isRegistryError(error)) throw error;
      return rejected(refusalOfError(error));
    } finally {
      this.#atOnce--;
    }
  }

  async #carryOut(
    caller: ProvisioningCaller,
    operation: Operation,
    members: ReadonlyMap<string, unknown>,
  ): Promise<Outcome> {
    const { scope } = caller;
    if (operation.kind === "create") return claimed(await this.#templates.claimKeysAndCertificate(scope));
    if (operation.kind === "create-from-csr") {
      const request = members.get("certificateSigningRequest");
      if (typeof request !== "string") return missing("certificateSigningRequest", "a text");
      return claimed(await this.#templates.claimFromCsr(scope, request));
    }
    const certificateOwnershipToken = members.get("certificateOwnershipToken");
    if (typeof certificateOwnershipToken !== "string" || certificateOwnershipToken === "") {
      const why = "certificateOwnershipToken is to be a text that is not empty";
      return { refused: refusalOf(400, "InvalidCertificateOwnershipToken", why) };
    }
    const parameters = textsOf(members.get("parameters"));
    if (parameters === undefined) return missing("parameters", "an object of texts");
    const { thingName, deviceConfiguration } = await this.#templates.provisionByClaim(scope, {
      templateName: operation.templateName,
      certificateOwnershipToken,
      parameters,
      claimCertificateId: caller.claimCertificateId,
      clientIdentifier: caller.clientIdentifier,
    });
    return { accepted: { deviceConfiguration, thingName } };
  }
}

/** Template names as CreateProvisioningTemplate takes them. */
const provisionTopic = /^\$aws\/provisioning-templates\/([0-9A-Za-z_-]{1,36})\/provision\/(json|cbor)$/;
const createTopic = /^\$aws\/certificates\/(create|create-from-csr)\/(json|cbor)$/;

function operationOf(topic: string): Operation | undefined {
  // Most topics are not these, and cost one comparison.
  if (!topic.startsWith("$aws/")) return undefined;
  const [, create, format] = createTopic.exec(topic) ?? [];
  if (create === "create" || create === "create-from-csr") return { kind: create, isCbor: format === "cbor" };
  const [, templateName, payloadFormat] = provisionTopic.exec(topic) ?? [];
  return templateName === undefined ? undefined : { kind: "provision", templateName, isCbor: payloadFormat === "cbor" };
}

/** The members of an object; none for an empty payload; undefined for anything else. */
function membersOf(payload: Uint8Array, isCbor: boolean): ReadonlyMap<string, unknown> | undefined {
  if (payload.length > maximumProvisioningPayloadOctets) return undefined;
  if (payload.length === 0) return new Map();
  const value = isCbor ? readCbor(payload)?.value : readJson(payload);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return new Map<string, unknown>(Object.entries(value));
}

/** Undefined where the octets are no JSON in UTF-8. */
function readJson(octets: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(octets));
  } catch {
    return undefined;
  }
}

/** An object of texts; an empty one where nothing is given; undefined for anything else. */
function textsOf(value: unknown): Readonly<Record<string, string>> | undefined {
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const texts: [string, string][] = [];
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== "string") return undefined;
    texts.push([name, text]);
  }
  return Object.fromEntries(texts);
}

function claimed({ record, certificateOwnershipToken, privateKeyPem }: ClaimedCertificate): Outcome {
  const { certificateId, certificatePem } = record;
  return { accepted: { certificateId, certificatePem, privateKey: privateKeyPem, certificateOwnershipToken } };
}

function missing(member: string, allowed: string): Outcome {
  return { refused: refusalOf(400, "InvalidPayload", `${member} is to be ${allowed}`) };
}

/**
 * AWS IoT documents the members of a refusal, and no list of codes. `InvalidCertificateOwnershipToken` is what its service is seen to
 * answer; the other codes are its exceptions without their last word.
 */
function refusalOfError(error: AnyRegistryError): Refusal {
  const { message: errorMessage } = error;
  switch (error.code) {
    case "ERR_REGISTRY_ACCESS_DENIED":
      return error.evidence.reason === "token"
        ? refusalOf(400, "InvalidCertificateOwnershipToken", errorMessage)
        : refusalOf(403, "AccessDenied", errorMessage);
    case "ERR_REGISTRY_NOT_FOUND":
      return refusalOf(404, "ResourceNotFound", errorMessage);
    case "ERR_REGISTRY_LIMIT":
      return refusalOf(400, "LimitExceeded", errorMessage);
    case "ERR_REGISTRY_CERTIFICATE":
      return refusalOf(400, "CertificateValidation", errorMessage);
    case "ERR_REGISTRY_PROVISIONING":
      return refusalOf(400, "ResourceRegistrationFailure", errorMessage);
    // What is wrong with the server is not for devices.
    case "ERR_REGISTRY_UNAVAILABLE":
      return refusalOf(503, "ServiceUnavailable", "the registry cannot be read or written now: try again");
    case "ERR_REGISTRY_CORRUPT":
    case "ERR_REGISTRY_LOCAL_AUTHORITY":
      return refusalOf(500, "InternalFailure", "the registry is damaged");
    default:
      return refusalOf(400, "InvalidRequest", errorMessage);
  }
}

function refusalOf(statusCode: number, errorCode: string, errorMessage: string): Refusal {
  return { statusCode, errorCode, errorMessage };
}

function message(topic: string, payload: Payload, isCbor: boolean): ProvisioningMessage {
  const octets = isCbor ? writeCbor(payload) : new TextEncoder().encode(JSON.stringify(payload));
  return { topic, payload: octets };
}
