/** A listening socket with TLS behind it: it admits connections, and hands on those whose handshake succeeded. */

import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Admission, AdmissionRefusal } from "./admission.ts";
import { HandshakeQueue } from "./handshake-queue.ts";
import { isLoopback } from "./loopback.ts";
import { addressOf, remoteOf, type SecureStream, type TlsLayer, type TlsLayerOptions } from "./tls-layer.ts";

/** What a listener needs. */
export interface SecureListenerOptions extends Omit<TlsLayerOptions, "onSecure"> {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Listens on a loopback address or not at all. Default false. */
  readonly isLoopbackOnly?: boolean | undefined;
  readonly tlsLayer: (options: TlsLayerOptions) => TlsLayer;
  readonly admission: Admission;
  /** It owns the stream, and has to end it. */
  readonly onStream: (secure: SecureStream) => void;
  /** A connection that was cut before its handshake. */
  readonly onNotAdmitted: (remote: string, limit: AdmissionRefusal) => void;
  /** A connection could not be accepted, for instance `EMFILE`. The listener goes on. */
  readonly onAcceptFailed: (reason: string) => void;
}

/** A listening socket. */
export interface SecureListener {
  readonly address: AddressInfo;
  setCertificate(certificate: string, privateKey: string): void;
  /** Stops listening and ends what is still open; resolves when all is closed. */
  close(): Promise<void>;
}

/** After so long without an octet the system asks whether the other side is still there, so that a vanished client is noticed. */
const tcpKeepAliveMs = 60_000;
/** How long a client may take to read the last octets before its connection is cut. */
const closeTimeoutMs = 2000;
/** Connections that may wait to be accepted: a fleet that connects at once after a restart. The system may allow fewer. */
const backlog = 4096;

/** Starts listening. Rejects with the system's error, for instance `EADDRINUSE`. */
export async function startSecureListener(options: SecureListenerOptions): Promise<SecureListener> {
  const { host, port, admission, onStream } = options;
  const streams = new Set<Duplex>();
  /** What is under the streams, and what has not got that far. */
  const sockets = new Set<Socket>();
  let isClosing = false;
  const layer = options.tlsLayer({
    ...options,
    onSecure(secure) {
      const { stream, handshake } = secure;
      if (isClosing) {
        stream.destroy();
        return;
      }
      countUntilClose(stream, handshake.address, streams, admission);
      // A stream without a listener for errors ends the process. The reader of the stream adds one that acts on them.
      stream.on("error", ignore);
      onStream(secure);
    },
  });
  const handshakes = new HandshakeQueue((socket) => layer.secure(socket));
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: tcpKeepAliveMs }, (socket) => {
    const address = addressOf(socket);
    const refusal = address === undefined ? undefined : admission.admit(address);
    if (isClosing || address === undefined || refusal !== undefined) {
      if (refusal !== undefined) options.onNotAdmitted(remoteOf(socket), refusal);
      else if (address !== undefined) admission.release(address);
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.on("close", () => {
      sockets.delete(socket);
      admission.release(address);
    });
    handshakes.add(socket);
  });
  if (options.isLoopbackOnly === true && !isLoopback(host)) throw new Error(loopbackOnly);
  const address = await listen(server, port, host);
  // A name may stand for any address.
  if (options.isLoopbackOnly === true && !isLoopback(address.address)) {
    server.close();
    throw new Error(loopbackOnly);
  }
  server.on("error", (error) => options.onAcceptFailed(error.message));
  return {
    address,
    setCertificate: (certificate, privateKey) => layer.setCertificate(certificate, privateKey),
    close() {
      isClosing = true;
      return endAll(server, streams, sockets);
    },
  };
}

/** Counts a stream whose handshake is finished. Apart, so that the stream does not keep what the handshake showed as long as it lives. */
function countUntilClose(stream: Duplex, address: string, streams: Set<Duplex>, admission: Admission): void {
  streams.add(stream);
  admission.secure(address);
  stream.on("close", () => {
    streams.delete(stream);
    admission.unsecure(address);
  });
}

/** One for all streams: each function takes room as long as its stream lives. */
function ignore(): void {}

const loopbackOnly = "only a loopback address (127.0.0.1, ::1) is possible without TLS";

async function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host, backlog }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("the listener has no address");
  return address;
}

/** Lets what is written go out, then cuts the connection even where the client reads nothing. */
export function endSoon(stream: Duplex): void {
  if (stream.destroyed) return;
  const timer = setTimeout(() => stream.destroy(), closeTimeoutMs);
  stream.once("close", () => clearTimeout(timer));
  stream.end(() => stream.destroy());
}

/** Ends all streams soon, and cuts what is left of the sockets. */
function endAll(server: Server, streams: Iterable<Duplex>, sockets: Iterable<Socket>): Promise<void> {
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
