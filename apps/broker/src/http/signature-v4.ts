/**
 * Verification of AWS Signature Version 4, in the Authorization header and in the query (presigned).
 *
 * The request is signed again by the signer that the AWS SDKs use, with the same headers, date and credential scope, and the two
 * signatures are compared in constant time. What the signer takes on trust is checked here: that the body has the hash that was
 * signed, that every header with a meaning was signed, and that the date is near.
 */

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { Sha256 } from "@latchkey/request-signing";
import { createScope, getSigningKey, SignatureV4 } from "@smithy/signature-v4";
import type { HttpRequest, QueryParameterBag } from "@smithy/types";
import type { RequestTarget } from "./request-target.ts";
import { ServiceError } from "./service-error.ts";

/** The name under which MQTT over WebSocket is signed for. */
export const webSocketService = "iotdevicegateway";
/**
 * The names under which the services of AWS IoT are signed for. `execute-api` is the name of the control plane in the models of SDKs
 * and CLIs from before May 2023, for instance in `aws` 2.9.19 of Debian 12.
 */
const signingServices: readonly string[] = ["iot", "iotdata", webSocketService, "execute-api"];

/** What a request says of its signature, before it is verified. */
export interface SignatureClaim {
  readonly accessKeyId: string;
  readonly region: string;
  readonly service: string;
  readonly signedAt: Date;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** Where the signature stands. */
  readonly form: "header" | "query";
  /** How long the request is good for. In the header form, and where a WebSocket's URL does not say, as long as clocks may differ. */
  readonly expiresSeconds: number;
}

/** The parts of a request that a signature covers, except its body. */
export interface SignedParts {
  readonly method: string;
  readonly target: RequestTarget;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

const algorithm = "AWS4-HMAC-SHA256";
/** How far the client's clock may be off, as with AWS. */
const maximumSkewSeconds = 5 * 60;
/** As with AWS: a week. */
const maximumExpiresSeconds = 7 * 24 * 3600;
/**
 * Reads what a request says of its signature, and checks its form and its date. Throws MissingAuthenticationTokenException,
 * IncompleteSignatureException, InvalidSignatureException, UnrecognizedClientException (a session token: there are none here).
 */
export function readSignature(parts: SignedParts, nowMs: number): SignatureClaim {
  const authorization = parts.headers.get("authorization");
  const isPresigned = parts.target.query.has("X-Amz-Signature") || parts.target.query.has("X-Amz-Algorithm");
  if (authorization === undefined && !isPresigned) {
    throw new ServiceError(
      "MissingAuthenticationTokenException",
      "the request is not signed: sign it with an access key",
    );
  }
  if (authorization !== undefined && isPresigned) {
    throw incomplete("the request is signed in its header and in its query: one of the two is possible");
  }
  if (parts.headers.has("x-amz-security-token") || parts.target.query.has("X-Amz-Security-Token")) {
    throw new ServiceError(
      "UnrecognizedClientException",
      "the security token is not known: sign without a session token",
    );
  }
  const claim = authorization === undefined ? fromQuery(parts) : fromHeader(authorization, parts);
  checkSignedHeaders(claim, parts);
  checkDate(claim, nowMs);
  return claim;
}

/** Whether the body, and with it the whole request, is what the holder of the secret has signed. */
export async function isSignedBy(
  secretAccessKey: string,
  claim: SignatureClaim,
  parts: SignedParts,
  body: Uint8Array,
): Promise<boolean> {
  const bodyHash = createHash("sha256").update(body).digest("hex");
  const hash = parts.headers.get("x-amz-content-sha256");
  if (hash !== undefined && !sameText(hash, bodyHash)) return false;
  const signer = new RequestSigner(claim, secretAccessKey);
  const signature =
    claim.form === "header"
      ? await signer.signatureInHeader(claim, requestOf(claim, parts, body))
      : await signer.signatureInQuery(claim, requestOf(claim, parts, body), bodyHash);
  return sameText(signature, claim.signature);
}

/** Signs once more what a client has signed. */
class RequestSigner extends SignatureV4 {
  readonly #credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };

  constructor({ service, region, accessKeyId }: SignatureClaim, secretAccessKey: string) {
    const credentials = { accessKeyId, secretAccessKey };
    super({ service, region, credentials, sha256: Sha256, applyChecksum: false });
    this.#credentials = credentials;
  }

  async signatureInHeader({ signedAt, signedHeaders }: SignatureClaim, request: HttpRequest): Promise<string> {
    const signed = await this.sign(request, { signingDate: signedAt, signableHeaders: new Set(signedHeaders) });
    return /Signature=([0-9a-f]{64})$/.exec(signed.headers["authorization"] ?? "")?.[1] ?? "";
  }

