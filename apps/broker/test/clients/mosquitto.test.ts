/** mosquitto's programs against the broker: its clients, request and response, and a mosquitto that is joined to it as a bridge. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram, runProgram, startProgram, type Started } from "@latchkey/tooling-vitest/programs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RunningControlPlane } from "../control-plane/running-control-plane.ts";
import { allow, makeDevice } from "../data-plane/device-identity.ts";

const [sub, pub, rr, broker] = [
  findProgram("mosquitto_sub"),
  findProgram("mosquitto_pub"),
  findProgram("mosquitto_rr"),
  findProgram("mosquitto"),
];
const missing = [sub, pub, rr, broker].find(({ path }) => path === undefined);

describe.skipIf(missing !== undefined)(`mosquitto (${missing?.skipReason ?? "installed"})`, () => {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-mosquitto-"));
  const file = (name: string): string => join(folder, name);
  const started: Started[] = [];
  let plane: RunningControlPlane;
  beforeAll(async () => {
    plane = await RunningControlPlane.start();
    const device = await makeDevice(plane, [
      allow("iot:Connect", "client/m-*"),
      allow("iot:Publish", "topic/m/*"),
      allow("iot:RetainPublish", "topic/m/*"),
      allow("iot:Receive", "topic/m/*"),
      allow("iot:Subscribe", "topicfilter/m/*"),
    ]);
    for (const name of ["ca", "cert", "key"] as const) writeFileSync(file(name), device[name]);
  });
  afterAll(async () => {
    for (const one of started) one.kill();
    await Promise.all(started.map(({ finished }) => finished));
    await plane[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const words = (clientId: string, ...more: readonly string[]): string[] => [
    ...["--cafile", file("ca"), "--cert", file("cert"), "--key", file("key"), "-h", "localhost"],
    ...["-p", String(plane.mqttPort), "-i", clientId, ...more],
  ];
  /** Starts a program that runs until the test ends it. */
  const start = (path: string, list: readonly string[]): Started => {
    // Its output comes by lines: in a pipe it would wait in a buffer.
    const one = startProgram("/usr/bin/stdbuf", ["-oL", path, ...list], { timeoutMs: 90_000 });
    started.push(one);
    return one;
  };

  test.each(["mqttv311", "mqttv5"])("%s: each QoS there and back, a retained message, a will", async (version) => {
    const topic = `m/${version}`;
    const common = ["-V", version];
    const listener = start(
      sub.path ?? "",
      words(`m-sub-${version}`, ...common, "-q", "2", "-t", `${topic}/#`, "-d", "-F", "%t %q %r %p"),
    );
    await listener.saw(/Subscribed \(mid/);
    for (const qos of ["0", "1", "2"]) {
      const message = ["-q", qos, "-t", `${topic}/${qos}`, "-m", `order-${qos}`];
      expect(await runProgram(pub.path ?? "", words(`m-pub-${version}`, ...common, ...message))).toMatchObject({
        code: 0,
      });
      await listener.saw(new RegExp(`${topic}/${qos} ${qos} 0 order-${qos}`));
    }
    const retained = ["-q", "1", "-r", "-t", `${topic}/kept`, "-m", "menu"];
    expect(await runProgram(pub.path ?? "", words(`m-pub-${version}`, ...common, ...retained))).toMatchObject({
      code: 0,
    });
    const late = ["-q", "1", "-t", `${topic}/kept`, "-C", "1", "-F", "%t %r %p"];
    const read = await runProgram(sub.path ?? "", words(`m-late-${version}`, ...common, ...late));
    expect(read.stdout).toBe(`${topic}/kept 1 menu\n`);
    const will = ["--will-topic", `${topic}/gone`, "--will-payload", "bye", "-t", `${topic}/none`, "-d"];
    const dying = start(sub.path ?? "", words(`m-will-${version}`, ...common, ...will));
    await dying.saw(/Subscribed \(mid/);
    dying.kill("SIGKILL");
    await listener.saw(new RegExp(`${topic}/gone 0 0 bye`));
  });

  test("mosquitto_rr: a request and its response (MQTT 5.0 §4.10)", async () => {
    const service = start(sub.path ?? "", words("m-service", "-V", "mqttv5", "-t", "m/request", "-F", "%R %D", "-d"));
    await service.saw(/Subscribed \(mid/);
    const asking = start(
      rr.path ?? "",
      words("m-asking", "-V", "mqttv5", "-t", "m/request", "-e", "m/response", "-m", "?"),
    );
    await service.saw(/m\/response/);
    const answer = words("m-answer", "-V", "mqttv5", "-t", "m/response", "-m", "forty-two");
    expect(await runProgram(pub.path ?? "", answer)).toMatchObject({ code: 0 });
    await asking.saw(/forty-two/);
  });

  test("what the policy refuses is told: at CONNECT, SUBSCRIBE and PUBLISH", async () => {
    const stranger = await runProgram(pub.path ?? "", words("stranger", "-V", "mqttv5", "-t", "m/a", "-m", "x"));
    expect(stranger.code).not.toBe(0);
    expect(stranger.stderr + stranger.stdout).toMatch(/not authori[sz]ed/i);
    const wrongFilter = await runProgram(sub.path ?? "", words("m-filter", "-V", "mqttv5", "-t", "other/#", "-d"));
    expect(wrongFilter.stdout + wrongFilter.stderr).toMatch(/denied/i);
    const wrongTopic = await runProgram(
      pub.path ?? "",
      words("m-topic", "-V", "mqttv5", "-q", "1", "-t", "other", "-m", "x"),
    );
    expect(wrongTopic.stderr + wrongTopic.stdout).toMatch(/not authori[sz]ed/i);
  });

  test("a mosquitto on the shop's side, joined as a bridge, carries messages both ways", async () => {
    const port = await freePort();
    mkdirSync(file("bridge"));
    writeFileSync(
      file("bridge.conf"),
      [
        `listener ${port} 127.0.0.1`,
        "allow_anonymous true",
        "user root",
        "connection latchkey",
        `address localhost:${plane.mqttPort}`,
        `bridge_cafile ${file("ca")}`,
        `bridge_certfile ${file("cert")}`,
        `bridge_keyfile ${file("key")}`,
        "remote_clientid m-bridge",
        "bridge_protocol_version mqttv311",
        "try_private false",
        "notifications false",
        "topic m/up out 1",
        "topic m/down in 1",
      ].join("\n"),
    );
    const shop = start(broker.path ?? "", ["-c", file("bridge.conf"), "-v"]);
    await shop.saw(/Received SUBACK|SUBACK/);
    const local = (...more: readonly string[]): string[] => ["-h", "127.0.0.1", "-p", String(port), ...more];
    const cloud = start(sub.path ?? "", words("m-cloud", "-q", "1", "-t", "m/up", "-d", "-F", "%t %p"));
    const counter = start(sub.path ?? "", local("-q", "1", "-t", "m/down", "-d", "-F", "%t %p"));
    await Promise.all([cloud.saw(/Subscribed \(mid/), counter.saw(/Subscribed \(mid/)]);
    await runProgram(pub.path ?? "", local("-q", "1", "-t", "m/up", "-m", "sold"));
    await cloud.saw(/m\/up sold/);
    await runProgram(pub.path ?? "", words("m-head-office", "-q", "1", "-t", "m/down", "-m", "restock"));
    await counter.saw(/m\/down restock/);
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
