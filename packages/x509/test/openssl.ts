/** The openssl program, run on files in a temporary folder. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram, type Program } from "@latchkey/tooling-vitest/programs";

export const openssl: Program = findProgram("openssl");

/** A folder to run openssl in; delete it when done. */
export class Bench {
  readonly folder: string = mkdtempSync(join(tmpdir(), "latchkey-x509-"));

  write(name: string, content: string | Uint8Array): void {
    writeFileSync(join(this.folder, name), content);
  }

  read(name: string): Uint8Array {
    return new Uint8Array(readFileSync(join(this.folder, name)));
  }

  text(name: string): string {
    return readFileSync(join(this.folder, name), "utf8");
  }

  /** Runs `openssl` with words split at spaces and returns what it prints. Throws where it fails. */
  run(words: string, input?: Uint8Array): string {
    return this.runWords(words.split(" "), input);
  }

  /** As `run`, with the words already split. */
  runWords(words: readonly string[], input?: Uint8Array): string {
    return execFileSync(openssl.path ?? "", words, {
      cwd: this.folder,
      input,
      encoding: "utf8",
      stdio: ["pipe", "pipe", "pipe"],
    });
  }

  delete(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** The title of what needs openssl, with the reason where it is missing. */
export function withOpenssl(title: string): string {
  return openssl.path === undefined ? `${title} (${openssl.skipReason})` : title;
}
