/** The listener on node:tls. What node:tls thinks of the client's certificate is not used: it asks for one and accepts any. */

import { constants } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { presentedCertificates } from "@latchkey/chain";
import { admit, endAll, remoteOf, startListening, type Listener, type ListenerOptions } from "./secure-connection.ts";

/** What every certificate of the listener is used with. */
const contextOptions = {
  minVersion: "TLSv1.2",
  // A resumed session would bring the client's certificate without its chain. AWS IoT has no tickets either.
  secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
} as const;

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
    const handshake = {
      chain: presentedCertificates(socket),
      serverName: typeof socket.servername === "string" ? socket.servername : undefined,
      protocol: socket.getProtocol() ?? "unknown",
      remote: remoteOf(socket),
    };
    void admit({ stream: socket, handshake }, options, () => isClosing);
  });
  server.on("tlsClientError", (error, socket) => {
    options.onHandshakeFailed(remoteOf(socket), error.message);
    socket.destroy();
  });
  const address = await startListening(server, options.port, options.host);
  // For instance EMFILE: this client is lost, the listener goes on.
  server.on("error", (error) => options.onHandshakeFailed("unknown", error.message));
  return {
    address,
    setCertificate: (cert, key) => server.setSecureContext({ ...contextOptions, cert, key }),
    close: () => {
      isClosing = true;
      return endAll(sockets, connections, server);
    },
  };
}
