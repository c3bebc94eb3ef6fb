/** One PUBLISH for many receivers: encoded once per protocol version, patched per receiver. */

import { encode } from "./encode.ts";
import { type MqttCodecErrorCode, MqttEncodeError } from "./error.ts";
import type { ProtocolVersion, QoS } from "./packet-type.ts";
import { type EncodablePublish, publishFirstOctet } from "./packets/publish.ts";
import { isPacketIdentifier } from "./writer.ts";

/** What all receivers have in common. */
export type PublishTemplate = Pick<EncodablePublish, "topicName" | "payload" | "properties">;

/** What differs from receiver to receiver. */
export interface PublishReceiver {
  readonly qos: QoS;
  /** Default false. */
  readonly retain?: boolean | undefined;
  /** Default false; never with QoS 0. */
  readonly dup?: boolean | undefined;
  /** 1 to 65,535 with QoS 1 and 2, left out with QoS 0. */
  readonly packetIdentifier?: number | undefined;
}

/** Prepares a PUBLISH; nothing is encoded before it is asked for. The payload is copied at the first use of a version. */
export function preparePublish(template: PublishTemplate): PreparedPublish {
  return new PreparedPublish(template);
}

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
   * `MqttEncodeError` as `encode` does.
   */
  encodeInto(protocolVersion: ProtocolVersion, receiver: PublishReceiver, buffer: Uint8Array, offset: number): number {
    const { qos, retain = false, dup = false, packetIdentifier = 0 } = receiver;
    const bytes = this.bytes(protocolVersion, qos, retain);
    const end = offset + bytes.length;
    if (end > buffer.length) fail("ERR_MQTT_CODEC_BUFFER_TOO_SMALL", "buffer");
    if (qos === 0 ? packetIdentifier !== 0 : !isPacketIdentifier(packetIdentifier)) {
      fail("ERR_MQTT_CODEC_PACKET_IDENTIFIER", "packetIdentifier");
    }
    if (qos === 0 && dup) fail("ERR_MQTT_CODEC_DUP", "dup");
    buffer.set(bytes, offset);
    if (qos === 0) return end;
    const at = offset + (this.identifierOffset[protocolVersion - 4] ?? 0);
    buffer[offset] = publishFirstOctet(qos, retain, dup);
    buffer[at] = packetIdentifier >>> 8;
    buffer[at + 1] = packetIdentifier;
    return end;
  }

  private bytes(protocolVersion: ProtocolVersion, qos: QoS, retain: boolean): Uint8Array {
    const slot = (protocolVersion - 4) * 3 + (qos > 0 ? 2 : retain ? 1 : 0);
    return this.encodings[slot] ?? this.encode(slot, protocolVersion, qos, retain);
  }

  private encode(slot: number, protocolVersion: ProtocolVersion, qos: QoS, retain: boolean): Uint8Array {
    const { topicName, payload, properties } = this.template;
    const packetIdentifier = qos > 0 ? 1 : 0;
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

function fail(code: MqttCodecErrorCode, field: string): never {
  throw new MqttEncodeError(code, "publish", field);
}
