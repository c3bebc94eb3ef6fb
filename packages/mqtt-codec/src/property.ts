/**
 * The properties of MQTT 5.0 §2.2.2: the fields of each packet's property list, and the table by which they are read and
 * written. The compiler checks the table against the interfaces: no field is missing, none has another type.
 */

/** A name and a value; the order of user properties is part of the message (MQTT-3.3.2-18). */
export type UserProperty = readonly [name: string, value: string];

/** The properties of CONNECT, MQTT 5.0 §3.1.2.11. A property that is not there is undefined. */
export interface ConnectProperties {
  /** Seconds; 0xFFFFFFFF never expires. */
  readonly sessionExpiryInterval: number | undefined;
  readonly receiveMaximum: number | undefined;
  /** Octets. */
  readonly maximumPacketSize: number | undefined;
  readonly topicAliasMaximum: number | undefined;
  readonly requestResponseInformation: boolean | undefined;
  readonly requestProblemInformation: boolean | undefined;
  readonly authenticationMethod: string | undefined;
  readonly authenticationData: Uint8Array | undefined;
  readonly userProperties: readonly UserProperty[];
}

/** The properties of a will, MQTT 5.0 §3.1.3.2. */
export interface WillProperties {
  /** Seconds. */
  readonly willDelayInterval: number | undefined;
  /** 1: the payload is UTF-8 text. */
  readonly payloadFormatIndicator: 0 | 1 | undefined;
  /** Seconds. */
  readonly messageExpiryInterval: number | undefined;
  readonly contentType: string | undefined;
  readonly responseTopic: string | undefined;
  readonly correlationData: Uint8Array | undefined;
  readonly userProperties: readonly UserProperty[];
}

/** The properties of CONNACK, MQTT 5.0 §3.2.2.3. */
export interface ConnackProperties {
  /** Seconds. */
  readonly sessionExpiryInterval: number | undefined;
  readonly receiveMaximum: number | undefined;
  readonly maximumQoS: 0 | 1 | undefined;
  readonly retainAvailable: boolean | undefined;
  /** Octets. */
  readonly maximumPacketSize: number | undefined;
  readonly assignedClientIdentifier: string | undefined;
  readonly topicAliasMaximum: number | undefined;
  readonly reasonString: string | undefined;
  readonly wildcardSubscriptionAvailable: boolean | undefined;
  readonly subscriptionIdentifierAvailable: boolean | undefined;
  readonly sharedSubscriptionAvailable: boolean | undefined;
  /** Seconds. */
  readonly serverKeepAlive: number | undefined;
  readonly responseInformation: string | undefined;
  readonly serverReference: string | undefined;
  readonly authenticationMethod: string | undefined;
  readonly authenticationData: Uint8Array | undefined;
  readonly userProperties: readonly UserProperty[];
}

/** The properties of PUBLISH, MQTT 5.0 §3.3.2.3. */
export interface PublishProperties {
  /** 1: the payload is UTF-8 text. */
  readonly payloadFormatIndicator: 0 | 1 | undefined;
  /** Seconds. */
  readonly messageExpiryInterval: number | undefined;
  readonly topicAlias: number | undefined;
  readonly responseTopic: string | undefined;
  readonly correlationData: Uint8Array | undefined;
  readonly contentType: string | undefined;
  /** Only from a server: one of each matching subscription that has one. */
  readonly subscriptionIdentifiers: readonly number[];
  readonly userProperties: readonly UserProperty[];
}

/** The properties of PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK and UNSUBACK. */
export interface ReasonProperties {
  readonly reasonString: string | undefined;
  readonly userProperties: readonly UserProperty[];
}

/** The properties of SUBSCRIBE, MQTT 5.0 §3.8.2.1. */
export interface SubscribeProperties {
  readonly subscriptionIdentifier: number | undefined;
  readonly userProperties: readonly UserProperty[];
}

/** The properties of UNSUBSCRIBE, MQTT 5.0 §3.10.2.1. */
export interface UnsubscribeProperties {
  readonly userProperties: readonly UserProperty[];
}

/** The properties of DISCONNECT, MQTT 5.0 §3.14.2.2. */
export interface DisconnectProperties {
  /** Seconds; only from a client (MQTT-3.14.2-2). */
  readonly sessionExpiryInterval: number | undefined;
  readonly reasonString: string | undefined;
  /** Only from a server. */
  readonly serverReference: string | undefined;
  readonly userProperties: readonly UserProperty[];
}

/** The properties of AUTH, MQTT 5.0 §3.15.2.2. */
export interface AuthProperties {
  readonly authenticationMethod: string | undefined;
  readonly authenticationData: Uint8Array | undefined;
  readonly reasonString: string | undefined;
  readonly userProperties: readonly UserProperty[];
}

