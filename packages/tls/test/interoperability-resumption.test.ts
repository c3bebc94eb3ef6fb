/** Resumption and HelloRetryRequest with openssl and node:tls, and programs that people use: curl, mosquitto. */

import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { nodeProvider } from "@latchkey/crypto/node";
import { findProgram, startProgram } from "@latchkey/tooling-vitest/programs";
import { describe, expect, it } from "vitest";
import { suiteByNumber } from "../src/cipher-suite.ts";
import { type ResumableSession, TicketKeys } from "../src/index.ts";
import { acceptTls, type TlsStream } from "../src/node.ts";
import { type Combination, writeParties } from "./combinations.ts";
import * as peers from "./peers.ts";

const parties = writeParties();
const folder = mkdtempSync(join(tmpdir(), "latchkey-tls-"));
const curl = findProgram("curl");
const mosquitto = findProgram("mosquitto");
const mosquittoPub = findProgram("mosquitto_pub");

function combination(version: "TLSv1.2" | "TLSv1.3", group: Combination["group"] = "x25519"): Combination {
  const suite = suiteByNumber(version === "TLSv1.3" ? 0x1301 : 0xc02b)!;
  return { suite, group, key: "p256", clientAuthentication: "require" };
}

describe.skipIf(peers.openssl.path === undefined)("openssl", () => {
  it.each(["TLSv1.3", "TLSv1.2"] as const)("%s: s_client resumes at our server", async (version) => {
    const one = combination(version);
    const config = { ...peers.ourServerConfig(one, parties), tickets: new TicketKeys({ provider: nodeProvider }) };
    const file = join(folder, `session-${version}.pem`);
    await peers.withOurServer(config, async (port, accepted) => {
      expect(await peers.opensslAgainstUs(port, one, parties, ["-sess_out", file])).toContain("pizza for button");
      expect(await peers.opensslAgainstUs(port, one, parties, ["-sess_in", file])).toContain("pizza for button");
      expect(accepted.map(({ info }) => info?.isResumption)).toEqual([false, true]);
      expect(accepted[1]?.peerCertificates[0]).toEqual(accepted[0]?.peerCertificates[0]);
      expect(accepted[1]?.authorized).toBe(true);
    });
  });

  it.each(["TLSv1.3", "TLSv1.2"] as const)("%s: our client resumes at s_server", async (version) => {
    const one = combination(version);
    const server = parties.servers.p256;
    const words = [
      "s_server",
      "-accept",
      "127.0.0.1:0",
      "-rev",
      "-cert",
      server.certificateFile,
      "-key",
      server.keyFile,
    ];
    const started = startProgram(peers.openssl.path!, words);
    try {
      const port = Number(/:(\d+)$/.exec(await started.saw(/ACCEPT .*:\d+/))![1]);
      const config = peers.ourClientConfig(one, parties);
      const first = await clientWithSession(port, config);
      const second = await peers.ourClient(port, { ...config, session: first }, /nottub/);
      expect(second.stream.isSessionReused()).toBe(true);
      expect(second.stream.peerCertificates.length).toBeGreaterThan(0);
    } finally {
      started.kill();
      await started.finished;
    }
  });

  it("HelloRetryRequest both ways", async () => {
    const one = combination("TLSv1.3", "secp256r1");
    await peers.withOurServer(peers.ourServerConfig(one, parties), async (port, accepted) => {
      // The last -curves counts; its first one gets the key share.
      expect(await peers.opensslAgainstUs(port, one, parties, ["-curves", "X25519:P-256"])).toContain(
        "pizza for button",
      );
      expect(accepted[0]?.info).toMatchObject({ wasRetried: true, group: "secp256r1" });
    });
    const groups = ["x25519", "secp256r1"] as const;
    expect(await peers.usAgainstOpenssl(one, parties, { ...peers.ourClientConfig(one, parties), groups })).toContain(
      "nottub",
    );
  });
});

async function clientWithSession(
  port: number,
  config: Parameters<typeof peers.ourClient>[1],
): Promise<ResumableSession> {
  let session: ResumableSession | undefined;
  const { stream } = await peers.ourClient(port, config, /nottub/, (one) => (session = one));
  expect(stream.isSessionReused()).toBe(false);
  if (session === undefined) throw new Error("no session came");
  return session;
}

