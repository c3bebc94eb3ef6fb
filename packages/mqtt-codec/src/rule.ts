/**
 * Every rule that the decoder enforces: the error code, the statement of MQTT 3.1.1 and of 5.0, the reason code that a
 * 5.0 peer is answered with, and the demand in words. A fault that is found anywhere in the decoder names its rule here.
 *
 * Reason codes: 0x81 (malformed packet) for what cannot be read as a packet, 0x82 (protocol error) for what can be read
 * and is not allowed, a more exact code where the standard names one. Where the text says "Malformed Packet" or "Protocol
 * Error" itself, that is what stands here; where it says only MUST, text and structure are malformed (as mosquitto
 * answers), and so are reason codes.
 */

/**
 * The rules by name: code, statement of 3.1.1, statement of 5.0, reason code, requirement. Where a rule holds for several
 * fields, the caller gives the statement of the field.
 */
export const rules = {
  // Fixed header.
  packetType: [
    "ERR_MQTT_CODEC_PACKET_TYPE",
    "MQTT 3.1.1 §2.2.1",
    "MQTT 5.0 §2.1.2",
    0x81,
    "this packet type is reserved",
  ],
  firstPacket: [
    "ERR_MQTT_CODEC_FIRST_PACKET",
    "MQTT-3.1.0-1",
    "MQTT-3.1.0-1",
    0x82,
    "the first packet of a client is CONNECT",
  ],
  secondConnect: [
    "ERR_MQTT_CODEC_SECOND_CONNECT",
    "MQTT-3.1.0-2",
    "MQTT-3.1.0-2",
    0x82,
    "a client sends CONNECT once in a connection",
  ],
  direction: [
    "ERR_MQTT_CODEC_DIRECTION",
    "MQTT 3.1.1 §2.2.1",
    "MQTT 5.0 §2.1.2",
    0x82,
    "only the other side sends this packet",
  ],
  flags: [
    "ERR_MQTT_CODEC_FLAGS",
    "MQTT-2.2.2-2",
    "MQTT-2.1.3-1",
    0x81,
    "the reserved flags of this packet have one value",
  ],
  remainingLength: [
    "ERR_MQTT_CODEC_REMAINING_LENGTH",
    "MQTT 3.1.1 §2.2.3",
    "MQTT 5.0 §2.1.4",
    0x81,
    "the remaining length has one to four octets, and the value that this packet has",
  ],
  remainingLengthOverlong: [
    "ERR_MQTT_CODEC_REMAINING_LENGTH",
    "MQTT 3.1.1 §2.2.3",
    "MQTT-1.5.5-1",
    0x81,
    "the remaining length takes the fewest octets that hold it",
  ],
  clientPacketTooLarge: [
    "ERR_MQTT_CODEC_PACKET_TOO_LARGE",
    "MQTT 3.1.1 §2.2.3",
    "MQTT-3.2.2-15",
    0x95,
    "a packet is within the maximum packet size of its receiver",
  ],
  serverPacketTooLarge: [
    "ERR_MQTT_CODEC_PACKET_TOO_LARGE",
    "MQTT 3.1.1 §2.2.3",
    "MQTT-3.1.2-24",
    0x95,
    "a packet is within the maximum packet size of its receiver",
  ],

  // Fields of all packets.
  truncated: [
    "ERR_MQTT_CODEC_TRUNCATED",
    "MQTT 3.1.1 §2.2.3",
    "MQTT 5.0 §2.1.4",
    0x81,
    "a field ends inside its packet or property list",
  ],
  trailingBytes: [
    "ERR_MQTT_CODEC_TRAILING_BYTES",
    "MQTT 3.1.1 §2.2.3",
    "MQTT 5.0 §2.1.4",
    0x81,
    "a packet ends with its last field",
  ],
  variableByteInteger: [
    "ERR_MQTT_CODEC_VARIABLE_BYTE_INTEGER",
    "MQTT 5.0 §1.5.5",
    "MQTT 5.0 §1.5.5",
    0x81,
    "a variable byte integer has at most four octets",
  ],
  variableByteIntegerOverlong: [
    "ERR_MQTT_CODEC_VARIABLE_BYTE_INTEGER",
    "MQTT-1.5.5-1",
    "MQTT-1.5.5-1",
    0x81,
    "a variable byte integer takes the fewest octets that hold it",
  ],
  utf8: ["ERR_MQTT_CODEC_UTF8", "MQTT-1.5.3-1", "MQTT-1.5.4-1", 0x81, "text is well-formed UTF-8"],
  nullCharacter: ["ERR_MQTT_CODEC_NULL_CHARACTER", "MQTT-1.5.3-2", "MQTT-1.5.4-2", 0x81, "text holds no U+0000"],
  controlCharacter: [
    "ERR_MQTT_CODEC_CONTROL_CHARACTER",
    "MQTT 3.1.1 §1.5.3",
    "MQTT 5.0 §1.5.4",
    0x81,
    "text holds no control character and no non-character (refuseControlCharacters)",
  ],
  packetIdentifier: [
    "ERR_MQTT_CODEC_PACKET_IDENTIFIER",
    "MQTT-2.3.1-1",
    "MQTT-2.2.1-3",
    0x82,
    "a packet identifier is 1 to 65,535",
  ],
  serverPacketIdentifier: [
    "ERR_MQTT_CODEC_PACKET_IDENTIFIER",
    "MQTT-2.3.1-4",
    "MQTT-2.2.1-4",
    0x82,
    "a packet identifier is 1 to 65,535",
  ],
  publishAcknowledged: [
    "ERR_MQTT_CODEC_PACKET_IDENTIFIER",
    "MQTT-2.3.1-6",
    "MQTT-2.2.1-5",
    0x82,
    "the packet identifier is that of the PUBLISH, 1 to 65,535",
  ],
  requestAcknowledged: [
    "ERR_MQTT_CODEC_PACKET_IDENTIFIER",
    "MQTT-2.3.1-7",
    "MQTT-2.2.1-6",
    0x82,
    "the packet identifier is that of the request, 1 to 65,535",
  ],
  reasonCode: [
    "ERR_MQTT_CODEC_REASON_CODE",
    "MQTT 3.1.1 §3.2.2.3",
    "MQTT 5.0 §2.4",
    0x81,
    "a packet carries only the reason codes of its table that its sender may use",
  ],
  topicName: [
    "ERR_MQTT_CODEC_TOPIC_NAME",
    "MQTT-4.7.3-1",
    "MQTT-4.7.3-1",
    0x81,
    "a topic name has at least one character and holds no + and no #",
  ],
  topicFilter: [
    "ERR_MQTT_CODEC_TOPIC_FILTER",
    "MQTT-4.7.3-1",
    "MQTT-4.7.3-1",
    0x81,
    "in a topic filter + fills its level, # the last one, and $share/ has a group and a filter behind it",
  ],

  // Properties.
  propertyLength: [
    "ERR_MQTT_CODEC_PROPERTY_LENGTH",
    "MQTT 5.0 §2.2.2.1",
    "MQTT 5.0 §2.2.2.1",
    0x81,
    "a property list ends inside its packet",
  ],
  propertyIdentifier: [
    "ERR_MQTT_CODEC_PROPERTY_IDENTIFIER",
    "MQTT 5.0 §2.2.2.2",
    "MQTT 5.0 §2.2.2.2",
    0x81,
    "a property has an identifier of table 2-4",
  ],
  propertyNotAllowed: [
    "ERR_MQTT_CODEC_PROPERTY_NOT_ALLOWED",
    "MQTT 5.0 §2.2.2.2",
    "MQTT 5.0 §2.2.2.2",
    0x81,
    "a property is one that its packet may carry",
  ],
  propertyOfOtherSide: [
    "ERR_MQTT_CODEC_PROPERTY_NOT_ALLOWED",
    "MQTT 5.0 §2.2.2",
    "MQTT 5.0 §2.2.2",
    0x82,
    "only the other side sends this property in this packet",
  ],
  propertyRepeated: [
    "ERR_MQTT_CODEC_PROPERTY_REPEATED",
    "MQTT 5.0 §2.2.2",
    "MQTT 5.0 §2.2.2",
    0x82,
    "this property may be there once",
  ],
  propertyValue: [
    "ERR_MQTT_CODEC_PROPERTY_VALUE",
    "MQTT 5.0 §2.2.2",
    "MQTT 5.0 §2.2.2",
    0x82,
    "this property does not take that value",
  ],
  topicAlias: ["ERR_MQTT_CODEC_TOPIC_ALIAS", "MQTT-3.3.2-8", "MQTT-3.3.2-8", 0x94, "a topic alias is 1 to 65,535"],
  authenticationMethodMissing: [
    "ERR_MQTT_CODEC_PROPERTY_MISSING",
    "MQTT 5.0 §4.12",
    "MQTT 5.0 §4.12",
    0x82,
    "authentication data, and AUTH, come with an authentication method",
  ],
  tooManyProperties: [
    "ERR_MQTT_CODEC_TOO_MANY_USER_PROPERTIES",
    "MQTT 5.0 §4.13.2",
    "MQTT 5.0 §4.13.2",
    0x97,
    "no more repeatable properties (maximumUserProperties)",
  ],

  // CONNECT.
  protocolName: ["ERR_MQTT_CODEC_PROTOCOL_NAME", "MQTT-3.1.2-1", "MQTT-3.1.2-1", 0x84, 'the protocol name is "MQTT"'],
  protocolVersion: [
    "ERR_MQTT_CODEC_PROTOCOL_VERSION",
    "MQTT-3.1.2-2",
    "MQTT-3.1.2-2",
    0x84,
    "the protocol version is 4 (MQTT 3.1.1) or 5 (MQTT 5.0)",
  ],
  connectFlagReserved: [
    "ERR_MQTT_CODEC_CONNECT_FLAGS",
    "MQTT-3.1.2-3",
    "MQTT-3.1.2-3",
    0x81,
    "connect flag 0 is reserved and 0",
  ],
  willQosWithoutWill: [
    "ERR_MQTT_CODEC_CONNECT_FLAGS",
    "MQTT-3.1.2-13",
    "MQTT-3.1.2-11",
    0x81,
    "will QoS is 0 without a will",
  ],
  willRetainWithoutWill: [
    "ERR_MQTT_CODEC_CONNECT_FLAGS",
    "MQTT-3.1.2-15",
    "MQTT-3.1.2-13",
    0x81,
    "will retain is 0 without a will",
  ],
  willQos: ["ERR_MQTT_CODEC_QOS", "MQTT-3.1.2-14", "MQTT-3.1.2-12", 0x81, "will QoS is 0, 1 or 2"],
  passwordWithoutUserName: [
    "ERR_MQTT_CODEC_CONNECT_FLAGS",
    "MQTT-3.1.2-22",
    "",
    0x81,
    "MQTT 3.1.1 has no password without a user name",
  ],
  clientIdentifier: [
    "ERR_MQTT_CODEC_CLIENT_IDENTIFIER",
    "MQTT-3.1.3-8",
    "",
    0x85,
    "a client without an identifier wants a clean session",
  ],

  // CONNACK, PUBLISH.
  connackFlags: [
    "ERR_MQTT_CODEC_CONNACK_FLAGS",
    "MQTT 3.1.1 §3.2.2.1",
    "MQTT-3.2.2-1",
    0x81,
    "connect acknowledge flags 7 to 1 are reserved and 0",
  ],
  sessionPresent: [
    "ERR_MQTT_CODEC_SESSION_PRESENT",
    "MQTT-3.2.2-4",
    "MQTT-3.2.2-6",
    0x82,
    "a refusal says that no session is present",
  ],
  qos: ["ERR_MQTT_CODEC_QOS", "MQTT-3.3.1-4", "MQTT-3.3.1-4", 0x81, "QoS is 0, 1 or 2"],
  dup: ["ERR_MQTT_CODEC_DUP", "MQTT-3.3.1-2", "MQTT-3.3.1-2", 0x81, "DUP is 0 with QoS 0"],
  topicNameOrAlias: [
    "ERR_MQTT_CODEC_TOPIC_NAME",
    "MQTT-4.7.3-1",
    "MQTT-4.7.3-1",
    0x82,
    "a topic name has at least one character, but in MQTT 5.0 where a topic alias stands for it",
  ],

  // SUBSCRIBE, UNSUBSCRIBE and their answers.
  noSubscription: [
    "ERR_MQTT_CODEC_NO_TOPIC_FILTER",
    "MQTT-3.8.3-3",
    "MQTT-3.8.3-2",
    0x82,
    "SUBSCRIBE has at least one topic filter",
  ],
  noTopicFilter: [
    "ERR_MQTT_CODEC_NO_TOPIC_FILTER",
    "MQTT-3.10.3-2",
    "MQTT-3.10.3-2",
    0x82,
    "UNSUBSCRIBE has at least one topic filter",
  ],
  noSubackCode: [
    "ERR_MQTT_CODEC_NO_TOPIC_FILTER",
    "MQTT-3.8.4-5",
    "MQTT-3.8.4-6",
    0x82,
    "SUBACK has a reason code for each topic filter",
  ],
  noUnsubackCode: [
    "ERR_MQTT_CODEC_NO_TOPIC_FILTER",
    "",
    "MQTT-3.11.3-2",
    0x82,
    "UNSUBACK has a reason code for each topic filter",
  ],
  tooManyTopicFilters: [
    "ERR_MQTT_CODEC_TOO_MANY_TOPIC_FILTERS",
    "MQTT 3.1.1 §3.8.3",
    "MQTT 5.0 §4.13.2",
    0x97,
    "no more topic filters or reason codes (maximumTopicFilters)",
  ],
  // 3.1.1 prints its statement as MQTT-3-8.3-4.
  subscriptionOptions: [
    "ERR_MQTT_CODEC_SUBSCRIPTION_OPTIONS",
    "MQTT-3-8.3-4",
    "MQTT-3.8.3-5",
    0x81,
    "the reserved bits of the subscription options are 0",
  ],
  subscriptionQos: ["ERR_MQTT_CODEC_QOS", "MQTT-3-8.3-4", "MQTT 5.0 §3.8.3.1", 0x82, "QoS is 0, 1 or 2"],
  retainHandling: ["ERR_MQTT_CODEC_RETAIN_HANDLING", "", "MQTT 5.0 §3.8.3.1", 0x82, "retain handling is 0, 1 or 2"],
  noLocalShared: ["ERR_MQTT_CODEC_NO_LOCAL_SHARED", "", "MQTT-3.8.3-4", 0x82, "No Local is 0 on a shared subscription"],
} as const;

/** The name of a rule. */
export type RuleName = keyof typeof rules;
