/**
 * The TLS connection to the broker. It does not decide whether the server is trusted: `verifyServer` does. The handshake still
 * proves that each side has the key of its certificate.
 *
 * node:tls does it, or, where the handshake is to be traced, `@latchkey/tls`.
 */

import { connect as connectTcp, isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectNodeTls, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import { messageOf } from "@latchkey/command-line";
import { presentedCertificates } from "@latchkey/chain";
import { nodeProvider } from "@latchkey/crypto/node";
import { acceptEveryChain, keyCredential, type Credential, type TraceEvent } from "@latchkey/tls";
import { connectTls } from "@latchkey/tls/node";
import { certificatesFromPem, privateKeyFromPem } from "@latchkey/x509";
import { ButtonError, connectionFailure } from "./errors.ts";

/** Where to connect, and with which certificate. */
export interface SecureStreamOptions {
  readonly host: string;
  readonly port: number;
  /** The name that the server's certificate must have; `host` where it is left out. */
  readonly serverName?: string | undefined;
  /** PEM of the client's certificate, with intermediates behind it if there are any. */
  readonly certificate: string;
  /** PEM of its private key. */
  readonly privateKey: string;
  /** PEM of the roots that the server's chain may lead to. No other root is trusted. */
  readonly roots: string;
  /** Bounds the handshake and every exchange. */
  readonly timeoutMs?: number;
  /** Called with each step of the handshake, which `@latchkey/tls` then does. */
  readonly onTrace?: ((step: TraceEvent) => void) | undefined;
  /** Called with each step before the server is verified. */
  readonly onStep?: ((step: ConnectionStep) => void) | undefined;
}

/** What was done to get a connection. */
export type ConnectionStep =
  /** The host's name became an address. Left out where the host is an address. */
  | { readonly step: "resolve"; readonly host: string; readonly address: string }
  | { readonly step: "tcp"; readonly address: string; readonly port: number }
  | ({ readonly step: "tls" } & HandshakeFacts);

/** What a finished handshake agreed on. */
export interface HandshakeFacts {
  /** `TLSv1.3` or `TLSv1.2`. */
  readonly protocol: string;
  /** By its IANA name. */
  readonly cipherSuite: string;
  /** The group of the key agreement, where the engine says it. */
  readonly group: string | undefined;
  /** The name that was sent as server_name (RFC 6066); undefined for an IP address, which is not sent. */
  readonly sentName: string | undefined;
}

/** An open connection. Whether its server is trusted has not been decided. */
export interface SecureStream {
  readonly stream: Duplex;
  /** The server's certificates as DER, its own first. */
  readonly chain: readonly Uint8Array[];
  readonly handshake: HandshakeFacts;
}

/** Bounds the handshake and every exchange unless the options say otherwise. */
export const defaultTimeoutMs = 10_000;

/**
 * Rejects with `ERR_BUTTON_CREDENTIALS`, `ERR_BUTTON_RESOLVE`, `ERR_BUTTON_UNREACHABLE`, `ERR_BUTTON_TLS`,
 * `ERR_BUTTON_CERTIFICATE_REFUSED` or `ERR_BUTTON_TIMEOUT`.
 */
export async function openSecureStream(options: SecureStreamOptions): Promise<SecureStream> {
  const { onTrace, timeoutMs = defaultTimeoutMs } = options;
  const begin =
    onTrace === undefined
      ? nodeHandshake(clientContext(options), options)
      : tracedHandshake(clientCredential(options), onTrace, options);
  const deadline = performance.now() + timeoutMs;
  const socket = await openTcp(options, timeoutMs);
  const { stream, facts } = begin(socket);
  const secure = await opened(stream, Math.max(1, deadline - performance.now()), facts);
  options.onStep?.({ step: "tls", ...secure.handshake });
  return secure;
}

/** A handshake under way: the stream of plaintext, and what is known when it is done. */
interface Handshake {
  readonly stream: Duplex;
  readonly facts: () => Omit<SecureStream, "stream">;
}

function openTcp({ host, port, onStep }: SecureStreamOptions, timeoutMs: number): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connectTcp({ host, port, noDelay: true });
  const timer = setTimeout(() => {
    socket.destroy();
    reject(new ButtonError("ERR_BUTTON_UNREACHABLE", `${host}:${port} did not answer within ${timeoutMs} ms`));
  }, timeoutMs);
  socket.once("error", (cause) => {
    clearTimeout(timer);
    reject(connectionFailure(cause));
  });
  socket.once("connect", () => {
    clearTimeout(timer);
    socket.removeAllListeners("error");
    const address = socket.remoteAddress ?? host;
    if (isIP(host) === 0) onStep?.({ step: "resolve", host, address });
    onStep?.({ step: "tcp", address, port });
    resolve(socket);
  });
  return promise;
}

