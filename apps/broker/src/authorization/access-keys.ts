/**
 * The access keys that sign requests of the control plane, in `access-keys.json` of the data directory.
 *
 * A signature is an HMAC. To verify it the broker needs the secret itself, so the file keeps secrets and not their hashes. Only its
 * owner can read the file. A secret is sent once, in the answer that creates the key.
 */

import { randomBytes } from "node:crypto";
import { chmod, readFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "@latchkey/command-line";
import { writeFileWhole } from "../data-directory/write-file.ts";
import { BrokerError } from "../errors.ts";
import { isObject } from "../http/json-body.ts";
import { ServiceError } from "../http/service-error.ts";

/** What a key may do: everything, or only what changes nothing. */
export type AccessScope = "administrator" | "reader";

/** A key as it is listed. */
export interface AccessKeySummary {
  readonly accessKeyId: string;
  readonly accessScope: AccessScope;
  /** 12 digits: the account that requests of the key work in. */
  readonly account: string;
  readonly description: string | undefined;
  /** Seconds since 1970-01-01T00:00:00Z. */
  readonly createdAtSeconds: number;
}

/** A key with its secret. */
export interface AccessKey extends AccessKeySummary {
  readonly secretAccessKey: string;
}

/** A key to be made. */
export interface NewAccessKey {
  readonly accessScope: AccessScope;
  readonly account: string;
  readonly description: string | undefined;
}

const fileName = "access-keys.json";
/** Keys of all accounts together. */
const maximumKeys = 1000;
const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The keys of one data directory. One process writes them: the broker that runs on it, or a command while none runs. */
export class AccessKeys {
  readonly #file: string;
  readonly #nowSeconds: () => number;
  readonly #keys: Map<string, AccessKey>;
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(file: string, nowSeconds: () => number, keys: readonly AccessKey[]) {
    this.#file = file;
    this.#nowSeconds = nowSeconds;
    this.#keys = new Map(keys.map((key) => [key.accessKeyId, key]));
  }

  /** Reads the keys of a data directory; there are none where the file is not there. Throws `ERR_BROKER_DATA_DIRECTORY`. */
  static async open(directory: string, nowSeconds: () => number): Promise<AccessKeys> {
    const file = join(directory, fileName);
    return new AccessKeys(file, nowSeconds, await readKeys(file));
  }

  /** Undefined for a key that there is not. The answer is for the verification of a signature, and nothing else. */
  find(accessKeyId: string): AccessKey | undefined {
    return this.#keys.get(accessKeyId);
  }

  /** All keys of an account, oldest first, without their secrets. */
  list(account: string): readonly AccessKeySummary[] {
    const own = [...this.#keys.values()].filter((key) => key.account === account);
    return own.map(({ accessKeyId, accessScope, description, createdAtSeconds }) => ({
      accessKeyId,
      accessScope,
      account,
      description,
      createdAtSeconds,
    }));
  }

  /** Any administrator of an account, with its secret: for a command on the machine of the broker. */
  administratorOf(account: string): AccessKey | undefined {
    return [...this.#keys.values()].find((key) => key.account === account && key.accessScope === "administrator");
  }

  /** Makes a key. It can be used when the promise resolves. Throws LimitExceededException, ServiceUnavailableException. */
  async create(wanted: NewAccessKey): Promise<AccessKey> {
    return this.#change(() => {
      if (this.#keys.size >= maximumKeys) {
        throw new ServiceError(
          "LimitExceededException",
          `there are ${maximumKeys} access keys already: revoke one first`,
        );
      }
      const key: AccessKey = {
        accessKeyId: `LKIA${Array.from(randomBytes(16), (octet) => base32[octet % 32]).join("")}`,
        secretAccessKey: randomBytes(30).toString("base64"),
        createdAtSeconds: this.#nowSeconds(),
        ...wanted,
      };
      return { keys: [...this.#keys.values(), key], result: key };
    });
  }

  /**
   * Takes a key away, at once. Throws ResourceNotFoundException, and DeleteConflictException for the last administrator of an
   * account, which nobody could replace.
   */
  async revoke(account: string, accessKeyId: string): Promise<void> {
    await this.#change(() => {
      const key = this.#keys.get(accessKeyId);
      if (key?.account !== account) {
        throw new ServiceError("ResourceNotFoundException", `there is no access key ${JSON.stringify(accessKeyId)}`);
      }
      const others = [...this.#keys.values()].filter((one) => one !== key);
      const isLast = !others.some((one) => one.account === account && one.accessScope === "administrator");
      if (isLast && key.accessScope === "administrator") {
        throw new ServiceError(
          "DeleteConflictException",
          `${accessKeyId} is the last administrator key of account ${account}: create another one first`,
        );
      }
      return { keys: others, result: undefined };
    });
  }

  /** One change after the other; what cannot be written has not happened. */
  #change<T>(change: () => { readonly keys: readonly AccessKey[]; readonly result: T }): Promise<T> {
    const done = this.#writing.then(async () => {
      const { keys, result } = change();
      try {
        await writeFileWhole(this.#file, `${JSON.stringify({ version: 1, keys }, undefined, 2)}\n`, 0o600);
      } catch (cause) {
        const message = `the access keys cannot be written: ${messageOf(cause)}`;
        throw new ServiceError("ServiceUnavailableException", message, { cause });
      }
      this.#keys.clear();
      for (const key of keys) this.#keys.set(key.accessKeyId, key);
      return result;
    });
    this.#writing = done.catch(() => {});
    return done;
  }
}

async function readKeys(file: string): Promise<readonly AccessKey[]> {
  let content: string;
  try {
    content = await readFile(file, "utf8");
    await chmod(file, 0o600);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return [];
    throw damaged(file, messageOf(cause), cause);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(content);
  } catch {
    // The parser's message quotes the text, which has secrets in it.
    throw damaged(file, "it is no JSON");
  }
  if (!isObject(parsed) || !Array.isArray(parsed["keys"])) throw damaged(file, "it has no list of keys");
  return parsed["keys"].map((key: unknown) => readKey(file, key));
}

function readKey(file: string, key: unknown): AccessKey {
  const { accessKeyId, secretAccessKey, accessScope, account, description, createdAtSeconds } = isObject(key)
    ? key
    : {};
  if (
    typeof accessKeyId !== "string" ||
    typeof secretAccessKey !== "string" ||
    secretAccessKey.length < 16 ||
    (accessScope !== "administrator" && accessScope !== "reader") ||
    typeof account !== "string" ||
    (description !== undefined && typeof description !== "string") ||
    typeof createdAtSeconds !== "number"
  ) {
    throw damaged(file, "one of its keys is not complete");
  }
  return { accessKeyId, secretAccessKey, accessScope, account, description, createdAtSeconds };
}

function damaged(file: string, why: string, cause?: unknown): BrokerError {
  const mend = "Move it away, and start the broker to have a new administrator key made";
  return new BrokerError("ERR_BROKER_DATA_DIRECTORY", `${file} cannot be read: ${why}. ${mend}`, { cause });
}
