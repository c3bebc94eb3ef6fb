/**
 * The table of the state machines (RFC 8446 §A, RFC 5246 §7.3): in each state the messages that may come. Any other is
 * `unexpected_message`.
 */

import type { HandshakeType } from "./handshake-type.ts";

/** What a state can wait for: handshake messages, and the record that changes keys in TLS 1.2. */
export type Awaited = HandshakeType | "change_cipher_spec";

const table = {
  // Server, both versions.
  serverWaitClientHello: ["client_hello"],
  // Server, TLS 1.3.
  serverWaitSecondClientHello: ["client_hello"],
  serverWaitCertificate: ["certificate"],
  serverWaitCertificateVerify: ["certificate_verify"],
  serverWaitFinished: ["finished"],
  serverOpen: ["key_update"],
  // Server, TLS 1.2.
  serverWaitCertificate12: ["certificate"],
  serverWaitClientKeyExchange: ["client_key_exchange"],
  serverWaitCertificateVerify12: ["certificate_verify"],
  serverWaitChangeCipherSpec: ["change_cipher_spec"],
  serverWaitFinished12: ["finished"],
  serverOpen12: ["client_hello"],
  // Client, both versions.
  clientWaitServerHello: ["server_hello", "hello_request"],
  // Client, TLS 1.3.
  clientWaitSecondServerHello: ["server_hello"],
  clientWaitEncryptedExtensions: ["encrypted_extensions"],
  clientWaitCertificateOrRequest: ["certificate_request", "certificate"],
  clientWaitCertificate: ["certificate"],
  clientWaitCertificateVerify: ["certificate_verify"],
  clientWaitFinished: ["finished"],
  clientOpen: ["new_session_ticket", "key_update"],
  // Client, TLS 1.2. RFC 5246 §7.4.1.1: HelloRequest is ignored during a handshake.
  clientWaitCertificate12: ["certificate", "hello_request"],
  clientWaitServerKeyExchange: ["server_key_exchange", "hello_request"],
  clientWaitRequestOrDone: ["certificate_request", "server_hello_done", "hello_request"],
  clientWaitServerHelloDone: ["server_hello_done", "hello_request"],
  clientWaitSessionTicket: ["new_session_ticket", "hello_request"],
  clientWaitChangeCipherSpec: ["change_cipher_spec", "hello_request"],
  clientWaitFinished12: ["finished"],
  clientOpen12: ["hello_request"],
} as const;

/** Where a side stands. */
export type HandshakeState = keyof typeof table;

/** The messages that may come in a state. */
export function awaited(state: HandshakeState): readonly Awaited[] {
  return table[state];
}
