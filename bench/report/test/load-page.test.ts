import { expect, test } from "vitest";
import { reportPage } from "../src/page.ts";
import { parseResultFile } from "../src/result-file.ts";
import { loadFigures, loadFile, loadRow, microFile, microRow } from "./sample-files.ts";

const pageOf = (...rows: unknown[]): string => reportPage([parseResultFile("load.json", loadFile(rows))]);
const chartsOf = (page: string): { id: string; lines: { label: string; points: [number, number | null][] }[] }[] =>
  JSON.parse(/<script type="application\/json" id="charts">(.*?)<\/script>/s.exec(page)?.[1] ?? "");
const textOf = (page: string): string =>
  page
    .slice(page.indexOf("<main>"), page.indexOf("</main>"))
    .replaceAll(/<[^>]+>/g, " ")
    .replaceAll(/\s+/g, " ");
const labelsOf = (page: string): string[] => chartsOf(page)[0]?.lines.map(({ label }) => label) ?? [];

test("ours, which was measured once, is one line beside two peers; measured anew it is two", () => {
  const mosquitto = loadRow("fan-in/qos0/tls", 1.2, "mosquitto", 1);
  expect(labelsOf(pageOf(mosquitto, loadRow("fan-in/qos0/tls", 1.2, "aedes", 3)))).toEqual([
    ...["latchkey 0.0.0", "mosquitto 2.0.11", "aedes 2.0.11"],
  ]);
  expect(labelsOf(pageOf(mosquitto, loadRow("fan-in/qos0/tls", 1.3, "aedes", 3)))).toEqual([
    ...["latchkey 0.0.0", "mosquitto 2.0.11", "latchkey 0.0.0, beside aedes", "aedes 2.0.11"],
  ]);
});

test("a line is named by its file only where a scenario is in several", () => {
  const [one, other] = ["one.json", "other.json"].map((name, index) =>
    parseResultFile(name, loadFile([loadRow("s/qos0", 1 + index, null, 1), loadRow(`only/${name}`, 1, null, 1)])),
  );
  if (one === undefined || other === undefined) throw new Error("no files");
  const [several, , , only] = chartsOf(reportPage([one, other]));
  expect(several?.lines.map(({ label }) => label)).toEqual(["latchkey 0.0.0, one.json", "latchkey 0.0.0, other.json"]);
  expect(only?.lines.map(({ label }) => label)).toEqual(["latchkey 0.0.0"]);
});

test("a sweep is named by its workers, and its efficiency is a percentage", () => {
  const sweep = [1, 2].map((workers) => ({
    ...loadRow("s/qos0", workers, null, 1),
    workers,
    scalingEfficiency: 1 / workers,
  }));
  const page = pageOf(...sweep);
  expect(labelsOf(page)).toEqual(["latchkey 0.0.0, 1 worker", "latchkey 0.0.0, 2 workers"]);
  expect(textOf(page)).toContain("Scaling efficiency with 1 worker: 100 %.");
  expect(textOf(page)).toContain("Scaling efficiency with 2 workers: 50 %.");
});

test("what arrived after the measured time is no fall of the rate, and its latency is shown", () => {
  const timeline = [0, 1, 2].map((second) => ({ second, ratePerSecond: second < 2 ? 100 : 3, p50: 1, p99: 50 }));
  // Two rounds of 2 s each.
  const row = { ...loadRow("s/qos0", 1, null, 1), timeline, durationSeconds: 4, rounds: 2 };
  const pointsOf = (id: string): unknown => chartsOf(pageOf(row)).find((chart) => chart.id === id)?.lines[0]?.points;
  expect(pointsOf("rate-0")).toEqual([
    [0, 100],
    [1, 100],
  ]);
  expect(pointsOf("latency-0")).toHaveLength(3);
  // A run shorter than a second has no whole one.
  const short = { ...row, timeline: timeline.slice(0, 1), durationSeconds: 0.4, rounds: 1 };
  expect(chartsOf(pageOf(short)).find(({ id }) => id === "rate-0")?.lines[0]?.points).toEqual([[0, 100]]);
});

test("a ratio of one round has no spread", () => {
  const row = { ...loadRow("s/qos0", 1, "mosquitto", 2), rounds: 1, ratioSpread: [0.5, 0.5] };
  expect(textOf(pageOf(row))).toContain("latchkey needs 0.5 times what mosquitto needs; from one round");
});

test("memory between two samples is that of the line between them", () => {
  const memory = (...pairs: [number, number][]): unknown =>
    pairs.map(([connections, mebibytes]) => ({ connections, residentKilobytes: mebibytes * 1024 }));
  const row = {
    ...loadRow("connect/tls", 1, "mosquitto", 1),
    memory: memory([0, 10], [100, 30]),
    peerFigures: { ...loadFigures(1), memory: memory([0, 5], [50, 10], [80, 16]) },
  };
  const text = textOf(pageOf(row));
  const table = text.slice(text.indexOf("Resident memory over connections"));
  expect(table).toContain("0 10 5 50 20 10 80 26 16 100 30 –");
});

test("the axis of micro ratios has its line at 1 where every row is above it, or below", () => {
  for (const ratio of [400, 1 / 400]) {
    const page = reportPage([parseResultFile("micro.json", microFile([microRow("a/b", "peer", ratio)]))]);
    expect(page).toContain('<i class="one"');
    expect(textOf(page)).toMatch(/(^| )1×/);
  }
});

test("many doubtful rows are counted before the figures; each reason stands under its row", () => {
  const rows = Array.from({ length: 5 }, (_, index) => ({
    ...microRow(`a/${index}`, "peer", 2),
    warnings: [`reason ${index}`],
  }));
  const text = textOf(reportPage([parseResultFile("micro.json", microFile(rows))]));
  expect(text).toContain("micro.json: 5 of 5 rows are doubtful; the reasons stand under each of them.");
  for (let index = 0; index < 5; index++) expect(text.split(`reason ${index}`)).toHaveLength(2);
});
