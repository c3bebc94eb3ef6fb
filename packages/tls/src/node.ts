/** A connection as a Node.js stream or by calls, over a socket or any other Duplex: the public names of `@latchkey/tls/node`. */

export type { ChannelOwner } from "./node/channel-owner.ts";
export type { NeedAnswers } from "./node/need-answers.ts";
export {
  acceptTlsChannel,
  type AcceptTlsOptions,
  type ChannelOptions,
  connectTlsChannel,
  type ConnectTlsOptions,
  TlsChannel,
} from "./node/tls-channel.ts";
export { acceptTls, connectTls, TlsStream } from "./node/tls-stream.ts";
