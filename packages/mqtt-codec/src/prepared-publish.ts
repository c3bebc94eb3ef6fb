/** One PUBLISH for many receivers: encoded once per protocol version, patched per receiver. */

import { encode } from "./encode.ts";
import { isQoS, isUnsigned, type ProtocolVersion, type QoS } from "./packet-type.ts";
import { type EncodablePublish, failPublishHead, isPublishHead, publishFirstOctet } from "./packets/publish.ts";
import { Writer } from "./writer.ts";

/** The part of a PUBLISH that is the same for all receivers. */
export type PublishTemplate = Pick<EncodablePublish, "topicName" | "payload" | "properties">;

/** The part of a PUBLISH that differs from receiver to receiver. */
export interface PublishReceiver {
  readonly qos: QoS;
  /** Default false. */
  readonly retain?: boolean | undefined;
  /** Default false; never with QoS 0. */
  readonly dup?: boolean | undefined;
  /** 1 to 65,535 with QoS 1 and 2, left out with QoS 0. */
  readonly packetIdentifier?: number | undefined;
}

/**
 * Prepares a PUBLISH for many receivers. It is encoded at its first use for each version, which copies the payload: until
 * then the template must not change. A template that is not valid is refused then, by `MqttEncodeError`.
 */
export function preparePublish(template: PublishTemplate): PreparedPublish {
  return new PreparedPublish(template);
}

/** A PUBLISH that is encoded once for each protocol version; made by `preparePublish`. */
export class PreparedPublish {
  private readonly template: PublishTemplate;
  /** By version, then QoS 0 plain, QoS 0 retained, QoS above 0. */
  private readonly encodings: (Uint8Array | undefined)[] = [];
  private readonly identifierOffset: number[] = [0, 0];

  constructor(template: PublishTemplate) {
    this.template = template;
  }

  /** Octets of the PUBLISH for a receiver of this version and QoS. */
  encodedLength(protocolVersion: ProtocolVersion, qos: QoS): number {
    return this.bytes(protocolVersion, qos, false).length;
  }

  /**
   * The QoS 0 PUBLISH, which is the same for every receiver: always the same bytes, never to be written to. They can be
   * handed to any number of sockets.
   */
  shared(protocolVersion: ProtocolVersion, retain: boolean = false): Uint8Array {
    return this.bytes(protocolVersion, 0, retain);
  }

  /**
   * Writes the PUBLISH for one receiver into `buffer` from `offset` on and returns the offset behind it. Throws
   * `MqttEncodeError` as `encode` does; nothing is written then.
   */
  encodeInto(protocolVersion: ProtocolVersion, receiver: PublishReceiver, buffer: Uint8Array, offset: number): number {
    const { qos, retain = false, dup = false, packetIdentifier = 0 } = receiver ?? {};
    if (!isPublishHead(qos, dup, retain, packetIdentifier)) {
      failPublishHead(failing(), qos, dup, retain, packetIdentifier);
    }
    const bytes = this.bytes(protocolVersion, qos, retain);
    if (!(buffer instanceof Uint8Array)) failing().failField("buffer", buffer, "a Uint8Array");
    if (!isUnsigned(offset, 0xffff_ffff)) failing().failField("offset", offset, "an offset into the buffer");
    const end = offset + bytes.length;
    if (end > buffer.length) {
      const found = `${buffer.length} octets long`;
      failing().failWith("ERR_MQTT_CODEC_BUFFER_TOO_SMALL", "buffer", found, `room up to offset ${end}`);
    }
    buffer.set(bytes, offset);
    if (qos === 0) return end;
    const at = offset + (this.identifierOffset[protocolVersion - 4] ?? 0);
    buffer[offset] = publishFirstOctet(qos, retain, dup);
    buffer[at] = packetIdentifier >>> 8;
    buffer[at + 1] = packetIdentifier;
    return end;
  }

  private bytes(protocolVersion: ProtocolVersion, qos: QoS, retain: boolean): Uint8Array {
    // Checked before the lookup, which could find the encoding of another version or QoS.
    if (protocolVersion !== 4 && protocolVersion !== 5) {
      failing().failField("protocolVersion", protocolVersion, "4 or 5");
    }
    if (!isQoS(qos)) failing().fail("ERR_MQTT_CODEC_QOS", "qos", qos, "0, 1 or 2");
    if (typeof retain !== "boolean") failing().failField("retain", retain, "true or false");
    const slot = (protocolVersion - 4) * 3 + (qos > 0 ? 2 : retain ? 1 : 0);
    return this.encodings[slot] ?? this.encode(slot, protocolVersion, qos, retain);
  }

  private encode(slot: number, protocolVersion: ProtocolVersion, qos: QoS, retain: boolean): Uint8Array {
    const { topicName, payload, properties } = failing().object(this.template, "template");
    const packetIdentifier = qos === 0 ? 0 : 1;
    const packet = { type: "publish", topicName, payload, properties, qos, retain, packetIdentifier } as const;
    const bytes = encode(packet, protocolVersion);
    this.encodings[slot] = bytes;
    if (qos > 0) this.identifierOffset[protocolVersion - 4] = identifierOffset(bytes);
    return bytes;
  }
}

/** Behind the first octet, the remaining length and the topic name. */
function identifierOffset(publish: Uint8Array): number {
  let at = 1;
  while ((publish[at] ?? 0) > 0x7f) at += 1;
  return at + 3 + (((publish[at + 1] ?? 0) << 8) | (publish[at + 2] ?? 0));
}

/** A writer of a PUBLISH, for its errors. */
function failing(): Writer {
  const writer = new Writer();
  writer.packetType = "publish";
  return writer;
}
