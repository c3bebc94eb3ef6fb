/** ContentType of records (RFC 8446 §5.1). */

export const ContentType = {
  changeCipherSpec: 20,
  alert: 21,
  handshake: 22,
  applicationData: 23,
} as const;

const names: ReadonlyMap<number, string> = new Map([
  [ContentType.changeCipherSpec, "change_cipher_spec"],
  [ContentType.alert, "alert"],
  [ContentType.handshake, "handshake"],
  [ContentType.applicationData, "application_data"],
]);

/** A content type for people. */
export function contentTypeName(type: number): string {
  return names.get(type) ?? `content type ${type}`;
}

/** Octets of plaintext in one record (RFC 8446 §5.1). */
export const maximumPlaintext = 16_384;

/** Octets of a record's header. */
export const headerOctets = 5;