  /** The SDK's `presign` writes query parameters that not every client writes, so the parameters are taken as they came. */
  async signatureInQuery(
    { signedAt, region, service }: SignatureClaim,
    request: HttpRequest,
    bodyHash: string,
  ): Promise<string> {
    const [date, day] = [dateText(signedAt), dateText(signedAt).slice(0, 8)];
    const text = await this.createStringToSign(
      date,
      createScope(day, region, service),
      this.createCanonicalRequest(request, request.headers, bodyHash),
      algorithm,
    );
    const key = await getSigningKey(Sha256, this.#credentials, day, region, service);
    return createHmac("sha256", key).update(text).digest("hex");
  }
}

/** The request as its sender gave it to the signer. */
function requestOf(claim: SignatureClaim, { method, target, headers }: SignedParts, body: Uint8Array): HttpRequest {
  const query: [string, string | string[]][] = [];
  for (const [name, values] of target.query) {
    if (name === "X-Amz-Signature") continue;
    const [first = ""] = values;
    query.push([name, values.length === 1 ? first : [...values]]);
  }
  const bag: QueryParameterBag = Object.fromEntries(query);
  return {
    method,
    protocol: "http:",
    hostname: "",
    path: target.rawPath,
    query: bag,
    headers: Object.fromEntries(claim.signedHeaders.map((name) => [name, headers.get(name) ?? ""])),
    body,
  };
}

function fromHeader(authorization: string, { headers }: SignedParts): SignatureClaim {
  const [, fields = ""] = /^AWS4-HMAC-SHA256\s+(.*)$/.exec(authorization) ?? [];
  const found = new Map<string, string>();
  for (const field of fields.split(",")) {
    const [, name, value] = /^\s*(\w+)=(\S+)\s*$/.exec(field) ?? [];
    if (name !== undefined && value !== undefined) found.set(name, value);
  }
  return claimOf({
    credential: found.get("Credential"),
    signedHeaders: found.get("SignedHeaders"),
    signature: found.get("Signature"),
    date: headers.get("x-amz-date"),
    form: "header",
    expires: undefined,
  });
}

function fromQuery({ target: { query } }: SignedParts): SignatureClaim {
  const one = (name: string): string | undefined => {
    const values = query.get(name) ?? [];
    return values.length === 1 ? values[0] : undefined;
  };
  if (one("X-Amz-Algorithm") !== algorithm) throw incomplete(`X-Amz-Algorithm has to be ${algorithm}`);
  return claimOf({
    credential: one("X-Amz-Credential"),
    signedHeaders: one("X-Amz-SignedHeaders"),
    signature: one("X-Amz-Signature"),
    date: one("X-Amz-Date"),
    form: "query",
    expires: one("X-Amz-Expires"),
  });
}

function claimOf(found: {
  readonly credential: string | undefined;
  readonly signedHeaders: string | undefined;
  readonly signature: string | undefined;
  readonly date: string | undefined;
  readonly form: "header" | "query";
  readonly expires: string | undefined;
}): SignatureClaim {
  const [accessKeyId = "", day, region = "", service = "", end, ...more] = found.credential?.split("/") ?? [];
  if (accessKeyId === "" || end !== "aws4_request" || more.length > 0) {
    throw incomplete("Credential has to be KEY/DATE/REGION/SERVICE/aws4_request");
  }
  if (found.signedHeaders === undefined) throw incomplete("SignedHeaders is missing");
  if (found.signature === undefined || !/^[0-9a-f]{64}$/.test(found.signature)) {
    throw incomplete("Signature has to be 64 hexadecimal digits");
  }
  const signedAt = dateOf(found.date);
  if (signedAt === undefined) throw incomplete("the date of the signature (X-Amz-Date) has to be YYYYMMDDTHHMMSSZ");
  if (day !== found.date?.slice(0, 8)) throw invalidSignature("Credential has another date than X-Amz-Date");
  if (!signingServices.includes(service)) {
    throw invalidSignature(`Credential should be scoped to one of the services ${signingServices.join(", ")}`);
  }
  const { signature, signedHeaders, form, expires } = found;
  // The URLs that AWS's device SDKs sign for a WebSocket do not say how long they are good for.
  if (form === "query" && expires === undefined && service !== webSocketService)
    throw incomplete("X-Amz-Expires is missing");
  const expiresSeconds = expires === undefined ? maximumSkewSeconds : /^\d{1,6}$/.test(expires) ? Number(expires) : 0;
  if (expiresSeconds < 1 || expiresSeconds > maximumExpiresSeconds) {
    throw incomplete(`X-Amz-Expires has to be from 1 to ${maximumExpiresSeconds} seconds`);
  }
  const names = signedHeaders.toLowerCase().split(";");
  return { accessKeyId, region, service, signedAt, signedHeaders: names, signature, form, expiresSeconds };
}

/** The host and every header that has a meaning for the service have to be signed, or another could be put in their place. */
function checkSignedHeaders({ signedHeaders, form }: SignatureClaim, { headers }: SignedParts): void {
  const signed = new Set(signedHeaders);
  if (!signed.has("host")) throw invalidSignature("the header host has to be signed");
  for (const name of signed) {
    if (!headers.has(name)) throw invalidSignature(`the signed header ${name} is missing`);
  }
  if (form === "header" && !signed.has("x-amz-date")) {
    throw invalidSignature("the header x-amz-date has to be signed");
  }
  for (const name of headers.keys()) {
    if (name.startsWith("x-amz") && name !== "x-amzn-trace-id" && !signed.has(name)) {
      throw invalidSignature(`the header ${name} has to be signed`);
    }
  }
}

function checkDate({ signedAt, expiresSeconds }: SignatureClaim, nowMs: number): void {
  const age = nowMs - signedAt.getTime();
  if (age < -maximumSkewSeconds * 1000) {
    throw invalidSignature(
      `Signature not yet current: ${dateText(signedAt)} is later than ${dateText(new Date(nowMs))}`,
    );
  }
  if (age > expiresSeconds * 1000) {
    throw invalidSignature(`Signature expired: ${dateText(signedAt)} is too long before ${dateText(new Date(nowMs))}`);
  }
}

/** `20260102T030405Z`. */
function dateOf(text: string | undefined): Date | undefined {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? "") ?? [];
  if (year === undefined) return undefined;
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(date.getTime()) || dateText(date) !== text ? undefined : date;
}

function dateText(date: Date): string {
  return date.toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function incomplete(message: string): ServiceError {
  return new ServiceError("IncompleteSignatureException", message);
}

function invalidSignature(message: string): ServiceError {
  return new ServiceError("InvalidSignatureException", message);
}
