/** A connection as a Node.js stream, over a socket or any other Duplex: the public names of `@latchkey/tls/node`. */

export {
  acceptTls,
  type AcceptTlsOptions,
  connectTls,
  type ConnectTlsOptions,
  type NeedAnswers,
  type StreamOptions,
  TlsStream,
} from "./node/tls-stream.ts";
