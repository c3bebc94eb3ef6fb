/** Reading the answers of the API: what a command needs of them is checked, and lists are followed to their end. */

import { UsageError } from "@latchkey/command-line";
import { isObject } from "../http/json-body.ts";
import type { ApiAnswer, ApiClient } from "./api-client.ts";

/** All entries of a list, page by page. `list` is the member that has them. */
export async function* allOf(
  api: ApiClient,
  name: string,
  list: string,
  input: Readonly<Record<string, unknown>> = {},
): AsyncGenerator<ApiAnswer> {
  let page: Readonly<Record<string, unknown>> = input;
  for (;;) {
    const answer = await api.call(name, page);
    const items = answer[list];
    if (!Array.isArray(items)) throw new TypeError(`the answer of ${name} has no ${list}`);
    for (const item of items) if (isObject(item)) yield item;
    const { nextMarker, nextToken } = answer;
    if (typeof nextMarker === "string") page = { ...input, marker: nextMarker };
    else if (typeof nextToken === "string") page = { ...input, nextToken };
    else return;
  }
}

/** A text of an answer; empty where there is none. */
export function textIn(answer: ApiAnswer, name: string): string {
  const value = answer[name];
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}

/** Hexadecimal digits of an identifier that are shown, and that are enough to name it while no other begins so. */
export const shortLength = 12;
const leastDigits = 4;

/**
 * The identifier that a person means: a whole one, or the beginning of one that the list has. `what` names the kind, `list` the command that shows them. Throws
 * `UsageError` where none or several begin so.
 */
export async function fullIdentifier(
  typed: string,
  what: string,
  list: string,
  known: () => AsyncIterable<ApiAnswer>,
): Promise<string> {
  const digits = typed.toLowerCase();
  if (/^[0-9a-f]{64}$/.test(digits)) return digits;
  if (!/^[0-9a-f]+$/.test(digits) || digits.length < leastDigits) {
    throw new UsageError(
      `${JSON.stringify(typed)} is no ${what}: it is 64 hexadecimal digits, or at least the first ${leastDigits} of them`,
    );
  }
  const found: string[] = [];
  for await (const item of known()) {
    const id = textIn(item, "certificateId");
    if (id.startsWith(digits)) found.push(id);
  }
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  throw new UsageError(
    first === undefined
      ? `no ${what} begins with ${digits}: "${list}" shows those that exist`
      : `${found.length} of them begin with ${digits}: ${found.map((id) => id.slice(0, digits.length + 8)).join(", ")}`,
  );
}

/** The certificateId that a person means. */
export function certificateIdOf(api: ApiClient, typed: string): Promise<string> {
  return fullIdentifier(typed, "certificateId", "latchkey certificate list", () =>
    allOf(api, "ListCertificates", "certificates", { pageSize: 250 }),
  );
}

/** The ARN of a certificate. The account is that of the answer, since a remote caller does not know its own. */
export async function certificateArnOf(api: ApiClient, typed: string): Promise<string> {
  const certificateId = await certificateIdOf(api, typed);
  const { certificateDescription } = await api.call("DescribeCertificate", { certificateId });
  return isObject(certificateDescription) ? textIn(certificateDescription, "certificateArn") : "";
}
