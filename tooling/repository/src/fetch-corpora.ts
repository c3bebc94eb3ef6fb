/**
 * Fetches corpora of other projects into a folder. Every file is held to its SHA-256. The folder appears when all files are
 * there and right; until then, and after a failure, nothing stands in its place.
 */

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { CorpusFile } from "@latchkey/tooling-vitest/corpora";

/** Why nothing was fetched. The message names the file and the reason. */
export class FetchError extends Error {
  override readonly name = "FetchError";
}

/** How to fetch. */
export interface FetchOptions {
  /** When it is aborted, what was fetched so far is removed. */
  readonly signal: AbortSignal;
  /** Called with each file that is there and right. */
  readonly onFile?: (file: CorpusFile) => void;
  /** No file is read past this many octets. Default 128 MiB; the largest one has 39 MB. */
  readonly maximumOctets?: number;
}

/** Files that are fetched at the same time. */
const atOnce = 4;

/** Fetches `files` into `folder`, which must not exist yet. Throws a FetchError. */
export async function fetchCorpora(files: readonly CorpusFile[], folder: string, options: FetchOptions): Promise<void> {
  const target = resolve(folder);
  if (existsSync(target)) throw new FetchError(`${folder} exists: name a folder that does not, or remove it`);
  await mkdir(dirname(target), { recursive: true });
  // Beside the folder that is asked for, so that it can be renamed to it.
  const unfinished = await mkdtemp(join(dirname(target), `.${basename(target)}-`));
  try {
    await fetchAll(files, unfinished, options);
    await rename(unfinished, target);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}

/** The first failure ends the other transfers as well, and is thrown when they have ended. */
async function fetchAll(files: readonly CorpusFile[], folder: string, options: FetchOptions): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const waiting = [...files];
  const fetchNext = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const octets = await fetchFile(file, signal, options.maximumOctets ?? 128 * 1024 * 1024);
      const path = join(folder, file.path);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, octets, { signal });
      options.onFile?.(file);
    }
  };
  let failure: unknown;
  await Promise.all(
    Array.from({ length: atOnce }, () =>
      fetchNext().catch((error: unknown) => {
        if (!failed.signal.aborted) failure = error;
        failed.abort();
      }),
    ),
  );
  if (options.signal.aborted) throw new FetchError("interrupted: nothing was written");
  if (failed.signal.aborted) throw failure;
}

async function fetchFile({ path, address, sha256 }: CorpusFile, signal: AbortSignal, maximum: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    const response = await fetch(address, { signal });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new FetchError(`${path}: ${address} answered ${response.status}`);
    }
    for await (const chunk of response.body) {
      length += chunk.length;
      if (length > maximum) throw new FetchError(`${path}: ${address} sends more than ${maximum} octets`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof FetchError) throw error;
    throw new FetchError(`${path}: ${address} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
  const octets = Buffer.concat(chunks);
  const found = createHash("sha256").update(octets).digest("hex");
  if (found !== sha256) throw new FetchError(`${path}: SHA-256 is ${found}, not ${sha256} (${length} octets)`);
  return octets;
}

/** `fetch` says "fetch failed" or "terminated", and the reason one level deeper. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
