/** TLS by node:tls. What it thinks of the client's certificate is not used: it asks for one and accepts any. */

import { constants, randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { createSecureContext, TLSSocket, type SecureContext } from "node:tls";
import { presentedCertificates } from "@latchkey/chain";
import { ResumableClients } from "./resumable-clients.ts";
import { StreamConnection } from "./stream-connection.ts";
import {
  addressOf,
  endsOf,
  remoteOf,
  ticketKeyLifetimeMs,
  type Handshake,
  type TlsLayer,
  type TlsLayerOptions,
} from "./tls-layer.ts";

/** What every certificate of the layer is used with. Sessions of another context are not resumed. */
const contextOptions = {
  minVersion: "TLSv1.2",
  honorCipherOrder: true,
  sessionIdContext: "latchkey",
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
  const { applicationProtocols, handshakeTimeoutMs, onSecure, onFailed } = options;
  let { certificate, privateKey } = options;
  let secureContext = contextOf(certificate, privateKey);
  const clients = new ResumableClients({
    ...remembered,
    lifetimeMs: ticketKeyLifetimeMs,
    monotonicMs: () => performance.now(),
    changeKeys() {
      secureContext = contextOf(certificate, privateKey);
    },
  });
  const secured = (accepted: Socket, socket: TLSSocket): void => {
    const address = addressOf(socket);
    const shown = shownBy(socket, clients);
    if (shown === undefined) onFailed(remoteOf(socket), forgotten);
    // Without an address no condition on it can be decided: it is gone where the client reset the connection.
    if (address === undefined || shown === undefined) {
      socket.destroy();
      return;
    }
    onSecure(accepted, new StreamConnection(socket), {
      ...shown,
      applicationProtocol: typeof socket.alpnProtocol === "string" ? socket.alpnProtocol : undefined,
      version: socket.getProtocol() ?? "unknown",
      address,
      remote: remoteOf(socket),
      ends: endsOf(socket),
    });
  };
  return {
    secure(accepted) {
      clients.changeOldKeys();
      // A server of node:tls would make an error, with its stack, of what it thinks of each client's certificate.
      const socket = new TLSSocket(accepted, {
        isServer: true,
        secureContext,
        requestCert: true,
        rejectUnauthorized: false,
        ...(applicationProtocols.length > 0 && { ALPNProtocols: applicationProtocols }),
      });
      const failed = (reason: string): void => {
        // The address of the accepted socket was read then, and stays known when the client has reset the connection.
        onFailed(remoteOf(accepted), reason);
        socket.destroy();
      };
      watchHandshake(socket, handshakeTimeoutMs, () => secured(accepted, socket), failed);
    },
    setCertificate(nextCertificate, nextPrivateKey) {
      [certificate, privateKey] = [nextCertificate, nextPrivateKey];
      clients.changeKeys();
    },
  };
}

/** A certificate with new keys for tickets. Connections keep the one that they began with. */
function contextOf(certificate: string, privateKey: string): SecureContext {
  return createSecureContext({
    ...contextOptions,
    cert: certificate,
    key: privateKey,
    ticketKeys: randomBytes(ticketKeyOctets),
  });
}

/** Calls one of the two, once. Later errors of TLS end the socket, as those of any other do. */
function watchHandshake(
  socket: TLSSocket,
  timeoutMs: number,
  onSecured: () => void,
  onFailed: (reason: string) => void,
): void {
  const settle = (): void => {
    clearTimeout(timer);
    socket.off("secure", secured).off("error", failed).off("close", closed);
  };
  const secured = (): void => {
    settle();
    onSecured();
  };
  const failed = (error: Error): void => {
    settle();
    onFailed(error.message);
  };
  const closed = (): void => failed(new Error("the client closed the connection"));
  const timer = setTimeout(() => failed(new Error("TLS handshake timeout")), timeoutMs);
  socket.on("secure", secured).on("error", failed).on("close", closed);
  // Until a server of node:tls has taken a socket, and here none does, errors of TLS and of the socket below come as this event only.
  socket.on("_tlsError", endByError);
}

/** One for all sockets: a function made for each would keep what its handshake needed. */
function endByError(this: TLSSocket, error: Error): void {
  this.destroy(error);
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
