/** The properties of MQTT 5.0 §2.2.2: which there are, their types and values, and where each may stand. */

/** A name and a value; the order of user properties is part of the message (MQTT-3.3.2-18). */
export type UserProperty = readonly [name: string, value: string];

/** Where a list of properties stands: the number of its packet's type, or 0 for the will. */
export type Place = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 14 | 15;

/** How a value is written, and which values there are; what is positive is not 0, a bit and a boolean are 0 or 1. */
type Kind =
  | "bit"
  | "boolean"
  | "uint16"
  | "positive16"
  | "uint32"
  | "positive32"
  | "positiveVariable"
  | "text"
  | "topic"
  | "binary"
  | "pair";

type Rule = readonly [identifier: number, name: string, kind: Kind, places: readonly Place[], clause?: string];

/** MQTT 5.0 table 2-4, and the clause that narrows a property's values. */
const rules: readonly Rule[] = [
  [0x01, "payloadFormatIndicator", "bit", [3, 0], "MQTT 5.0 §3.3.2.3.2"],
  [0x02, "messageExpiryInterval", "uint32", [3, 0]],
  [0x03, "contentType", "text", [3, 0]],
  [0x08, "responseTopic", "topic", [3, 0]],
  [0x09, "correlationData", "binary", [3, 0]],
  [0x0b, "subscriptionIdentifier", "positiveVariable", [3, 8], "MQTT 5.0 §3.8.2.1.2"],
  [0x11, "sessionExpiryInterval", "uint32", [1, 2, 14]],
  [0x12, "assignedClientIdentifier", "text", [2]],
  [0x13, "serverKeepAlive", "uint16", [2]],
  [0x15, "authenticationMethod", "text", [1, 2, 15]],
  [0x16, "authenticationData", "binary", [1, 2, 15]],
  [0x17, "requestProblemInformation", "boolean", [1], "MQTT 5.0 §3.1.2.11.7"],
  [0x18, "willDelayInterval", "uint32", [0]],
  [0x19, "requestResponseInformation", "boolean", [1], "MQTT 5.0 §3.1.2.11.6"],
  [0x1a, "responseInformation", "text", [2]],
  [0x1c, "serverReference", "text", [2, 14]],
  [0x1f, "reasonString", "text", [2, 4, 5, 6, 7, 9, 11, 14, 15]],
  [0x21, "receiveMaximum", "positive16", [1, 2], "MQTT 5.0 §3.1.2.11.3"],
  [0x22, "topicAliasMaximum", "uint16", [1, 2]],
  [0x23, "topicAlias", "positive16", [3], "MQTT-3.3.2-8"],
  [0x24, "maximumQoS", "bit", [2], "MQTT-3.2.2-9"],
  [0x25, "retainAvailable", "boolean", [2], "MQTT 5.0 §3.2.2.3.5"],
  [0x26, "userProperty", "pair", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 15]],
  [0x27, "maximumPacketSize", "positive32", [1, 2], "MQTT 5.0 §3.1.2.11.4"],
  [0x28, "wildcardSubscriptionAvailable", "boolean", [2], "MQTT 5.0 §3.2.2.3.11"],
  [0x29, "subscriptionIdentifierAvailable", "boolean", [2], "MQTT 5.0 §3.2.2.3.12"],
  [0x2a, "sharedSubscriptionAvailable", "boolean", [2], "MQTT 5.0 §3.2.2.3.13"],
];

/** A property in one place. */
export interface PropertyDefinition {
  readonly identifier: number;
  /** The field that holds it: its name, or the plural where it may be repeated. */
  readonly field: string;
  readonly kind: Kind;
  /** Whether it may be repeated. */
  readonly isList: boolean;
  readonly clause: string;
  /** The field's name in errors. */
  readonly path: string;
}

/** For each place the properties that may stand there, by increasing identifier. */
export const propertiesOf: readonly (readonly PropertyDefinition[])[] = Array.from({ length: 16 }, (_, place) => {
  const here = rules.filter((rule) => rule[3].some((allowed) => allowed === place));
  return here.map(([identifier, name, kind, , clause = "MQTT 5.0 §2.2.2.2"]) => {
    const isList = kind === "pair" || (identifier === 0x0b && place === 3);
    const field = kind === "pair" ? "userProperties" : isList ? "subscriptionIdentifiers" : name;
    return { identifier, field, kind, isList, clause, path: `properties.${field}` };
  });
});

/** Whether any packet has this property. */
export function isPropertyIdentifier(identifier: number): boolean {
  return rules.some((rule) => rule[0] === identifier);
}
