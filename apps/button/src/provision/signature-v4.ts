/** Signs a request by AWS Signature Version 4 (AWS General Reference, "Create a signed AWS API request"). */

import { createHash, createHmac } from "node:crypto";

/** Who signs. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** A request to sign. */
export interface UnsignedRequest {
  readonly method: string;
  readonly url: URL;
  readonly body: string;
  readonly region: string;
  /** The name of the service in the credential scope. */
  readonly service: string;
  readonly date: Date;
}

/** The headers that prove who sent the request, Host among them. */
export function signedHeaders(request: UnsignedRequest, key: AccessKey): Record<string, string> {
  const { url, region, service } = request;
  const timestamp = request.date.toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const day = timestamp.slice(0, 8);
  const headers: Record<string, string> = {
    host: url.host,
    "x-amz-date": timestamp,
    ...(key.sessionToken !== undefined && { "x-amz-security-token": key.sessionToken }),
  };
  const names = Object.keys(headers).sort();
  const canonical = [
    request.method,
    // Every service but S3 encodes the path once more.
    url.pathname.split("/").map(encoded).join("/"),
    canonicalQuery(url.searchParams),
    ...names.map((name) => `${name}:${headers[name] ?? ""}`),
    "",
    names.join(";"),
    hashOf(request.body),
  ].join("\n");
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", timestamp, scope, hashOf(canonical)].join("\n");
  const signingKey = [day, region, service, "aws4_request"].reduce<string | Buffer>(
    macOf,
    `AWS4${key.secretAccessKey}`,
  );
  const signature = macOf(signingKey, toSign).toString("hex");
  const credential = `${key.accessKeyId}/${scope}`;
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(";")}, Signature=${signature}`,
  };
}

function canonicalQuery(parameters: URLSearchParams): string {
  const pairs = Array.from(parameters, ([name, value]) => `${encoded(name)}=${encoded(value)}`);
  return pairs.sort().join("&");
}

/** RFC 3986: all but the unreserved characters. */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function macOf(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
