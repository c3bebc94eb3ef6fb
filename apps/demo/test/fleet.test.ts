/** `latchkey-button fleet` against the broker, as a process with worker threads. */

import { readFileSync, statSync } from "node:fs";
import { certificateId, certificatesFromPem } from "@latchkey/x509";
import { nodeProvider } from "@latchkey/crypto/node";
import { expect, test, vi } from "vitest";
import { run } from "../src/program.ts";
import { openShop } from "./shop.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

test.each([
  ["HTTPS", []],
  ["MQTT", ["--mqtt"]],
])(
  "%s, at the ports of the running broker: every button presses with its own certificate, keys are kept, failures are told by kind",
  async (_, protocol) => {
    const shop = await openShop();
    try {
      const fleet = (...words: string[]): ReturnType<typeof run> =>
        run("button", "fleet", "--data", shop.file("data"), ...protocol, ...words);
      const first = await fleet("--count", "40", "--rate", "200/s", "--workers", "2", "--json");
      expect(first).toMatchObject({ code: 0, stderr: "" });
      expect(JSON.parse(first.stdout)).toMatchObject({
        buttons: 40,
        presses: 40,
        done: 40,
        acknowledged: 40,
        failures: {},
      });
      const identified = shop.broker.log.filter(({ msg }) => msg === "client identified");
      expect(new Set(identified.map((line) => line["certificateId"])).size).toBe(40);

      const kept = shop.file("data", "fleet", "fleet.json");
      expect(statSync(kept).mode & 0o777).toBe(0o600);
      const before = readFileSync(kept, "utf8");
      const [certificate] = certificatesFromPem(JSON.parse(before).buttons[0].certificate);
      const id = certificateId(certificate!, nodeProvider);
      await shop.latchkey("certificate", "status", "--certificate", id, "--to", "REVOKED");
      const second = await fleet("--count", "20", "--presses", "60", "--rate", "200/s");
      expect(second.code).toBe(1);
      // The revoked button pressed three times.
      expect(second.stderr).toMatch(/^ERR_BUTTON_FLEET: 3 of 60 presses failed: ERR_BUTTON_\w+ 3\n$/);
      expect(second.stdout).toMatch(/^57 of 60 presses of 20 buttons acknowledged in /);
      expect(second.stdout).toMatch(/p50 [\d.]+ ms, p90 [\d.]+ ms, p99 [\d.]+ ms, p99\.9 [\d.]+ ms, most [\d.]+ ms/);
      expect(readFileSync(kept, "utf8")).toBe(before);
    } finally {
      await shop[Symbol.asyncDispose]();
    }
  },
);

test("durations of a fleet that no broker answers are not reported as 0", async () => {
  const shop = await openShop();
  try {
    const fleet = (...words: string[]): ReturnType<typeof run> =>
      run("button", "fleet", "--data", shop.file("data"), "--count", "2", "--port", "1", ...words);
    const json = await fleet("--json");
    expect(json.code).toBe(1);
    const nothing = { p50: null, p90: null, p99: null, "p99.9": null, max: null };
    expect(JSON.parse(json.stdout)).toMatchObject({ done: 2, acknowledged: 0, latencyMs: nothing });
    const text = await fleet();
    expect(text.stdout).toMatch(/^0 of 2 presses of 2 buttons acknowledged in .*\nthe latest press began /);
  } finally {
    await shop[Symbol.asyncDispose]();
  }
});
