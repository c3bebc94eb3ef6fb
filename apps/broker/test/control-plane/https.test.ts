/** Where the control plane listens: HTTPS with the server's certificate, the endpoint that it names, a port that is taken. */

import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { DescribeEndpointCommand } from "@aws-sdk/client-iot";
import { defaultScope } from "@latchkey/registry";
import { pino } from "pino";
import { expect, test } from "vitest";
import { openApi, openLiveApi } from "../../src/commands/api-client.ts";
import { runBroker, type RunningBroker } from "../../src/run-broker.ts";
import { RunningControlPlane } from "./running-control-plane.ts";

test("HTTPS: a client that trusts the broker's root is served, another one sees an unknown root", async () => {
  await using plane = await RunningControlPlane.start({ isSecure: true });
  expect(plane.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  const none = { endpoint: undefined, credentials: undefined, ca: undefined, region: undefined };
  // On the broker's machine everything is found in the data directory.
  const local = await openLiveApi({ ...none, data: plane.directory });
  expect(await local.call("ListAccessKeys")).toMatchObject({ accessKeys: [{ accessScope: "administrator" }] });
  await local[Symbol.asyncDispose]();
  const folder = mkdtempSync(join(tmpdir(), "latchkey-https-"));
  try {
    const credentials = join(folder, "key.json");
    writeFileSync(credentials, JSON.stringify(plane.administrator));
    const remote = { data: undefined, endpoint: plane.url, credentials, region: undefined };
    const trusting = await openApi({ ...remote, ca: join(plane.directory, "server-ca.pem") });
    expect(await trusting.call("ListThings")).toMatchObject({ things: [] });
    const stranger = await openApi({ ...remote, ca: undefined });
    await expect(stranger.call("ListThings")).rejects.toMatchObject({
      code: "ERR_BROKER_REQUEST",
      message: expect.stringMatching(/cannot be asked: .*certificate/) as string,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("HTTPS shows the server's certificate, and no TLS older than 1.2", async () => {
  await using plane = await RunningControlPlane.start({ isSecure: true });
  const { port } = new URL(plane.url);
  const ca = readFileSync(join(plane.directory, "server-ca.pem"));
  const handshake = (maxVersion: "TLSv1.1" | "TLSv1.2"): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port: Number(port), ca, minVersion: "TLSv1", maxVersion }, () => {
        resolve(socket.getPeerCertificate().fingerprint256);
        socket.destroy();
      });
      socket.once("error", reject);
    });
  const own = new X509Certificate(readFileSync(join(plane.directory, "server.pem")));
  expect(await handshake("TLSv1.2")).toBe(own.fingerprint256);
  await expect(handshake("TLSv1.1")).rejects.toThrow();
});

test("the endpoint that DescribeEndpoint gives is a name of the server's certificate", async () => {
  await using plane = await RunningControlPlane.start();
  const { endpointAddress = "" } = await plane
    .client()
    .send(new DescribeEndpointCommand({ endpointType: "iot:Data-ATS" }));
  const socket = connect({
    host: "127.0.0.1",
    port: plane.mqttPort,
    servername: endpointAddress,
    ca: readFileSync(join(plane.directory, "server-ca.pem")),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.once("error", reject);
  });
  expect(socket.authorized).toBe(true);
  socket.destroy();
});

test("a port that is taken ends the start with what to do, and leaves the directory to the next start", async () => {
  await using plane = await RunningControlPlane.start();
  const folder = mkdtempSync(join(tmpdir(), "latchkey-port-"));
  try {
    const start = (port: number): Promise<RunningBroker> =>
      runBroker({
        dataDirectory: folder,
        listeners: [],
        serverNames: [],
        scope: defaultScope,
        denial: "explain",
        tls: "node",
        control: { host: "127.0.0.1", port, isSecure: false },
        log: pino({ level: "silent" }),
      });
    await expect(start(Number(new URL(plane.url).port))).rejects.toMatchObject({
      code: "ERR_BROKER_LISTEN",
      message: expect.stringMatching(/control plane: .*EADDRINUSE.*--control-port/) as string,
    });
    const broker = await start(0);
    expect(broker.controlUrl).toMatch(/^http:/);
    await broker[Symbol.asyncDispose]();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
