/**
 * `npm run bogo -- RUNNER RESOURCES [PATTERN]`: BoringSSL's TLS conformance suite against `@latchkey/tls`.
 *
 * RUNNER is the suite's program, RESOURCES its folder with certificates and keys, `ssl/test/runner` of BoringSSL's sources; the
 * README says how to make the first. PATTERN selects tests, `*` and `?` stand for any characters, `;` separates several.
 */

import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const folder = fileURLToPath(new URL("..", import.meta.url));
const configFile = join(folder, "bogo-config.json");
const cache = join(folder, "node_modules/.cache/bogo");

/** The verdicts that the runner prints, and the tests that got each. */
type Results = ReadonlyMap<Verdict, readonly string[]>;
type Verdict = "PASSED" | "FAILED" | "UNIMPLEMENTED";

const [runner, resources, pattern = "*"] = process.argv.slice(2);
if (runner === undefined || resources === undefined) {
  process.stderr.write("Usage: npm run bogo -- RUNNER RESOURCES [PATTERN]\n");
  process.exitCode = 2;
} else {
  process.exitCode = await run(resolve(runner), resolve(resources), pattern);
}

async function run(runner: string, resources: string, pattern: string): Promise<number> {
  const [shim, nothing] = writePrograms();
  const common = ["-allow-unimplemented", "-pipe", "-num-workers", "2", "-resource-dir", resources, "-test", pattern];
  // A shim that implements nothing gives the names of all tests.
  const all = await results(runner, resources, ["-shim-path", nothing, ...common], false);
  const names = all.get("UNIMPLEMENTED") ?? [];
  const seen = await results(runner, resources, ["-shim-path", shim, "-shim-config", configFile, ...common], true);
  const count = (verdict: Verdict): number => seen.get(verdict)?.length ?? 0;
  const [passed, failed, unimplemented] = [count("PASSED"), count("FAILED"), count("UNIMPLEMENTED")];
  const disabled = names.length - passed - failed - unimplemented;
  process.stdout.write(
    `\n${names.length} tests: ${passed} passed, ${failed} failed, ${unimplemented} not implemented, ${disabled} disabled\n`,
  );
  const stale = pattern === "*" ? stalePatterns(names) : [];
  for (const one of stale) process.stdout.write(`No test has a name that the disabled ${one} matches\n`);
  return failed > 0 || passed === 0 || stale.length > 0 ? 1 : 0;
}

/** The shim as one file and a script that starts it: a start of Node costs more than a test. */
function writePrograms(): [shim: string, nothing: string] {
  mkdirSync(cache, { recursive: true });
  const outfile = join(cache, "shim.mjs");
  buildSync({
    entryPoints: [join(folder, "src/shim.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    conditions: ["@latchkey/source"],
  });
  const shim = join(cache, "shim");
  const environment = `NODE_COMPILE_CACHE="${join(cache, "compiled")}"`;
  const start = `${environment} exec "${process.execPath}" --no-warnings "${outfile}" "$@"`;
  writeFileSync(shim, `#!/bin/sh\n${start}\n`, { mode: 0o755 });
  const nothing = join(cache, "nothing");
  const isAsked = '[ "$1" = -is-handshaker-supported ] && echo No && exit 0';
  writeFileSync(nothing, `#!/bin/sh\n${isAsked}\nexit 89\n`, { mode: 0o755 });
  return [shim, nothing];
}

/** Runs the suite. What it says of failures goes to stdout, if wished for. */
async function results(
  runner: string,
  resources: string,
  args: readonly string[],
  showsFailures: boolean,
): Promise<Results> {
  const found = new Map<Verdict, string[]>();
  const child = spawn(runner, args, { cwd: resources, stdio: ["ignore", "pipe", "inherit"] });
  const end = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve());
  });
  let isFailure = false;
  for await (const line of createInterface({ input: child.stdout })) {
    const match = /^(PASSED|FAILED|UNIMPLEMENTED) \((.*)\)$/.exec(line);
    const [, verdict, name] = match ?? [];
    if (isVerdict(verdict) && name !== undefined) {
      const names = found.get(verdict);
      if (names === undefined) found.set(verdict, [name]);
      else names.push(name);
      isFailure = verdict === "FAILED";
    }
    if (isFailure && showsFailures) process.stdout.write(`${line}\n`);
  }
  await end;
  return found;
}

function isVerdict(text: string | undefined): text is Verdict {
  return text === "PASSED" || text === "FAILED" || text === "UNIMPLEMENTED";
}

/** Patterns of disabled tests that match none. */
function stalePatterns(names: readonly string[]): readonly string[] {
  const config: unknown = JSON.parse(readFileSync(configFile, "utf8"));
  if (typeof config !== "object" || config === null || !("DisabledTests" in config)) return [];
  return Object.keys(config.DisabledTests ?? {}).filter((pattern) => {
    const source = pattern.replaceAll(/[.+^$()|[\]\\]/g, String.raw`\$&`);
    const expression = new RegExp(`^${source.replaceAll("*", ".*").replaceAll("?", ".")}$`);
    return !names.some((name) => expression.test(name));
  });
}
