/**
 * What is the same whichever TLS engine is under a listener: a socket goes in, and a connection of plaintext comes out with what the
 * handshake showed of the client.
 *
 * The handshake proves one thing: the client holds the private key of the certificate that it sent. Who that is, and whether it is
 * let in, is decided behind it.
 */

import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Transport } from "@latchkey/broker-core";
import type { AlertName } from "@latchkey/tls";
import type { SocketEnds } from "../authorization/peer.ts";

/** What the handshake showed of the client. */
export interface Handshake {
  /** The client's certificates as DER, its own first; empty where it sent none. */
  readonly chain: readonly Uint8Array[];
  /** The name that the client asked for (RFC 6066 §3). */
  readonly serverName: string | undefined;
  /** What was chosen of the protocols that the client offered (ALPN, RFC 7301); undefined where nothing was. */
  readonly applicationProtocol: string | undefined;
  /** `TLSv1.3`, `TLSv1.2`, or `plain` without TLS. */
  readonly version: string;
  /** Whether the client resumed a session by a ticket. Who it is has to be decided again all the same. */
  readonly isResumed: boolean;
  /** The client's address, for policies. */
  readonly address: string;
  /** Its address and port, for the log. */
  readonly remote: string;
  readonly ends: SocketEnds;
}

/** Who reads a connection. */
export interface ConnectionReader {
  received(data: Uint8Array): void;
  /** What was written has left, after 64 KiB or more had waited. */
  drained(): void;
  /** The connection is closed; without an error it was the client that closed it. The last call. */
  closed(error: Error | undefined): void;
}

/** A connection after its handshake: plaintext by calls, or as a stream. Nothing is read from it until one of both is asked for. */
export interface SecureConnection extends Transport {
  readonly isDestroyed: boolean;
  /** Has all that comes handed to a reader. */
  read(reader: ConnectionReader): void;
  /** The same as a stream, in place of `read` and `write`. */
  stream(): Duplex;
  /** Cuts the connection, and says why by a TLS alert where the engine can (RFC 8446 §6.2). */
  refuse(alert: AlertName): void;
  /** Cuts the connection. */
  destroy(): void;
}

/** What a layer is made with. */
export interface TlsLayerOptions {
  /** PEM: the server's certificate, then the authorities between it and the root. */
  readonly certificate: string;
  readonly privateKey: string;
  /** How long a handshake may take. */
  readonly handshakeTimeoutMs: number;
  /**
   * Protocols to choose from, the preferred one first; a client that offers others only is refused. With none the client's offer is
   * ignored, whatever it is.
   */
  readonly applicationProtocols: readonly string[];
  /** The handshake of a socket has succeeded. */
  readonly onSecure: (socket: Socket, connection: SecureConnection, handshake: Handshake) => void;
  /** No TLS, no common version, a signature that is not the certificate's. */
  readonly onFailed: (remote: string, reason: string) => void;
}

/** TLS for accepted sockets. */
export interface TlsLayer {
  /** Begins the handshake of a connection. The layer owns the socket from then on. */
  secure(socket: Socket): void;
  /** Shows another certificate from the next handshake on. Connections that are open stay. PEM, as in the options. */
  setCertificate(certificate: string, privateKey: string): void;
}

/** How long the key of tickets is used before another one is made. A ticket lives so long at most, or the listener's next certificate ends it. */
export const ticketKeyLifetimeMs: number = 60 * 60 * 1000;

/** A client's address. One of IPv4 on a socket of IPv6 (`::ffff:192.0.2.1`) is the IPv4 address: policies name that one. */
export function addressOf(socket: Pick<Socket, "remoteAddress">): string | undefined {
  return unmapped(socket.remoteAddress);
}

/** To be called while the socket is connected: afterwards its addresses are gone. */
export function endsOf(socket: Pick<Socket, "remotePort" | "localAddress" | "localPort">): SocketEnds {
  return {
    sourcePort: socket.remotePort ?? 0,
    targetIp: unmapped(socket.localAddress) ?? "unknown",
    targetPort: socket.localPort ?? 0,
  };
}

function unmapped(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=\d+\.)/i, "");
}

/** Address and port of a client. */
export function remoteOf(socket: Pick<Socket, "remoteAddress" | "remotePort">): string {
  return `${addressOf(socket) ?? "unknown"}:${socket.remotePort ?? 0}`;
}
