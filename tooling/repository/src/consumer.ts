/**
 * What a consumer of the published packages meets: the declarations and the README examples, type-checked strictly by the
 * oldest TypeScript that is supported and by the current one, in both ways of resolving modules; and the examples, run on
 * the lowest Node of the package's `engines`. All of it works on `dist`, so the packages have to be built.
 */

import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** One example of a README. */
export interface Example {
  /** The document, relative to the repository's root, and the line of the example in it. */
  readonly document: string;
  readonly line: number;
  readonly source: string;
}

/** The part of a package's manifest that is read here. */
interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly engines: { readonly node: string };
}

/** Compilers by the version that they have to say; a missing one would otherwise pass for the other. */
const compilers = { "5.7": "tooling/consumer/node_modules/.bin/tsc", "7.0": "node_modules/.bin/tsc" };
const resolutions = { nodenext: "nodenext", bundler: "preserve" };
const oldestNode = "tooling/consumer/node_modules/.bin/node";
const exampleTimeoutMs = 300_000;

/** Type-checks examples and declarations in every combination. Returns what a consumer's compiler would say. */
export function checkConsumerTypes(root: string, examples: readonly Example[]): string[] {
  const folder = join(root, ".examples");
  const problems: string[] = [];
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  try {
    const manifests = globSync("packages/*/package.json", { cwd: root }).map((path) => readManifest(join(root, path)));
    const entries = manifests.flatMap(({ name, exports }) =>
      Object.keys(exports)
        // Schemas and the manifest are data, without declarations.
        .filter((entry) => !entry.endsWith(".json"))
        .map((entry) => join(name, entry)),
    );
    writeFileSync(
      join(folder, "declarations.ts"),
      entries.map((entry, index) => `export type * as entry${index} from "${entry}";\n`).join(""),
    );
    for (const example of examples) writeFileSync(join(folder, fileOf(example)), example.source);
    for (const [version, compiler] of Object.entries(compilers)) {
      const found = spawnSync(join(root, compiler), ["--version"], { encoding: "utf8" });
      if (!found.stdout?.includes(`Version ${version}.`)) {
        problems.push(`${compiler} is not TypeScript ${version}: npm ci`);
        continue;
      }
      for (const [resolution, module] of Object.entries(resolutions)) {
        writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(consumerSettings(resolution, module)));
        const { status, stdout } = spawnSync(join(root, compiler), ["-p", folder, "--pretty", "false"], {
          cwd: folder,
          encoding: "utf8",
        });
        if (status !== 0) problems.push(`TypeScript ${version}, ${resolution}:\n${stdout.trim()}`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return problems;
}

/** Runs the examples of packages that support the oldest Node on it, those of other packages on this one. */
export function runOnLowestNode(root: string, examples: readonly Example[]): string[] {
  if (!existsSync(join(root, oldestNode))) {
    // The package registry has this version for Linux on x64 only.
    if (process.platform === "linux" && process.arch === "x64") return [`${oldestNode} is missing: run npm ci`];
    console.log(`The examples were not run on the lowest Node: it is there for Linux on x64 only.`);
    return [];
  }
  const version = spawnSync(join(root, oldestNode), ["--version"], { encoding: "utf8" }).stdout.trim().slice(1);
  const folder = join(root, ".examples");
  const problems: string[] = [];
  for (const example of examples) {
    const { engines } = readManifest(join(root, example.document, "../package.json"));
    const lowest = engines.node.replace(/^>=/u, "");
    const isOldest = version === lowest || version.startsWith(`${lowest}.`);
    if (!isOldest && !process.versions.node.startsWith(`${lowest}.`)) {
      problems.push(`${example.document}: no Node ${lowest} is here to run its examples on`);
      continue;
    }
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, fileOf(example)), example.source);
    const run = spawnSync(
      isOldest ? join(root, oldestNode) : process.execPath,
      ["--experimental-strip-types", "--no-warnings", fileOf(example)],
      { cwd: folder, encoding: "utf8", timeout: exampleTimeoutMs },
    );
    rmSync(folder, { recursive: true });
    if (run.status !== 0) {
      problems.push(
        `${example.document}:${example.line}: on Node ${lowest}:\n${run.error?.message ?? run.stderr.trim()}`,
      );
    }
  }
  return problems;
}

/** `packages-chain-README.12.ts`: the compiler's messages then say which example they are about. */
function fileOf({ document, line }: Example): string {
  return `${document.replaceAll("/", "-").replace(/\.md$/u, "")}.${line}.ts`;
}

function consumerSettings(resolution: string, module: string): object {
  return {
    compilerOptions: {
      module,
      moduleResolution: resolution,
      target: "es2022",
      types: ["node"],
      strict: true,
      noEmit: true,
      skipLibCheck: false,
    },
    include: ["*.ts"],
  };
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(path, "utf8")) as Manifest;
}
