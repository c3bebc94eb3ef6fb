/** The packets of both versions, as decoded and as they may be given to the encoder. */

import type {
  AcknowledgementType,
  AcknowledgementPacket,
  EncodableAcknowledgement,
} from "./packets/acknowledgement.ts";
import type { AuthPacket, EncodableAuth } from "./packets/auth.ts";
import type { ConnackPacket, EncodableConnack } from "./packets/connack.ts";
import type { ConnectPacket, EncodableConnect } from "./packets/connect.ts";
import type { DisconnectPacket, EncodableDisconnect } from "./packets/disconnect.ts";
import type { EncodablePublish, PublishPacket } from "./packets/publish.ts";
import type { EncodableSuback, EncodableUnsuback, SubackPacket, UnsubackPacket } from "./packets/suback.ts";
import type {
  EncodableSubscribe,
  EncodableUnsubscribe,
  SubscribePacket,
  UnsubscribePacket,
} from "./packets/subscribe.ts";

/** A PINGREQ. */
export interface PingreqPacket {
  readonly type: "pingreq";
}

/** A PINGRESP. */
export interface PingrespPacket {
  readonly type: "pingresp";
}

/** A control packet as decoded: a union by `type`. Every field is there, `undefined` or 0 where the packet has none. */
export type Packet =
  | ConnectPacket
  | ConnackPacket
  | PublishPacket
  | { [Type in AcknowledgementType]: AcknowledgementPacket<Type> }[AcknowledgementType]
  | SubscribePacket
  | SubackPacket
  | UnsubscribePacket
  | UnsubackPacket
  | PingreqPacket
  | PingrespPacket
  | DisconnectPacket
  | AuthPacket;

/** A packet to encode: fields with a default may be left out. Every `Packet` is one. */
export type EncodablePacket =
  | EncodableConnect
  | EncodableConnack
  | EncodablePublish
  | { [Type in AcknowledgementType]: EncodableAcknowledgement<Type> }[AcknowledgementType]
  | EncodableSubscribe
  | EncodableSuback
  | EncodableUnsubscribe
  | EncodableUnsuback
  | PingreqPacket
  | PingrespPacket
  | EncodableDisconnect
  | EncodableAuth;
