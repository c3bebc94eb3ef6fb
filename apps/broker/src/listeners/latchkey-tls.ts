/** TLS by `@latchkey/tls`. The engine checks the client's signature and accepts every chain. */

import { nodeProvider } from "@latchkey/crypto/node";
import { acceptEveryChain, type AlertName, keyCredential, TicketKeys, type Credential } from "@latchkey/tls";
import { acceptTlsChannel, type ChannelOwner, type TlsChannel, TlsStream } from "@latchkey/tls/node";
import { certificatesFromPem, privateKeyFromPem } from "@latchkey/x509";
import { closeTimeoutMs, endSoon, ignore } from "./stream-connection.ts";
import {
  addressOf,
  type ConnectionReader,
  endsOf,
  type Handshake,
  remoteOf,
  type SecureConnection,
  ticketKeyLifetimeMs,
  type TlsLayer,
  type TlsLayerOptions,
} from "./tls-layer.ts";

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
      const channel = acceptTlsChannel(socket, {
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
      channel.attach({
        secured() {
          const connection = new ChannelConnection(channel);
          const handshake = { ...shownBy(channel), address, remote, ends };
          // From here on they are the judge's.
          channel.forgetPeerCertificates();
          onSecure(socket, connection, handshake);
        },
        // Neither is called before `secured`, which makes the connection the owner.
        received() {},
        ended() {},
        closed: (error) => error && onFailed(remote, error.message),
      });
    },
    setCertificate(certificate, privateKey) {
      credential = credentialOf(certificate, privateKey);
      changeTicketKey();
    },
  };
}

function shownBy({ info }: TlsChannel): Omit<Handshake, "address" | "remote" | "ends"> {
  return {
    chain: info?.peerCertificates ?? [],
    serverName: info?.serverName,
    applicationProtocol: info?.alpnProtocol,
    version: info?.version ?? "unknown",
    isResumed: info?.isResumption ?? false,
  };
}

/** It takes the channel over. A stream is made of it for HTTP alone: ten thousand devices would pay for one each. */
class ChannelConnection implements SecureConnection, ChannelOwner {
  readonly #channel: TlsChannel;
  #reader: ConnectionReader | undefined;
  #stream: TlsStream | undefined;

  constructor(channel: TlsChannel) {
    this.#channel = channel;
    channel.pause();
    channel.attach(this);
  }

  get isDestroyed(): boolean {
    return this.#channel.isDestroyed;
  }

  get bufferedOctets(): number {
    return this.#channel.bufferedOctets;
  }

  read(reader: ConnectionReader): void {
    this.#reader = reader;
    this.#channel.resume();
  }

  stream(): TlsStream {
    this.#stream ??= new TlsStream(this.#channel).on("error", ignore);
    return this.#stream;
  }

  write(chunks: readonly Uint8Array[]): void {
    this.#channel.write(chunks);
  }

  close(): void {
    if (this.#stream !== undefined) {
      endSoon(this.#stream);
      return;
    }
    if (this.isDestroyed) return;
    const timer = setTimeout(() => this.destroy(), closeTimeoutMs);
    this.#channel.end(() => {
      clearTimeout(timer);
      this.destroy();
    });
  }

  pause(): void {
    this.#channel.pause();
  }

  resume(): void {
    this.#channel.resume();
  }

  refuse(alert: AlertName): void {
    this.#channel.abort(alert);
  }

  destroy(): void {
    this.#channel.destroy();
  }

  received(data: Buffer): void {
    this.#reader?.received(data);
  }

  drained(): void {
    this.#reader?.drained();
  }

  ended(): void {
    this.close();
  }

  closed(error: Error | undefined): void {
    // In a turn of its own: it may be the broker's own write that found the end.
    process.nextTick(() => this.#reader?.closed(error));
  }
}

function credentialOf(certificate: string, privateKey: string): Credential {
  return keyCredential({
    provider: nodeProvider,
    privateKey: privateKeyFromPem(privateKey, { provider: nodeProvider }),
    chain: certificatesFromPem(certificate).map(({ encoding }) => encoding),
  });
}
