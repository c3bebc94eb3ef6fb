/** Each wrong input ends in a clear message and a non-zero exit, or in a closed connection and a broker that goes on. */

import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { fileURLToPath } from "node:url";
import { startProgram } from "@latchkey/tooling-vitest/programs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { run, startBroker } from "../src/program.ts";
import { openShop, type Shop } from "./shop.ts";

// Each test runs several processes.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const serial = "G030JF055364XVRB";
let shop: Shop;
let scratch: string;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "latchkey-wrong-"));
  shop = await openShop();
  await shop.identity("button", "--serial", serial, "--policy", "button");
}, 30_000);
afterAll(async () => {
  await shop[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true });
});

let copies = 0;
function copyOfData(): string {
  const copy = join(scratch, `data-${copies++}`);
  cpSync(shop.file("data"), copy, { recursive: true });
  return copy;
}

describe("starting the broker", () => {
  test("on a port in use says so", async () => {
    const { code, stderr, stdout } = await run(
      "broker",
      "start",
      "--data",
      join(scratch, "port"),
      "--port",
      String(shop.broker.port),
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^ERR_BROKER_LISTEN: cannot listen on 127\.0\.0\.1:\d+ for mqtts: .*EADDRINUSE.* --port$/m);
  });

  test.each([
    ["registry.db", "not a database ".repeat(100), /ERR_REGISTRY_CORRUPT: .*registry\.db/],
    [
      "device-ca.pem",
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
      /ERR_BROKER_DATA_DIRECTORY: .*device-ca\.pem/,
    ],
    ["server-ca.pem", "", /ERR_BROKER_DATA_DIRECTORY: .*server-ca\.pem/],
    ["server-ca.key", "garbage", /ERR_BROKER_DATA_DIRECTORY: .*server-ca\.key/],
  ])("with a damaged %s names the file", async (name, content, message) => {
    const copy = copyOfData();
    for (const suffix of ["-wal", "-shm"]) rmSync(join(copy, `registry.db${suffix}`), { force: true });
    writeFileSync(join(copy, name), content);
    const { code, stderr } = await run("broker", "start", "--data", copy, "--port", "0");
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(readFileSync(join(copy, name), "utf8")).toBe(content);
  });

  test("with another authority's key names the file and shows none of it", async () => {
    const copy = copyOfData();
    cpSync(join(copy, "server-ca.key"), join(copy, "device-ca.key"));
    const { code, stderr } = await run("broker", "start", "--data", copy, "--port", "0");
    expect(code).toBe(1);
    expect(stderr).toContain("is not the key of");
    expect(stderr).not.toContain(readFileSync(join(copy, "server-ca.key"), "utf8").split("\n")[1]);
  });

  test("with a file where the data directory should be says so", async () => {
    const file = join(scratch, "a-file");
    writeFileSync(file, "");
    const { code, stderr } = await run("broker", "start", "--data", file, "--port", "0");
    expect(code).toBe(1);
    expect(stderr).toContain(`ERR_BROKER_DATA_DIRECTORY: data directory ${file}`);
  });

  test.runIf(process.platform === "linux")("with a data directory that cannot be made or read says so", async () => {
    // Even root cannot make a folder there, nor read a process' memory from its start.
    const made = await run("broker", "start", "--data", "/proc/latchkey", "--port", "0");
    expect(made).toMatchObject({ code: 1, stdout: "" });
    expect(made.stderr).toContain("ERR_BROKER_DATA_DIRECTORY: data directory /proc/latchkey");
    const copy = copyOfData();
    rmSync(join(copy, "device-ca.pem"));
    symlinkSync("/proc/self/mem", join(copy, "device-ca.pem"));
    const read = await run("broker", "start", "--data", copy, "--port", "0");
    expect(read).toMatchObject({ code: 1, stdout: "" });
    expect(read.stderr).toContain("ERR_BROKER_DATA_DIRECTORY");
  });

  test("with a directory in place of a key says so", async () => {
    const copy = copyOfData();
    rmSync(join(copy, "device-ca.key"));
    mkdirSync(join(copy, "device-ca.key"));
    const { code, stderr } = await run("broker", "start", "--data", copy, "--port", "0");
    expect(code).toBe(1);
    expect(stderr).toMatch(/ERR_BROKER_DATA_DIRECTORY: .*EISDIR/);
  });

  test.each([
    [["--port", "70000"], /^ERR_BROKER_USAGE: --port "70000" is not possible: it is a whole number from 0 to 65535/],
    [
      ["--denail", "parity"],
      /^ERR_BROKER_USAGE: --denail is not an option of "latchkey start". Did you mean --denial?/,
    ],
    [["--denial", "loud"], /^ERR_BROKER_USAGE: --denial "loud" is not possible. Possible values: explain, parity./],
    [["--region", "a:b"], /^ERR_BROKER_USAGE: --region "a:b" is not possible: .*us-east-1/],
    [["--account", "12"], /^ERR_BROKER_USAGE: --account "12" is not possible: it is 12 digits/],
    [["now"], /^ERR_BROKER_USAGE: "latchkey start" has no use for "now"/],
    [["--log-level", "wran"], /^ERR_BROKER_USAGE: --log-level "wran" is not possible. Did you mean warn\?/],
  ])("with %j says what is wrong", async (words, message) => {
    const { code, stderr } = await run("broker", "start", "--data", join(scratch, "usage"), ...words);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });

  test("keeps keys and directory for their owner, and leaves no unfinished files", () => {
    expect(statSync(shop.file("data")).mode & 0o777).toBe(0o700);
    const names = readdirSync(shop.file("data"));
    for (const name of names.filter((one) => one.endsWith(".key"))) {
      expect(statSync(shop.file("data", name)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(shop.file("button", "private.key")).mode & 0o777).toBe(0o600);
    expect(names.filter((one) => one.endsWith(".new"))).toEqual([]);
  });

  test("again on the same data keeps every identity, and SIGTERM ends it with 0", async () => {
    const data = join(scratch, "again");
    const first = await startBroker("--data", data);
    expect(await first.stop()).toBe(0);
    const before = readFileSync(join(data, "server.pem"), "utf8");
    const second = await startBroker("--data", data);
    expect(readFileSync(join(data, "server.pem"), "utf8")).toBe(before);
    expect(await second.stop()).toBe(0);
    const third = await startBroker("--data", data, "--name", "broker.example,192.0.2.7");
    expect(readFileSync(join(data, "server.pem"), "utf8")).not.toBe(before);
    expect(await third.stop()).toBe(0);
  });
});

test("of brokers that open a new data directory at the same moment one runs, and the others say why not", async () => {
  const data = join(scratch, "at-once");
  const brokers = await Promise.allSettled([1, 2, 3].map(() => startBroker("--data", data)));
  const running = brokers.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  expect(running).toHaveLength(1);
  for (const one of brokers) {
    if (one.status === "rejected") expect(String(one.reason)).toContain("another broker runs on it");
  }
  for (const broker of running) expect(await broker.stop()).toBe(0);
  const again = await startBroker("--data", data);
  expect(await again.stop()).toBe(0);
});

test("a server certificate whose key is another one's, as after a crash, is made anew", async () => {
  const copy = copyOfData();
  cpSync(join(copy, "device-ca.key"), join(copy, "server.key"));
  const broker = await startBroker("--data", copy);
  expect(await broker.stop()).toBe(0);
});

test("a broker whose log cannot be written goes on", async () => {
  const main = fileURLToPath(new URL("../../broker/src/main.ts", import.meta.url));
  const words = `--conditions=@latchkey/source ${main} start --port 0 --data ${join(scratch, "full")}`;
  const broker = startProgram("/bin/sh", ["-c", `exec ${process.execPath} ${words} 2>/dev/full`]);
  const ready = await broker.saw(/ready mqtts:\/\/.*:\d+/);
  const port = Number(ready.split(":").at(-1));
  for (let i = 0; i < 3; i++) {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.end("GET / HTTP/1.1\r\n\r\n");
    socket.resume();
    await new Promise((resolve) => socket.once("close", resolve));
  }
  broker.kill("SIGTERM");
  expect((await broker.finished).code).toBe(0);
});

test("SIGTERM ends the broker in the middle of somebody's handshake, too", async () => {
  const broker = await startBroker("--data", join(scratch, "half-open"));
  const socket = connect(broker.port, "127.0.0.1");
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.write(Uint8Array.of(0x16, 0x03, 0x01));
  expect(await broker.stop()).toBe(0);
  socket.destroy();
});

describe("commands", () => {
  test("a policy that is none is refused with line and column", async () => {
    writeFileSync(
      join(scratch, "broken.json"),
      '{ "Version": "2012-10-17",\n  "Statement": [{ "Effect": "Perhaps" }] }',
    );
    const { code, stderr } = await shop.latchkey(
      "policy",
      "create",
      "--name",
      "broken",
      "--document",
      join(scratch, "broken.json"),
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/ERR_BROKER_USAGE: .*broken\.json is not a policy:\n\s+2:\d+ \$\.Statement\[0\]/);
  });

  test.each([
    [["certificate", "status", "--certificate", "0".repeat(64), "--to", "ACTIVE"], /ERR_REGISTRY_NOT_FOUND/],
    [
      ["certificate", "status", "--certificate", "00", "--to", "ACTIVE"],
      /ERR_BROKER_USAGE: "00" is no certificateId: it is 64 hexadecimal digits/,
    ],
    [["certificate", "status", "--certificate", "00", "--to", "LOST"], /ERR_BROKER_USAGE/],
    [["policy", "attach", "--name", "none", "--certificate", "0".repeat(64)], /ERR_REGISTRY_NOT_FOUND/],
    [["policy", "create", "--name", "x", "--document", "/nowhere"], /^ERR_BROKER_USAGE: --document cannot be read/],
  ])("%j is refused", async (words, message) => {
    const { code, stderr } = await shop.latchkey(...words);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });

  test("a second identity in the same folder is refused, and the first one's key stays", async () => {
    const before = readFileSync(shop.file("button", "private.key"), "utf8");
    const { code, stderr } = await shop.latchkey(
      ...["certificate", "create", "--out", shop.file("button"), "--serial", "X"],
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/ERR_BROKER_USAGE: .*private\.key exists already/);
    expect(readFileSync(shop.file("button", "private.key"), "utf8")).toBe(before);
  });

  test("a folder that is no data directory is refused and not made", async () => {
    const nowhere = join(scratch, "nowhere");
    const { code, stderr } = await run("broker", "certificate", "list", "--data", nowhere);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ERR_BROKER_DATA_DIRECTORY: .*nowhere is not a data directory: it has no registry.db/);
    expect(readdirSync(scratch)).not.toContain("nowhere");
  });

  test("an identity with an unknown policy leaves nothing behind", async () => {
    const before = await shop.latchkey("certificate", "list");
    const { code, stderr } = await shop.latchkey(
      "certificate",
      "create",
      "--out",
      shop.file("none"),
      "--serial",
      "X",
      "--policy",
      "no-such",
    );
    expect(code).toBe(1);
    expect(stderr).toContain('there is no policy "no-such": create it first');
    expect(await shop.latchkey("certificate", "list")).toEqual(before);
    expect(readdirSync(shop.folder)).not.toContain("none");
  });
});

describe("the button", () => {
  const words = (): string[] => shop.button("button", serial);

  test.each([
    ["a missing certificate", ["--cert", "/nowhere"], /^ERR_BUTTON_USAGE: --cert cannot be read/],
    ["a missing key", ["--key", "/nowhere"], /^ERR_BUTTON_USAGE: --key cannot be read/],
    ["no broker", ["--port", "1"], /ERR_BUTTON_UNREACHABLE/],
    [
      "an unknown flag",
      ["--certificate", "x"],
      /^ERR_BUTTON_USAGE: --certificate is not an option of "latchkey-button"/,
    ],
    [
      "an unknown click",
      ["--click", "TRIPLE"],
      /^ERR_BUTTON_USAGE: --click "TRIPLE" is not possible. .*Possible values: SINGLE, DOUBLE, LONG/,
    ],
    ["no port", ["--port", "x"], /^ERR_BUTTON_USAGE: --port "x" is not possible/],
  ])("with %s says so", async (_, wrong, message) => {
    const { code, stderr } = await run("button", ...words(), ...wrong);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });

  test("without arguments says what is missing, in one line", async () => {
    expect(await run("button")).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "ERR_BUTTON_USAGE: --serial is missing in \"latchkey-button\": The button's serial number (DSN). Or name a button's " +
        "folder with --device\n",
    });
  });

  test("with a key that is not its certificate's says so", async () => {
    const { code, stderr } = await run("button", ...words(), "--key", shop.file("data", "server.key"));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ERR_BUTTON_CREDENTIALS: /);
    expect(stderr).not.toContain("PRIVATE");
  });
});

