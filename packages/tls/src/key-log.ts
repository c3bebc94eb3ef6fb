/** SSLKEYLOGFILE (RFC 9850): secrets for a protocol analyser, only where a config names a receiver. */

/** The labels of RFC 9850 §2. */
export type KeyLogLabel =
  | "CLIENT_RANDOM"
  | "CLIENT_HANDSHAKE_TRAFFIC_SECRET"
  | "SERVER_HANDSHAKE_TRAFFIC_SECRET"
  | "CLIENT_TRAFFIC_SECRET_0"
  | "SERVER_TRAFFIC_SECRET_0"
  | "EXPORTER_SECRET";

/** Gets one line, without its end. Everything said under the secret can be read with it. */
export type KeyLog = (line: string) => void;

/** One line of the file. */
export function keyLogLine(label: KeyLogLabel, clientRandom: Uint8Array, secret: Uint8Array): string {
  return `${label} ${hexOf(clientRandom)} ${hexOf(secret)}`;
}

/** Lower-case hexadecimal. */
export function hexOf(octets: Uint8Array): string {
  let text = "";
  for (const octet of octets) text += octet.toString(16).padStart(2, "0");
  return text;
}
