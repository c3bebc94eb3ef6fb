/** Accounts in regions, and the host names that select them. */

import { resourceKey } from "./changes.ts";
import { alreadyExists, invalid, notFound } from "./errors.ts";
import { accounts, endpoints, type AccountRecord } from "./records/account.ts";
import { checkScope, scopeKey, scopeOfKey, type Scope } from "./scope.ts";
import type { StorageReader, StorageWriter } from "./storage.ts";

/**
 * Gives the account's record, which is made where there is none. Throws `ERR_REGISTRY_INVALID`, and `ERR_REGISTRY_ALREADY_EXISTS`
 * where another account has the endpoint that the new one would get.
 */
export function ensureAccount(writer: StorageWriter, scope: Scope, nowSeconds: number): AccountRecord {
  const key = scopeKey(scope);
  const known = accounts.get(writer, key);
  if (known !== undefined) return known;
  checkScope(scope);
  const record = {
    account: scope.account,
    region: scope.region,
    endpoint: defaultEndpoint(scope),
    createdAtSeconds: nowSeconds,
    lastOrder: 0,
  };
  if (endpoints.get(writer, record.endpoint) !== undefined) throw alreadyExists("endpoint", record.endpoint, undefined);
  accounts.put(writer, record, key);
  endpoints.put(writer, key, record.endpoint);
  writer.announce("account", []);
  return record;
}

/** Throws `ERR_REGISTRY_NOT_FOUND` where there is no such account in the region. */
export function requireAccount(reader: StorageReader, scope: Scope): AccountRecord {
  const record = accounts.get(reader, scopeKey(scope));
  if (record === undefined) throw notFound("account", scopeKey(scope));
  return record;
}

/** The next number for what an account lists in the order of its creation. Throws `ERR_REGISTRY_NOT_FOUND`. */
export function nextOrder(writer: StorageWriter, scope: string): number {
  const record = accounts.get(writer, scope);
  if (record === undefined) throw notFound("account", scope);
  const lastOrder = record.lastOrder + 1;
  accounts.put(writer, { ...record, lastOrder }, scope);
  return lastOrder;
}

/** An order as a part of a key: texts that sort as the numbers do. */
export function orderKey(order: number): string {
  return String(order).padStart(12, "0");
}

/** What stands behind the order in a key. */
export function withoutOrder(key: string): string {
  return key.slice(key.indexOf("/") + 1);
}

/**
 * Gives an account another endpoint: a host name without scheme and port, in any letter case.
 *
 * Throws `ERR_REGISTRY_INVALID`, `ERR_REGISTRY_NOT_FOUND`, and `ERR_REGISTRY_ALREADY_EXISTS` where another account has it.
 */
export function setEndpoint(writer: StorageWriter, scope: Scope, host: string): void {
  const record = requireAccount(writer, scope);
  const name = host.toLowerCase();
  if (!/^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/.test(name)) {
    throw invalid("endpoint", host, "a host name without scheme and port");
  }
  const key = scopeKey(scope);
  const owner = endpoints.get(writer, name);
  if (owner !== undefined && owner !== key) throw alreadyExists("endpoint", name, undefined);
  endpoints.delete(writer, record.endpoint);
  endpoints.put(writer, key, name);
  accounts.put(writer, { ...record, endpoint: name }, key);
  writer.announce("endpoint", [resourceKey(key, "certificate-authority", "")]);
}

/** The account that a server name (SNI) selects, or undefined where it is the endpoint of none. */
export function scopeOfServerName(reader: StorageReader, serverName: string): Scope | undefined {
  const key = endpoints.get(reader, serverName.toLowerCase());
  return key === undefined ? undefined : scopeOfKey(key);
}

/**
 * The form of AWS's endpoints under a domain that resolves to this machine. The prefix is the account's and the region's,
 * so that it stays the same.
 */
function defaultEndpoint({ account, region }: Scope): string {
  return `a${account}-ats.iot.${region}.localhost`;
}
