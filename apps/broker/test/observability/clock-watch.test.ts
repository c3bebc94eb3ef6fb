import { pino } from "pino";
import { expect, test } from "vitest";
import { ClockWatch } from "../../src/observability/clock-watch.ts";

test("a clock that is set is one line, with by how much; one that drifts is none", () => {
  const lines: unknown[] = [];
  const log = pino({ base: null, timestamp: false }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const watch = new ClockWatch(log, 1_000_000, 0);
  watch.look(1_001_500, 1000);
  watch.look(4_602_000, 2000);
  watch.look(4_603_000, 3000);
  watch.look(1_004_000, 4000);
  watch.look(1_005_000, 5000);
  const msg = "the clock of the system was set, or the machine slept";
  expect(lines).toEqual([
    { level: 40, setByMs: 3_600_000, msg },
    { level: 40, setByMs: -3_600_000, msg },
  ]);
});
