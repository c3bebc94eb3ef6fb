/** Things, thing types, static thing groups, and the certificates that things have. */

import { object, oneOf, optional, text, texts, whole, type Decoder } from "../decode.ts";
import { Index, Table } from "../table.ts";

/** A device's entry. Times are seconds since 1970-01-01T00:00:00Z. */
export interface ThingRecord {
  readonly thingName: string;
  /** A UUID that a thing made again under the same name does not have. */
  readonly thingId: string;
  readonly thingTypeName: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  /** Counts the changes from 1. */
  readonly version: number;
  readonly createdAtSeconds: number;
}

/** What things have in common. */
export interface ThingTypeRecord {
  readonly thingTypeName: string;
  readonly thingTypeId: string;
  readonly description: string | undefined;
  readonly createdAtSeconds: number;
  /** No thing can be given a deprecated type. */
  readonly deprecatedAtSeconds: number | undefined;
}

/** A static group. Its policies hold for the things in it and in the groups below it. */
export interface ThingGroupRecord {
  readonly thingGroupName: string;
  readonly thingGroupId: string;
  readonly parentGroupName: string | undefined;
  readonly description: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  readonly version: number;
  readonly createdAtSeconds: number;
}

/** `EXCLUSIVE_THING`: the certificate belongs to this thing alone, whatever client identifier the device has. */
export type ThingPrincipalType = "EXCLUSIVE_THING" | "NON_EXCLUSIVE_THING";

/** The attachment of a certificate to a thing. */
export interface ThingPrincipalRecord {
  readonly thingName: string;
  readonly certificateId: string;
  readonly type: ThingPrincipalType;
}

const thingRecord: Decoder<ThingRecord> = object({
  thingName: text,
  thingId: text,
  thingTypeName: optional(text),
  attributes: texts,
  version: whole,
  createdAtSeconds: whole,
});

const thingTypeRecord: Decoder<ThingTypeRecord> = object({
  thingTypeName: text,
  thingTypeId: text,
  description: optional(text),
  createdAtSeconds: whole,
  deprecatedAtSeconds: optional(whole),
});

const thingGroupRecord: Decoder<ThingGroupRecord> = object({
  thingGroupName: text,
  thingGroupId: text,
  parentGroupName: optional(text),
  description: optional(text),
  attributes: texts,
  version: whole,
  createdAtSeconds: whole,
});

const thingPrincipalRecord: Decoder<ThingPrincipalRecord> = object({
  thingName: text,
  certificateId: text,
  type: oneOf("EXCLUSIVE_THING", "NON_EXCLUSIVE_THING"),
});

/** SCOPE/NAME. */
export const things: Table<ThingRecord> = new Table("thing", thingRecord);
/** SCOPE/NAME. */
export const thingTypes: Table<ThingTypeRecord> = new Table("thing-type", thingTypeRecord);
/** SCOPE/TYPE/NAME. */
export const thingsOfType: Index = new Index("thing-of-type");
/** SCOPE/NAME. */
export const thingGroups: Table<ThingGroupRecord> = new Table("thing-group", thingGroupRecord);
/** SCOPE/PARENT/NAME. */
export const groupChildren: Index = new Index("thing-group-child");
/** SCOPE/GROUP/THING. */
export const thingsOfGroup: Index = new Index("thing-of-group");
/** SCOPE/THING/GROUP. */
export const groupsOfThing: Index = new Index("group-of-thing");
/** SCOPE/THING/CERTIFICATE. */
export const principalsOfThing: Table<ThingPrincipalRecord> = new Table("principal-of-thing", thingPrincipalRecord);
/** SCOPE/CERTIFICATE/THING. */
export const thingsOfPrincipal: Table<ThingPrincipalRecord> = new Table("thing-of-principal", thingPrincipalRecord);