/** All property fields by name. */
type AllProperties = ConnectProperties &
  Omit<ConnackProperties, keyof ConnectProperties> &
  Omit<WillProperties, "userProperties"> &
  Omit<PublishProperties, keyof WillProperties> &
  Omit<SubscribeProperties, "userProperties">;
type Field = keyof AllProperties;

/**
 * How a value is written and which values there are. `bit` and `boolean` are one octet that is 0 or 1; the `positive`
 * kinds do not take 0; `identifiers` and `pairs` are lists, each member a property of its own.
 */
type Kind =
  | "bit"
  | "boolean"
  | "uint16"
  | "positive16"
  | "uint32"
  | "positive32"
  | "positiveVariable"
  | "identifiers"
  | "text"
  | "topic"
  | "binary"
  | "pairs";

/** The kinds that a field of this type may have. */
type KindOf<Value> = [Value] extends [0 | 1 | undefined]
  ? "bit"
  : [Value] extends [boolean | undefined]
    ? "boolean"
    : [Value] extends [number | undefined]
      ? "uint16" | "positive16" | "uint32" | "positive32" | "positiveVariable"
      : [Value] extends [string | undefined]
        ? "text" | "topic"
        : [Value] extends [Uint8Array | undefined]
          ? "binary"
          : [Value] extends [readonly number[]]
            ? "identifiers"
            : "pairs";

/** MQTT 5.0 table 2-4: identifier and kind of each field. */
const table: { readonly [Name in Field]: readonly [identifier: number, kind: KindOf<AllProperties[Name]>] } = {
  payloadFormatIndicator: [0x01, "bit"],
  messageExpiryInterval: [0x02, "uint32"],
  contentType: [0x03, "text"],
  responseTopic: [0x08, "topic"],
  correlationData: [0x09, "binary"],
  subscriptionIdentifier: [0x0b, "positiveVariable"],
  subscriptionIdentifiers: [0x0b, "identifiers"],
  sessionExpiryInterval: [0x11, "uint32"],
  assignedClientIdentifier: [0x12, "text"],
  serverKeepAlive: [0x13, "uint16"],
  authenticationMethod: [0x15, "text"],
  authenticationData: [0x16, "binary"],
  requestProblemInformation: [0x17, "boolean"],
  willDelayInterval: [0x18, "uint32"],
  requestResponseInformation: [0x19, "boolean"],
  responseInformation: [0x1a, "text"],
  serverReference: [0x1c, "text"],
  reasonString: [0x1f, "text"],
  receiveMaximum: [0x21, "positive16"],
  topicAliasMaximum: [0x22, "uint16"],
  topicAlias: [0x23, "positive16"],
  maximumQoS: [0x24, "bit"],
  retainAvailable: [0x25, "boolean"],
  userProperties: [0x26, "pairs"],
  maximumPacketSize: [0x27, "positive32"],
  wildcardSubscriptionAvailable: [0x28, "boolean"],
  subscriptionIdentifierAvailable: [0x29, "boolean"],
  sharedSubscriptionAvailable: [0x2a, "boolean"],
};

/** The name of a property for messages; undefined where no property has this identifier. */
export function propertyName(identifier: number): string | undefined {
  return Object.entries(table).find(([, [number]]) => number === identifier)?.[0];
}

/** A property in one packet. */
export interface PropertyDefinition {
  readonly identifier: number;
  readonly name: string;
  readonly kind: Kind;
  /** Whether it may be repeated. */
  readonly isList: boolean;
  /** The section on this property in this packet. */
  readonly clause: string;
  /** The field's name in errors. */
  readonly path: string;
  /** The side that alone may send it in this packet, and the statement that says so. */
  readonly onlyFrom: readonly [side: "client" | "server", clause: string] | undefined;
}

/** The properties that one packet may carry. `Properties` is the interface of the packet's list. */
export interface PropertyList<Properties> {
  readonly byIdentifier: readonly (PropertyDefinition | undefined)[];
  readonly byName: ReadonlyMap<string, PropertyDefinition>;
  /** A list without any property. */
  readonly empty: Properties;
  /** The list's field in its packet, for errors. */
  readonly path: string;
}

/** For each field of an interface the number of its subsection in the packet's section. */
type Subsections<Properties> = { readonly [Name in keyof Properties & Field]: number } & {
  // A field that the table does not have makes this member impossible to fill.
  readonly [Name in Exclude<keyof Properties, Field>]: never;
};

