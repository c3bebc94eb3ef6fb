import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openBrokerDirectory, type BrokerDirectory } from "../../src/data-directory/data-directory.ts";
import { privateKeyToPem } from "../../src/data-directory/key-pair-files.ts";
import { listenWithLatchkeyTls } from "../../src/listeners/latchkey-tls.ts";
import { listen as listenWithNodeTls } from "../../src/listeners/node-tls.ts";
import type {
  AcceptedConnection,
  Handshake,
  Listener,
  ListenerOptions,
} from "../../src/listeners/secure-connection.ts";
import { defaultScope } from "@latchkey/registry";
import { certificateToPem } from "@latchkey/x509";

const scratch = mkdtempSync(join(tmpdir(), "latchkey-listener-"));
let data: BrokerDirectory;
let listener: Listener | undefined;
beforeAll(async () => {
  data = await openBrokerDirectory(join(scratch, "data"), {
    serverNames: [],
    scope: defaultScope,
    now: () => new Date(),
  });
});
afterEach(async () => {
  await listener?.close();
  listener = undefined;
});
afterAll(async () => {
  await data[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true });
});

/** What the listener reported, and a promise for the next connection. */
class Reports {
  readonly failures: string[] = [];
  readonly handshakes: Handshake[] = [];
  readonly #accepted: ((connection: AcceptedConnection) => void)[] = [];
  nextConnection(): Promise<AcceptedConnection> {
    return new Promise((resolve) => this.#accepted.push(resolve));
  }
  accept(connection: AcceptedConnection): void {
    this.#accepted.shift()?.(connection);
  }
}

async function start(
  listenBy: typeof listenWithNodeTls,
  options: Partial<ListenerOptions<string>> = {},
): Promise<Reports> {
  const reports = new Reports();
  listener = await listenBy<string>({
    host: "127.0.0.1",
    port: 0,
    certificate: data.server.certificate,
    privateKey: data.server.privateKey,
    handshakeTimeoutMs: 30_000,
    maximumConnections: 10,
    judge: async (handshake) => {
      reports.handshakes.push(handshake);
      return "peer";
    },
    onConnection: (_, connection) => reports.accept(connection),
    onHandshakeFailed: (_, reason) => reports.failures.push(reason),
    ...options,
  });
  return reports;
}

function client(options: object = {}): TLSSocket {
  const socket = connectTls({
    port: listener?.address.port ?? 0,
    host: "127.0.0.1",
    servername: "localhost",
    ca: certificateToPem(data.serverAuthority),
    cert: certificateToPem(data.deviceAuthority.certificate),
    key: privateKeyToPem(data.deviceAuthority.privateKey),
    ...options,
  });
  socket.on("error", () => {});
  return socket;
}

describe.each([
  ["node:tls", listenWithNodeTls],
  ["@latchkey/tls", listenWithLatchkeyTls],
])("the listener on %s", (_, listenBy) => {
  test.each(["TLSv1.2", "TLSv1.3"] as const)(
    "%s: hands on chain, name and version, then octets both ways",
    async (version) => {
      const reports = await start(listenBy);
      const accepted = reports.nextConnection();
      const socket = client({ minVersion: version, maxVersion: version });
      const connection = await accepted;
      expect(reports.handshakes).toMatchObject([
        { serverName: "localhost", protocol: version, remote: expect.stringMatching(/^127\.0\.0\.1:\d+$/) },
      ]);
      expect(reports.handshakes[0]?.chain.map((der) => Buffer.from(der))).toEqual([
        Buffer.from(data.deviceAuthority.certificate.encoding),
      ]);
      const received = new Promise<string>((resolve) => {
        connection.onData = (chunk) => resolve(Buffer.from(chunk).toString());
      });
      socket.write("press");
      expect(await received).toBe("press");
      connection.write([Buffer.from("acknow"), Buffer.from("ledged")]);
      const [answer] = await once(socket, "data");
      expect(String(answer)).toBe("acknowledged");
      socket.destroy();
    },
  );

  test("a client without a certificate is judged, too: its chain is empty", async () => {
    const reports = await start(listenBy);
    const accepted = reports.nextConnection();
    const socket = client({ cert: undefined, key: undefined });
    await accepted;
    expect(reports.handshakes[0]?.chain).toEqual([]);
    socket.destroy();
  });

  test("a client that the judge does not let in is closed, and nothing of it is read", async () => {
    const reports = await start(listenBy, { judge: async () => undefined, onConnection: () => expect.unreachable() });
    const socket = client();
    socket.write("press");
    socket.resume();
    await once(socket, "close");
    expect(reports.failures).toEqual([]);
  });

  test("a judge that fails lets nobody in, and the reason is reported", async () => {
    const reports = await start(listenBy, { judge: () => Promise.reject(new Error("registry gone")) });
    const socket = client();
    socket.resume();
    await once(socket, "close");
    expect(reports.failures).toEqual(["registry gone"]);
  });

  test("what is no TLS is reported and closed", async () => {
    const reports = await start(listenBy);
    const socket = connectTcp(listener?.address.port ?? 0, "127.0.0.1");
    socket.on("error", () => {});
    socket.end("GET / HTTP/1.1\r\n\r\n");
    socket.resume();
    await once(socket, "close");
    await expect.poll(() => reports.failures, { timeout: 30_000 }).toHaveLength(1);
  });

  test("an address that is taken rejects", async () => {
    await start(listenBy);
    const port = listener?.address.port ?? 0;
    const again = listenBy<string>({
      host: "127.0.0.1",
      port,
      certificate: data.server.certificate,
      privateKey: data.server.privateKey,
      handshakeTimeoutMs: 30_000,
      maximumConnections: 1,
      judge: async () => "peer",
      onConnection: () => {},
      onHandshakeFailed: () => {},
    });
    await expect(again).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  test("closing ends open connections", async () => {
    const reports = await start(listenBy);
    const accepted = reports.nextConnection();
    const socket = client();
    await accepted;
    socket.resume();
    const closed = once(socket, "close");
    await listener?.close();
    await closed;
  });

  test("another certificate is served from the next handshake on, and open connections stay", async () => {
    const reports = await start(listenBy);
    const accepted = reports.nextConnection();
    const before = client();
    const connection = await accepted;
    const other = await openBrokerDirectory(join(scratch, "other"), {
      serverNames: ["renewed.example"],
      scope: defaultScope,
      now: () => new Date(),
    });
    listener?.setCertificate(other.server.certificate, other.server.privateKey);
    const acceptedAfter = reports.nextConnection();
    const after = client({ rejectUnauthorized: false });
    await acceptedAfter;
    expect(after.getPeerX509Certificate()?.subjectAltName).toContain("renewed.example");
    const received = new Promise<string>((resolve) => {
      connection.onData = (chunk) => resolve(Buffer.from(chunk).toString());
    });
    before.write("still here");
    expect(await received).toBe("still here");
    before.destroy();
    after.destroy();
    await other[Symbol.asyncDispose]();
  });
});
