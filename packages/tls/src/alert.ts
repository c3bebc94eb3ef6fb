/** Alerts (RFC 8446 §6, RFC 5246 §7.2): the names and numbers of those that are sent or understood by name. */

const numbers = {
  close_notify: 0,
  unexpected_message: 10,
  bad_record_mac: 20,
  record_overflow: 22,
  handshake_failure: 40,
  bad_certificate: 42,
  unsupported_certificate: 43,
  certificate_revoked: 44,
  certificate_expired: 45,
  certificate_unknown: 46,
  illegal_parameter: 47,
  unknown_ca: 48,
  access_denied: 49,
  decode_error: 50,
  decrypt_error: 51,
  protocol_version: 70,
  insufficient_security: 71,
  internal_error: 80,
  inappropriate_fallback: 86,
  user_canceled: 90,
  no_renegotiation: 100,
  missing_extension: 109,
  unsupported_extension: 110,
  unrecognized_name: 112,
  bad_certificate_status_response: 113,
  unknown_psk_identity: 115,
  certificate_required: 116,
  no_application_protocol: 120,
} as const;

/** An alert by the name that the standards give it. */
export type AlertName = keyof typeof numbers;

const names: ReadonlyMap<number, string> = new Map(Object.entries(numbers).map(([name, number]) => [number, name]));

/** AlertLevel. TLS 1.3 keeps the octet and ignores it. */
export const alertLevel = { warning: 1, fatal: 2 } as const;

/** The AlertDescription octet. */
export function alertNumber(name: AlertName): number {
  return numbers[name];
}

/** The name of an AlertDescription; for one that is not listed, `alert 123`. */
export function alertName(description: number): string {
  return names.get(description) ?? `alert ${description}`;
}
