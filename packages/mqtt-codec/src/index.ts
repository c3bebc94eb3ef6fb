/** MQTT 3.1.1 and 5.0 packets: a streaming decoder, an encoder, topic names and filters. No I/O. */

export {
  DEFAULT_MAXIMUM_PACKET_SIZE,
  MAXIMUM_CONNECT_SIZE,
  PacketDecoder,
  type PacketDecoderOptions,
} from "./decoder.ts";
export { encode, encodedLength, encodeInto } from "./encode.ts";
export {
  MqttCodecError,
  type MqttCodecErrorCode,
  type MqttCodecEvidence,
  MqttEncodeError,
  type MqttEncodeErrorCode,
} from "./errors.ts";
export type { EncodablePacket, Packet, PingreqPacket, PingrespPacket } from "./packet.ts";
export { PacketType, type PacketTypeName, type ProtocolVersion, type QoS } from "./packet-type.ts";
export type {
  AcknowledgementPacket,
  AcknowledgementType,
  EncodableAcknowledgement,
  PubackPacket,
  PubcompPacket,
  PubrecPacket,
  PubrelPacket,
} from "./packets/acknowledgement.ts";
export type { AuthPacket, EncodableAuth } from "./packets/auth.ts";
export type { ConnackPacket, EncodableConnack } from "./packets/connack.ts";
export type { ConnectPacket, EncodableConnect } from "./packets/connect.ts";
export type { DisconnectPacket, EncodableDisconnect } from "./packets/disconnect.ts";
export type { EncodablePublish, PublishPacket } from "./packets/publish.ts";
export type { EncodableSuback, EncodableUnsuback, SubackPacket, UnsubackPacket } from "./packets/suback.ts";
export type {
  EncodableSubscribe,
  EncodableSubscription,
  EncodableUnsubscribe,
  RetainHandling,
  SubscribePacket,
  Subscription,
  UnsubscribePacket,
} from "./packets/subscribe.ts";
export type { EncodableWill, Will } from "./packets/will.ts";
export {
  preparePublish,
  type PreparedPublish,
  type PublishReceiver,
  type PublishTemplate,
} from "./prepared-publish.ts";
export type {
  AuthProperties,
  ConnackProperties,
  ConnectProperties,
  DisconnectProperties,
  PublishProperties,
  ReasonProperties,
  SubscribeProperties,
  UnsubscribeProperties,
  UserProperty,
  WillProperties,
} from "./property.ts";
export { ConnectReturnCode, ReasonCode } from "./reason-code.ts";
export {
  type InvalidTopic,
  isSharedTopicFilter,
  matchesTopicFilter,
  type MatchOptions,
  MAXIMUM_TOPIC_OCTETS,
  type ParsedTopicFilter,
  parseTopicFilter,
  type TopicFault,
  type TopicFilterOptions,
  validateTopicFilter,
  validateTopicName,
  type ValidTopicName,
} from "./topic.ts";
export { utf8Length } from "./utf8.ts";
