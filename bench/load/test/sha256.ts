import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";

/** SHA-256 and HMAC in the form that the AWS SDK takes. */
export class Sha256 {
  readonly #hash: Hash | Hmac;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    if (secret === undefined) this.#hash = createHash("sha256");
    else if (typeof secret === "string") this.#hash = createHmac("sha256", secret);
    else if (ArrayBuffer.isView(secret)) {
      this.#hash = createHmac("sha256", Buffer.from(secret.buffer, secret.byteOffset, secret.byteLength));
    } else this.#hash = createHmac("sha256", Buffer.from(secret));
  }
  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }
  reset(): void {
    throw new Error("not used");
  }
}
