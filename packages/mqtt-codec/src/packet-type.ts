/** The control packet types of both versions, MQTT 3.1.1 §2.2.1 and MQTT 5.0 §2.1.2. */

/** MQTT 3.1.1 is level 4, MQTT 5.0 is level 5. */
export type ProtocolVersion = 4 | 5;

/** Quality of service. */
export type QoS = 0 | 1 | 2;

/** Whether a value is a QoS. */
export function isQoS(value: unknown): value is QoS {
  return value === 0 || value === 1 || value === 2;
}

/** Whether a value is a packet identifier: 1 to 65,535 (MQTT-2.3.1-1, MQTT-2.2.1-3). */
export function isPacketIdentifier(value: unknown): value is number {
  return isUnsigned(value, 0xffff) && value !== 0;
}

/** Whether a value is a whole number from 0 to `maximum`, which is below 2 ** 32. */
export function isUnsigned(value: unknown, maximum: number): value is number {
  return typeof value === "number" && value >>> 0 === value && value <= maximum;
}

/** Number of each type on the wire, in their order. */
export const PacketType = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  suback: 9,
  unsubscribe: 10,
  unsuback: 11,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
  auth: 15,
} as const;

/** The types with flags 0010, one bit each. */
const NEEDS_FLAG_2 = (1 << PacketType.pubrel) | (1 << PacketType.subscribe) | (1 << PacketType.unsubscribe);

/**
 * The reserved flags of the fixed header: 0010 in PUBREL, SUBSCRIBE and UNSUBSCRIBE, 0000 in the others; PUBLISH alone has
 * flags of its own (MQTT 3.1.1 table 2.2, MQTT 5.0 table 2-2).
 */
export function reservedFlags(type: number): number {
  return ((NEEDS_FLAG_2 >>> type) & 1) << 1;
}

/** The name of a packet's type. */
export type PacketTypeName = keyof typeof PacketType;

/** The name of a type number; undefined for 0, which is reserved. */
export function packetTypeName(type: number): PacketTypeName | undefined {
  const name = Object.keys(PacketType)[type - 1];
  return isPacketTypeName(name) ? name : undefined;
}

function isPacketTypeName(name: string | undefined): name is PacketTypeName {
  return name !== undefined && name in PacketType;
}

/** The fields that a caller may leave out when it encodes a packet, because they have a default. */
export type Encodable<Packet, Required extends keyof Packet> = Pick<Packet, Required> & {
  readonly [Field in Exclude<keyof Packet, Required>]?: Packet[Field] | undefined;
};
