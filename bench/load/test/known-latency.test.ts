import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram } from "@latchkey/tooling-vitest/programs";
import { afterAll, expect, onTestFinished, test, vi } from "vitest";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "latchkey-load-"));
afterAll(() => rmSync(folder, { recursive: true }));
vi.setConfig({ testTimeout: 130_000 });

/** The MQTT packets at the beginning of `bytes`, and what is left. Packets of the bench are below 16 KiB. */
function packetsOf(bytes: Buffer): { packets: Buffer[]; rest: Buffer } {
  const packets: Buffer[] = [];
  let rest = bytes;
  for (;;) {
    const [, low, high] = rest;
    if (low === undefined || (low > 127 && high === undefined)) return { packets, rest };
    const end = low > 127 ? 3 + (low & 127) + (high ?? 0) * 128 : 2 + low;
    if (rest.length < end) return { packets, rest };
    packets.push(rest.subarray(0, end));
    rest = rest.subarray(end);
  }
}

/** A server of MQTT 3.1.1 that sends each PUBLISH to every subscriber after `delayMs()`. */
async function startServer(delayMs: () => number): Promise<string> {
  const subscribers = new Set<Socket>();
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    let bytes = Buffer.alloc(0);
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      subscribers.delete(socket);
      sockets.delete(socket);
    });
    socket.on("data", (chunk: Buffer) => {
      const { packets, rest } = packetsOf(Buffer.concat([bytes, chunk]));
      bytes = Buffer.from(rest);
      for (const packet of packets) {
        const type = (packet[0] ?? 0) >> 4;
        if (type === 1) socket.write(Buffer.from([0x20, 2, 0, 0]));
        if (type === 3) {
          const forward = (): void => subscribers.forEach((subscriber) => subscriber.write(packet));
          setTimeout(forward, delayMs());
        }
        if (type === 8) {
          subscribers.add(socket);
          const identifier = packet.subarray((packet[1] ?? 0) > 127 ? 3 : 2).subarray(0, 2);
          socket.write(Buffer.from([0x90, 3, ...identifier, 0]));
        }
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return `mqtt://127.0.0.1:${address.port}`;
}

async function measure(url: string, ...words: string[]) {
  const file = join(folder, "result.json");
  const load = ["--scenario", "fan-in", "--publishers", "2", "--rate", "200", "--duration", "2", "--warm-up", "0"];
  const all = ["--conditions=@latchkey/source", main, ...load, "--no-pin", "--url", url, "--json", file, ...words];
  const { code, stderr } = await runProgram(process.execPath, all, { timeoutMs: 120_000 });
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const [result] = JSON.parse(readFileSync(file, "utf8")).results;
  expect(result.received).toBeGreaterThan(0);
  expect(result.sent).toBe(result.received + result.lost);
  return result;
}

test("a server that takes 300 ms is reported with 300 ms", async () => {
  const { latencyMs } = await measure(await startServer(() => 300));
  // A timer may fire 1 ms early; a busy machine adds to the delay, but does not double the median.
  expect(latencyMs.p50).toBeGreaterThanOrEqual(299);
  expect(latencyMs.p50).toBeLessThan(600);
});

test("a stall of 800 ms in 2 s is charged to everything that was due meanwhile", async () => {
  let firstMs: number | undefined;
  const url = await startServer(() => {
    firstMs ??= performance.now();
    const since = performance.now() - firstMs;
    return since > 600 && since < 1400 ? 1400 - since : 0;
  });
  const { latencyMs } = await measure(url);
  // 4 in 10 were due in the stall; 2 in 10 waited for more than half of it, 1 in 10 for three quarters.
  expect(latencyMs.p90).toBeGreaterThanOrEqual(560);
  expect(latencyMs.max).toBeGreaterThanOrEqual(760);
  expect(latencyMs.p50).toBeLessThan(latencyMs.p90 / 2);
});

test("a generator that is slowed on purpose is named as the bottleneck", async () => {
  const { generator } = await measure(await startServer(() => 0), "--burden", "40");
  expect(generator.bottleneck).toContain("The generator was the bottleneck");
});
