/** The traffic secrets of TLS 1.3 as `-export-traffic-secrets` wants them, from the lines of the key log. */

export class TrafficSecretLog {
  readonly #secrets = new Map<string, Buffer>();

  /** Takes a line of SSLKEYLOGFILE. */
  add(line: string): void {
    const [label = "", , secret = ""] = line.split(" ");
    this.#secrets.set(label, Buffer.from(secret, "hex"));
  }

  /** The length of a secret in two octets, the lower first; then the secret that this side reads by, and the other. */
  octets(role: "client" | "server"): Uint8Array {
    const client = this.#secrets.get("CLIENT_TRAFFIC_SECRET_0") ?? Buffer.alloc(0);
    const server = this.#secrets.get("SERVER_TRAFFIC_SECRET_0") ?? Buffer.alloc(0);
    const length = Buffer.alloc(2);
    length.writeUInt16LE(client.length);
    return Buffer.concat(role === "client" ? [length, server, client] : [length, client, server]);
  }
}
