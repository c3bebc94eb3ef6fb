/** The listener on `@latchkey/tls`. The engine checks the client's signature and accepts every chain: `judge` decides. */

import { createServer, type Socket } from "node:net";
import { nodeProvider } from "@latchkey/crypto/node";
import { acceptEveryChain, keyCredential, type Credential } from "@latchkey/tls";
import { acceptTls, type TlsStream } from "@latchkey/tls/node";
import { certificatesFromPem, privateKeyFromPem } from "@latchkey/x509";
import { admit, endAll, remoteOf, startListening, type Listener, type ListenerOptions } from "./secure-connection.ts";

/** Starts listening. Rejects with the system's error, for instance `EADDRINUSE`. */
export async function listenWithLatchkeyTls<Peer>(options: ListenerOptions<Peer>): Promise<Listener> {
  const streams = new Set<TlsStream>();
  const connections = new Set<Socket>();
  let isClosing = false;
  let credential = credentialOf(options.certificate, options.privateKey);
  const server = createServer({ noDelay: true }, (socket) => {
    const remote = remoteOf(socket);
    // Without an address no condition on it can be decided: it is gone where the client reset the connection.
    if (isClosing || socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
    const stream = acceptTls(socket, {
      provider: nodeProvider,
      clock: Date.now,
      credentials: [credential],
      clientAuthentication: "request",
      verifier: acceptEveryChain,
      handshakeTimeoutMs: options.handshakeTimeoutMs,
    });
    streams.add(stream);
    stream.on("close", () => streams.delete(stream));
    const onFailed = (error: Error): void => options.onHandshakeFailed(remote, error.message);
    stream.on("error", onFailed);
    stream.once("secureConnect", () => {
      stream.off("error", onFailed);
      const handshake = {
        chain: stream.peerCertificates,
        serverName: stream.servername === false ? undefined : stream.servername,
        protocol: stream.getProtocol() ?? "unknown",
        remote,
      };
      void admit({ stream, handshake }, options, () => isClosing);
    });
  });
  server.maxConnections = options.maximumConnections;
  const address = await startListening(server, options.port, options.host);
  // For instance EMFILE: this client is lost, the listener goes on.
  server.on("error", (error) => options.onHandshakeFailed("unknown", error.message));
  return {
    address,
    setCertificate: (certificate, privateKey) => {
      credential = credentialOf(certificate, privateKey);
    },
    close: () => {
      isClosing = true;
      return endAll(streams, connections, server);
    },
  };
}

function credentialOf(certificate: string, privateKey: string): Credential {
  return keyCredential({
    provider: nodeProvider,
    privateKey: privateKeyFromPem(privateKey, { provider: nodeProvider }),
    chain: certificatesFromPem(certificate).map(({ encoding }) => encoding),
  });
}
