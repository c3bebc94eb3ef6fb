import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openBrokerDirectory, type BrokerDirectory } from "../../src/data-directory/data-directory.ts";
import { privateKeyToPem } from "../../src/data-directory/key-pair-files.ts";
import { Admission, type AdmissionLimits } from "../../src/listeners/admission.ts";
import { latchkeyTlsLayer } from "../../src/listeners/latchkey-tls.ts";
import { nodeTlsLayer } from "../../src/listeners/node-tls.ts";
import {
  startSecureListener,
  type SecureListener,
  type SecureListenerOptions,
} from "../../src/listeners/secure-listener.ts";
import type { Handshake, SecureConnection } from "../../src/listeners/tls-layer.ts";
import { defaultScope } from "@latchkey/registry";
import { nodeProvider } from "@latchkey/crypto/node";
import { certificateToPem, deviceCertificate, issueCertificate, makeName, validityFrom } from "@latchkey/x509";

const scratch = mkdtempSync(join(tmpdir(), "latchkey-listener-"));
let data: BrokerDirectory;
let listener: SecureListener | undefined;
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

interface Secured {
  readonly connection: SecureConnection;
  readonly handshake: Handshake;
}

/** What the listener reported, and a promise for the next connection. */
class Reports {
  readonly failures: string[] = [];
  readonly notAdmitted: string[] = [];
  readonly handshakes: Handshake[] = [];
  readonly admission: Admission;
  readonly #waiting: ((secured: Secured) => void)[] = [];
  constructor(admission: Admission) {
    this.admission = admission;
  }
  nextConnection(): Promise<Secured> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
  secured(connection: SecureConnection, handshake: Handshake): void {
    this.handshakes.push(handshake);
    this.#waiting.shift()?.({ connection, handshake });
  }
}

type Layer = SecureListenerOptions["tlsLayer"];

const tenConnections: AdmissionLimits = {
  maximumConnections: 10,
  maximumConnectionsPerSecond: 0,
  maximumConnectionsOfAddress: Infinity,
  maximumConnectionsPerSecondOfAddress: 0,
  maximumHandshakesOfAddress: Infinity,
};

