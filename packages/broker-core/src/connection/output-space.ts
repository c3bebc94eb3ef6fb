/**
 * Room for packets on their way out. They are small and many, and a buffer of its own for each costs more than to encode it: they
 * are written one behind the other into a chunk.
 */

import {
  encode,
  encodeInto,
  type AcknowledgementPacket,
  type EncodablePacket,
  type ProtocolVersion,
} from "@latchkey/mqtt-codec";

const chunkOctets = 16 * 1024;
/** What is larger gets a buffer of its own, so that little of a chunk stays unused. */
const maximumPieceOctets = chunkOctets / 8;

/** First octet, remaining length, packet identifier, reason code. */
const acknowledgementOctets = 1 + 1 + 2 + 1;

/** The chunk that is written to now. What was written stays as it is; a chunk is let go when its last packet is. */
export class OutputSpace {
  #chunk: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #used = 0;

  /** The octets of a packet, which takes `maximumOctets` at most; where it may take more, a buffer of its own. Throws as `encode` does. */
  encode(packet: EncodablePacket, version: ProtocolVersion, maximumOctets: number): Uint8Array {
    if (maximumOctets > maximumPieceOctets) return encode(packet, version);
    this.#makeRoom(maximumOctets);
    const start = this.#used;
    this.#used = encodeInto(packet, version, this.#chunk, start);
    return new Uint8Array(this.#chunk.buffer, start, this.#used - start);
  }

  /** A PUBACK, PUBREC, PUBREL or PUBCOMP without properties. MQTT 3.1.1 has no place for its reason code. */
  acknowledgement(
    type: AcknowledgementPacket["type"],
    packetIdentifier: number,
    version: ProtocolVersion,
    reasonCode: number = 0,
  ): Uint8Array {
    return this.encode({ type, packetIdentifier, reasonCode }, version, acknowledgementOctets);
  }

  /** Octets to write to, zeros at first. */
  take(octets: number): Uint8Array {
    if (octets > maximumPieceOctets) return new Uint8Array(octets);
    this.#makeRoom(octets);
    this.#used += octets;
    return new Uint8Array(this.#chunk.buffer, this.#used - octets, octets);
  }

  #makeRoom(octets: number): void {
    if (this.#used + octets <= this.#chunk.length) return;
    this.#chunk = new Uint8Array(chunkOctets);
    this.#used = 0;
  }
}
