/** Reason codes of MQTT 5.0 §2.4 by name, the CONNECT return codes of 3.1.1 §3.2.2.3, and where each may stand. */

import type { PacketTypeName, ProtocolVersion } from "./packet-type.ts";

/** MQTT 5.0 table 2-6. 0x00 has three names: success, normal disconnection, granted QoS 0. */
export const ReasonCode = {
  success: 0x00,
  normalDisconnection: 0x00,
  grantedQoS0: 0x00,
  grantedQoS1: 0x01,
  grantedQoS2: 0x02,
  disconnectWithWillMessage: 0x04,
  noMatchingSubscribers: 0x10,
  noSubscriptionExisted: 0x11,
  continueAuthentication: 0x18,
  reAuthenticate: 0x19,
  unspecifiedError: 0x80,
  malformedPacket: 0x81,
  protocolError: 0x82,
  implementationSpecificError: 0x83,
  unsupportedProtocolVersion: 0x84,
  clientIdentifierNotValid: 0x85,
  badUserNameOrPassword: 0x86,
  notAuthorized: 0x87,
  serverUnavailable: 0x88,
  serverBusy: 0x89,
  banned: 0x8a,
  serverShuttingDown: 0x8b,
  badAuthenticationMethod: 0x8c,
  keepAliveTimeout: 0x8d,
  sessionTakenOver: 0x8e,
  topicFilterInvalid: 0x8f,
  topicNameInvalid: 0x90,
  packetIdentifierInUse: 0x91,
  packetIdentifierNotFound: 0x92,
  receiveMaximumExceeded: 0x93,
  topicAliasInvalid: 0x94,
  packetTooLarge: 0x95,
  messageRateTooHigh: 0x96,
  quotaExceeded: 0x97,
  administrativeAction: 0x98,
  payloadFormatInvalid: 0x99,
  retainNotSupported: 0x9a,
  qosNotSupported: 0x9b,
  useAnotherServer: 0x9c,
  serverMoved: 0x9d,
  sharedSubscriptionsNotSupported: 0x9e,
  connectionRateExceeded: 0x9f,
  maximumConnectTime: 0xa0,
  subscriptionIdentifiersNotSupported: 0xa1,
  wildcardSubscriptionsNotSupported: 0xa2,
} as const;

/** MQTT 3.1.1 table 3.1. */
export const ConnectReturnCode = {
  accepted: 0x00,
  unacceptableProtocolVersion: 0x01,
  identifierRejected: 0x02,
  serverUnavailable: 0x03,
  badUserNameOrPassword: 0x04,
  notAuthorized: 0x05,
} as const;

const puback = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
const pubrel = [0x00, 0x92];
const disconnectBoth = [0x00, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99];
const disconnectServer = [0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2];

const table4: Partial<Record<PacketTypeName, ReadonlySet<number>>> = {
  connack: new Set([0x00, 0x01, 0x02, 0x03, 0x04, 0x05]),
  suback: new Set([0x00, 0x01, 0x02, 0x80]),
};

const table5: Partial<Record<PacketTypeName, ReadonlySet<number>>> = {
  connack: new Set([
    0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97, 0x99, 0x9a, 0x9b,
    0x9c, 0x9d, 0x9f,
  ]),
  puback: new Set(puback),
  pubrec: new Set(puback),
  pubrel: new Set(pubrel),
  pubcomp: new Set(pubrel),
  suback: new Set([0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2]),
  unsuback: new Set([0x00, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91]),
  disconnect: new Set([0x04, ...disconnectBoth, ...disconnectServer]),
  auth: new Set([0x00, 0x18, 0x19]),
};

const none: ReadonlySet<number> = new Set();

/** Codes that a packet may carry, from either side. */
export function reasonCodesOf(type: PacketTypeName, version: ProtocolVersion): ReadonlySet<number> {
  return (version === 5 ? table5 : table4)[type] ?? none;
}

/** Codes of DISCONNECT and AUTH that only one side may send (MQTT 5.0 tables 3-13 and 3-14). */
export function isReasonCodeOfOtherSide(type: PacketTypeName, code: number, isFromClient: boolean): boolean {
  if (type === "disconnect") return isFromClient ? disconnectServer.includes(code) : code === 0x04;
  return type === "auth" && code === (isFromClient ? 0x00 : 0x19);
}
