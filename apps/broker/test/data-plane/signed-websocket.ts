/**
 * The URL of MQTT over WebSocket as AWS's documents have it in their example, put together by hand: without X-Amz-Expires. Node's
 * hashes alone are used, so that it does not share an error with the signer that verifies.
 */

import { createHash, createHmac, type BinaryLike } from "node:crypto";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const hmac = (key: BinaryLike, text: string): Buffer => createHmac("sha256", key).update(text).digest();

/** Signs at a date. */
export function withoutExpiry(
  host: string,
  { accessKeyId, secretAccessKey }: { readonly accessKeyId: string; readonly secretAccessKey: string },
  at: Date,
): string {
  const date = at.toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  const scope = `${date.slice(0, 8)}/us-east-1/iotdevicegateway/aws4_request`;
  const query = [
    "X-Amz-Algorithm=AWS4-HMAC-SHA256",
    `X-Amz-Credential=${encodeURIComponent(`${accessKeyId}/${scope}`)}`,
    `X-Amz-Date=${date}`,
    "X-Amz-SignedHeaders=host",
  ].join("&");
  const canonical = ["GET", "/mqtt", query, `host:${host}`, "", "host", sha256("")].join("\n");
  const text = ["AWS4-HMAC-SHA256", date, scope, sha256(canonical)].join("\n");
  const key = scope.split("/").reduce<Buffer | string>((secret, part) => hmac(secret, part), `AWS4${secretAccessKey}`);
  return `wss://${host}/mqtt?${query}&X-Amz-Signature=${hmac(key, text).toString("hex")}`;
}
