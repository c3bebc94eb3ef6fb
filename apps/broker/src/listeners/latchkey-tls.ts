/** TLS by `@latchkey/tls`. The engine checks the client's signature and accepts every chain. */

import { nodeProvider } from "@latchkey/crypto/node";
import { acceptEveryChain, keyCredential, TicketKeys, type Credential } from "@latchkey/tls";
import { acceptTls } from "@latchkey/tls/node";
import { certificatesFromPem, privateKeyFromPem } from "@latchkey/x509";
import { addressOf, endsOf, remoteOf, ticketKeyLifetimeMs, type TlsLayer, type TlsLayerOptions } from "./tls-layer.ts";

/** Makes the layer. */
export function latchkeyTlsLayer(options: TlsLayerOptions): TlsLayer {
  const { applicationProtocols, handshakeTimeoutMs, onSecure, onFailed } = options;
  let credential = credentialOf(options.certificate, options.privateKey);
  // A ticket has the whole chain and the server name in it, so the key may change at any time.
  const tickets = new TicketKeys({ provider: nodeProvider, keptKeys: 1 });
  let ticketKeyMs = performance.now();
  const changeTicketKey = (): void => {
    tickets.rotate();
    ticketKeyMs = performance.now();
  };
  return {
    secure(socket) {
      if (performance.now() - ticketKeyMs >= ticketKeyLifetimeMs) changeTicketKey();
      const [address, remote, ends] = [addressOf(socket), remoteOf(socket), endsOf(socket)];
      // Without an address no condition on it can be decided: it is gone where the client reset the connection.
      if (address === undefined) {
        socket.destroy();
        return;
      }
      const stream = acceptTls(socket, {
        provider: nodeProvider,
        clock: Date.now,
        credentials: [credential],
        clientAuthentication: "request",
        verifier: acceptEveryChain,
        tickets,
        ticketLifetimeSeconds: ticketKeyLifetimeMs / 1000,
        alpn: applicationProtocols,
        handshakeTimeoutMs,
      });
      const failed = (error: Error): void => onFailed(remote, error.message);
      stream.on("error", failed);
      stream.once("secureConnect", () => {
        stream.off("error", failed);
        const chain = stream.peerCertificates;
        // From here on they are the judge's.
        stream.forgetPeerCertificates();
        onSecure({
          stream,
          handshake: {
            chain,
            serverName: stream.servername === false ? undefined : stream.servername,
            applicationProtocol: stream.alpnProtocol === false ? undefined : stream.alpnProtocol,
            version: stream.getProtocol() ?? "unknown",
            isResumed: stream.isSessionReused(),
            address,
            remote,
            ends,
          },
          refuse: (alert) => stream.abort(alert),
        });
      });
    },
    setCertificate(certificate, privateKey) {
      credential = credentialOf(certificate, privateKey);
      changeTicketKey();
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
