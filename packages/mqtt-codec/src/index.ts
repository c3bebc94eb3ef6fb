/** MQTT 3.1.1 and 5.0 packets: a streaming decoder, an encoder, topic names and filters. No I/O. */

export {
  DEFAULT_MAXIMUM_PACKET_SIZE,
  MAXIMUM_CONNECT_SIZE,
  PacketDecoder,
  type PacketDecoderOptions,
} from "./decoder.ts";
export { encode, encodedLength, encodeInto, PacketEncoder } from "./encode.ts";
export { MqttCodecError, type MqttCodecErrorCode, type MqttCodecErrorFields, MqttEncodeError } from "./error.ts";
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
  ReasonProperties,
} from "./packets/acknowledgement.ts";
export type { AuthPacket, AuthProperties, EncodableAuth } from "./packets/auth.ts";
export type { ConnackPacket, ConnackProperties, EncodableConnack } from "./packets/connack.ts";
export type { ConnectPacket, ConnectProperties, EncodableConnect } from "./packets/connect.ts";
export type { DisconnectPacket, DisconnectProperties, EncodableDisconnect } from "./packets/disconnect.ts";
export type { EncodablePublish, PublishPacket, PublishProperties } from "./packets/publish.ts";
export type { EncodableSuback, EncodableUnsuback, SubackPacket, UnsubackPacket } from "./packets/suback.ts";
export type {
  EncodableSubscribe,
  EncodableSubscription,
  EncodableUnsubscribe,
  RetainHandling,
  SubscribePacket,
  SubscribeProperties,
  Subscription,
  UnsubscribePacket,
  UnsubscribeProperties,
} from "./packets/subscribe.ts";
export type { EncodableWill, Will, WillProperties } from "./packets/will.ts";
export {
  preparePublish,
  type PreparedPublish,
  type PublishReceiver,
  type PublishTemplate,
} from "./prepared-publish.ts";
export type { UserProperty } from "./property.ts";
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
