/**
 * The TLS listener. node:tls does the handshake; what it thinks of the client's certificate is not used.
 *
 * It asks every client for a certificate and accepts any. The handshake then proves one thing: the client holds the
 * certificate's private key. `judge` decides on the chain as DER whether the client is let in, before an octet of MQTT is
 * read. A connection is handed on as {chain, serverName, bytes in, bytes out}, so that another TLS engine can take the
 * place of node:tls.
 */

import { constants } from "node:crypto";
import type { AddressInfo, Server, Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { presentedCertificates } from "@latchkey/chain";

/** What the handshake showed of the client. */
export interface Handshake {
  /** The client's certificates as DER, its own first; empty where it sent none. */
  readonly chain: readonly Uint8Array[];
  /** The name that the client asked for (RFC 6066 §3). */
  readonly serverName: string | undefined;
  /** `TLSv1.3` or `TLSv1.2`. */
  readonly protocol: string;
  /** Address and port, for the log. */
  readonly remote: string;
}

/** A client that was let in. Its receiver sets the callbacks in the same turn of the event loop. */
export interface AcceptedConnection {
  write(chunks: readonly Uint8Array[]): void;
  close(): void;
  readonly bufferedOctets: number;
  onData: (chunk: Uint8Array) => void;
  onLost: (detail: string) => void;
  /** Everything that was written has gone out. */
  onDrained: () => void;
  pause(): void;
  resume(): void;
}

/** What a listener needs. */
export interface ListenerOptions<Peer> {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** PEM: the server's certificate, then the authorities between it and the root. */
  readonly certificate: string;
  readonly privateKey: string;
  /** How long a handshake may take. */
  readonly handshakeTimeoutMs: number;
  readonly maximumConnections: number;
  /** Decides who the client is; undefined refuses it. It logs its own refusals. */
  readonly judge: (handshake: Handshake) => Promise<Peer | undefined>;
  readonly onConnection: (peer: Peer, connection: AcceptedConnection) => void;
  /** A handshake that failed: no TLS, no common version, a signature that is not the certificate's. */
  readonly onHandshakeFailed: (remote: string, reason: string) => void;
}

/** A listening socket. */
export interface Listener {
  readonly address: AddressInfo;
  /** Shows another certificate from the next handshake on. Connections that are open stay. PEM, as in the options. */
  setCertificate(certificate: string, privateKey: string): void;
  /** Stops listening and ends what is still open; resolves when all is closed. */
  close(): Promise<void>;
}

/** What every certificate of the listener is used with. */
const contextOptions = {
  minVersion: "TLSv1.2",
  // A resumed session would bring the client's certificate without its chain. AWS IoT has no tickets either.
  secureOptions: constants.SSL_OP_NO_TICKET,
} as const;

/** How long a client may take to read the last bytes before its connection is cut. */
const closeTimeoutMs = 2000;

/** Starts listening. Rejects with the system's error, for instance `EADDRINUSE`. */
export async function listen<Peer>(options: ListenerOptions<Peer>): Promise<Listener> {
  const sockets = new Set<TLSSocket>();
  /** What is under the TLS connections, and what has not got that far. */
  const connections = new Set<Socket>();
  let isClosing = false;
  const server = createServer({
    ...contextOptions,
    cert: options.certificate,
    key: options.privateKey,
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: options.handshakeTimeoutMs,
    noDelay: true,
  });
  server.maxConnections = options.maximumConnections;
  server.on("connection", (socket) => {
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
  });
  server.on("secureConnection", (socket) => {
    // Without an address no condition on it can be decided: it is gone where the client reset the connection.
    if (isClosing || socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    void admit(socket, options, () => isClosing);
  });
  server.on("tlsClientError", (error, socket) => {
    options.onHandshakeFailed(remoteOf(socket), error.message);
    socket.destroy();
  });
  await startListening(server, options.port, options.host);
  // For instance EMFILE: this client is lost, the listener goes on.
  server.on("error", (error) => options.onHandshakeFailed("unknown", error.message));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the listener has no address");
  return {
    address,
    setCertificate: (cert, key) => server.setSecureContext({ ...contextOptions, cert, key }),
    close: () =>
      new Promise((resolve) => {
        isClosing = true;
        const timer = setTimeout(() => {
          for (const connection of connections) connection.destroy();
        }, closeTimeoutMs);
        server.close(() => {
          clearTimeout(timer);
          resolve();
        });
        for (const socket of sockets) endSoon(socket);
      }),
  };
}

function startListening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Judges a client after its handshake; it is read from only when it has been let in. */
async function admit<Peer>(socket: TLSSocket, options: ListenerOptions<Peer>, isClosing: () => boolean): Promise<void> {
  socket.pause();
  // Errors while judging: the socket is destroyed by then, which is looked at below.
  socket.on("error", () => {});
  let peer: Peer | undefined;
  try {
    peer = await options.judge({
      chain: presentedCertificates(socket),
      serverName: typeof socket.servername === "string" ? socket.servername : undefined,
      protocol: socket.getProtocol() ?? "unknown",
      remote: remoteOf(socket),
    });
  } catch (error) {
    options.onHandshakeFailed(remoteOf(socket), error instanceof Error ? error.message : String(error));
  }
  if (peer === undefined || socket.destroyed || isClosing()) {
    socket.destroy();
    return;
  }
  const connection = connectionOf(socket);
  options.onConnection(peer, connection);
  socket.on("data", (chunk: Buffer) => connection.onData(chunk));
  socket.on("drain", () => connection.onDrained());
  socket.on("error", (error) => connection.onLost(error.message));
  socket.on("close", () => connection.onLost("the client closed the connection"));
  socket.resume();
}

function connectionOf(socket: TLSSocket): AcceptedConnection {
  return {
    write(chunks) {
      socket.write(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    },
    close: () => endSoon(socket),
    get bufferedOctets() {
      return socket.writableLength;
    },
    onData: () => {},
    onLost: () => {},
    onDrained: () => {},
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  };
}

/** Lets what is written go out, then cuts the connection even where the client reads nothing. */
function endSoon(socket: TLSSocket): void {
  if (socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), closeTimeoutMs);
  socket.once("close", () => clearTimeout(timer));
  socket.end(() => socket.destroy());
}

function remoteOf(socket: {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}): string {
  return `${socket.remoteAddress ?? "unknown"}:${socket.remotePort ?? 0}`;
}