describe("garbage on the TLS port", () => {
  async function send(bytes: Uint8Array): Promise<void> {
    const socket = connect(shop.broker.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.end(bytes);
    socket.resume();
    await new Promise((resolve) => socket.once("close", resolve));
  }

  test.each([
    ["zeros", new Uint8Array(100)],
    ["HTTP", new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")],
    [
      "MQTT without TLS",
      Uint8Array.of(0x10, 0x0d, 0x00, 0x04, 0x4d, 0x51, 0x54, 0x54, 0x04, 0x02, 0x00, 0x00, 0x00, 0x01, 0x61),
    ],
    ["a cut ClientHello", Uint8Array.of(0x16, 0x03, 0x01, 0x00, 0x05, 0x01, 0x00, 0x00, 0x01, 0x03)],
  ])("(%s) is closed, and the broker goes on", async (_, bytes) => {
    await send(bytes);
    expect(await run("button", ...shop.button("button", serial))).toMatchObject({ code: 0 });
  });

  test("as MQTT inside TLS is closed, and the broker goes on", async () => {
    const socket = connectTls({
      port: shop.broker.port,
      host: "localhost",
      ca: readFileSync(shop.file("button", "root-ca.pem")),
      cert: readFileSync(shop.file("button", "certificate.pem")),
      key: readFileSync(shop.file("button", "private.key")),
    });
    socket.on("error", () => {});
    await new Promise((resolve) => socket.once("secureConnect", resolve));
    socket.write(new Uint8Array(64).fill(0xff));
    await new Promise((resolve) => socket.once("close", resolve));
    await expect
      .poll(() => shop.broker.log)
      .toContainEqual(expect.objectContaining({ msg: "closed", reason: "malformed-packet" }));
    expect(await run("button", ...shop.button("button", serial))).toMatchObject({ code: 0 });
  });
});
