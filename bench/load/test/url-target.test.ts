import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type Server } from "node:tls";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { openAuthorities } from "../src/identities.ts";
import { bench, endBenches, measureAll } from "./run-bench.ts";

afterAll(endBenches);

vi.setConfig({ testTimeout: 130_000 });
const authorities = openAuthorities("p256");
const folder = mkdtempSync(join(tmpdir(), "latchkey-url-"));
afterAll(() => rmSync(folder, { recursive: true }));
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const written = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
/** An identity that no device authority has issued. */
const identity = [
  ...["--certificate", written("other.pem", authorities.serverAuthority.certificate)],
  ...["--key", written("other.key", authorities.serverAuthority.privateKey)],
];

/** A TLS server of the bench's certificate that asks its clients for one, and takes any, or only those of `ca`. */
async function startServer(ca?: string): Promise<number> {
  const { certificate: cert, privateKey: key } = authorities.server;
  const options = {
    cert,
    key,
    requestCert: true,
    rejectUnauthorized: ca !== undefined,
    ...(ca !== undefined && { ca }),
  };
  const server = createServer(options, (socket) => socket.on("error", () => {}).resume());
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

test("an identity that is named is for the URL alone: a peer that the bench starts knows the bench's devices", async () => {
  const url = `mqtts://localhost:${await startServer()}`;
  const words = [
    "--scenario",
    "handshake",
    "--count",
    "20",
    "--clients",
    "5",
    "--compare",
    "node-tls",
    "--rounds",
    "1",
  ];
  const [result] = await measureAll(...words, "--url", url, ...identity);
  expect(result).toMatchObject({ target: url, sent: 20, received: 20, peer: "node-tls", notSupported: null });
  expect(result?.peerFigures).toMatchObject({ sent: 20, received: 20 });
  // The CPU time of what is behind a URL is not known, so there is no ratio.
  expect(result).toMatchObject({ cpuMicrosecondsPerHandshake: null, ratio: null, ratioOf: null });
});

const press = ["--scenario", "press", "--clients", "2", "--rate", "10", "--duration", "0.5", "--warm-up", "0"];

test("each refusal of a URL says what to change", async () => {
  const port = await startServer(authorities.deviceAuthority.certificate);
  const ca = written("device-ca.pem", authorities.deviceAuthority.certificate);
  const plain = createHttpServer().listen(0, "127.0.0.1");
  await once(plain, "listening");
  const plainPort = (plain.address() as AddressInfo).port;
  for (const [words, message] of [
    [["--url", `mqtts://localhost:${port}`, "--ca", ca], "name them with --ca FILE"],
    [["--url", "mqtts://127.0.0.1:1"], "ECONNREFUSED: nothing listens there"],
    [["--url", `mqtts://127.0.0.1:${plainPort}`], "that port does not speak TLS"],
    [["--url", `mqtts://localhost:${port}`, ...identity], "name one that it knows with --certificate FILE --key FILE"],
  ] as const) {
    const { code, stdout, stderr } = await bench(...press, ...words, "--no-pin");
    expect({ words, code, stdout }).toEqual({ words, code: 1, stdout: "" });
    expect(stderr).toMatch(/^ERR_LOAD_TARGET: /m);
    expect(stderr).toContain(message);
  }
  plain.close();
});
