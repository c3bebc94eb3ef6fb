/** `latchkey-button attack` against the broker: everything is stopped, the README says so, and a broker that lets one through is found out. */

import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { run } from "../src/program.ts";
import { openShop, type Shop } from "./shop.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop[Symbol.asyncDispose]());

const attack = (of: Shop, ...words: string[]): ReturnType<typeof run> =>
  run("button", "attack", "--data", of.file("data"), ...words);

test("every attack is stopped at its layer, and the README has the table that the command prints", async () => {
  const { code, stdout, stderr } = await attack(shop, "--markdown");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const readme = readFileSync(new URL("../../button/README.md", import.meta.url), "utf8");
  const [, table = ""] = /<!-- attacks -->\n\n([^]*?)\n<!-- \/attacks -->/.exec(readme) ?? [];
  expect(stdout).toBe(table);
  // The broker's own words for what the attacker cannot see.
  const refused = shop.broker.log.filter(({ msg }) => msg === "client refused").map(({ code }) => code);
  expect(refused).toEqual([
    "ERR_IDENTITY_NO_CERTIFICATE",
    "ERR_IDENTITY_NOT_ACTIVE",
    expect.stringMatching(/^ERR_IDENTITY_(CHAIN|DATES)$/),
    "ERR_IDENTITY_CHAIN",
    "ERR_IDENTITY_CHAIN",
  ]);
  // What was made for the attacks is gone.
  expect((await shop.latchkey("certificate", "list")).stdout).toBe("");
});

test("a broker with a policy that is too wide is found out", async () => {
  const open = await openShop();
  try {
    const statement = { Effect: "Allow", Action: ["iot:Connect", "iot:Publish"], Resource: "*" };
    writeFileSync(open.file("wide.json"), JSON.stringify({ Version: "2012-10-17", Statement: statement }));
    await open.latchkey("policy", "create", "--name", "iotbutton", "--document", open.file("wide.json"));
    const { code, stdout, stderr } = await attack(open, "--json");
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^ERR_BUTTON_ATTACK: 4 of 14 attacks were not stopped as they must be: A neighbour's topic \(got through\)/,
    );
    const results = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(results.filter(({ isHeld }) => !isHeld).map(({ name, outcome }) => [name, outcome.is])).toEqual([
      ["A neighbour's topic", "through"],
      ["A neighbour's topic by HTTPS", "through"],
      ["A neighbour's client identifier", "through"],
      ["A serial number with *", "through"],
    ]);
  } finally {
    await open[Symbol.asyncDispose]();
  }
});

test("where nobody listens nothing is proved", async () => {
  const { code, stderr } = await run("button", "attack", "--data", shop.file("data"), "--mqtt-port", "1");
  expect(code).toBe(1);
  expect(stderr).toMatch(/^ERR_BUTTON_UNREACHABLE: /);
});
