/** No TLS: a socket goes in, and comes out as it is. What is read of its client is its address. */

import { StreamConnection } from "./stream-connection.ts";
import { addressOf, endsOf, remoteOf, type TlsLayer, type TlsLayerOptions } from "./tls-layer.ts";

/** Makes the layer that a listener of plain MQTT has in place of TLS. */
export function plainLayer({ onSecure }: Pick<TlsLayerOptions, "onSecure">): TlsLayer {
  return {
    secure(socket) {
      const address = addressOf(socket);
      // The client has reset the connection.
      if (address === undefined) {
        socket.destroy();
        return;
      }
      onSecure(socket, new StreamConnection(socket), {
        chain: [],
        serverName: undefined,
        applicationProtocol: undefined,
        version: "plain",
        isResumed: false,
        address,
        remote: remoteOf(socket),
        ends: endsOf(socket),
      });
    },
    // There is none to show.
    setCertificate: () => {},
  };
}
