/** TLS by node:tls. What it thinks of the client's certificate is not used: it asks for one and accepts any. */

import { constants, randomBytes } from "node:crypto";
import { Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { presentedCertificates } from "@latchkey/chain";
import { ResumableClients } from "./resumable-clients.ts";
import {
  addressOf,
  endsOf,
  remoteOf,
  ticketKeyLifetimeMs,
  type Handshake,
  type TlsLayer,
  type TlsLayerOptions,
} from "./tls-layer.ts";

/** What every certificate of the layer is used with. */
const contextOptions = {
  minVersion: "TLSv1.2",
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  sessionTimeout: ticketKeyLifetimeMs / 1000,
} as const;

/** Name, HMAC key and AES key. */
const ticketKeyOctets = 48;
/** As many as may be connected by default, and what 10,000 chains with one intermediate of P-256 have. */
const remembered = { maximumClients: 10_000, maximumOctets: 8 * 1024 * 1024 } as const;

const forgotten = "the client of a resumed session is not remembered any more: its next handshake is a full one";

/** Makes the layer. */
export function nodeTlsLayer(options: TlsLayerOptions): TlsLayer {
  const { applicationProtocols, onSecure, onFailed } = options;
  // It never listens: it is handed the connections that the listener has accepted.
  const server = createServer({
    ...contextOptions,
    cert: options.certificate,
    key: options.privateKey,
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: options.handshakeTimeoutMs,
    ...(applicationProtocols.length > 0 && { ALPNProtocols: applicationProtocols }),
  });
  const clients = new ResumableClients({
    ...remembered,
    lifetimeMs: ticketKeyLifetimeMs,
    monotonicMs: () => performance.now(),
    changeKeys: () => server.setTicketKeys(randomBytes(ticketKeyOctets)),
  });
  server.on("secureConnection", (socket) => {
    const address = addressOf(socket);
    const shown = shownBy(socket, clients);
    if (shown === undefined) onFailed(remoteOf(socket), forgotten);
    // Without an address no condition on it can be decided: it is gone where the client reset the connection.
    if (address === undefined || shown === undefined) {
      socket.destroy();
      return;
    }
    onSecure({
      stream: socket,
      handshake: {
        ...shown,
        applicationProtocol: typeof socket.alpnProtocol === "string" ? socket.alpnProtocol : undefined,
        version: socket.getProtocol() ?? "unknown",
        address,
        remote: remoteOf(socket),
        ends: endsOf(socket),
      },
      // node:tls has no function that sends an alert.
      refuse: () => socket.destroy(),
    });
  });
  server.on("tlsClientError", (error, socket) => {
    onFailed(remoteOf(acceptedSocketOf(socket) ?? socket), error.message);
    socket.destroy();
  });
  return {
    secure(socket) {
      clients.changeOldKeys();
      server.emit("connection", socket);
    },
    setCertificate(cert, key) {
      server.setSecureContext({ ...contextOptions, cert, key });
      clients.changeKeys();
    },
  };
}

/**
 * The socket that was accepted. Its address was read then and stays known, while that of the TLS socket on it is gone once the client
 * has reset the connection. node:tls has no public way to it.
 */
function acceptedSocketOf(socket: TLSSocket): Socket | undefined {
  const parent: unknown = Reflect.get(socket, "_parent");
  return parent instanceof Socket ? parent : undefined;
}

/** What a handshake showed and what a ticket leaves out; undefined where that is not known any more. */
function shownBy(
  socket: TLSSocket,
  clients: ResumableClients,
): Pick<Handshake, "chain" | "serverName" | "isResumed"> | undefined {
  const chain = presentedCertificates(socket);
  // TLS 1.2 has none in a resumed session, whatever the client asked for.
  const serverName = typeof socket.servername === "string" ? socket.servername : undefined;
  if (!socket.isSessionReused()) {
    clients.remember(chain, serverName);
    return { chain, serverName, isResumed: false };
  }
  const [own] = chain;
  const known = clients.recall(own);
  if (known === undefined) return undefined;
  return {
    chain: own === undefined ? [] : [own, ...known.intermediates],
    serverName: socket.getProtocol() === "TLSv1.2" ? known.serverName : serverName,
    isResumed: true,
  };
}
