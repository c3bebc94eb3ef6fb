/** The folder that a device is given: its key, its certificate, the root that it is to trust, and where the broker is. */

import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { messageOf, UsageError } from "@latchkey/command-line";
import type { BundleFile } from "@latchkey/registry";
import { makeDirectory, writeFileWhole } from "../data-directory/write-file.ts";
import { BrokerError } from "../errors.ts";

const fileNames = ["private.key", "certificate.pem", "root-ca.pem", "endpoint.json"];

/** Writes a file into the folder; a secret one is readable by its owner only. */
export type WriteDeviceFile = (file: BundleFile) => Promise<void>;

/**
 * Runs `body`, which writes the files of a device into the folder `out`. The folder is made where it does not exist. Where `body` fails,
 * the files are removed again, and a new folder with them.
 *
 * Throws `UsageError` where a device's files are there already, `ERR_BROKER_OUTPUT` where the disk refuses one, and what `body` throws.
 */
export async function fillDeviceFolder<T>(out: string, body: (write: WriteDeviceFile) => Promise<T>): Promise<T> {
  const folder = resolve(out);
  const files = fileNames.map((name) => join(folder, name));
  const taken = files.find((file) => existsSync(file));
  if (taken !== undefined) throw new UsageError(`${taken} exists already: give another folder with --out`);
  const isNew = await writing(folder, () => makeDirectory(folder));
  try {
    return await body(({ name, content, isSecret }) =>
      writing(folder, () => writeFileWhole(join(folder, name), content, isSecret ? 0o600 : 0o644)),
    );
  } catch (error) {
    for (const file of files) await rm(file, { force: true });
    if (isNew) await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Names the folder in what the disk refuses. */
async function writing<T>(folder: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (cause) {
    const message = `the device's files cannot be written to ${folder}: ${messageOf(cause)}`;
    throw new BrokerError("ERR_BROKER_OUTPUT", message, { cause });
  }
}
