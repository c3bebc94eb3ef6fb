/** Accounts and the names under which devices reach them. */

import { misfit, object, text, whole, type Decoder } from "../decode.ts";
import { Table } from "../table.ts";

/** An account in a region. */
export interface AccountRecord {
  readonly account: string;
  readonly region: string;
  /** The host name of its data endpoint, without scheme and port: the server name (SNI) that selects the account. */
  readonly endpoint: string;
  readonly createdAtSeconds: number;
  /** The last number that was given to a certificate, an authority, a policy or an attachment: lists have them in this order. */
  readonly lastOrder: number;
}

const accountRecord: Decoder<AccountRecord> = object({
  account: text,
  region: text,
  endpoint: text,
  createdAtSeconds: whole,
  lastOrder: whole,
});

/** SCOPE. */
export const accounts: Table<AccountRecord> = new Table("account", accountRecord);
/** A scope as `scopeKey` writes it. */
const scopeText: Decoder<string> = (value, path) =>
  typeof value === "string" && /^\d{12}:[a-z0-9-]{1,32}$/.test(value)
    ? value
    : misfit(path, value, "an account and region");

/** HOST: the scope that it selects. */
export const endpoints: Table<string> = new Table("endpoint", scopeText);
