/**
 * `npm run bench:diff -- OLD.json NEW.json [--fail] [--floor PERCENT] [--all]`: marks what changed beyond the noise between
 * two files of one kind.
 */

import { parseArgs } from "node:util";
import { watchOutput } from "@latchkey/bench-results";
import { type Change, type Comparison, compareFiles, defaultFloor } from "./compare-files.ts";
import { numberText } from "./number-text.ts";
import { readResultFile } from "./result-file.ts";

const usage = `npm run bench:diff -- OLD.json NEW.json [--fail] [--floor PERCENT] [--all]

  --fail           exit with 1 where a figure got worse beyond the noise
  --floor PERCENT  changes up to this are never marked; default ${defaultFloor * 100}
  --all            list the figures that did not change, too`;

watchOutput((reason) => {
  if (reason === undefined) return;
  console.error(reason);
  process.exitCode = 2;
});

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      fail: { type: "boolean", default: false },
      floor: { type: "string", default: String(defaultFloor * 100) },
      all: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const [old, now, ...others] = positionals;
  const floor = Number(values.floor) / 100;
  if (values.help) console.log(usage);
  else if (old === undefined || now === undefined || others.length > 0) {
    throw new Error(`Two files are needed, ${positionals.length} were named.\n${usage}`);
  } else if (!(floor >= 0 && floor < 1)) {
    throw new Error(`--floor ${values.floor}: a number of percent from 0 to below 100 is accepted`);
  } else {
    const comparison = compareFiles(readResultFile(old), readResultFile(now), floor);
    print(comparison, values.all);
    if (values.fail && comparison.changes.some(({ verdict }) => verdict === "loss")) process.exitCode = 1;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

function print({ changes, onlyInOld, onlyInNew, notes }: Comparison, all: boolean): void {
  for (const note of notes) console.log(`note  ${note}`);
  for (const verdict of ["loss", "gain", ...(all ? ["same"] : [])]) {
    for (const change of changes) if (change.verdict === verdict) console.log(`${verdict}  ${changeText(change)}`);
  }
  for (const row of onlyInOld) console.log(`only in the old file  ${row}`);
  for (const row of onlyInNew) console.log(`only in the new file  ${row}`);
  const count = (verdict: string): number => changes.filter((change) => change.verdict === verdict).length;
  console.log(
    `${changes.length} figures: ${count("loss")} losses, ${count("gain")} gains, ${count("same")} within the noise`,
  );
}

function changeText({ row, figure, old, now, improvement, oldInterval, nowInterval }: Change): string {
  const size = Number.isFinite(improvement) ? `${Math.abs(improvement * 100).toFixed(1)} %` : "from 0";
  const direction = improvement < 0 ? "worse" : "better";
  const range = ([low, high]: readonly [number, number]): string => `${numberText(low)} to ${numberText(high)}`;
  return `${row}: ${figure} ${numberText(old)} → ${numberText(now)}, ${size} ${direction} (${range(oldInterval)} → ${range(nowInterval)})`;
}
