import { expect, test } from "vitest";
import { measureScenario } from "../src/measure.ts";

/** Does `work` arithmetic steps an operation. */
function spin(name: string, work: number): { name: string; run: () => number } {
  return {
    name,
    run: () => {
      let x = 1;
      for (let i = 0; i < work * 50; i++) x = (x * 1_103_515_245 + 12_345) & 0x7fff_ffff;
      return x >= 0 ? 50 : 0;
    },
  };
}

const effort = { rounds: 5, warmUpMs: 20, sampleMs: 10 };

test("the ratio is that of the work that the two sides do", async () => {
  const [row] = await measureScenario(
    { scenario: "spin/4x", bytesPerOperation: 0, subject: spin("ours", 500), peers: [spin("theirs", 2000)] },
    effort,
  );
  expect(row?.ratio).toBeGreaterThan(2.5);
  expect(row?.ratio).toBeLessThan(6);
  expect(row).toMatchObject({ scenario: "spin/4x", subject: "ours", peer: "theirs" });
});

test("there is one result a peer, and one without a peer where there is none", async () => {
  const peers = [spin("a", 100), spin("b", 100)];
  const scenario = { scenario: "spin/peers", bytesPerOperation: 7, subject: spin("ours", 100), peers };
  expect((await measureScenario(scenario, effort)).map((row) => row.peer)).toEqual(["a", "b"]);
  const alone = await measureScenario({ ...scenario, peers: [] }, effort);
  expect(alone).toMatchObject([{ peer: null, ratio: null, bytesPerOperation: 7 }]);
});

test("a batch that did nothing is refused", async () => {
  const idle = { name: "idle", run: () => 0 };
  const scenario = { scenario: "idle", bytesPerOperation: 0, subject: idle, peers: [] };
  await expect(measureScenario(scenario, effort)).rejects.toThrow("idle did no operation");
});
