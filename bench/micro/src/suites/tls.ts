/**
 * The engine of @latchkey/tls beside node:tls, through memory, in one process: no socket, no system call.
 *
 * A `known-client` comes again without a ticket: its chain was accepted before. node:tls remembers no chains.
 *
 * In the handshake scenarios the client is our engine on both sides, and the time that it takes is not counted: the rows say
 * what a server costs. In `open` the records are made before the clock runs.
 */

import { Duplex } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { nodeProvider } from "@latchkey/crypto/node";
import {
  chainPeerVerifier,
  type ClientConfig,
  createTlsClient,
  createTlsServer,
  keyCredential,
  type ResumableSession,
  type ServerConfig,
  type TlsEngine,
  TicketKeys,
} from "@latchkey/tls";
import * as x509 from "@latchkey/x509";
import type { Contender, Scenario, Suite } from "../scenario.ts";

const OURS = "@latchkey/tls";
const NODE = "node:tls";

type Version = "TLSv1.2" | "TLSv1.3";

/** A root, and what a server and a device of it need on either side. */
interface Material {
  readonly client: ClientConfig;
  readonly server: ServerConfig;
  readonly secureContext: SecureContext;
}

export const suite: Suite = {
  name: "tls",
  scenarios: {
    "tls/handshake/full/tls13/p256/mutual/server": () => handshakes("TLSv1.3"),
    "tls/handshake/full/tls12/p256/mutual/server": () => handshakes("TLSv1.2"),
    "tls/handshake/full/tls13/p256/mutual/server/known-client": () => handshakes("TLSv1.3", 256),
    "tls/handshake/full/tls12/p256/mutual/server/known-client": () => handshakes("TLSv1.2", 256),
    "tls/handshake/resumed/tls13/p256/mutual/server": () => resumptions(),
    "tls/record/seal/64B": () => sealing(64),
    "tls/record/seal/16KiB": () => sealing(16_384),
    "tls/record/open/64B": () => opening(64),
    "tls/record/open/16KiB": () => opening(16_384),
  },
};

function material(version: Version, rememberedChains: number = 0): Material {
  const validity = x509.validityFrom(Math.floor(Date.now() / 1000) - 3600, 365);
  const name = (value: string): x509.Name => x509.makeName([{ type: "commonName", value }]);
  const newKeys = (): ReturnType<typeof nodeProvider.generateKeyPair> =>
    nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const rootKeys = newKeys();
  const root = x509.issueSelfSignedCertificate({
    provider: nodeProvider,
    privateKey: rootKeys.privateKey,
    template: x509.certificateAuthority({ subject: name("Bench Root"), validity }),
  });
  const issue = (
    template: x509.CertificateTemplate,
  ): {
    readonly certificate: x509.Certificate;
    readonly key: string;
    readonly credential: ReturnType<typeof keyCredential>;
  } => {
    const { privateKey, publicKey } = newKeys();
    const issuer = { certificate: root, privateKey: rootKeys.privateKey };
    const certificate = x509.issueCertificate({ provider: nodeProvider, issuer, template, publicKey });
    const credential = keyCredential({ provider: nodeProvider, privateKey, chain: [certificate.encoding] });
    return { certificate, key: x509.privateKeyToPem(privateKey, { provider: nodeProvider }), credential };
  };
  const server = issue(x509.serverCertificate({ dnsNames: ["broker.example"], validity }));
  const device = issue(x509.deviceCertificate({ subject: name("button-1"), validity }));
  const trustAnchors = [root];
  // With 0 nothing is remembered of the device: each handshake is one of a device that comes for the first time.
  const verifier = chainPeerVerifier({ provider: nodeProvider, trustAnchors, rememberedChains });
  const common = { provider: nodeProvider, clock: Date.now, versions: [version] } as const;
  return {
    client: { ...common, serverName: "broker.example", credentials: [device.credential], verifier },
    server: {
      ...common,
      credentials: [server.credential],
      clientAuthentication: "require",
      verifier,
      tickets: new TicketKeys({ provider: nodeProvider }),
    },
    secureContext: createSecureContext({
      ca: x509.certificateToPem(root),
      cert: x509.certificateToPem(server.certificate),
      key: server.key,
      sessionIdContext: "bench",
      minVersion: version,
      maxVersion: version,
    }),
  };
}

