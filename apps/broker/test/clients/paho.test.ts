/** Eclipse Paho for Python against the broker, over TLS and WebSocket. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findPaho, runProgram } from "@latchkey/tooling-vitest/programs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RunningControlPlane } from "../control-plane/running-control-plane.ts";
import { allow, makeDevice } from "../data-plane/device-identity.ts";

const paho = findPaho();
const script = fileURLToPath(new URL("paho_client.py", import.meta.url));

describe.skipIf(paho.path === undefined)(`Eclipse Paho (${paho.path ?? paho.skipReason})`, () => {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-paho-"));
  let plane: RunningControlPlane;
  beforeAll(async () => {
    plane = await RunningControlPlane.start();
    const device = await makeDevice(plane, [
      allow("iot:Connect", "client/paho-*"),
      allow("iot:Publish", "topic/paho/*"),
      allow("iot:Receive", "topic/paho/*"),
      allow("iot:Subscribe", "topicfilter/paho/*"),
    ]);
    for (const name of ["ca", "cert", "key"] as const) writeFileSync(join(folder, name), device[name]);
  });
  afterAll(async () => {
    await plane[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  test.each([
    ["tcp", "mqtts", "4"],
    ["tcp", "mqtts", "5"],
    ["websockets", "https", "4"],
    ["websockets", "https", "5"],
  ] as const)(
    "%s on the port of %s, protocol version %s: QoS 2 there and back",
    async (transport, service, version) => {
      const words = [script, transport, String(plane.portOf(service)), folder, version];
      const { code, stdout, stderr } = await runProgram(paho.path ?? "", words);
      expect(stderr).toBe("");
      expect(stdout.trim().split("\n")).toEqual(["connected 0", "subscribed [2]", "message paho/1 order 2"]);
      expect(code).toBe(0);
    },
  );
});
