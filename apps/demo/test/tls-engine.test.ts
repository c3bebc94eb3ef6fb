/** The broker on `@latchkey/tls`: the button, with and without a trace, and mosquitto's clients see no difference. */

import { findProgram, runProgram } from "@latchkey/tooling-vitest/programs";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { run } from "../src/program.ts";
import { openShop, type Shop } from "./shop.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const serial = "G030JF055364XVRB";
const mosquittoPub = findProgram("mosquitto_pub");
let shop: Shop;
beforeAll(async () => {
  shop = await openShop("--tls", "latchkey");
  await shop.identity("button", "--serial", serial, "--policy", "button");
});
afterAll(async () => {
  await shop[Symbol.asyncDispose]();
});

test("a press arrives", async () => {
  const { code, stdout } = await run("button", ...shop.button("button", serial));
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(`acknowledged: iotbutton/${serial}`) });
});

test("a press with --trace tells the handshake, and no secret", async () => {
  const { code, stdout } = await run("button", ...shop.button("button", serial), "--trace");
  expect(code).toBe(0);
  expect(stdout).toContain("the button signs the transcript hash by ecdsa_secp256r1_sha256");
  expect(stdout).toMatch(/the broker.*CN=Latchkey broker/);
  expect(stdout).toContain(`acknowledged: iotbutton/${serial}`);
  // Secrets are named; the longest runs of hexadecimal digits are hashes and signatures.
  expect(stdout).not.toMatch(/secret[^\n]*[0-9a-f]{32}/);
});

test("a denied press is closed, and the log says why", async () => {
  const { code, stderr } = await run(
    "button",
    ...shop.button("button", serial),
    "--topic",
    "iotbutton/G030JF059999NEXT",
  );
  expect(code).toBe(1);
  expect(stderr).toMatch(/^ERR_BUTTON_CLOSED/);
  await expect
    .poll(() => shop.broker.log, { timeout: 60_000 })
    .toContainEqual(expect.objectContaining({ msg: "denied" }));
});

test("a revoked certificate is refused, and its connection is not opened", async () => {
  const id = await shop.identity("revoked", "--serial", "G030JF050001RRRR", "--policy", "button");
  await shop.latchkey("certificate", "status", "--certificate", id, "--to", "REVOKED");
  expect(await run("button", ...shop.button("revoked", "G030JF050001RRRR"))).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^ERR_BUTTON_(CERTIFICATE_REFUSED|REFUSED): /),
  });
  await expect
    .poll(() => shop.broker.log, { timeout: 60_000 })
    .toContainEqual(expect.objectContaining({ msg: "client refused", certificateId: id }));
});

test.skipIf(mosquittoPub.path === undefined)(`mosquitto_pub publishes (${mosquittoPub.skipReason})`, async () => {
  for (const version of ["tlsv1.2", "tlsv1.3"]) {
    const words = [
      ...shop.mosquitto("button", serial),
      "--tls-version",
      version,
      "-t",
      `iotbutton/${serial}`,
      "-m",
      "pizza",
    ];
    expect([version, await runProgram(mosquittoPub.path ?? "", words)]).toMatchObject([version, { code: 0 }]);
  }
});
