/** The commit that figures belong to. */

import { execFileSync } from "node:child_process";

/** The commit of a checkout in twelve digits, `+` behind it where the working tree differs; `unknown` outside one. */
export function revisionOf(folder: string = process.cwd()): string {
  try {
    return git(folder, "rev-parse", "--short=12", "HEAD") + (git(folder, "status", "--porcelain") === "" ? "" : "+");
  } catch {
    return "unknown";
  }
}

function git(folder: string, ...words: string[]): string {
  return execFileSync("git", words, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
}
