/** Requests that are signed step by step, so that each step can be spoilt. */

import { Sha256 } from "@latchkey/request-signing";
import { SignatureV4 } from "@smithy/signature-v4";
import type { HttpRequest } from "@smithy/types";

/** A request before it is signed. */
export interface Unsigned {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What it is signed with. */
export interface SigningOptions {
  readonly key: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string };
  readonly service?: string;
  readonly region?: string;
  readonly date?: Date;
}

/** An answer with its body read. */
export interface Answer {
  readonly status: number;
  readonly errorType: string | null;
  readonly body: string;
}

/** Signs in the header. Gives what `fetch` takes. */
export async function signed(
  { url, method = "GET", headers = {}, body }: Unsigned,
  options: SigningOptions,
): Promise<Request> {
  const { host } = new URL(url);
  const request = await signerOf(options).sign(requestOf(url, method, { ...headers, host }, body), {
    signingDate: options.date ?? new Date(),
  });
  return new Request(url, { method, headers: request.headers, ...(body !== undefined && { body }) });
}

/** Signs in the query. */
export async function presigned(
  { url, method = "GET" }: Unsigned,
  options: SigningOptions & { readonly expiresIn?: number },
): Promise<string> {
  const { host } = new URL(url);
  const request = await signerOf(options).presign(requestOf(url, method, { host }, undefined), {
    signingDate: options.date ?? new Date(),
    expiresIn: options.expiresIn ?? 60,
  });
  const query = Object.entries(request.query ?? {}).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`,
  );
  return `${url.split("?")[0]}?${query.join("&")}`;
}

/** Sends, and reads the answer. */
export async function send(request: Request | string): Promise<Answer> {
  const response = await fetch(request);
  return { status: response.status, errorType: response.headers.get("x-amzn-errortype"), body: await response.text() };
}

function signerOf({ key, service = "iot", region = "us-east-1" }: SigningOptions): SignatureV4 {
  return new SignatureV4({ service, region, credentials: key, sha256: Sha256 });
}

function requestOf(
  url: string,
  method: string,
  headers: Record<string, string>,
  body: string | undefined,
): HttpRequest {
  const { pathname, searchParams, protocol, hostname } = new URL(url);
  const query = Object.fromEntries(Array.from(searchParams.keys(), (name) => [name, searchParams.getAll(name)]));
  return { method, protocol, hostname, path: pathname, query, headers, body };
}
