/** Programs that people use, with every version and mode of client authentication: curl, mosquitto, mosquitto_pub; or a sample of it. */

import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram, startProgram } from "@latchkey/tooling-vitest/programs";
import { afterAll, describe, expect, it } from "vitest";
import { suiteByNumber } from "../src/cipher-suite.ts";
import { acceptTls, type TlsStream } from "../src/node.ts";
import { type Combination, keyOf, writeParties } from "./combinations.ts";
import * as peers from "./peers.ts";

const curl = findProgram("curl");
const mosquitto = findProgram("mosquitto");
const mosquittoPub = findProgram("mosquitto_pub");

/** Suites of both versions, by number: each with the schemes of its kind of key. */
const combinations: readonly Combination[] = (
  [
    [0x1301, "ecdsa_secp256r1_sha256"],
    [0x1303, "rsa_pss_rsae_sha256"],
    [0x1302, "ed25519"],
    [0xc02b, "ecdsa_secp256r1_sha256"],
    [0xcca8, "rsa_pkcs1_sha256"],
    [0xc030, "rsa_pss_rsae_sha512"],
  ] as const
).flatMap(([number, scheme]) =>
  (["none", "request", "require"] as const).map((clientAuthentication) => ({
    suite: suiteByNumber(number)!,
    group: "x25519",
    scheme,
    clientAuthentication,
  })),
);

function labelled(some: readonly Combination[]): (readonly [string, Combination])[] {
  return some.map((one) => [`${one.suite.name} ${one.scheme} ${one.clientAuthentication}`, one]);
}

/** Runs all of them, or every seventh. */
export function programInteroperability(isSample: boolean): void {
  const parties = writeParties();
  const folder = mkdtempSync(join(tmpdir(), "latchkey-tls-"));
  const all = combinations.filter((_, index) => !isSample || index % 7 === 0);

  /** A server of ours that `act` talks to. */
  async function withServer<Result>(
    one: Combination,
    onStream: (stream: TlsStream) => void,
    act: (port: number) => Promise<Result>,
    alpn: readonly string[] = [],
  ): Promise<Result> {
    const listener = createServer((socket) => {
      const stream = acceptTls(socket, { ...peers.ourServerConfig(one, parties), alpn });
      stream.on("error", () => undefined);
      onStream(stream);
    });
    return peers.whileListening(listener, act);
  }

  describe.skipIf(curl.path === undefined)("curl", () => {
    let done = 0;
    it.each(labelled(all))("fetches over our server, %s", async (_name, one) => {
      const streams: TlsStream[] = [];
      const serve = (stream: TlsStream): void => {
        streams.push(stream);
        const answer = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\npizza";
        stream.once("data", () => stream.end(answer));
      };
      const { certificateFile, keyFile } = parties.devices[keyOf(one.scheme)];
      const act = async (port: number): Promise<{ readonly stdout: string; readonly stderr: string }> => {
        const words = [
          "--silent",
          "--show-error",
          "--cacert",
          parties.rootFile,
          "--cert",
          certificateFile,
          "--key",
          keyFile,
        ];
        const where = ["--resolve", `broker.example:${port}:127.0.0.1`, `https://broker.example:${port}/`];
        return startProgram(curl.path!, [...words, ...where]).finished;
      };
      const { stdout, stderr } = await withServer(one, serve, act, ["http/1.1"]);
      expect([stdout, stderr]).toEqual(["pizza", ""]);
      expect(streams[0]?.info).toMatchObject({ cipherSuite: one.suite.name, alpnProtocol: "http/1.1" });
      expect(streams[0]?.authorized).toBe(one.clientAuthentication !== "none");
      done++;
    });
    afterAll(() => console.log(`curl: ${done} of ${all.length} as client`));
  });

  describe.skipIf(mosquitto.path === undefined || mosquittoPub.path === undefined)("mosquitto", () => {
    const done = { asServer: 0, asClient: 0 };
    /** mosquitto asks for a certificate and demands it, or does not ask. */
    const ofBroker = all.filter(({ clientAuthentication }) => clientAuthentication !== "request");

    it.each(labelled(ofBroker))("our client connects to the broker, %s", async (_name, one) => {
      const port = await peers.freePort();
      const { certificateFile, keyFile } = parties.servers[keyOf(one.scheme)];
      const lines = [
        `listener ${port} 127.0.0.1`,
        "allow_anonymous true",
        `cafile ${parties.rootFile}`,
        `certfile ${certificateFile}`,
        `keyfile ${keyFile}`,
        `require_certificate ${one.clientAuthentication === "require"}`,
        ...(process.getuid?.() === 0 ? ["user root"] : []),
      ];
      const file = join(folder, `mosquitto-${port}.conf`);
      writeFileSync(file, `${lines.join("\n")}\n`);
      const started = startProgram(mosquitto.path!, ["-v", "-c", file]);
      try {
        await started.saw(/mosquitto version .* running/);
        const connect = "\x10\x12\x00\x04MQTT\x04\x02\x00\x3c\x00\x06button";
        // mosquitto has its own curve, so the client offers what it likes.
        const config = {
          ...peers.ourClientConfig(one, parties),
          groups: ["x25519", "secp256r1", "secp384r1"] as const,
        };
        const { text, stream } = await peers.ourClient(port, config, /^ [^]{3}/, undefined, connect);
        expect(text).toBe(" \x02\0\0");
        expect(stream.info).toMatchObject({ cipherSuite: one.suite.name, peerScheme: one.scheme });
        done.asServer++;
      } finally {
        started.kill();
        await started.finished;
      }
    });

    it.each(labelled(all))("mosquitto_pub publishes to our server, %s", async (_name, one) => {
      let received = "";
      const streams: TlsStream[] = [];
      const serve = (stream: TlsStream): void => {
        streams.push(stream);
        stream.once("data", () => stream.write(Buffer.from([0x20, 2, 0, 0])));
        stream.on("data", (chunk: Buffer) => (received += chunk.toString("latin1")));
      };
      const { certificateFile, keyFile } = parties.devices[keyOf(one.scheme)];
      const { code, stderr } = await withServer(one, serve, async (port) => {
        const where = ["-h", "127.0.0.1", "-p", `${port}`, "-t", "orders", "-m", "one pizza"];
        const identity = ["--cafile", parties.rootFile, "--cert", certificateFile, "--key", keyFile];
        return startProgram(mosquittoPub.path!, [...where, ...identity]).finished;
      });
      expect([code, stderr]).toEqual([0, ""]);
      expect(received).toContain("one pizza");
      expect(streams[0]?.authorized).toBe(one.clientAuthentication !== "none");
      done.asClient++;
    });

    afterAll(() => {
      console.log(
        `mosquitto: ${done.asClient} of ${all.length} as client, ${done.asServer} of ${ofBroker.length} as server`,
      );
    });
  });
}
