/**
 * `npm run dev`: watches the repository and reruns the build and the tests of what an edit touches, and of nothing
 * else. `npm run dev -- NAME` runs the app NAME instead and restarts it on an edit of it or of a package under it.
 */

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const [app, ...rest] = process.argv.slice(2);

if (app !== undefined && !existsSync(new URL(`../../../apps/${app}/package.json`, import.meta.url))) {
  console.error(`There is no apps/${app}. Usage: npm run dev [-- APP]`);
  process.exitCode = 2;
} else {
  const tasks = app === undefined ? ["build", "test"] : ["dev", `--filter=@latchkey/${app}`, ...rest];
  const watch = spawn("turbo", ["watch", ...tasks], { cwd: root, stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => watch.kill("SIGTERM"));
  watch.on("exit", (code) => {
    process.exitCode = code ?? 1;
  });
}
