/** Extensions by number (RFC 8446 §4.2 and the documents that it lists): those that are sent or understood. */

const numbers = {
  server_name: 0,
  supported_groups: 10,
  ec_point_formats: 11,
  signature_algorithms: 13,
  application_layer_protocol_negotiation: 16,
  extended_master_secret: 23,
  session_ticket: 35,
  pre_shared_key: 41,
  early_data: 42,
  supported_versions: 43,
  cookie: 44,
  psk_key_exchange_modes: 45,
  certificate_authorities: 47,
  post_handshake_auth: 49,
  signature_algorithms_cert: 50,
  key_share: 51,
  renegotiation_info: 0xff01,
} as const;

/** An extension by the name that the standards give it. */
export type ExtensionName = keyof typeof numbers;

const names: ReadonlyMap<number, string> = new Map(Object.entries(numbers).map(([name, number]) => [number, name]));

/** ExtensionType on the wire. */
export function extensionNumber(name: ExtensionName): number {
  return numbers[name];
}

/** An extension for people: its name, or its number. */
export function extensionText(number: number): string {
  return names.get(number) ?? `extension ${number}`;
}