/** What a client and a server that talk through memory have to do until both are quiet. */
function carry(client: TlsEngine, server: TlsEngine, clock: Stopwatch = new Stopwatch()): void {
  for (;;) {
    const up = client.takeOutput();
    const down = clock.time(() => {
      if (up !== undefined) server.receive(up);
      return server.takeOutput();
    });
    if (down !== undefined) client.receive(down);
    if (up === undefined && down === undefined) return;
  }
}

/** Adds up the time of what it runs. */
class Stopwatch {
  milliseconds = 0;

  time<Result>(act: () => Result): Result {
    const start = performance.now();
    const result = act();
    this.milliseconds += performance.now() - start;
    return result;
  }
}

/** The transport of a TLSSocket: what it writes goes to `take`. */
class MemoryTransport extends Duplex {
  readonly #take: (octets: Uint8Array) => void;

  constructor(take: (octets: Uint8Array) => void) {
    super();
    this.#take = take;
  }

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    this.#take(chunk);
    done();
  }
}

/** What a scenario wants of `nodeServer` besides the handshake. */
interface NodeServerOptions {
  /** Application data that came. */
  readonly onData?: (chunk: Uint8Array) => void;
  /** Takes the server's records after the handshake, in place of the client. */
  readonly onRecords?: (octets: Uint8Array) => void;
  /** Times what the client does. */
  readonly clientClock?: Stopwatch;
}

/** node:tls as the server of one of our clients, after the handshake. */
async function nodeServer(
  client: TlsEngine,
  secureContext: SecureContext,
  { onData, onRecords, clientClock = new Stopwatch() }: NodeServerOptions = {},
): Promise<{ readonly socket: TLSSocket; readonly transport: MemoryTransport }> {
  let isSecured = false;
  const transport = new MemoryTransport((octets) => {
    if (isSecured && onRecords !== undefined) {
      onRecords(octets);
      return;
    }
    const output = clientClock.time(() => {
      client.receive(octets);
      return client.takeOutput();
    });
    if (output !== undefined) transport.push(output);
  });
  const socket = new TLSSocket(transport, {
    isServer: true,
    secureContext,
    requestCert: true,
    rejectUnauthorized: true,
  });
  socket.on("error", () => undefined);
  if (onData !== undefined) socket.on("data", onData);
  const secured = new Promise<void>((resolve) => socket.once("secure", resolve));
  transport.push(client.takeOutput() ?? new Uint8Array(0));
  await secured;
  isSecured = true;
  return { socket, transport };
}

function requireOpen(engine: TlsEngine): void {
  if (engine.phase !== "open") throw engine.error ?? new Error(`the handshake stands at ${engine.phase}`);
}

function handshakes(version: Version, rememberedChains: number = 0): Scenario {
  const { client, server, secureContext } = material(version, rememberedChains);
  return {
    unit: "handshake",
    bytesPerOperation: 0,
    subject: ourServer(() => client, server),
    peers: [nodeServers(() => client, secureContext)],
  };
}

async function resumptions(): Promise<Scenario> {
  const { client, server, secureContext } = material("TLSv1.3", 256);
  const first = createTlsClient(client);
  carry(first, createTlsServer(server));
  const ours = { ...client, session: sessionOf(first) };
  const second = createTlsClient(client);
  const { socket } = await nodeServer(second, secureContext);
  await nextTurn();
  const nodes = { ...client, session: sessionOf(second) };
  socket.destroy();
  return {
    unit: "handshake",
    bytesPerOperation: 0,
    subject: ourServer(() => ours, server),
    peers: [nodeServers(() => nodes, secureContext)],
  };
}

function sessionOf(engine: TlsEngine): ResumableSession {
  for (let event = engine.next(); event !== undefined; event = engine.next()) {
    if (event.type === "session") return event.session;
  }
  throw new Error("the server gave no ticket");
}

function ourServer(clientConfig: () => ClientConfig, serverConfig: ServerConfig): Contender {
  return {
    name: OURS,
    run: () => {
      const config = clientConfig();
      const clock = new Stopwatch();
      const client = createTlsClient(config);
      const server = clock.time(() => createTlsServer(serverConfig));
      carry(client, server, clock);
      requireOpen(client);
      requireOpen(server);
      const isRight = server.info?.isResumption === (config.session !== undefined);
      return { operations: isRight ? 1 : 0, milliseconds: clock.milliseconds };
    },
  };
}

