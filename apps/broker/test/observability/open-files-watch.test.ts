import { pino } from "pino";
import { expect, test } from "vitest";
import { OpenFilesWatch } from "../../src/observability/open-files-watch.ts";

test("at the limit there is one line, one when it is over, and no more than one a minute where it comes and goes", () => {
  const lines: unknown[] = [];
  const log = pino({ base: null, timestamp: false }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  let code: string | undefined;
  const watch = new OpenFilesWatch(log, () => {
    if (code !== undefined) throw Object.assign(new Error(code), { code });
  });
  const takeLines = (): unknown[] => lines.splice(0);
  watch.look(0, 7);
  code = "ENOENT";
  watch.look(1000, 7);
  expect(takeLines()).toEqual([]);
  code = "EMFILE";
  watch.look(2000, 7);
  watch.look(3000, 7);
  const exhausted = { msg: "no more files can be opened: the system cuts new connections", level: 50 };
  const over = { msg: "files can be opened again", level: 40 };
  const mend = expect.stringContaining("ulimit -n") as string;
  expect(takeLines()).toEqual([{ ...exhausted, reason: "EMFILE", connections: 7, mend }]);
  code = undefined;
  watch.look(5000, 8);
  expect(takeLines()).toEqual([{ ...over, forMs: 3000, connections: 8 }]);
  code = "ENFILE";
  watch.look(6000, 8);
  code = undefined;
  watch.look(7000, 8);
  expect(takeLines()).toEqual([]);
  code = "ENFILE";
  watch.look(61_000, 8);
  watch.look(62_000, 8);
  expect(takeLines()).toEqual([{ ...exhausted, reason: "ENFILE", connections: 8, mend }]);
});