function propertyList<Properties>(
  section: string,
  subsections: Subsections<Properties>,
  onlyFrom: { readonly [Name in keyof Properties]?: readonly ["client" | "server", string] } = {},
  path = "properties",
): PropertyList<Properties> {
  const sides: { readonly [name: string]: readonly ["client" | "server", string] | undefined } = onlyFrom;
  const definitions = Object.entries<number>(subsections)
    .filter((entry): entry is [Field, number] => entry[0] in table)
    .map(([name, subsection]): PropertyDefinition => {
      const [identifier, kind] = table[name];
      const isList = kind === "pairs" || kind === "identifiers";
      const clause = `MQTT 5.0 §${section}.${subsection}`;
      return { identifier, name, kind, isList, clause, path: `${path}.${name}`, onlyFrom: sides[name] };
    })
    .sort((one, other) => one.identifier - other.identifier);
  const byIdentifier: (PropertyDefinition | undefined)[] = Array.from({ length: 0x2b }, () => undefined);
  for (const definition of definitions) byIdentifier[definition.identifier] = definition;
  const empty = Object.fromEntries(definitions.map(({ name, isList }) => [name, isList ? [] : undefined]));
  return {
    byIdentifier,
    byName: new Map(definitions.map((definition) => [definition.name, definition])),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it has the fields of the subsections, which are all
    empty: empty as Properties,
    path,
  };
}

const reason = (section: string): PropertyList<ReasonProperties> =>
  propertyList<ReasonProperties>(section, { reasonString: 2, userProperties: 3 });

/** The property lists by packet. */
export const propertyLists: {
  readonly connect: PropertyList<ConnectProperties>;
  readonly will: PropertyList<WillProperties>;
  readonly connack: PropertyList<ConnackProperties>;
  readonly publish: PropertyList<PublishProperties>;
  readonly puback: PropertyList<ReasonProperties>;
  readonly pubrec: PropertyList<ReasonProperties>;
  readonly pubrel: PropertyList<ReasonProperties>;
  readonly pubcomp: PropertyList<ReasonProperties>;
  readonly subscribe: PropertyList<SubscribeProperties>;
  readonly suback: PropertyList<ReasonProperties>;
  readonly unsubscribe: PropertyList<UnsubscribeProperties>;
  readonly unsuback: PropertyList<ReasonProperties>;
  readonly disconnect: PropertyList<DisconnectProperties>;
  readonly auth: PropertyList<AuthProperties>;
} = {
  connect: propertyList<ConnectProperties>("3.1.2.11", {
    sessionExpiryInterval: 2,
    receiveMaximum: 3,
    maximumPacketSize: 4,
    topicAliasMaximum: 5,
    requestResponseInformation: 6,
    requestProblemInformation: 7,
    userProperties: 8,
    authenticationMethod: 9,
    authenticationData: 10,
  }),
  will: propertyList<WillProperties>(
    "3.1.3.2",
    {
      willDelayInterval: 2,
      payloadFormatIndicator: 3,
      messageExpiryInterval: 4,
      contentType: 5,
      responseTopic: 6,
      correlationData: 7,
      userProperties: 8,
    },
    {},
    "will.properties",
  ),
  connack: propertyList<ConnackProperties>("3.2.2.3", {
    sessionExpiryInterval: 2,
    receiveMaximum: 3,
    maximumQoS: 4,
    retainAvailable: 5,
    maximumPacketSize: 6,
    assignedClientIdentifier: 7,
    topicAliasMaximum: 8,
    reasonString: 9,
    userProperties: 10,
    wildcardSubscriptionAvailable: 11,
    subscriptionIdentifierAvailable: 12,
    sharedSubscriptionAvailable: 13,
    serverKeepAlive: 14,
    responseInformation: 15,
    serverReference: 16,
    authenticationMethod: 17,
    authenticationData: 18,
  }),
  publish: propertyList<PublishProperties>(
    "3.3.2.3",
    {
      payloadFormatIndicator: 2,
      messageExpiryInterval: 3,
      topicAlias: 4,
      responseTopic: 5,
      correlationData: 6,
      userProperties: 7,
      subscriptionIdentifiers: 8,
      contentType: 9,
    },
    { subscriptionIdentifiers: ["server", "MQTT-3.3.4-6"] },
  ),
  puback: reason("3.4.2.2"),
  pubrec: reason("3.5.2.2"),
  pubrel: reason("3.6.2.2"),
  pubcomp: reason("3.7.2.2"),
  subscribe: propertyList<SubscribeProperties>("3.8.2.1", { subscriptionIdentifier: 2, userProperties: 3 }),
  suback: reason("3.9.2.1"),
  unsubscribe: propertyList<UnsubscribeProperties>("3.10.2.1", { userProperties: 2 }),
  unsuback: reason("3.11.2.1"),
  disconnect: propertyList<DisconnectProperties>(
    "3.14.2.2",
    { sessionExpiryInterval: 2, reasonString: 3, userProperties: 4, serverReference: 5 },
    { sessionExpiryInterval: ["client", "MQTT-3.14.2-2"], serverReference: ["server", "MQTT 5.0 §3.14.2.2.5"] },
  ),
  auth: propertyList<AuthProperties>("3.15.2.2", {
    authenticationMethod: 2,
    authenticationData: 3,
    reasonString: 4,
    userProperties: 5,
  }),
};
