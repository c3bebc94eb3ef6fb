/** TLS by node:tls. What it thinks of the client's certificate is not used: it asks for one and accepts any. */

import { constants } from "node:crypto";
import { createServer } from "node:tls";
import { presentedCertificates } from "@latchkey/chain";
import { addressOf, remoteOf, type TlsLayer, type TlsLayerOptions } from "./tls-layer.ts";

/** What every certificate of the layer is used with. */
const contextOptions = {
  minVersion: "TLSv1.2",
  // A resumed session would bring the client's certificate without its chain. AWS IoT has no tickets either.
  secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
} as const;

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
  server.on("secureConnection", (socket) => {
    const address = addressOf(socket);
    // Without an address no condition on it can be decided: it is gone where the client reset the connection.
    if (address === undefined) {
      socket.destroy();
      return;
    }
    onSecure({
      stream: socket,
      handshake: {
        chain: presentedCertificates(socket),
        serverName: typeof socket.servername === "string" ? socket.servername : undefined,
        applicationProtocol: typeof socket.alpnProtocol === "string" ? socket.alpnProtocol : undefined,
        version: socket.getProtocol() ?? "unknown",
        address,
        remote: remoteOf(socket),
      },
      // node:tls has no function that sends an alert.
      refuse: () => socket.destroy(),
    });
  });
  server.on("tlsClientError", (error, socket) => {
    onFailed(remoteOf(socket), error.message);
    socket.destroy();
  });
  return {
    secure: (socket) => void server.emit("connection", socket),
    setCertificate: (cert, key) => server.setSecureContext({ ...contextOptions, cert, key }),
  };
}
