/** A `RequestContext` from JSON, with every fault located. */

import {
  alternativeNameForms,
  nameAttributes,
  type CertificateAttributes,
  type ConnectAttribute,
  type RequestContext,
  type RequestProtocol,
  type ThingAttributes,
} from "./context.ts";
import { shorten, type ErrorList } from "./errors.ts";
import { itemsOf, membersOf, textOf, type Located, type MemberReader, refuseType } from "./grammar.ts";
import { locate, memberPath } from "./json.ts";

const texts = ["clientId", "sourceIp", "domainName", "certificateId", "lastWillTopic", "topic"] as const;
const others = ["protocol", "certificate", "thing", "connectAttributes", "currentTimeMs", "keys"] as const;
const nameFields = ["subject", "issuer", "subjectAlternativeName", "issuerAlternativeName"] as const;

/** What is faulty is left out and reported. */
export function readContext(found: Located, errors: ErrorList): RequestContext {
  const members = membersOf(found, "a context", [...texts, ...others], errors);
  if (members === undefined) return {};
  const certificate = members.take("certificate");
  const thing = members.take("thing");
  return {
    ...Object.fromEntries(texts.map((name) => [name, members.text(name)])),
    protocol: readProtocol(members, errors),
    certificate: certificate && readCertificate(certificate, errors),
    thing: thing && readThing(thing, errors),
    connectAttributes: readConnectAttributes(members, errors),
    currentTimeMs: readTime(members, errors),
    keys: readTexts(members.take("keys"), errors, true),
  };
}

function readCertificate(found: Located, errors: ErrorList): CertificateAttributes {
  const members = membersOf(found, "a certificate", ["serialNumber", ...nameFields], errors);
  if (members === undefined) return {};
  const fields = nameFields.map((field): [string, Record<string, readonly string[]>] => {
    const known = field.endsWith("Name") ? alternativeNameForms : nameAttributes;
    const names = members.take(field);
    const values = names && membersOf(names, field, known, errors);
    const lists = known.flatMap((name): [string, readonly string[]][] => {
      const value = values?.take(name);
      return value === undefined ? [] : [[name, itemsOf(value).flatMap((item) => textOf(item, name, errors) ?? [])]];
    });
    return [field, Object.fromEntries(lists)];
  });
  return { serialNumber: members.text("serialNumber"), ...Object.fromEntries(fields) };
}

function readThing(found: Located, errors: ErrorList): ThingAttributes | undefined {
  const members = membersOf(found, "a thing", ["name", "typeName", "attributes", "isAttached"], errors);
  const named = members?.require("name");
  const name = named && textOf(named, "name", errors);
  const flag = members?.require("isAttached");
  if (flag !== undefined && flag.node.kind !== "boolean") {
    refuseType(flag, "isAttached has to be a Boolean", ["boolean"], errors);
  }
  if (members === undefined || name === undefined || flag?.node.kind !== "boolean") return undefined;
  const attributes = readTexts(members.take("attributes"), errors, false);
  const single = Object.entries(attributes ?? {}).flatMap(([key, value]) =>
    typeof value === "string" ? [[key, value] as const] : [],
  );
  return {
    name,
    typeName: members.text("typeName"),
    attributes: Object.fromEntries(single),
    isAttached: flag.node.text === "true",
  };
}

/** An object of texts, or of texts and lists of texts. */
function readTexts(
  found: Located | undefined,
  errors: ErrorList,
  lists: boolean,
): Record<string, string | readonly string[]> | undefined {
  if (found === undefined) return undefined;
  if (found.node.kind !== "object") {
    refuseType(found, "an object was expected", ["object"], errors);
    return undefined;
  }
  const entries = found.node.members.map(({ name, value }): [string, string | readonly string[]] => {
    const item: Located = { node: value, at: locate(value, memberPath(found.at.path, name.text)) };
    if (!lists || value.kind !== "array") return [name.text, textOf(item, name.text, errors) ?? ""];
    return [name.text, itemsOf(item).flatMap((one) => textOf(one, name.text, errors) ?? [])];
  });
  return Object.fromEntries(entries);
}

function readConnectAttributes(members: MemberReader, errors: ErrorList): readonly ConnectAttribute[] | undefined {
  const found = members.take("connectAttributes");
  return (
    found &&
    itemsOf(found).flatMap((item): ConnectAttribute[] => {
      const text = textOf(item, "connectAttributes", errors);
      if (text === "PersistentConnect" || text === "LastWill") return [text];
      if (text === undefined) return [];
      const message = `a CONNECT attribute is PersistentConnect or LastWill, not ${shorten(text)}`;
      const allowed = ["PersistentConnect", "LastWill"];
      errors.add(item.at, { code: "ERR_POLICY_VALUE", message, found: text, allowed });
      return [];
    })
  );
}

function readProtocol(members: MemberReader, errors: ErrorList): RequestProtocol | undefined {
  const text = members.text("protocol");
  if (text === undefined || text === "mqtt" || text === "https") return text;
  const at = members.take("protocol")?.at ?? members.at;
  const message = `a protocol is mqtt or https, not ${shorten(text)}`;
  errors.add(at, { code: "ERR_POLICY_VALUE", message, found: text, allowed: ["mqtt", "https"] });
  return undefined;
}

function readTime(members: MemberReader, errors: ErrorList): number | undefined {
  const found = members.take("currentTimeMs");
  if (found === undefined || found.node.kind === "number")
    return found && Number(found.node.kind === "number" ? found.node.text : 0);
  refuseType(found, "currentTimeMs has to be a number", ["number"], errors);
  return undefined;
}
