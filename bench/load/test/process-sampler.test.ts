import { startProgram } from "@latchkey/tooling-vitest/programs";
import { expect, test } from "vitest";
import { ProcessSampler } from "../src/target/process-sampler.ts";

/** Uses 300 ms of CPU time. */
const burn = "const end = process.cpuUsage().user + 300_000; while (process.cpuUsage().user < end);";
const child = (last: string): string => JSON.stringify(`${burn} ${last}`);
const node = `["--eval", `;

/** A target that starts a process that ends, one that goes on, and a thread that ends; each burns. */
const target = `
  const { spawn, spawnSync } = require("node:child_process");
  const { Worker } = require("node:worker_threads");
  spawnSync(process.execPath, ${node}${child("")}]);
  const other = spawn(process.execPath, ${node}${child('console.log("burnt"); setInterval(() => {}, 1000);')}], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.once("SIGTERM", () => { other.kill("SIGKILL"); process.exit(); });
  other.stdout.once("data", () => {
    const thread = "const end = process.threadCpuUsage().user + 300_000; while (process.threadCpuUsage().user < end);";
    new Worker(thread, { eval: true }).once("exit", () => console.log("ready " + other.pid + ";"));
  });
`;

test.skipIf(process.platform !== "linux")(
  "CPU time is that of the target with all its children and threads, those that have ended included",
  async () => {
    const started = startProgram(process.execPath, ["--eval", target]);
    try {
      const other = Number(/ready (\d+);/.exec(await started.saw(/ready \d+;/))?.[1]);
      const sampler = new ProcessSampler([{ pid: started.pid ?? 0, name: "target" }]);
      const alone = new ProcessSampler([{ pid: other, name: "child" }]);
      // Each of the three; a tick is 10 ms.
      expect(sampler.totalCpuMicroseconds()).toBeGreaterThan(870_000);
      expect(alone.totalCpuMicroseconds()).toBeGreaterThan(290_000);
      expect(alone.totalCpuMicroseconds()).toBeLessThan(sampler.totalCpuMicroseconds() ?? 0);
      const resident = alone.totalResidentKilobytes() ?? 0;
      expect(resident).toBeGreaterThan(10_000);
      // The target itself takes as much as its child, or more.
      expect(sampler.totalResidentKilobytes()).toBeGreaterThan(1.5 * resident);
      sampler.stop();
      alone.stop();
    } finally {
      started.kill("SIGTERM");
      await started.finished;
    }
  },
  60_000,
);

/** Says the CPU time that it has taken, then waits. Its first thread has ended long before. */
const counting = `
  const { Worker } = require("node:worker_threads");
  const burn = "const end = process.threadCpuUsage().user + MS * 1000; while (process.threadCpuUsage().user < end);";
  const thread = (ms) => new Promise((done) => new Worker(burn.replace("MS", ms), { eval: true }).once("exit", done));
  const say = () => { const { user, system } = process.cpuUsage(); console.log("used " + (user + system) + ";"); };
  thread(100).then(say);
  process.once("SIGUSR2", () => { const end = process.cpuUsage().user + 3000; while (process.cpuUsage().user < end); say(); });
  setInterval(() => {}, 1000);
`;

test.skipIf(process.platform !== "linux")(
  "a few milliseconds are counted, although threads have ended and the kernel's ticks are 10 ms",
  async () => {
    const started = startProgram(process.execPath, ["--eval", counting]);
    try {
      const used = (text: string): number => Number(/used (\d+);\s*$/.exec(text)?.[1]);
      const before = used(await started.saw(/used \d+;/));
      const sampler = new ProcessSampler([{ pid: started.pid ?? 0, name: "target" }]);
      const first = sampler.totalCpuMicroseconds() ?? 0;
      started.kill("SIGUSR2");
      const after = used(await started.saw(/used \d+;\s+used \d+;/));
      const counted = (sampler.totalCpuMicroseconds() ?? 0) - first;
      sampler.stop();
      expect(counted).toBeGreaterThanOrEqual(3000);
      expect(counted % 10_000).not.toBe(0);
      // What the process has counted itself, give or take the saying.
      expect(Math.abs(counted - (after - before))).toBeLessThan(8000);
    } finally {
      started.kill("SIGKILL");
      await started.finished;
    }
  },
  60_000,
);

test("a process that is gone has no CPU time and no memory, not 0", () => {
  const sampler = new ProcessSampler([{ pid: 2 ** 30, name: "none" }]);
  expect(sampler.totalCpuMicroseconds()).toBeNull();
  expect(sampler.totalResidentKilobytes()).toBeNull();
  sampler.stop();
});