async function start(tlsLayer: Layer, options: Partial<SecureListenerOptions> = {}): Promise<Reports> {
  const admission = options.admission ?? new Admission(tenConnections);
  const reports = new Reports(admission);
  listener = await startSecureListener({
    host: "127.0.0.1",
    port: 0,
    tlsLayer,
    certificate: data.server.certificate,
    privateKey: data.server.privateKey,
    handshakeTimeoutMs: 30_000,
    applicationProtocols: [],
    admission,
    onConnection: (connection, handshake) => reports.secured(connection, handshake),
    onFailed: (_, reason) => reports.failures.push(reason),
    onNotAdmitted: (_, limit) => reports.notAdmitted.push(limit),
    onAcceptFailed: (reason) => reports.failures.push(reason),
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

/** A device's certificate with the authority above it, as PEM for the client and as it should come out. */
function deviceUnderAuthority(): { cert: string; key: string; chain: readonly string[] } {
  const { privateKey, publicKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const template = deviceCertificate({
    subject: makeName([{ type: "CN", value: "device" }]),
    validity: validityFrom(Math.floor(Date.now() / 1000) - 60, 1),
  });
  const issuer = data.deviceAuthority;
  const both = [issueCertificate({ provider: nodeProvider, issuer, template, publicKey }), issuer.certificate];
  return {
    cert: both.map(certificateToPem).join(""),
    key: privateKeyToPem(privateKey),
    chain: both.map(({ encoding }) => Buffer.from(encoding).toString("base64")),
  };
}

/** Connects until the server has ended the connection, and gives the session that it left. */
async function connectOnce(reports: Reports, options: object): Promise<{ session: Buffer | undefined }> {
  const secured = reports.nextConnection();
  let session: Buffer | undefined;
  const socket = client(options).on("session", (given: Buffer) => (session = given));
  socket.resume();
  const stream = (await secured).connection.stream();
  stream.resume();
  stream.end("octets, so that the tickets before them are read");
  await once(socket, "close");
  return { session };
}

/** What an ended client was told: the alert in OpenSSL's words, or nothing. */
function ended(socket: TLSSocket): Promise<string | undefined> {
  return new Promise((resolve) => {
    let reason: string | undefined;
    socket.on("error", (error) => (reason = error.message));
    socket.resume();
    socket.once("close", () => resolve(reason));
  });
}

describe.each([
  ["node:tls", nodeTlsLayer],
  ["@latchkey/tls", latchkeyTlsLayer],
] as const)("the listener on %s", (name, layer) => {
  test.each(["TLSv1.2", "TLSv1.3"] as const)(
    "%s: hands on chain, name and version, then octets both ways",
    async (version) => {
      const reports = await start(layer);
      const secured = reports.nextConnection();
      const socket = client({ minVersion: version, maxVersion: version });
      const stream = (await secured).connection.stream();
      expect(reports.handshakes).toMatchObject([
        { serverName: "localhost", version, address: "127.0.0.1", remote: expect.stringMatching(/^127\.0\.0\.1:\d+$/) },
      ]);
      expect(reports.handshakes[0]?.chain.map((der) => Buffer.from(der))).toEqual([
        Buffer.from(data.deviceAuthority.certificate.encoding),
      ]);
      socket.write("press");
      const [request] = await once(stream, "data");
      expect(String(request)).toBe("press");
      stream.write("acknowledged");
      const [answer] = await once(socket, "data");
      expect(String(answer)).toBe("acknowledged");
      socket.destroy();
    },
  );

  test("a client whose octets are no TLS after its handshake is ended by an error, and that is no failed handshake", async () => {
    const reports = await start(layer);
    const secured = reports.nextConnection();
    const wire = connectTcp(listener?.address.port ?? 0, "127.0.0.1");
    client({ socket: wire });
    const stream = (await secured).connection.stream();
    stream.resume();
    const errors: Error[] = [];
    stream.on("error", (error) => errors.push(error));
    const closed = new Promise((resolve) => stream.once("close", resolve));
    wire.write(Buffer.alloc(100, 0x55));
    await closed;
    expect([errors.length, reports.failures]).toEqual([1, []]);
  });

  test("a client without a certificate comes through, too: its chain is empty", async () => {
    const reports = await start(layer);
    const secured = reports.nextConnection();
    const socket = client({ cert: undefined, key: undefined });
    await secured;
    expect(reports.handshakes[0]?.chain).toEqual([]);
    socket.destroy();
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)(
    "%s: a refused client is cut, by an alert where it can be",
    async (version) => {
      const reports = await start(layer);
      const secured = reports.nextConnection();
      const socket = client({ minVersion: version, maxVersion: version });
      const reason = ended(socket);
      (await secured).connection.refuse("certificate_revoked");
      if (name === "@latchkey/tls") expect(await reason).toContain("certificate revoked");
      else expect((await reason) ?? "").not.toMatch(/alert/);
    },
  );

  test("ALPN: the preferred one is chosen; without a choice of ours any offer is passed over", async () => {
    const chosen = async (protocols: readonly string[], offered: readonly string[]): Promise<string | undefined> => {
      const reports = await start(layer, { applicationProtocols: protocols });
      const secured = reports.nextConnection();
      const socket = client({ ALPNProtocols: offered });
      const { handshake } = await secured;
      socket.destroy();
      await listener?.close();
      return handshake.applicationProtocol;
    };
    expect(await chosen(["a", "b"], ["b", "a"])).toBe("a");
    expect(await chosen(["a", "b"], ["x", "b"])).toBe("b");
    expect(await chosen([], ["x"])).toBeUndefined();
    const reports = await start(layer, { applicationProtocols: ["a"] });
    expect(await ended(client({ ALPNProtocols: ["x"] }))).toMatch(/no application protocol/);
    expect(reports.handshakes).toEqual([]);
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)(
    "%s: a resumed session brings chain and name, and its own ALPN; another certificate of the server ends it",
    async (version) => {
      const reports = await start(layer, { applicationProtocols: ["a", "b"] });
      const identity = { ...deviceUnderAuthority(), minVersion: version, maxVersion: version };
      const first = await connectOnce(reports, { ...identity, ALPNProtocols: ["a"] });
      const { session } = await connectOnce(reports, { ...identity, ALPNProtocols: ["b"], session: first.session });
      listener?.setCertificate(data.server.certificate, data.server.privateKey);
      await connectOnce(reports, { ...identity, ALPNProtocols: ["b"], session });
      const shown = reports.handshakes.map(({ chain, serverName, applicationProtocol, isResumed }) => ({
        chain: chain.map((der) => Buffer.from(der).toString("base64")),
        serverName,
        applicationProtocol,
        isResumed,
      }));
      const { chain } = identity;
      expect(shown).toEqual([
        { chain, serverName: "localhost", applicationProtocol: "a", isResumed: false },
        { chain, serverName: "localhost", applicationProtocol: "b", isResumed: true },
        { chain, serverName: "localhost", applicationProtocol: "b", isResumed: false },
      ]);
    },
  );

  test("what is no TLS is reported and closed", async () => {
    const reports = await start(layer);
    const socket = connectTcp(listener?.address.port ?? 0, "127.0.0.1");
    socket.on("error", () => {});
    socket.end("GET / HTTP/1.1\r\n\r\n");
    socket.resume();
    await once(socket, "close");
    await expect.poll(() => reports.failures, { timeout: 30_000 }).toHaveLength(1);
    await expect.poll(() => reports.admission.open, { timeout: 30_000 }).toBe(0);
  });

  test("a client that says nothing is cut when the handshake has taken too long", async () => {
    const reports = await start(layer, { handshakeTimeoutMs: 50 });
    const socket = connectTcp(listener?.address.port ?? 0, "127.0.0.1");
    socket.on("error", () => {});
    socket.resume();
    await once(socket, "close");
    await expect.poll(() => reports.failures, { timeout: 30_000 }).toHaveLength(1);
  });

  test("a connection above a limit is cut and reported; one that has ended makes room", async () => {
    const admission = new Admission({ ...tenConnections, maximumConnections: 1 });
    const reports = await start(layer, { admission });
    const secured = reports.nextConnection();
    const first = client();
    (await secured).connection.stream().resume();
    await ended(client());
    expect(reports.notAdmitted).toEqual(["maximumConnections"]);
    first.destroy();
    await expect.poll(() => admission.open, { timeout: 30_000 }).toBe(0);
    const again = reports.nextConnection();
    const third = client();
    await again;
    third.destroy();
  });

  test("an address has a number of unfinished handshakes; one that is finished or given up makes room", async () => {
    const admission = new Admission({ ...tenConnections, maximumHandshakesOfAddress: 2 });
    const reports = await start(layer, { admission });
    const silent = [1, 2].map(() => connectTcp(listener?.address.port ?? 0, "127.0.0.1"));
    for (const socket of silent) socket.on("error", () => {}).resume();
    await expect.poll(() => admission.open, { timeout: 30_000 }).toBe(2);
    await ended(client());
    expect(reports.notAdmitted).toEqual(["maximumHandshakesOfAddress"]);
    silent[0]?.destroy();
    await expect.poll(() => admission.open, { timeout: 30_000 }).toBe(1);
    // One at a time, as many as may be open.
    const held: TLSSocket[] = [];
    for (let count = 0; count < 5; count++) {
      const secured = reports.nextConnection();
      held.push(client());
      (await secured).connection.stream().resume();
    }
    expect(reports.notAdmitted).toHaveLength(1);
    for (const socket of [...held, ...silent]) socket.destroy();
    await expect.poll(() => admission.open, { timeout: 30_000 }).toBe(0);
    await expect.poll(() => admission.addresses, { timeout: 30_000 }).toBe(0);
  });

  test("new connections of an address above its rate are cut and reported, later ones are not", async () => {
    const admission = new Admission({ ...tenConnections, maximumConnectionsPerSecondOfAddress: 1 });
    const reports = await start(layer, { admission });
    const secured = reports.nextConnection();
    const first = client();
    await secured;
    // However slow this machine is, of so many at once some come within the second.
    await Promise.all(
      Array.from({ length: 8 }, () =>
        ended(
          client().on("secureConnect", function end(this: TLSSocket) {
            this.destroy();
          }),
        ),
      ),
    );
    expect(new Set(reports.notAdmitted)).toEqual(new Set(["maximumConnectionsPerSecondOfAddress"]));
    const again = async (): Promise<boolean> => {
      const socket = client();
      const outcome = await Promise.race([
        once(socket, "secureConnect").then(() => true),
        ended(socket).then(() => false),
      ]);
      socket.destroy();
      return outcome;
    };
    await expect.poll(again, { timeout: 30_000 }).toBe(true);
    first.destroy();
  });

  test("an address that is taken rejects", async () => {
    await start(layer);
    const first = listener;
    await expect(start(layer, { port: first?.address.port ?? 0 })).rejects.toMatchObject({ code: "EADDRINUSE" });
    expect(listener).toBe(first);
  });

  test("closing ends open connections, and those that have not begun to speak", async () => {
    const reports = await start(layer);
    const secured = reports.nextConnection();
    const socket = client();
    await secured;
    const silent = connectTcp(listener?.address.port ?? 0, "127.0.0.1");
    silent.on("error", () => {});
    silent.resume();
    await once(silent, "connect");
    await expect.poll(() => reports.admission.open, { timeout: 30_000 }).toBe(2);
    const closed = [once(silent, "close"), ended(socket)];
    await listener?.close();
    await Promise.all(closed);
  });

  test("another certificate is served from the next handshake on, and open connections stay", async () => {
    const reports = await start(layer);
    const secured = reports.nextConnection();
    const before = client();
    const stream = (await secured).connection.stream();
    const other = await openBrokerDirectory(join(scratch, "other"), {
      serverNames: ["renewed.example"],
      scope: defaultScope,
      now: () => new Date(),
    });
    listener?.setCertificate(other.server.certificate, other.server.privateKey);
    const securedAfter = reports.nextConnection();
    const after = client({ rejectUnauthorized: false });
    await securedAfter;
    expect(after.getPeerX509Certificate()?.subjectAltName).toContain("renewed.example");
    before.write("still here");
    const [received] = await once(stream, "data");
    expect(String(received)).toBe("still here");
    before.destroy();
    after.destroy();
    await other[Symbol.asyncDispose]();
  });
});
