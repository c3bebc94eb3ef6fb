/**
 * Checks every Markdown document of the repository: relative links lead to a file (and heading) that exists, and each
 * fenced example marked as runnable runs.
 *
 * ```` ```ts runnable ```` runs as a module beside the document, on the sources; ```` ```sh runnable ```` runs in the
 * repository's root. An example passes when it exits with 0, so it asserts what it shows. A package's examples are also
 * checked as its consumers meet them (see `consumer.ts`), and its README says how to install it and links to the root.
 */

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { checkConsumerTypes, runOnLowestNode, type Example } from "./consumer.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const exampleTimeoutMs = 300_000;

/** One fenced block of a document. */
interface Fence {
  /** The word and mark behind the backticks: `ts runnable`. */
  readonly mark: string;
  readonly line: number;
  readonly text: string;
}

const problems: string[] = [];
let links = 0;
let examples = 0;
const packageExamples: Example[] = [];
for (const document of documents()) {
  const text = readFileSync(join(root, document), "utf8");
  checkLinks(document, text);
  for (const fence of fencesOf(text)) {
    runExample(document, fence);
    if (fence.mark === "ts runnable" && document.startsWith("packages/")) {
      packageExamples.push({ document, line: fence.line, source: fence.text });
    }
  }
  if (/^packages\/[^/]+\/README\.md$/u.test(document)) checkPackageReadme(document, text);
}
problems.push(...checkConsumerTypes(root, packageExamples), ...runOnLowestNode(root, packageExamples));
for (const problem of problems) console.error(problem);
console.log(`${links} links, ${examples} examples, ${problems.length} problems`);
if (problems.length > 0) process.exitCode = 1;

/** Tracked documents and new ones that git does not ignore. */
function documents(): string[] {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "--", "*.md"], {
    cwd: root,
    encoding: "utf8",
  });
  return listed.split("\n").filter((path) => path !== "" && existsSync(join(root, path)));
}

function checkLinks(document: string, text: string): void {
  const prose = text.replaceAll(/^(`{3,})[^\n]*\n[\s\S]*?^\1`*\s*$/gmu, "").replaceAll(/`[^`\n]*`/gu, "");
  for (const [, target = ""] of prose.matchAll(/\]\(([^)\s]+)\)/gu)) {
    if (/^[a-z]+:/u.test(target)) continue;
    links++;
    const [path = "", heading] = target.split("#");
    const named = path === "" ? join(root, document) : resolve(root, dirname(document), path);
    const isFolder = existsSync(named) && statSync(named).isDirectory();
    const file = isFolder && heading !== undefined ? join(named, "README.md") : named;
    if (!existsSync(file)) problems.push(`${document}: no such file: ${target}`);
    else if (heading !== undefined && !headingsOf(file).includes(heading)) {
      problems.push(`${document}: no such heading: ${target}`);
    }
  }
}

/** What every package's README has: how to install the package, and the way to the rest of the project. */
function checkPackageReadme(document: string, text: string): void {
  const install = `npm install @latchkey/${document.split("/")[1]}`;
  if (!text.includes(install)) problems.push(`${document}: no install line: ${install}`);
  for (const target of ["../../README.md", "../../ARCHITECTURE.md", "../../SECURITY.md"]) {
    if (!text.includes(`](${target})`)) problems.push(`${document}: no link to ${target}`);
  }
}

/** Anchors as code hosts make them: lower case, punctuation dropped, spaces to hyphens. */
function headingsOf(file: string): string[] {
  const headings = readFileSync(file, "utf8").matchAll(/^#+ (.+)$/gmu);
  return Array.from(headings, ([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .trim()
      .replaceAll(" ", "-"),
  );
}

function fencesOf(text: string): Fence[] {
  return Array.from(text.matchAll(/^```(\w+ runnable)\n([\s\S]*?)^```$/gmu), (match) => ({
    mark: match[1] ?? "",
    line: text.slice(0, match.index).split("\n").length,
    text: match[2] ?? "",
  }));
}

function runExample(document: string, fence: Fence): void {
  examples++;
  const folder = join(root, dirname(document), ".examples");
  const file = join(folder, `line-${fence.line}.ts`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, fence.text);
  const [command, words, cwd]: [string, string[], string] =
    fence.mark === "ts runnable"
      ? [process.execPath, ["--conditions=@latchkey/source", file], folder]
      : ["bash", ["-euo", "pipefail", file], root];
  const run = spawnSync(command, words, { cwd, encoding: "utf8", timeout: exampleTimeoutMs });
  rmSync(folder, { recursive: true });
  if (run.status === 0) return;
  const why = run.error?.message ?? run.stderr.trim();
  problems.push(
    `${document}:${fence.line}: the example ended with ${run.status ?? run.signal}\n${why}`.replaceAll(
      relative(root, file),
      "example",
    ),
  );
}
