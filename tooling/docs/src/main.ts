/**
 * `npm run docs`: the API reference of all packages, from their docstrings, as static pages in `docs/`.
 * `npm run docs -- --check` writes nothing. Both fail on an exported name without a docstring.
 *
 * typedoc reads the sources through a TypeScript of its own: TypeScript 7 has no compiler interface that it could use.
 */

import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { Application, Logger, ReflectionKind } from "typedoc";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const [option, ...rest] = process.argv.slice(2);

/** Keeps what typedoc complains about; it would print the path of a source where a name is asked for. */
class Complaints extends Logger {
  readonly all: string[] = [];
  override log(message: string, level: number): void {
    // 2 and above: warnings and errors.
    if (level >= 2) this.all.push(message);
  }
}

if (rest.length > 0 || (option !== undefined && option !== "--check")) {
  console.error("Usage: npm run docs [-- --check]");
  process.exitCode = 2;
} else await makeDocs(option === "--check");

async function makeDocs(isCheck: boolean): Promise<void> {
  const entries = entryPoints();
  const app = await Application.bootstrap({
    name: "Latchkey",
    entryPoints: [...entries.keys()],
    basePath: root,
    tsconfig: fileURLToPath(new URL("../tsconfig.sources.json", import.meta.url)),
    // The compiler of the repository has checked the sources; an older one need not.
    skipErrorChecking: true,
    excludePrivate: true,
    excludeExternals: true,
    excludeInternal: false,
    readme: join(root, "README.md"),
    // Every link into the sources needs the repository's address, which is not known yet.
    disableSources: true,
    sort: ["source-order"],
    validation: {
      invalidLink: true,
      // The README's links into the repository lead nowhere in the pages.
      invalidPath: false,
      notExported: false,
      notDocumented: false,
    },
  });
  const complaints = new Complaints();
  app.logger = complaints;
  const project = await app.convert();
  if (project === undefined) throw new Error(`typedoc read no sources: ${complaints.all.join("\n")}`);
  app.validate(project);
  // A module is named after what a user imports, not after its file.
  for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
    for (const [path, name] of entries) {
      const file = relative(root, path).replace(/(?:\/index)?\.ts$/u, "");
      if (module.name === file) module.name = name;
    }
  }
  const exported = project.getReflectionsByKind(
    ReflectionKind.Enum |
      ReflectionKind.Function |
      ReflectionKind.Class |
      ReflectionKind.Interface |
      ReflectionKind.TypeAlias |
      ReflectionKind.Variable,
  );
  const problems = [...complaints.all];
  for (const reflection of exported) {
    const signatures = reflection.isDeclaration() ? (reflection.signatures ?? []) : [];
    const isDocumented = [reflection, ...signatures].some(({ comment }) => comment !== undefined);
    if (!isDocumented) problems.push(`${reflection.getFullName()} has no docstring`);
  }
  if (!isCheck) await app.generateDocs(project, join(root, "docs"));
  for (const problem of problems) console.error(problem);
  console.log(
    `${exported.length} exported names, ${problems.length} problems${isCheck ? "" : ", pages in docs/index.html"}`,
  );
  if (problems.length > 0) process.exitCode = 1;
}

/** The sources of the entry points of every package that will be published, with the names that users import. */
function entryPoints(): Map<string, string> {
  const entries = new Map<string, string>();
  for (const path of globSync("packages/*/package.json", { cwd: root }).sort()) {
    const { name, exports } = JSON.parse(readFileSync(join(root, path), "utf8")) as {
      name: string;
      exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
    };
    for (const [entry, target] of Object.entries(exports)) {
      if (typeof target !== "object") continue;
      entries.set(join(root, dirname(path), target["@latchkey/source"] ?? ""), join(name, entry));
    }
  }
  return entries;
}
