/**
 * The TLS connection to the broker, in which nothing is judged: that is `judgeServer`'s task. The handshake still proves that the
 * server holds its certificate's key, and ours to the server.
 *
 * node:tls does it, or, where the handshake is to be traced, `@latchkey/tls`.
 */

import { connect as connectTcp, isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectNodeTls, createSecureContext, type SecureContext } from "node:tls";
import { messageOf } from "@latchkey/command-line";
import { presentedCertificates } from "@latchkey/chain";
import { nodeProvider } from "@latchkey/crypto/node";
import { acceptEveryChain, keyCredential, type Credential, type TraceEvent } from "@latchkey/tls";
import { connectTls } from "@latchkey/tls/node";
import { certificatesFromPem, privateKeyFromPem } from "@latchkey/x509";
import { connectionFailure, MqttClientError } from "./errors.ts";

/** Where to connect, and as whom. */
export interface SecureStreamOptions {
  readonly host: string;
  readonly port: number;
  /** The name that the server's certificate must have; `host` where it is left out. */
  readonly serverName?: string;
  /** PEM of the client's certificate, with intermediates behind it if there are any. */
  readonly certificate: string;
  /** PEM of its private key. */
  readonly privateKey: string;
  /** PEM of the roots that the server's chain may lead to. Nothing else is believed. */
  readonly roots: string;
  /** Bounds the handshake and every exchange. */
  readonly timeoutMs?: number;
  /** Called with each step of the handshake, which `@latchkey/tls` then does. */
  readonly onTrace?: (step: TraceEvent) => void;
}

/** An open connection whose server has not been judged. */
export interface SecureStream {
  readonly stream: Duplex;
  /** The server's certificates as DER, its own first. */
  readonly chain: readonly Uint8Array[];
  /** `TLSv1.3` or `TLSv1.2`. */
  readonly protocol: string;
}

/** Bounds the handshake and every exchange unless the options say otherwise. */
export const defaultTimeoutMs = 10_000;

/** Rejects with `ERR_BUTTON_CREDENTIALS`, `ERR_BUTTON_UNREACHABLE`, `ERR_BUTTON_TLS` or `ERR_BUTTON_TIMEOUT`. */
export function openSecureStream(options: SecureStreamOptions): Promise<SecureStream> {
  return options.onTrace === undefined ? openWithNodeTls(options) : openWithTrace(options, options.onTrace);
}

function openWithNodeTls(options: SecureStreamOptions): Promise<SecureStream> {
  const { host, port, certificate, privateKey, serverName = host } = options;
  const socket = connectNodeTls({
    host,
    port,
    secureContext: within(() => clientContext(certificate, privateKey)),
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    // RFC 6066 §3: no IP addresses in server_name.
    ...(isIP(serverName) === 0 && { servername: serverName }),
  });
  return opened(socket, options, () => ({
    stream: socket,
    chain: presentedCertificates(socket),
    protocol: socket.getProtocol() ?? "TLS",
  }));
}

function openWithTrace(options: SecureStreamOptions, onTrace: (step: TraceEvent) => void): Promise<SecureStream> {
  const { host, port, certificate, privateKey, serverName = host } = options;
  const credential = within(() => clientCredential(certificate, privateKey));
  const stream = connectTls(connectTcp({ host, port, noDelay: true }), {
    provider: nodeProvider,
    clock: Date.now,
    serverName,
    verifier: acceptEveryChain,
    credentials: [credential],
    trace: onTrace,
    handshakeTimeoutMs: 0,
  });
  return opened(stream, options, () => ({
    stream,
    chain: stream.peerCertificates,
    protocol: stream.getProtocol() ?? "TLS",
  }));
}

/** Waits for `secureConnect`, an error, or the end of the time. */
function opened(
  stream: Duplex,
  { timeoutMs = defaultTimeoutMs }: SecureStreamOptions,
  describe: () => SecureStream,
): Promise<SecureStream> {
  const { promise, resolve, reject } = Promise.withResolvers<SecureStream>();
  const fail = (error: MqttClientError): void => {
    stream.destroy();
    reject(error);
  };
  const timer = setTimeout(
    () => fail(new MqttClientError("ERR_BUTTON_TIMEOUT", "the TLS handshake took too long")),
    timeoutMs,
  );
  stream.once("secureConnect", () => {
    clearTimeout(timer);
    stream.removeAllListeners("error");
    resolve(describe());
  });
  stream.once("error", (cause) => {
    clearTimeout(timer);
    fail(connectionFailure(cause));
  });
  return promise;
}

function clientContext(cert: string, key: string): SecureContext {
  return createSecureContext({ cert, key, minVersion: "TLSv1.2" });
}

/** As node:tls, it refuses a key that is not the certificate's. */
function clientCredential(certificatePem: string, privateKeyPem: string): Credential {
  // node:tls says what is wrong with the pair; both engines then refuse the same ones.
  clientContext(certificatePem, privateKeyPem);
  return keyCredential({
    provider: nodeProvider,
    privateKey: privateKeyFromPem(privateKeyPem, { provider: nodeProvider }),
    chain: certificatesFromPem(certificatePem).map(({ encoding }) => encoding),
  });
}

/** Names the client's own certificate and key in what is wrong with them. */
function within<T>(body: () => T): T {
  try {
    return body();
  } catch (cause) {
    const why = messageOf(cause);
    throw new MqttClientError("ERR_BUTTON_CREDENTIALS", `certificate and private key: ${why}`, { cause });
  }
}
