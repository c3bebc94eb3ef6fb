/** `npm run bench:report -- FILE... [--out FILE.html]`: makes one page of result files. */

import { parseArgs } from "node:util";
import { watchOutput, writeWholeFile } from "@latchkey/bench-results";
import { ResultFileError } from "./errors.ts";
import { reportPage } from "./page.ts";
import { mostFiles, readResultFile } from "./result-file.ts";

const usage = `npm run bench:report -- FILE... [--out FILE.html]

  FILE            what npm run bench -- --json or npm run bench:load -- --json wrote, in any mix
  --out FILE.html where the page goes; default bench-report.html`;

watchOutput((reason) => {
  if (reason === undefined) return;
  console.error(reason);
  process.exitCode = 2;
});

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { out: { type: "string", default: "bench-report.html" }, help: { type: "boolean", default: false } },
  });
  if (values.help) console.log(usage);
  else if (positionals.length === 0) {
    console.error(`No file is named.\n${usage}`);
    process.exitCode = 2;
  } else if (positionals.length > mostFiles) {
    console.error(`${positionals.length} files are named; up to ${mostFiles} go into one page. Make several pages.`);
    process.exitCode = 2;
  } else {
    const page = reportPage(positionals.map(readResultFile));
    writeWholeFile(values.out, page);
    console.log(`${values.out}: ${positionals.length} files, ${Math.round(page.length / 1024)} KiB`);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof ResultFileError ? 1 : 2;
}
