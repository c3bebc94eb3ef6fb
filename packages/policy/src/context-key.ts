/**
 * The names that policies use for facts about a request: condition keys, and the variables `${...}` that stand for
 * them. Follows the AWS IoT pages on basic, thing and certificate policy variables.
 *
 * Names compare without case, as IAM's do; what stands in `Attributes[...]` keeps its case.
 */

import {
  alternativeNameForms,
  nameAttributes,
  type CertificateAttributes,
  type RequestContext,
  type ThingAttributes,
} from "./context.ts";
import { internedText } from "./interned-text.ts";

/** What a key has in a request: one value, several, or none. */
export type KeyValue = string | readonly string[] | undefined;

/** A name, looked up once when a policy is compiled. */
export interface ContextKey {
  /** As AWS spells it, or as written where it is unknown. */
  readonly name: string;
  /** Whether AWS IoT documents it. What it does not document is looked for in `context.keys`. */
  readonly isKnown: boolean;
  /** Whether it may stand in `${...}`; the request keys of CONNECT, for instance, are for conditions only. */
  readonly isVariable: boolean;
  /** Whether it holds a set of values, made for ForAnyValue and ForAllValues. */
  readonly isMultiValued: boolean;
  /** Whether its value comes from a certificate, so that unsafe text in it is not substituted. */
  readonly isFromCertificate: boolean;
  readonly read: (context: RequestContext) => KeyValue;
  /** The attribute's name, where the key is an attribute of the thing. */
  readonly thingAttribute: string | undefined;
}

/** Certificate attributes beyond this many values are cut off (AWS: "limited to five items"). */
export const maximumAttributeValues = 5;
/** A certificate value longer than this is not substituted. */
const maximumSubstitutedLength = 1024;

/** Looks a name up; unknown names give a key that reads `context.keys`. */
export function contextKey(name: string): ContextKey {
  return fixedKeys.get(name.toLowerCase()) ?? thingAttributeKey(name) ?? indexedKey(name) ?? furtherKey(name);
}

/** All names with a fixed spelling, for suggestions. */
export function knownNames(): string[] {
  return Array.from(fixedKeys.values(), (key) => key.name);
}

/**
 * Text that is put in a variable's place, or `undefined` where it does not resolve: no value or an empty one, several values, a name
 * that is for conditions only, or a certificate's value that holds `* $ + ? #` or is too long.
 */
export function substitute(key: ContextKey, context: RequestContext): string | undefined {
  if (!key.isVariable) return undefined;
  const value = key.read(context);
  if (typeof value !== "string" || value === "") return undefined;
  return key.isFromCertificate && !isSafe(value) ? undefined : value;
}

/** Whether a certificate's value may be substituted. */
export function isSafe(value: string): boolean {
  if (value.length > maximumSubstitutedLength) return false;
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index);
    // * $ + ? #
    if (code === 0x2a || code === 0x24 || code === 0x2b || code === 0x3f || code === 0x23) return false;
  }
  return true;
}

/** Puts the backslashes in that AWS wants before special characters of certificate values: `, " \ + = < > ;`. */
function escapeAttributeValue(value: string): string {
  // Most values have none of them, which `test` sees five times as fast as `replaceAll`.
  return special.test(value) ? value.replaceAll(everySpecial, "\\$&") : value;
}