it.each(["TLSv1.3", "TLSv1.2"] as const)(
  "%s: node:tls resumes at our server, and has the same exporter",
  async (version) => {
    const one = combination(version);
    const config = { ...peers.ourServerConfig(one, parties), tickets: new TicketKeys({ provider: nodeProvider }) };
    const ours: Buffer[] = [];
    // Before the peer can end the connection: its secrets go with it.
    const whenSecure = (stream: TlsStream): void => {
      stream.once("secureConnect", () => {
        ours.push(stream.exportKeyingMaterial(32, "EXPORTER-test", Buffer.from("x")));
      });
    };
    const act = async (port: number, accepted: readonly TlsStream[]): Promise<void> => {
      let session: Buffer | undefined;
      let exported: Buffer | undefined;
      const seen = (socket: TLSSocket): void => {
        socket.on("session", (one: Buffer) => (session = one));
        socket.on(
          "secureConnect",
          () => (exported = socket.exportKeyingMaterial(32, "EXPORTER-test", Buffer.from("x"))),
        );
      };
      await peers.nodeAgainstUs(port, one, parties, {}, seen);
      expect(exported).toEqual(ours[0]);
      await peers.nodeAgainstUs(port, one, parties, { session: session! }, seen);
      expect(accepted.map((stream) => stream.isSessionReused())).toEqual([false, true]);
      expect(accepted[1]?.getPeerX509Certificate()?.subject).toBe("CN=button-1");
    };
    await peers.withOurServer(config, act, whenSecure);
  },
);

it.skipIf(curl.path === undefined)("curl fetches over our server", async () => {
  const listener = createServer((socket) => {
    const stream = acceptTls(socket, { ...peers.ourServerConfig(combination("TLSv1.3"), parties), alpn: ["http/1.1"] });
    stream.on("error", () => undefined);
    stream.once("data", () => stream.end("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\npizza"));
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  const { certificateFile, keyFile } = parties.devices.p256;
  const words = ["--silent", "--show-error", "--cacert", parties.rootFile, "--cert", certificateFile, "--key", keyFile];
  const where = ["--resolve", `broker.example:${port}:127.0.0.1`, `https://broker.example:${port}/`];
  const { stdout, stderr } = await startProgram(curl.path!, [...words, ...where]).finished;
  listener.close();
  expect(stderr).toBe("");
  expect(stdout).toBe("pizza");
});

describe.skipIf(mosquitto.path === undefined || mosquittoPub.path === undefined)("mosquitto", () => {
  it.each(["TLSv1.3", "TLSv1.2"] as const)("%s: our client connects to the broker", async (version) => {
    const { port } = await freePort();
    const { certificateFile, keyFile } = parties.servers.p256;
    const lines = [
      `listener ${port} 127.0.0.1`,
      "allow_anonymous true",
      `cafile ${parties.rootFile}`,
      `certfile ${certificateFile}`,
      `keyfile ${keyFile}`,
      "require_certificate true",
      ...(process.getuid?.() === 0 ? ["user root"] : []),
    ];
    const file = join(folder, `mosquitto-${version}.conf`);
    writeFileSync(file, `${lines.join("\n")}\n`);
    const started = startProgram(mosquitto.path!, ["-v", "-c", file]);
    try {
      await started.saw(/mosquitto version .* running/);
      const connect = "\x10\x12\x00\x04MQTT\x04\x02\x00\x3c\x00\x06button";
      const { text } = await peers.ourClient(
        port,
        peers.ourClientConfig(combination(version), parties),
        /^ [^]{3}/,
        undefined,
        connect,
      );
      expect(text).toBe(" \x02\0\0");
    } finally {
      started.kill();
      await started.finished;
    }
  });

  it("mosquitto_pub publishes to our server", async () => {
    let received = "";
    const listener = createServer((socket) => {
      const stream = acceptTls(socket, peers.ourServerConfig(combination("TLSv1.3"), parties));
      stream.on("error", () => undefined);
      stream.once("data", () => stream.write(Buffer.from([0x20, 2, 0, 0])));
      stream.on("data", (chunk: Buffer) => (received += chunk.toString("latin1")));
    });
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    const { port } = listener.address() as AddressInfo;
    const { certificateFile, keyFile } = parties.devices.p256;
    const words = ["-h", "127.0.0.1", "-p", `${port}`, "-t", "orders", "-m", "one pizza", "--cafile", parties.rootFile];
    const { code, stderr } = await startProgram(mosquittoPub.path!, [
      ...words,
      "--cert",
      certificateFile,
      "--key",
      keyFile,
    ]).finished;
    listener.close();
    expect([code, stderr]).toEqual([0, ""]);
    expect(received).toContain("one pizza");
  });
});

async function freePort(): Promise<AddressInfo> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address() as AddressInfo;
  listener.close();
  await once(listener, "close");
  return address;
}
