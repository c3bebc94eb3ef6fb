/**
 * What every listener gives, whichever TLS engine is under it: a connection is {chain, serverName, octets in, octets out}.
 *
 * The handshake proves one thing: the client holds the private key of its certificate. `judge` decides on the chain as DER whether
 * the client is let in, before an octet of MQTT is read.
 */

import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { messageOf } from "@latchkey/command-line";

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

/** A stream of plaintext over TLS, after its handshake. */
export interface SecureStream {
  readonly stream: Duplex;
  readonly handshake: Handshake;
}

/** How long a client may take to read the last octets before its connection is cut. */
const closeTimeoutMs = 2000;

/** Judges a client after its handshake; it is read from only when it has been let in. */
export async function admit<Peer>(
  { stream, handshake }: SecureStream,
  options: ListenerOptions<Peer>,
  isClosing: () => boolean,
): Promise<void> {
  stream.pause();
  // Errors while judging: the stream is destroyed by then, which is looked at below.
  stream.on("error", () => {});
  let peer: Peer | undefined;
  try {
    peer = await options.judge(handshake);
  } catch (error) {
    options.onHandshakeFailed(handshake.remote, messageOf(error));
  }
  if (peer === undefined || stream.destroyed || isClosing()) {
    stream.destroy();
    return;
  }
  const connection = connectionOf(stream);
  options.onConnection(peer, connection);
  stream.on("data", (chunk: Buffer) => connection.onData(chunk));
  stream.on("drain", () => connection.onDrained());
  stream.on("error", (error: Error) => connection.onLost(error.message));
  stream.on("close", () => connection.onLost("the client closed the connection"));
  stream.resume();
}

/** Lets what is written go out, then cuts the connection even where the client reads nothing. */
function endSoon(stream: Duplex): void {
  if (stream.destroyed) return;
  const timer = setTimeout(() => stream.destroy(), closeTimeoutMs);
  stream.once("close", () => clearTimeout(timer));
  stream.end(() => stream.destroy());
}

/** Ends all streams soon, and cuts what is left of the sockets. */
export function endAll(streams: Iterable<Duplex>, sockets: Iterable<Socket>, server: Closable): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, closeTimeoutMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    for (const stream of streams) endSoon(stream);
  });
}

/** What `endAll` needs of a server. */
interface Closable {
  close(done: () => void): unknown;
}

/** What `startListening` needs of a server. */
interface Listenable {
  once(event: "error", listener: (error: Error) => void): unknown;
  off(event: "error", listener: (error: Error) => void): unknown;
  listen(port: number, host: string, done: () => void): unknown;
  address(): AddressInfo | string | null;
}

/** Starts listening. Rejects with the system's error, for instance `EADDRINUSE`. */
export async function startListening(server: Listenable, port: number, host: string): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the listener has no address");
  return address;
}

/** Address and port of a socket. */
export function remoteOf(socket: {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}): string {
  return `${socket.remoteAddress ?? "unknown"}:${socket.remotePort ?? 0}`;
}

function connectionOf(stream: Duplex): AcceptedConnection {
  return {
    write(chunks) {
      stream.write(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    },
    close: () => endSoon(stream),
    get bufferedOctets() {
      return stream.writableLength;
    },
    onData: () => {},
    onLost: () => {},
    onDrained: () => {},
    pause: () => stream.pause(),
    resume: () => stream.resume(),
  };
}
