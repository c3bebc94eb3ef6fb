/** The press from end to end, through real processes and sockets, also with clients that are not ours. */

import { findProgram, runProgram, startProgram } from "@latchkey/tooling-vitest/programs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../src/program.ts";
import { openShop, type Shop } from "./shop.ts";

const mosquittoPub = findProgram("mosquitto_pub");
const mosquittoSub = findProgram("mosquitto_sub");
const hasMosquitto = mosquittoPub.path !== undefined && mosquittoSub.path !== undefined;
const pub = mosquittoPub.path ?? "";
const sub = mosquittoSub.path ?? "";
const serial = "G030JF055364XVRB";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
  await shop.identity("button", "--serial", serial, "--policy", "button");
  await shop.identity("neighbour", "--serial", "G030JF051234A5BC", "--policy", "button");
  await shop.identity("kitchen", "--common-name", "kitchen", "--policy", "kitchen");
}, 30_000);
afterAll(() => shop[Symbol.asyncDispose]());

function denials(name: string): unknown[] {
  return shop.broker.log.filter((line) => line["msg"] === "denied" && line["name"] === name);
}

/** mosquitto_sub buffers what it prints, so the broker is asked. */
async function subscribed(clientIdentifier: string): Promise<void> {
  const line = expect.objectContaining({ msg: "subscribed", clientIdentifier });
  await expect.poll(() => shop.broker.log, { timeout: 30_000 }).toContainEqual(line);
}

test.each(["https", "mqtt"] as const)("%s: a press on the button's own topic is acknowledged", async (protocol) => {
  const pressed = await run("button", ...shop.button("button", serial, protocol));
  expect(pressed).toMatchObject({ code: 0, stderr: "" });
  expect(pressed.stdout).toContain(`acknowledged: iotbutton/${serial}`);
});

test("https: the neighbour's topic is HTTP 403, and a revoked certificate 401", async () => {
  const id = await shop.identity("stolen", "--serial", "G030JF052345MARG", "--policy", "button");
  const press = (...words: string[]): ReturnType<typeof run> =>
    run("button", ...shop.button("stolen", "G030JF052345MARG", "https"), ...words);
  expect(await press()).toMatchObject({ code: 0 });
  const attacked = await press("--topic", "iotbutton/G030JF055364XVRB");
  expect(attacked.code).toBe(1);
  expect(attacked.stderr).toMatch(/^ERR_BUTTON_FORBIDDEN: [^\n]*403[^\n]*\n$/);
  await shop.latchkey("certificate", "status", "--certificate", id, "--to", "REVOKED");
  const refused = await press();
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/^ERR_BUTTON_CERTIFICATE_REFUSED: [^\n]*REVOKED[^\n]*\n$/);
});

test("a press on the neighbour's topic is refused, and the log says why and what to change", async () => {
  const attacked = await run("button", ...shop.button("button", serial), "--topic", "iotbutton/G030JF051234A5BC");
  expect(attacked.code).toBe(1);
  expect(attacked.stdout).not.toContain("acknowledged");
  expect(attacked.stderr).toMatch(/^ERR_BUTTON_CLOSED: [^\n]*\n$/);
  await expect
    .poll(() => denials("iotbutton/G030JF051234A5BC"), { timeout: 30_000 })
    .toMatchObject([{ action: "publish", decision: "implicit-deny", clientIdentifier: serial }]);
});

test("the neighbour's name with the button's certificate is refused at CONNECT", async () => {
  const { code, stderr } = await run("button", ...shop.button("button", "G030JF051234A5BC"));
  expect(code).toBe(1);
  expect(stderr).toContain("ERR_BUTTON_REFUSED: CONNACK 5");
});

test("another root than the broker's is not believed, and nothing is published", async () => {
  const { code, stderr } = await run(
    "button",
    ...shop.button("button", serial),
    "--root",
    shop.file("data", "device-ca.pem"),
  );
  expect(code).toBe(1);
  expect(stderr).toContain("ERR_BUTTON_SERVER_NOT_TRUSTED");
});

test("a name that the broker's certificate does not have is not believed", async () => {
  const { code, stderr } = await run("button", ...shop.button("button", serial), "--server-name", "broker.example");
  expect(code).toBe(1);
  expect(stderr).toContain("ERR_BUTTON_SERVER_NOT_TRUSTED");
});

