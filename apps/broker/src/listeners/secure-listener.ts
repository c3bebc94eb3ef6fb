/** A listening socket with TLS behind it: it admits connections, and hands on those whose handshake succeeded. */

import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Admission, AdmissionRefusal } from "./admission.ts";
import { HandshakeQueue } from "./handshake-queue.ts";
import { isLoopback } from "./loopback.ts";
import { closeTimeoutMs } from "./stream-connection.ts";
import {
  addressOf,
  type Handshake,
  remoteOf,
  type SecureConnection,
  type TlsLayer,
  type TlsLayerOptions,
} from "./tls-layer.ts";

/** What a listener needs. */
export interface SecureListenerOptions extends Omit<TlsLayerOptions, "onSecure"> {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Listens on a loopback address or not at all. Default false. */
  readonly isLoopbackOnly?: boolean | undefined;
  readonly tlsLayer: (options: TlsLayerOptions) => TlsLayer;
  readonly admission: Admission;
  /** It owns the connection, and has to end it. */
  readonly onConnection: (connection: SecureConnection, handshake: Handshake) => void;
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
/** Connections that may wait to be accepted: a fleet that connects at once after a restart. The system may allow fewer. */
const backlog = 4096;

/** Starts listening. Rejects with the system's error, for instance `EADDRINUSE`. */
export async function startSecureListener(options: SecureListenerOptions): Promise<SecureListener> {
  const { host, port, admission, onConnection } = options;
  /** All that are open; those without a connection have not finished their handshake. */
  const sockets = new Map<Socket, SecureConnection | undefined>();
  let isClosing = false;
  const layer = options.tlsLayer({
    ...options,
    onSecure(socket, connection, handshake) {
      // It may have closed meanwhile.
      if (isClosing || !sockets.has(socket)) {
        connection.destroy();
        return;
      }
      sockets.set(socket, connection);
      admission.secure(handshake.address);
      onConnection(connection, handshake);
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
    sockets.set(socket, undefined);
    socket.on("close", () => {
      if (sockets.get(socket) !== undefined) admission.unsecure(address);
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
      return endAll(server, sockets);
    },
  };
}

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

/** Ends all connections soon, and cuts what is left of the sockets. */
function endAll(server: Server, sockets: ReadonlyMap<Socket, SecureConnection | undefined>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      for (const socket of sockets.keys()) socket.destroy();
    }, closeTimeoutMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    for (const connection of sockets.values()) connection?.close();
  });
}
