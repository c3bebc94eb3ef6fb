/** A broker with other ports than the usual ones: what is made on its data directory finds it. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { run } from "../src/program.ts";
import { openShop, type Shop } from "./shop.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const serial = "G030JF055364XVRB";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop[Symbol.asyncDispose]());

test.each([
  ["https", []],
  ["mqtt", ["--mqtt"]],
])("a folder of latchkey certificate create is a button that can be pressed (%s)", async (name, protocol) => {
  await shop.identity(name, "--serial", serial, "--policy", "button");
  const { port: mqttPort, httpsPort } = shop.broker;
  expect(JSON.parse(readFileSync(shop.file(name, "endpoint.json"), "utf8"))).toMatchObject({ mqttPort, httpsPort });
  const pressed = await run("button", "--device", shop.file(name), ...protocol);
  expect(pressed).toMatchObject({ code: 0, stdout: expect.stringContaining(`acknowledged: iotbutton/${serial}`) });
});

test("so is one of latchkey-button provision, whose own ports win where they are given", async () => {
  const device = shop.file("provisioned");
  const provision = (...words: string[]): ReturnType<typeof run> =>
    run("button", "provision", "--data", shop.file("data"), ...words);
  expect(await provision("--device", device)).toMatchObject({ code: 0 });
  expect(await run("button", "--device", device)).toMatchObject({ code: 0 });
  const elsewhere = shop.file("elsewhere");
  expect(await provision("--device", elsewhere, "--mqtt-port", "1883")).toMatchObject({ code: 0 });
  const settings: unknown = JSON.parse(readFileSync(shop.file("elsewhere", "button.json"), "utf8"));
  expect(settings).toMatchObject({ mqttPort: 1883, httpsPort: shop.broker.httpsPort });
});

test("a broker that has stopped says no ports: the usual ones are taken", async () => {
  const stopped = await openShop();
  try {
    expect(existsSync(stopped.file("data", "listeners.json"))).toBe(true);
    await stopped.broker.stop();
    expect(existsSync(stopped.file("data", "listeners.json"))).toBe(false);
    const device = stopped.file("provisioned");
    const { code } = await run("button", "provision", "--data", stopped.file("data"), "--device", device);
    expect(code).toBe(0);
    const settings: unknown = JSON.parse(readFileSync(`${device}/button.json`, "utf8"));
    expect(settings).toMatchObject({ mqttPort: 8883, httpsPort: 8443 });
  } finally {
    await stopped[Symbol.asyncDispose]();
  }
});

test("a broker that was killed has left its ports: what needs a running one says that none runs, unless another one is named", async () => {
  const killed = await openShop();
  try {
    const listeners = killed.file("data", "listeners.json");
    const left = readFileSync(listeners);
    await killed.broker.stop();
    writeFileSync(listeners, left);
    for (const command of ["fleet", "attack"]) {
      const { code, stderr } = await run("button", command, "--data", killed.file("data"));
      expect(code).toBe(1);
      expect(stderr).toContain(`no broker runs on ${killed.file("data")}: start one with "latchkey start --data `);
      expect(stderr).not.toContain("ECONNREFUSED");
    }
    const named = await run("button", "fleet", "--data", killed.file("data"), "--count", "1", "--port", "1");
    expect(named.stderr).toContain("1 of 1 presses failed");
  } finally {
    await killed[Symbol.asyncDispose]();
  }
});