describe.skipIf(!hasMosquitto)(`mosquitto's clients (${hasMosquitto ? "installed" : mosquittoPub.skipReason})`, () => {
  test.each(["tlsv1.2", "tlsv1.3"])("publish and subscribe over %s", async (version) => {
    const kitchen = startProgram(sub, [
      ...shop.mosquitto("kitchen", `kitchen-${version}`),
      ...["--tls-version", version, "-t", "iotbutton/+", "-C", "2", "-v", "-d"],
    ]);
    await subscribed(`kitchen-${version}`);
    const order = ["--tls-version", version, "-t", `iotbutton/${serial}`, "-m", `over ${version}`];
    expect(await runProgram(pub, [...shop.mosquitto("button", serial), ...order])).toMatchObject({ code: 0 });
    expect(await runProgram(pub, [...shop.mosquitto("button", serial), ...order])).toMatchObject({ code: 0 });
    const { code, stdout } = await kitchen.finished;
    expect(code).toBe(0);
    expect(stdout.match(new RegExp(`^iotbutton/${serial} over ${version}$`, "gm"))).toHaveLength(2);
  });

  test("a publish on the neighbour's topic reaches nobody", async () => {
    const kitchen = startProgram(sub, [
      ...shop.mosquitto("kitchen", "kitchen-2"),
      "-t",
      "iotbutton/+",
      "-C",
      "1",
      "-v",
      "-d",
    ]);
    await subscribed("kitchen-2");
    const before = denials("iotbutton/G030JF051234A5BC").length;
    const attack = [...shop.mosquitto("button", serial), "-t", "iotbutton/G030JF051234A5BC", "-m", "free pizza"];
    const attacker = startProgram(pub, attack, { input: "", timeoutMs: 3000 });
    await expect.poll(() => denials("iotbutton/G030JF051234A5BC").length, { timeout: 30_000 }).toBeGreaterThan(before);
    attacker.kill();
    await attacker.finished;
    await runProgram(pub, [...shop.mosquitto("button", serial), "-t", `iotbutton/${serial}`, "-m", "paid pizza"]);
    expect((await kitchen.finished).stdout).toContain(`iotbutton/${serial} paid pizza`);
    expect((await kitchen.finished).stdout).not.toContain("free pizza");
  });

  test("a subscription that the policy does not allow is refused", async () => {
    const { stdout, stderr } = await runProgram(
      sub,
      [...shop.mosquitto("kitchen", "kitchen-3"), "-t", "#", "-C", "1", "-d"],
      { timeoutMs: 5000 },
    );
    expect(stdout + stderr).toContain("128");
    await expect.poll(() => denials("#"), { timeout: 30_000 }).toMatchObject([{ action: "subscribe" }]);
  });

  test("a certificate of another authority is refused before MQTT", async () => {
    const stranger = ["--cert", shop.file("data", "server.pem"), "--key", shop.file("data", "server.key")];
    const { code } = await runProgram(pub, [
      ...shop.mosquitto("button", serial),
      ...stranger,
      ...["-t", `iotbutton/${serial}`, "-m", "x"],
    ]);
    expect(code).not.toBe(0);
    expect(shop.broker.log).toContainEqual(
      expect.objectContaining({ msg: "client refused", code: "ERR_IDENTITY_CHAIN" }),
    );
  });
});

describe("live changes", () => {
  test.skipIf(!hasMosquitto)("a revoked certificate is disconnected, and not let in again", async () => {
    const id = await shop.identity("fired", "--common-name", "kitchen-fired", "--policy", "kitchen");
    const fired = startProgram(sub, [...shop.mosquitto("fired", "kitchen-fired"), "-t", "iotbutton/+", "-d"]);
    await subscribed("kitchen-fired");
    expect(await shop.latchkey("certificate", "status", "--certificate", id, "--to", "REVOKED")).toMatchObject({
      code: 0,
    });
    const line = (fields: object): unknown => expect.objectContaining({ certificateId: id, ...fields });
    const logged = expect.poll(() => shop.broker.log, { timeout: 30_000 });
    await logged.toContainEqual(line({ msg: "closed", clientIdentifier: "kitchen-fired", reason: "administrative" }));
    await logged.toContainEqual(line({ msg: "client refused", code: "ERR_IDENTITY_NOT_ACTIVE" }));
    fired.kill();
  });

  test("a detached policy stops the next press, an attached one lets it through", async () => {
    const id = await shop.identity("late", "--serial", "G030JF052341LATE");
    const press = () => run("button", ...shop.button("late", "G030JF052341LATE"));
    expect(await press()).toMatchObject({ code: 1 });
    await shop.latchkey("policy", "attach", "--name", "button", "--certificate", id);
    expect(await press()).toMatchObject({ code: 0 });
    await shop.latchkey("policy", "detach", "--name", "button", "--certificate", id);
    expect(await press()).toMatchObject({ code: 1 });
  });
});
