/** Handshake messages by number (RFC 8446 §4, RFC 5246 §7.4). */

const numbers = {
  hello_request: 0,
  client_hello: 1,
  server_hello: 2,
  new_session_ticket: 4,
  end_of_early_data: 5,
  encrypted_extensions: 8,
  certificate: 11,
  server_key_exchange: 12,
  certificate_request: 13,
  server_hello_done: 14,
  certificate_verify: 15,
  client_key_exchange: 16,
  finished: 20,
  certificate_status: 22,
  key_update: 24,
  message_hash: 254,
} as const;

/** A handshake message by the name that the standards give it. */
export type HandshakeType = keyof typeof numbers;

/** HandshakeType on the wire. */
export function handshakeNumber(name: HandshakeType): number {
  return numbers[name];
}

/** The message of a number, where it is known. */
export function handshakeByNumber(number: number): HandshakeType | undefined {
  return names.get(number);
}

const known: readonly HandshakeType[] = [
  "hello_request",
  "client_hello",
  "server_hello",
  "new_session_ticket",
  "end_of_early_data",
  "encrypted_extensions",
  "certificate",
  "server_key_exchange",
  "certificate_request",
  "server_hello_done",
  "certificate_verify",
  "client_key_exchange",
  "finished",
  "certificate_status",
  "key_update",
  "message_hash",
];
const names: ReadonlyMap<number, HandshakeType> = new Map(known.map((name) => [numbers[name], name]));
