/** What has come from a client and is not handled yet: chunks that were not read, and a packet that has come in part. */

import { PacketDecoder, type Packet } from "@latchkey/mqtt-codec";

/** The input of one connection. */
export class Input {
  /** All octets of chunks until now. */
  takenOctets = 0;
  /** Octets of the chunks that were not read. */
  waitingOctets = 0;
  /** Whether what was read may hold another packet. */
  hasMore = false;
  /** Octets that the transport has of something that has come in part. */
  heldOctets = 0;
  #waiting: Uint8Array[] = [];
  readonly #decoder: PacketDecoder;

  constructor(maximumPacketSize: number) {
    this.#decoder = new PacketDecoder({ receives: "client-packets", maximumPacketSize });
  }

  /** Octets of memory of what has come in part, here and in the transport. To be read after `next` has given undefined. */
  get incompleteOctets(): number {
    return this.#decoder.heldOctets + this.heldOctets;
  }

  push(chunk: Uint8Array): void {
    this.#waiting.push(chunk);
    this.takenOctets += chunk.length;
    this.waitingOctets += chunk.length;
  }

  /** The next packet; undefined where none has come whole. Throws `MqttCodecError`. */
  next(): Packet | undefined {
    for (;;) {
      const packet = this.#decoder.next();
      if (packet !== undefined) {
        this.hasMore = true;
        return packet;
      }
      this.hasMore = false;
      const chunk = this.#waiting.shift();
      if (chunk === undefined) return undefined;
      this.waitingOctets -= chunk.length;
      this.#decoder.push(chunk);
    }
  }

  /** Forgets the chunks that were not read. */
  clear(): void {
    this.#waiting = [];
    this.waitingOctets = 0;
  }
}
