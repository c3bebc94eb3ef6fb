/** Accounts, regions and the ARNs of what is in them, as AWS IoT writes them. */

import { invalid } from "./errors.ts";

/** What everything in the registry belongs to. */
export interface Scope {
  /** 12 digits. */
  readonly account: string;
  /** For instance `us-east-1`. */
  readonly region: string;
}

/** The account and region that a registry starts with. */
export const defaultScope: Scope = { account: "000000000000", region: "us-east-1" };

/** The kinds of resource that have ARNs. */
export type ArnKind = "cert" | "cacert" | "policy" | "thing" | "thinggroup" | "thingtype" | "provisioningtemplate";

/** `arn:aws:iot:REGION:ACCOUNT:KIND/NAME`. */
export function resourceArn({ account, region }: Scope, kind: ArnKind, name: string): string {
  return `arn:aws:iot:${region}:${account}:${kind}/${name}`;
}

/** The name in an ARN of this kind and scope, or undefined where the text is another ARN. */
export function nameInArn(scope: Scope, kind: ArnKind, arn: string): string | undefined {
  const start = resourceArn(scope, kind, "");
  return arn.startsWith(start) && arn.length > start.length ? arn.slice(start.length) : undefined;
}

/** The scope as the beginning of a storage key. */
export function scopeKey({ account, region }: Scope): string {
  return `${account}:${region}`;
}

/** Undoes `scopeKey`. */
export function scopeOfKey(key: string): Scope {
  const colon = key.indexOf(":");
  return { account: key.slice(0, colon), region: key.slice(colon + 1) };
}

/** Throws `ERR_REGISTRY_INVALID` unless account and region have the form that they have in ARNs. */
export function checkScope({ account, region }: Scope): void {
  if (!/^\d{12}$/.test(account)) throw invalid("account", account, "12 digits");
  if (!/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(region) || region.length > 32) {
    throw invalid("region", region, "small letters, digits and hyphens, for instance us-east-1");
  }
}
