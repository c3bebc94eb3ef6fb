import { expect, test } from "vitest";
import { compareFiles } from "../src/compare-files.ts";
import { parseResultFile, type ResultFile } from "../src/result-file.ts";
import { loadFile, loadRow, microFile, microRow } from "./sample-files.ts";

const file = (content: unknown): ResultFile => parseResultFile("file.json", content);
const micro = (...rows: unknown[]): ResultFile => file(microFile(rows));
const load = (...rows: unknown[]): ResultFile => file(loadFile(rows));
const verdicts = (old: ResultFile, now: ResultFile): string[] =>
  compareFiles(old, now).changes.map(({ figure, verdict }) => `${figure.split(",")[0]}: ${verdict}`);

test.each([
  ["the same figures", 4, 2, 4, 2, "same"],
  ["intervals that meet", 4, 10, 4.6, 10, "same"],
  ["intervals apart, better", 4, 2, 5, 2, "gain"],
  ["intervals apart, worse", 4, 2, 3, 2, "loss"],
  ["apart, but below the floor", 4, 0.1, 3.85, 0.1, "same"],
  ["a loss just beyond the floor", 4, 0.1, 3.75, 0.1, "loss"],
  ["a large change with large noise", 4, 60, 3, 60, "same"],
])("%s", (_, oldRatio, oldPercent, nowRatio, nowPercent, verdict) => {
  const old = micro(microRow("a/b", "peer", oldRatio, oldPercent));
  const now = micro(microRow("a/b", "peer", nowRatio, nowPercent));
  expect(verdicts(old, now)).toContain(`ratio: ${verdict}`);
});

test("a machine that got slower moves both sides and is no loss", () => {
  const row = microRow("a/b", "peer", 4);
  const slower = { ...row, opsPerSecond: 400_000, opsInterval: [392_000, 408_000], peerOpsPerSecond: 100_000 };
  expect(verdicts(micro(row), micro(slower))).toEqual(["ratio: same", "rate: same"]);
});

test("a rate that fell is a loss although nobody computed the ratio anew", () => {
  const row = microRow("a/b", "peer", 4);
  const changed = { ...row, opsPerSecond: 400_000, opsInterval: [392_000, 408_000] };
  expect(verdicts(micro(row), micro(changed))).toEqual(["ratio: same", "rate: loss"]);
});

test("without a peer the rate is compared", () => {
  const row = microRow("a/b", null, 4);
  const slower = { ...row, opsPerSecond: 400_000, opsInterval: [392_000, 408_000] };
  expect(verdicts(micro(row), micro(slower))).toEqual(["rate: loss"]);
  expect(verdicts(micro(slower), micro(row))).toEqual(["rate: gain"]);
});

test("files without intervals are judged by their spread", () => {
  const plain = { scenario: "a/b", subject: "s", opsPerSecond: 1000, spread: 0.04, bytesPerOperation: 0 };
  const alone = { peer: null, peerOpsPerSecond: null, ratio: null };
  const old = micro({ ...plain, ...alone });
  expect(verdicts(old, micro({ ...plain, ...alone, opsPerSecond: 500 }))).toEqual(["rate: loss"]);
  expect(verdicts(old, micro({ ...plain, ...alone, opsPerSecond: 970 }))).toEqual(["rate: same"]);
  const { spread: _, ...bare } = plain;
  expect(verdicts(old, micro({ ...bare, ...alone, opsPerSecond: 900 }))).toEqual(["rate: same"]);
});

test("rows of one file only are listed, and peers are told apart", () => {
  const old = micro(microRow("a/b", "peer", 4), microRow("a/b", "other", 4), microRow("a/c", null, 1));
  const now = micro(microRow("a/b", "peer", 4), microRow("a/d", null, 1));
  expect(compareFiles(old, now)).toMatchObject({
    onlyInOld: ["a/b (@latchkey/policy to other)", "a/c (@latchkey/policy)"],
    onlyInNew: ["a/d (@latchkey/policy)"],
  });
});

test("different machines are named, and only ratios are compared", () => {
  const row = microRow("a/b", "peer", 4);
  const now = file({
    ...microFile([microRow("a/b", "peer", 3), microRow("a/c", null, 1)]),
    environment: undefined,
    machine: "8 x Other",
  });
  const comparison = compareFiles(micro(row, microRow("a/c", null, 1)), now);
  expect(comparison.notes[0]).toMatch(/different machines .*Sample Processor.*8 x Other/);
  expect(comparison.notes[1]).toContain("a/c (@latchkey/policy): nothing can be compared");
  expect(comparison.changes).toMatchObject([{ figure: "ratio", verdict: "loss" }]);
});

test("another version of a peer is named", () => {
  const row = microRow("a/b", "peer", 4);
  expect(compareFiles(micro(row), micro({ ...row, peerVersion: "5.0.0" })).notes).toEqual([
    "a/b (@latchkey/policy to peer): the peer was 4.13.0 and is 5.0.0 now.",
  ]);
});

test("rows of --compare match although the other revision is another one", () => {
  const row = (revision: string): unknown => microRow("a/b", `@latchkey/policy@${revision}`, 1);
  expect(compareFiles(micro(row("aaaaaaaaaaaa")), micro(row("bbbbbbbbbbbb"))).changes).not.toEqual([]);
});

test("of a load file costs, rates, latencies and losses are judged, each in its direction", () => {
  const cheap = loadRow("fan-in/qos0/tls", 1, "mosquitto", 1);
  const dear = { ...loadRow("fan-in/qos0/tls", 1.5, "mosquitto", 1), lost: 7 };
  expect(verdicts(load(cheap), load(dear))).toEqual([
    "ratio of cpuMicrosecondsPerMessage: loss",
    "cpuMicrosecondsPerMessage: loss",
    "ratePerSecond: loss",
    "latency p50: loss",
    "latency p99: same",
    "lost: loss",
  ]);
  expect(new Set(verdicts(load(dear), load(cheap)).map((text) => text.split(": ")[1]))).toEqual(
    new Set(["gain", "same"]),
  );
  expect(new Set(verdicts(load(cheap), load(cheap)).map((text) => text.split(": ")[1]))).toEqual(new Set(["same"]));
});

test("a micro file is not compared with a load file", () => {
  expect(() => compareFiles(micro(), file(loadFile()))).toThrow("two of one kind");
});