function nodeServers(clientConfig: () => ClientConfig, secureContext: SecureContext): Contender {
  return {
    name: NODE,
    run: async () => {
      const config = clientConfig();
      const client = createTlsClient(config);
      // The server works in turns of the event loop that it chooses, so its time is all the time that is not the client's.
      const clientClock = new Stopwatch();
      const start = performance.now();
      const { socket } = await nodeServer(client, secureContext, { clientClock });
      // In TLS 1.2 the server's Finished comes last, a turn after "secure".
      while (client.phase === "handshake") await nextTurn();
      const milliseconds = performance.now() - start - clientClock.milliseconds;
      requireOpen(client);
      const isResumption = socket.isSessionReused();
      socket.destroy();
      return { operations: isResumption === (config.session !== undefined) ? 1 : 0, milliseconds };
    },
  };
}

const batch = 64;

/** Application data of a server into records: each write is one record, of 22 octets more. */
async function sealing(octets: number): Promise<Scenario> {
  const { client, server, secureContext } = material("TLSv1.3");
  const data = new Uint8Array(octets).fill(65);
  const engine = createTlsServer(server);
  carry(createTlsClient(client), engine);
  requireOpen(engine);
  let written = 0;
  const peer = createTlsClient(client);
  const { socket } = await nodeServer(peer, secureContext, {
    onRecords: (record) => {
      written += record.length;
    },
  });
  return {
    unit: "record",
    bytesPerOperation: octets,
    subject: {
      name: OURS,
      run: () => {
        let records = 0;
        for (let index = 0; index < batch; index++) {
          engine.send(data);
          if ((engine.takeOutput()?.length ?? 0) > octets) records++;
        }
        return records;
      },
    },
    peers: [
      {
        name: NODE,
        run: async () => {
          const before = written;
          // One by one: writes that wait together would become one record.
          for (let index = 0; index < batch; index++) {
            await new Promise<void>((resolve) => socket.write(data, () => resolve()));
          }
          return Math.floor((written - before) / (octets + 22));
        },
      },
    ],
  };
}

/** A batch of records, each with the same data. */
function recordsOf(client: TlsEngine, data: Uint8Array): Uint8Array[] {
  return Array.from({ length: batch }, () => {
    client.send(data);
    return client.takeOutput() ?? new Uint8Array(0);
  });
}

/** Records of our client into application data at the server. */
async function opening(octets: number): Promise<Scenario> {
  const { client, server, secureContext } = material("TLSv1.3");
  const data = new Uint8Array(octets).fill(65);
  const ourClient = createTlsClient(client);
  const engine = createTlsServer(server);
  carry(ourClient, engine);
  requireOpen(engine);
  let received = 0;
  let whenReceived: { readonly target: number; readonly resolve: () => void } | undefined;
  const nodeClient = createTlsClient(client);
  const { transport } = await nodeServer(nodeClient, secureContext, {
    onData: (chunk) => {
      received += chunk.length;
      if (whenReceived !== undefined && received >= whenReceived.target) whenReceived.resolve();
    },
  });
  return {
    unit: "record",
    bytesPerOperation: octets,
    subject: {
      name: OURS,
      run: () => {
        const records = recordsOf(ourClient, data);
        const start = performance.now();
        let opened = 0;
        for (const record of records) {
          engine.receive(record);
          for (let event = engine.next(); event !== undefined; event = engine.next()) {
            if (event.type === "data" && event.data.length === octets) opened++;
          }
        }
        return { operations: opened, milliseconds: performance.now() - start };
      },
    },
    peers: [
      {
        name: NODE,
        run: async () => {
          const records = recordsOf(nodeClient, data);
          const before = received;
          const start = performance.now();
          await new Promise<void>((resolve) => {
            whenReceived = { target: before + batch * octets, resolve };
            for (const record of records) transport.push(record);
          });
          return { operations: (received - before) / octets, milliseconds: performance.now() - start };
        },
      },
    ],
  };
}
