/**
 * Who may import whom, checked on every import of every workspace.
 *
 * `turbo boundaries` checks the direction leaf → core → app and that every import is declared; this checks what it
 * cannot say: the exact arrows between packages, no `node:` modules and no outside packages in protocol code, and no
 * cycles between files. A cruise that saw fewer modules than there are files is an error, because a parser that does
 * not understand the sources finds no violation either.
 */

import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { cruise, type ICruiseResult, type IForbiddenRuleType } from "dependency-cruiser";

/** For each package, the packages of ours that its sources may import. ARCHITECTURE.md draws the same. */
const allowedImports: Readonly<Record<string, readonly string[]>> = {
  asn1: [],
  "mqtt-codec": [],
  policy: [],
  crypto: ["asn1"],
  x509: ["asn1", "crypto"],
  chain: ["asn1", "crypto", "x509"],
  tls: ["asn1", "crypto", "x509", "chain"],
  registry: ["asn1", "crypto", "x509", "chain", "policy"],
  "broker-core": ["mqtt-codec"],
};

/** Outside packages that published sources may use; each is a decision listed in ARCHITECTURE.md. */
const allowedOutside: Readonly<Record<string, string>> = { crypto: "^node_modules/@noble/" };

/** Entry points made for Node, the only places under packages/ where a `node:` module may be imported. */
const nodeEntry = "^packages/[^/]+/src/node(/|\\.ts$)";

const packageRules = Object.entries(allowedImports).flatMap(([name, allowed]): IForbiddenRuleType[] => {
  const outside = allowedOutside[name];
  return [
    {
      name: `${name}-imports-only-${allowed.join("-") || "itself"}`,
      severity: "error",
      from: { path: `^packages/${name}/src/` },
      to: { path: "^(packages|apps|bench|tooling)/", pathNot: [name, ...allowed].map((one) => `^packages/${one}/`) },
    },
    {
      name: `${name}-has-no-outside-dependency`,
      severity: "error",
      from: { path: `^packages/${name}/src/` },
      to: {
        path: "^node_modules/",
        pathNot: ["^node_modules/@latchkey/", ...(outside === undefined ? [] : [outside])],
      },
    },
  ];
});

const rules: IForbiddenRuleType[] = [
  ...packageRules,
  {
    name: "protocol-code-imports-no-node-module",
    severity: "error",
    from: { path: "^packages/[^/]+/src/", pathNot: nodeEntry },
    to: { dependencyTypes: ["core"] },
  },
  {
    name: "sources-do-not-import-tests",
    severity: "error",
    from: { path: "^(packages|apps)/[^/]+/src/" },
    to: { path: "/test/" },
  },
  { name: "no-cycle", severity: "error", from: { path: "^(packages|apps|bench|tooling)/" }, to: { circular: true } },
  { name: "resolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
];

const root = fileURLToPath(new URL("../../../", import.meta.url));
process.chdir(root);
const folders = ["packages", "apps", "bench", "tooling"];
const sources = globSync(folders.map((folder) => `${folder}/*/src/**/*.ts`));
const packages = new Set(
  sources.filter((file) => file.startsWith("packages/")).map((file) => file.split("/")[1] ?? ""),
);

const { output } = await cruise(sources, {
  validate: true,
  ruleSet: { forbidden: rules },
  parser: "swc",
  tsPreCompilationDeps: true,
  combinedDependencies: true,
  // Tests are no sources; and the parser cannot read the `using` declarations that they have.
  doNotFollow: { path: "node_modules|/test/" },
  exclude: { path: "(^|/)(dist|node_modules/\\.cache|\\.examples)/" },
  enhancedResolveOptions: {
    exportsFields: ["exports"],
    conditionNames: ["@latchkey/source", "import", "node", "types", "default"],
    extensions: [".ts", ".js", ".mjs", ".cjs", ".json", ".d.ts"],
  },
});
if (typeof output === "string") throw new Error("dependency-cruiser gave text where a result was asked for");
report(output);

function report({ modules, summary }: ICruiseResult): void {
  const problems = summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
  const seen = new Set(modules.map((module) => module.source));
  for (const file of sources.filter((source) => !seen.has(source))) problems.push(`not seen by the cruise: ${file}`);
  if (summary.totalDependenciesCruised === 0) problems.push("no imports were seen");
  for (const name of packages)
    if (allowedImports[name] === undefined) problems.push(`packages/${name} has no import rule`);
  for (const problem of problems) console.error(problem);
  const verdict = problems.length === 0 ? "no violations" : `${problems.length} violations`;
  console.log(`${seen.size} modules, ${summary.totalDependenciesCruised ?? 0} imports, ${verdict}`);
  if (problems.length > 0) process.exitCode = 1;
}
