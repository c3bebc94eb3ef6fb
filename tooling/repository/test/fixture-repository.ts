/**
 * A small repository in a temporary folder, with this one's tooling and turbo.json: two packages with tests, of which
 * `two` imports `one`. What it runs is the real turbo and the real vitest.
 */

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const realRoot = fileURLToPath(new URL("../../../", import.meta.url));
/** How long a loaded machine may take for what takes a second. */
const patienceMs = 250_000;

export interface FixtureRepository extends Disposable {
  readonly root: string;
  /** Writes files by their paths from the root. */
  write(files: Readonly<Record<string, string>>): void;
  /** Changes a file that is there. */
  rewrite(path: string, change: (text: string) => string): void;
  /** The text of a file. */
  read(path: string): string;
  /** Puts a file or folder of this repository in the same place, by a symbolic link. */
  link(path: string): void;
  /** Copies a file or folder of this repository to the same place. */
  copy(path: string): void;
  /** Starts a file of `tooling/repository/src`, or a program on PATH, with `environment` besides this one's. */
  start(words: readonly string[], environment?: Readonly<Record<string, string>>): Running;
}

interface Running {
  /** Resolves with what was printed up to and with the next line that matches. Each line is looked at once. */
  until(pattern: RegExp): Promise<string>;
  interrupt(): void;
  readonly ended: Promise<{ readonly status: number | null; readonly output: string }>;
}

/** A package with one test file. */
export function workspace(name: string, test: string, dependencies: readonly string[] = []): Record<string, string> {
  const folder = `packages/${name}`;
  return {
    [`${folder}/package.json`]: JSON.stringify({
      name: `@latchkey/${name}`,
      version: "0.0.0",
      type: "module",
      scripts: { test: "vitest run", "test:corpora": "vitest run --mode corpora" },
      dependencies: Object.fromEntries(dependencies.map((one) => [`@latchkey/${one}`, "0.0.0"])),
    }),
    [`${folder}/vitest.config.ts`]: 'export { shared as default } from "@latchkey/tooling-vitest";\n',
    [`${folder}/test/${name}.test.ts`]: test,
  };
}

/** A test file with one test. */
export function oneTest(name: string, body: string): string {
  return `import { expect, test } from "vitest";\ntest("${name}", () => {\n  ${body}\n});\n`;
}

export function makeRepository(files: Readonly<Record<string, string>>): FixtureRepository {
  // The checkout is a folder of its own, as corpora lie beside it.
  const folder = mkdtempSync(join(tmpdir(), "latchkey-repository-"));
  const root = join(folder, "checkout");
  const write = (written: Readonly<Record<string, string>>): void => {
    for (const [path, text] of Object.entries(written)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  };
  for (const path of ["tooling/repository/src", "tooling/vitest/src"]) {
    cpSync(join(realRoot, path), join(root, path), { recursive: true });
  }
  for (const path of ["tooling/vitest/package.json", "turbo.json", "tsconfig.base.json", ".gitignore"]) {
    cpSync(join(realRoot, path), join(root, path));
  }
  mkdirSync(join(root, "node_modules/@latchkey"), { recursive: true });
  for (const name of readdirSync(join(realRoot, "node_modules"))) {
    if (name !== "@latchkey") symlinkSync(join(realRoot, "node_modules", name), join(root, "node_modules", name));
  }
  symlinkSync(join(root, "tooling/vitest"), join(root, "node_modules/@latchkey/tooling-vitest"));
  write({
    "package.json": JSON.stringify({
      name: "fixture",
      private: true,
      type: "module",
      workspaces: ["packages/*", "tooling/*"],
      packageManager: "npm@11.19.1",
    }),
    "package-lock.json": "{}",
    ...files,
  });
  const git = (...words: string[]): void => void execFileSync("git", words, { cwd: root, stdio: "ignore" });
  git("init");
  git("add", "--all");
  // Without a commit turbo does not ask git which files are ignored, and takes its own logs for sources.
  git("-c", "user.name=fixture", "-c", "user.email=fixture@localhost", "commit", "--message", "fixture");
  const running = new Set<Running>();
  return {
    root,
    write,
    rewrite: (path, change) => write({ [path]: change(readFileSync(join(root, path), "utf8")) }),
    read: (path) => readFileSync(join(root, path), "utf8"),
    copy: (path) => cpSync(join(realRoot, path), join(root, path), { recursive: true }),
    link: (path) => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      symlinkSync(join(realRoot, path), join(root, path));
    },
    start: ([script = "", ...words], environment = {}) => {
      // Variables that turbo gives to the tasks of this repository say nothing about the tasks of that one.
      const inherited = Object.entries(process.env).filter(([name]) => !/^(?:TURBO|LATCHKEY|VITEST|NODE_)/u.test(name));
      const env = {
        ...Object.fromEntries(inherited),
        TURBO_TELEMETRY_DISABLED: "1",
        NO_COLOR: "1",
        ...environment,
      };
      const isScript = script.endsWith(".ts");
      const command = isScript ? process.execPath : script;
      const first = isScript ? [join(root, "tooling/repository/src", script)] : [];
      const started = run(command, [...first, ...words], root, env);
      running.add(started);
      return started;
    },
    [Symbol.dispose]: () => {
      for (const one of running) one.interrupt();
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

function run(command: string, words: string[], cwd: string, env: NodeJS.ProcessEnv): Running {
  const child = spawn(command, words, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
  let output = "";
  let seen = 0;
  let look = (): void => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      look();
    });
  }
  const ended = once(child, "close").then(([status]: (number | null)[]) => {
    clearTimeout(timer);
    return { status: status ?? null, output };
  });
  return {
    ended,
    interrupt: () => void child.kill("SIGINT"),
    until: (pattern) =>
      new Promise((resolve, reject) => {
        look = () => {
          const found = pattern.exec(output.slice(seen));
          const end = found === null ? -1 : output.indexOf("\n", seen + found.index + found[0].length);
          if (end === -1) return;
          const part = output.slice(seen, end);
          seen = end + 1;
          look = () => {};
          resolve(part);
        };
        look();
        void ended.then(() => reject(new Error(`ended without ${pattern}:\n${output.slice(seen)}`)));
      }),
  };
}
