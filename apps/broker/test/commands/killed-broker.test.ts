/** Commands for a running broker, after a broker that was killed: its files still say where it was. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { BrokerProcess } from "../observability/running-broker.ts";
import { run } from "./broker-commands.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const broker = new BrokerProcess({ hasControlPlane: true });
afterAll(() => broker[Symbol.asyncDispose]());

test("they say that no broker runs, and work again when one does", async () => {
  await broker.start();
  const list = ["sessions", "list", "--data", broker.data];
  expect(await run(list)).toMatchObject({ code: 0 });
  await broker.end("SIGKILL");
  expect(existsSync(join(broker.data, "control-plane.json"))).toBe(true);
  const { code, stderr } = await run(list);
  expect(code).toBe(1);
  expect(stderr).toContain(`ERR_BROKER_REQUEST: no broker with a control plane runs on ${broker.data}: start one with`);
  expect(stderr).not.toContain("ECONNREFUSED");
  await broker.start();
  expect(await run(list)).toMatchObject({ code: 0 });
});
