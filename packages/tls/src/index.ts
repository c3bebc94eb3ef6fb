/** TLS 1.2 and 1.3 without I/O: the public names of `@latchkey/tls`. */

export { type AlertName } from "./alert.ts";
export { type CipherSuiteName } from "./cipher-suite.ts";
export { type ClientConfig, type CommonConfig, type ServerConfig } from "./config.ts";
export { createTlsClient, createTlsServer } from "./create.ts";
export { type Credential, keyCredential, type KeyCredentialInput } from "./credential.ts";
export {
  type ConnectionInfo,
  type CredentialRequest,
  type NeedEvent,
  type TlsEngine,
  type TlsEvent,
  type TlsPhase,
} from "./engine.ts";
export {
  TlsError,
  type TlsErrorCode,
  type TlsErrorDetails,
  type TlsLocalCode,
  type TlsMalformedCode,
  type TlsMisbehaviourCode,
  type TlsNegotiationCode,
  type TlsVerificationCode,
} from "./errors.ts";
export { type KeyLog } from "./key-log.ts";
export { defaultTlsLimits, type TlsLimits } from "./limits.ts";
export { type NamedGroup } from "./named-group.ts";
export { type PeerEndEntity, type PeerToVerify, type PeerVerdict, type PeerVerifier } from "./peer-verifier.ts";
export { type ProtocolVersion } from "./protocol-version.ts";
export { parseSession, ResumableSession } from "./session.ts";
export { type SignatureScheme } from "./signature-scheme.ts";
export { TicketKeys, type TicketKeysOptions } from "./ticket-keys.ts";
export { type Trace, type TraceEvent, type TraceRole, type TraceValue } from "./trace-event.ts";
export { acceptEveryChain, chainPeerVerifier, type ChainPeerVerifierOptions, ChainRefusal } from "./verify-by-chain.ts";