const special = /[,"\\+=<>;]/;
const everySpecial = /[,"\\+=<>;]/g;

type ReadValues = (certificate: CertificateAttributes) => readonly string[] | undefined;

/** The certificate's attributes by the lowercase name of their plain variable. */
const certificateAttributes: ReadonlyMap<string, { readonly name: string; readonly values: ReadValues }> = new Map(
  attributeReaders().map(([suffix, values]) => {
    const name = `iot:Certificate.${suffix}`;
    return [name.toLowerCase(), { name, values }];
  }),
);

function attributeReaders(): [string, ReadValues][] {
  return [
    ...nameAttributes.flatMap((attribute): [string, ReadValues][] => [
      [`Subject.${attribute}`, (certificate) => certificate.subject?.[attribute]],
      [`Issuer.${attribute}`, (certificate) => certificate.issuer?.[attribute]],
    ]),
    ...alternativeNameForms.flatMap((form): [string, ReadValues][] => [
      [`Subject.AlternativeName.${form}`, (certificate) => certificate.subjectAlternativeName?.[form]],
      [`Issuer.AlternativeName.${form}`, (certificate) => certificate.issuerAlternativeName?.[form]],
    ]),
  ];
}

/** One value of a certificate attribute, as policies see it. A directory name is RFC 4514 text already. */
function attributeValue(values: readonly string[] | undefined, index: number, name: string): string | undefined {
  const value = index < maximumAttributeValues ? values?.[index] : undefined;
  return value === undefined || name.endsWith("DirectoryName") ? value : escapeAttributeValue(value);
}

type Kind = "variable" | "condition-key" | "set";

function fixedKey(name: string, kind: Kind, read: (context: RequestContext) => KeyValue): ContextKey {
  return {
    name,
    isKnown: true,
    isVariable: kind === "variable",
    isMultiValued: kind === "set",
    isFromCertificate: name.startsWith("iot:Certificate."),
    read,
    thingAttribute: undefined,
  };
}

const serialNumberKey = "iot:Certificate.SerialNumber";

const fixedKeys: ReadonlyMap<string, ContextKey> = new Map(
  [
    fixedKey("iot:ClientId", "variable", ({ clientId, protocol }) => (protocol === "https" ? undefined : clientId)),
    fixedKey("iot:DomainName", "variable", (context) => context.domainName),
    fixedKey("iot:CertificateId", "variable", (context) => context.certificateId),
    fixedKey("aws:SourceIp", "variable", ({ sourceIp }) => sourceIp),
    fixedKey("iot:Connection.Thing.ThingName", "variable", (context) => attached(context)?.name),
    fixedKey("iot:Connection.Thing.ThingTypeName", "variable", (context) => attached(context)?.typeName),
    fixedKey("iot:Connection.Thing.IsAttached", "variable", isAttached),
    fixedKey(serialNumberKey, "variable", (context) => context.certificate?.serialNumber),
    fixedKey("iot:Certificate.AvailableKeys", "set", availableKeys),
    fixedKey("iot:ConnectAttributes", "set", (context) => context.connectAttributes),
    fixedKey("iot:LastWillTopic", "condition-key", (context) => context.lastWillTopic),
    fixedKey("iot:Topic", "condition-key", (context) => context.topic),
    fixedKey("aws:CurrentTime", "condition-key", currentTime),
    fixedKey("aws:EpochTime", "condition-key", epochTime),
    fixedKey("cognito-identity.amazonaws.com:sub", "variable", () => undefined),
    ...Array.from(certificateAttributes.values(), ({ name, values }) =>
      fixedKey(name, "variable", ({ certificate }) =>
        certificate === undefined ? undefined : attributeValue(values(certificate), 0, name),
      ),
    ),
  ].map((key) => [key.name.toLowerCase(), orFurther(key)]),
);

/** A key whose field the context leaves out can be among its further keys. Those about the connection have a place each. */
function orFurther(key: ContextKey): ContextKey {
  if (isOfConnection(key)) return key;
  const folded = key.name.toLowerCase();
  return { ...key, read: (context) => key.read(context) ?? furtherValue(context, folded) };
}

/** Whether a key is about the thing or the client identifier, which only MQTT connections have. */
export function isOfConnection({ name }: Pick<ContextKey, "name">): boolean {
  return /^iot:(?:Connection\.|ClientId$)/.test(name);
}

/** Facts about the thing exist on MQTT connections only, and only where it is attached to the certificate. */
function attached({ thing, protocol }: RequestContext): ThingAttributes | undefined {
  return thing?.isAttached === true && protocol !== "https" ? thing : undefined;
}

/** True or false on every MQTT connection; no value where the context has no protocol, client identifier and thing. */
function isAttached({ thing, clientId, protocol }: RequestContext): string | undefined {
  if (protocol === "https") return undefined;
  if (protocol === undefined && thing === undefined && clientId === undefined) return undefined;
  return thing?.isAttached === true ? "true" : "false";
}

function availableKeys({ certificate }: RequestContext): readonly string[] | undefined {
  if (certificate === undefined) return undefined;
  const names: string[] = (certificate.serialNumber ?? "") === "" ? [] : [serialNumberKey];
  for (const { name, values } of certificateAttributes.values()) {
    if (values(certificate)?.some((value) => value !== "") === true) names.push(name);
  }
  return names;
}

function currentTime({ currentTimeMs }: RequestContext): KeyValue {
  return currentTimeMs === undefined ? undefined : new Date(currentTimeMs).toISOString();
}

function epochTime({ currentTimeMs }: RequestContext): KeyValue {
  return currentTimeMs === undefined ? undefined : String(Math.floor(currentTimeMs / 1000));
}

/** `iot:Connection.Thing.Attributes[name]`. */
function thingAttributeKey(written: string): ContextKey | undefined {
  const cut = /^iot:Connection\.Thing\.Attributes\[([^\]]+)\]$/i.exec(written)?.[1];
  if (cut === undefined) return undefined;
  const attribute = internedText(cut);
  const name = `iot:Connection.Thing.Attributes[${attribute}]`;
  const read = (context: RequestContext): KeyValue => ownText(thingAttributes(context), attribute);
  return { ...fixedKey(name, "variable", read), thingAttribute: attribute };
}

/** The attributes of the thing, where their values count. */
export function thingAttributes(context: RequestContext): ThingAttributes["attributes"] {
  return attached(context)?.attributes;
}

/** An attribute's value; what an object inherits is none. */
export function ownText(attributes: ThingAttributes["attributes"], name: string): string | undefined {
  const value = attributes?.[name];
  return value !== undefined && attributes !== undefined && Object.hasOwn(attributes, name) ? value : undefined;
}

/** `.N` behind a certificate attribute, counted from zero (AWS's `Country.1` is the second value), and `.List`. */
function indexedKey(written: string): ContextKey | undefined {
  const dot = written.lastIndexOf(".");
  const attribute = certificateAttributes.get(written.slice(0, dot).toLowerCase());
  const suffix = written.slice(dot + 1);
  if (attribute === undefined) return undefined;
  const { name, values } = attribute;
  if (suffix.toLowerCase() === "list") {
    return fixedKey(`${name}.List`, "set", ({ certificate }) => {
      const all = certificate === undefined ? undefined : values(certificate);
      return all?.slice(0, maximumAttributeValues).map((_, index) => attributeValue(all, index, name) ?? "");
    });
  }
  if (!/^(?:0|[1-9][0-9]{0,8})$/.test(suffix)) return undefined;
  const index = Number(suffix);
  return fixedKey(`${name}.${index}`, "variable", ({ certificate }) =>
    certificate === undefined ? undefined : attributeValue(values(certificate), index, name),
  );
}

/** What `context.keys` has under a name, given in lower case; the values of several spellings together. */
function furtherValue({ keys }: RequestContext, folded: string): KeyValue {
  if (keys === undefined) return undefined;
  let found: KeyValue;
  for (const [written, value] of Object.entries(keys)) {
    if (written.length !== folded.length || written.toLowerCase() !== folded) continue;
    found = found === undefined ? value : [found, value].flat();
  }
  return found;
}

function furtherKey(name: string): ContextKey {
  const folded = name.toLowerCase();
  return {
    name,
    isKnown: false,
    isVariable: true,
    isMultiValued: false,
    isFromCertificate: false,
    read: (context) => furtherValue(context, folded),
    thingAttribute: undefined,
  };
}
