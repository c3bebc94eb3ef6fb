/**
 * `npm run vectors -- --into FOLDER`: fetches the corpora of other projects that tests read, by pinned commit and SHA-256.
 * `npm run test:corpora` looks for them in `../shared/vectors`, beside the checkout.
 */

import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { corpora } from "@latchkey/tooling-vitest/corpora";
import { fetchCorpora, FetchError } from "./fetch-corpora.ts";

const folder = folderOf(process.argv.slice(2));
if (folder === undefined) {
  console.error("Usage: npm run vectors -- --into FOLDER");
  process.exitCode = 2;
} else await run(folder);

function folderOf(words: readonly string[]): string | undefined {
  try {
    return parseArgs({ args: [...words], options: { into: { type: "string" } } }).values.into;
  } catch {
    return undefined;
  }
}

async function run(given: string): Promise<void> {
  // npm runs scripts in the repository's root, whatever folder the user is in.
  const folder = resolve(process.env["INIT_CWD"] ?? "", given);
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());
  const files = corpora.flatMap((corpus) => corpus.files);
  try {
    let count = 0;
    await fetchCorpora(files, folder, {
      signal: interrupted.signal,
      onFile: ({ path }) => console.log(`${++count} of ${files.length}: ${path}`),
    });
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
    return;
  }
  for (const { name, licence, cases } of corpora.filter((corpus) => corpus.files.length > 0)) {
    console.log(`${name}, ${licence}: ${cases} cases in ${folder}`);
  }
  for (const { name } of corpora.filter((corpus) => corpus.files.length === 0)) {
    console.log(`${name} is not published in the form that the tests read: see CONTRIBUTING.md`);
  }
}
