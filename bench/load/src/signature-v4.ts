/** AWS Signature Version 4 of a request without a body: what the SDKs put on calls of the control plane. */

import { createHash, createHmac } from "node:crypto";

const service = "iot";
const emptyBodyHash = createHash("sha256").digest("hex");

/** Headers for a request, signed with the usual variables of the environment; none where they are not set. */
export function signatureHeaders(method: string, url: URL, now: Date): Record<string, string> {
  const keyId = process.env["AWS_ACCESS_KEY_ID"];
  const secret = process.env["AWS_SECRET_ACCESS_KEY"];
  if (keyId === undefined || secret === undefined) return {};
  const region = process.env["AWS_REGION"] ?? "us-east-1";
  const time = now.toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  const query = [...url.searchParams]
    .map((pair) => pair.map(encodeURIComponent).join("="))
    .sort()
    .join("&");
  const request = [
    method,
    url.pathname.split("/").map(encodeURIComponent).join("/"),
    query,
    `host:${url.host}\nx-amz-date:${time}\n`,
    "host;x-amz-date",
    emptyBodyHash,
  ].join("\n");
  const text = ["AWS4-HMAC-SHA256", time, scope, createHash("sha256").update(request).digest("hex")].join("\n");
  const mac = (key: string | Buffer, value: string): Buffer => createHmac("sha256", key).update(value).digest();
  const key = scope.split("/").reduce<Buffer | string>((previous, part) => mac(previous, part), `AWS4${secret}`);
  const signature = createHmac("sha256", key).update(text).digest("hex");
  return {
    "x-amz-date": time,
    authorization: `AWS4-HMAC-SHA256 Credential=${keyId}/${scope}, SignedHeaders=host;x-amz-date, Signature=${signature}`,
  };
}
