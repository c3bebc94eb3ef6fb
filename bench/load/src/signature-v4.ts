/** AWS Signature Version 4 of a request without a body: what the SDKs put on calls of the control plane. */

import { createHash, createHmac } from "node:crypto";

const emptyBodyHash = createHash("sha256").digest("hex");

/** With what, and for what, requests are signed. */
export interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken: string | undefined;
  readonly region: string;
  /** `iot` for the control plane. */
  readonly service: string;
}

/** The credentials of the usual variables; undefined where they are not set. */
export function environmentCredentials(environment: NodeJS.ProcessEnv): SigningCredentials | undefined {
  const accessKeyId = environment["AWS_ACCESS_KEY_ID"];
  const secretAccessKey = environment["AWS_SECRET_ACCESS_KEY"];
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  const sessionToken = environment["AWS_SESSION_TOKEN"];
  const region = environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"] ?? "us-east-1";
  return { accessKeyId, secretAccessKey, sessionToken, region, service: "iot" };
}

/** The headers that sign a request; none without credentials. */
export function signatureHeaders(
  method: string,
  url: URL,
  now: Date,
  credentials: SigningCredentials | undefined,
): Record<string, string> {
  if (credentials === undefined) return {};
  const { accessKeyId, secretAccessKey, sessionToken, region, service } = credentials;
  const time = now.toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  const headers = {
    host: url.host,
    "x-amz-date": time,
    ...(sessionToken !== undefined && { "x-amz-security-token": sessionToken }),
  };
  const signedHeaders = Object.keys(headers).join(";");
  const request = [
    method,
    // A path is encoded twice everywhere but in S3; the URL has done it once.
    url.pathname.split("/").map(encoded).join("/"),
    canonicalQuery(url.searchParams),
    ...Object.entries(headers).map(([name, value]) => `${name}:${value}`),
    "",
    signedHeaders,
    emptyBodyHash,
  ].join("\n");
  const text = ["AWS4-HMAC-SHA256", time, scope, createHash("sha256").update(request).digest("hex")].join("\n");
  const mac = (key: string | Buffer, value: string): Buffer => createHmac("sha256", key).update(value).digest();
  const key = scope
    .split("/")
    .reduce<Buffer | string>((previous, part) => mac(previous, part), `AWS4${secretAccessKey}`);
  const signature = createHmac("sha256", key).update(text).digest("hex");
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`,
  };
}

/** All but letters, digits and `-._~` in percent (RFC 3986 §2.3). */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Sorted by name, then by value, after they were encoded. */
function canonicalQuery(parameters: URLSearchParams): string {
  const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return Array.from(parameters, ([name, value]) => [encoded(name), encoded(value)] as const)
    .sort(([nameA, valueA], [nameB, valueB]) => order(nameA, nameB) || order(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}
