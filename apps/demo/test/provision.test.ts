/** The three ways to an identity by the broker's own control plane, each followed by a press; all as processes. */

import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { run } from "../src/program.ts";
import { openShop, type Shop } from "./shop.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
  const { control } = shop.broker;
  if (control === undefined) throw new Error("the broker has no control plane");
  vi.stubEnv("AWS_ACCESS_KEY_ID", control.accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", control.secretAccessKey);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await shop[Symbol.asyncDispose]();
});

test.each(["one-click", "csr", "own-ca"])("%s", async (way) => {
  const device = shop.file(way);
  const provisioned = await run(
    "button",
    ...["provision", "--device", device, "--way", way, "--own-ca", shop.file("ca")],
    ...["--control-plane", shop.broker.control?.url ?? "", "--root", shop.file("data", "server-ca.pem")],
    ...["--mqtt-port", String(shop.broker.port)],
  );
  expect(provisioned).toMatchObject({ code: 0, stdout: expect.stringMatching(/^G030JF05\w{8}\n$/) });
  expect(provisioned.stderr).toMatch(/^certificate [0-9a-f]{64} is ACTIVE, with the policy iotbutton/);
  const serialNumber = provisioned.stdout.trim();
  expect(JSON.parse(readFileSync(`${device}/button.json`, "utf8"))).toMatchObject({ serialNumber });
  const pressed = await run("button", "--device", device, "--mqtt");
  expect(pressed).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`acknowledged: iotbutton/${serialNumber}`),
  });
});

test("a wrong secret is refused with AWS's exception, and no file stays", async () => {
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "not the secret");
  const device = shop.file("refused");
  const { code, stderr } = await run(
    "button",
    ...["provision", "--device", device, "--root", shop.file("data", "server-ca.pem")],
    ...["--control-plane", shop.broker.control?.url ?? ""],
  );
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^ERR_BUTTON_CONTROL_PLANE: POST \/keys-and-certificate: HTTP 403 InvalidSignatureException: /,
  );
});