/** RFC 6066 §3: no IP addresses in server_name. */
function sentNameOf({ host, serverName = host }: SecureStreamOptions): string | undefined {
  return isIP(serverName) === 0 ? serverName : undefined;
}

function nodeHandshake(secureContext: SecureContext, options: SecureStreamOptions): (socket: Socket) => Handshake {
  const sentName = sentNameOf(options);
  return (socket) => {
    const stream = connectNodeTls({
      socket,
      secureContext,
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ...(sentName !== undefined && { servername: sentName }),
    });
    const facts = (): Omit<SecureStream, "stream"> => ({
      chain: presentedCertificates(stream),
      handshake: {
        protocol: stream.getProtocol() ?? "TLS",
        cipherSuite: stream.getCipher().standardName,
        group: groupOf(stream),
        sentName,
      },
    });
    return { stream, facts };
  };
}

function tracedHandshake(
  credential: Credential,
  onTrace: (step: TraceEvent) => void,
  options: SecureStreamOptions,
): (socket: Socket) => Handshake {
  const { host, serverName = host } = options;
  return (socket) => {
    const stream = connectTls(socket, {
      provider: nodeProvider,
      clock: Date.now,
      serverName,
      verifier: acceptEveryChain,
      credentials: [credential],
      trace: onTrace,
      handshakeTimeoutMs: 0,
    });
    const facts = (): Omit<SecureStream, "stream"> => ({
      chain: stream.peerCertificates,
      handshake: {
        protocol: stream.getProtocol() ?? "TLS",
        cipherSuite: stream.info?.cipherSuite ?? "unknown",
        group: stream.info?.group,
        sentName: sentNameOf(options),
      },
    });
    return { stream, facts };
  };
}

/** Waits for `secureConnect`, an error, or the end of the time. */
function opened(stream: Duplex, timeoutMs: number, facts: () => Omit<SecureStream, "stream">): Promise<SecureStream> {
  const { promise, resolve, reject } = Promise.withResolvers<SecureStream>();
  const fail = (error: ButtonError): void => {
    clearTimeout(timer);
    stream.destroy();
    reject(error);
  };
  const timer = setTimeout(
    () => fail(new ButtonError("ERR_BUTTON_TIMEOUT", "the TLS handshake took too long")),
    timeoutMs,
  );
  const onError = (cause: unknown): void => fail(connectionFailure(cause));
  const onClose = (): void =>
    fail(new ButtonError("ERR_BUTTON_TLS", "the server closed the connection in the handshake"));
  stream.once("error", onError);
  stream.once("close", onClose);
  stream.once("secureConnect", () => {
    clearTimeout(timer);
    stream.off("error", onError);
    stream.off("close", onClose);
    resolve({ stream, ...facts() });
  });
  return promise;
}

/** Node 24 names X25519 so, and the curves of NIST by OpenSSL's names. */
function groupOf(socket: TLSSocket): string | undefined {
  const info = socket.getEphemeralKeyInfo();
  if (info === null || !("type" in info)) return undefined;
  const name = "name" in info && typeof info.name === "string" ? info.name : info.type;
  return groupNames[name] ?? name.toLowerCase();
}

const groupNames: Readonly<Record<string, string>> = { prime256v1: "secp256r1", X25519: "x25519" };

/** The groups that a small device has; `getEphemeralKeyInfo` names each of them. */
const groups = "X25519:P-256:P-384";

type OwnIdentity = Pick<SecureStreamOptions, "certificate" | "privateKey">;

/** Names the client's own certificate and key in what is wrong with them. */
function clientContext({ certificate, privateKey }: OwnIdentity): SecureContext {
  try {
    return createSecureContext({ cert: certificate, key: privateKey, minVersion: "TLSv1.2", ecdhCurve: groups });
  } catch (cause) {
    throw credentialsFailure(cause);
  }
}

/** As node:tls, it refuses a key that is not the certificate's. */
function clientCredential(identity: OwnIdentity): Credential {
  // node:tls says what is wrong with the pair; both engines then refuse the same ones.
  clientContext(identity);
  try {
    return keyCredential({
      provider: nodeProvider,
      privateKey: privateKeyFromPem(identity.privateKey, { provider: nodeProvider }),
      chain: certificatesFromPem(identity.certificate).map(({ encoding }) => encoding),
    });
  } catch (cause) {
    throw credentialsFailure(cause);
  }
}

function credentialsFailure(cause: unknown): ButtonError {
  const why = messageOf(cause);
  return new ButtonError("ERR_BUTTON_CREDENTIALS", `certificate and private key: ${why}`, { cause });
}
