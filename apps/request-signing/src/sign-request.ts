/** Signs a request by AWS Signature Version 4, with the signer that the AWS SDKs use. */

import { SignatureV4 } from "@smithy/signature-v4";
import { Sha256 } from "./sha256.ts";

/** Who signs. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken?: string | undefined;
}

/** A request to sign. */
export interface UnsignedRequest {
  readonly method: string;
  readonly url: URL;
  /** Default: none. */
  readonly body?: string | undefined;
  readonly region: string;
  /** The name of the service in the credential scope: `iot` for the control plane. */
  readonly service: string;
  readonly date: Date;
}

/** The headers that prove who sent the request, Host among them. */
export async function signRequest(request: UnsignedRequest, key: AccessKey): Promise<Record<string, string>> {
  const { method, url, body = "", region, service, date } = request;
  const { accessKeyId, secretAccessKey, sessionToken } = key;
  const signer = new SignatureV4({
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
    region,
    service,
    sha256: Sha256,
    applyChecksum: false,
  });
  const query: Record<string, string[]> = {};
  for (const name of new Set(url.searchParams.keys())) query[name] = url.searchParams.getAll(name);
  const { protocol, hostname, host, pathname: path } = url;
  const signed = await signer.sign(
    { method, protocol, hostname, path, query, headers: { host }, body },
    { signingDate: date },
  );
  return signed.headers;
}
