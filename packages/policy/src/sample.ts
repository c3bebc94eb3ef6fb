/** Requests to try a policy with: one device that has a value for every variable, and names that fit its patterns. */

import type { CompiledCondition } from "./compile.ts";
import { nameAttributes, type CertificateAttributes, type ConnectAttribute, type RequestContext } from "./context.ts";
import { contextKey, substitute, type ContextKey } from "./context-key.ts";
import type { ParsedPolicy } from "./document.ts";
import type { PatternToken } from "./pattern.ts";

const device = "device-1";
/** A serial number in the form of the AWS IoT Button's. */
export const sampleSerialNumber = "G030JF055364XVRB";

/** Every key that the policies use, in patterns and in conditions. */
function keysOf(policies: readonly ParsedPolicy[]): ContextKey[] {
  const keys: ContextKey[] = [];
  const add = (tokens: readonly PatternToken[]): void => {
    for (const token of tokens) if (token.kind === "variable") keys.push(token.key);
  };
  for (const { resource, conditions } of policies.flatMap((policy) => policy.statements)) {
    for (const value of resource.values) add(value.tokens);
    for (const condition of conditions) {
      keys.push(contextKey(condition.keyText));
      for (const value of condition.values) add(value.test.tokens);
    }
  }
  return keys;
}

/** A device over MQTT with a full certificate and an attached thing that has the attributes the policies ask for. */
export function sampleContext(policies: readonly ParsedPolicy[]): RequestContext {
  const attributes: Record<string, string> = {};
  for (const { name } of keysOf(policies)) {
    const attribute = /\.Attributes\[(.+)\]$/.exec(name)?.[1];
    if (attribute !== undefined) attributes[attribute] = "sample";
  }
  const names = Object.fromEntries(nameAttributes.map((name) => [name, [1, 2, 3, 4, 5].map((n) => `${name}${n}`)]));
  const certificate: CertificateAttributes = {
    serialNumber: "10525622389124227206",
    subject: { ...names, SerialNumber: [sampleSerialNumber] },
    issuer: names,
  };
  return {
    protocol: "mqtt",
    clientId: device,
    certificateId: "0123456789abcdef".repeat(4),
    sourceIp: "192.0.2.1",
    domainName: "iot.example.com",
    certificate,
    thing: { name: device, typeName: "sample", attributes, isAttached: true },
  };
}

/** A text that the pattern matches, with `x` for wildcards; `undefined` where a variable has no value. */
export function sampleText(tokens: readonly PatternToken[], context: RequestContext): string | undefined {
  let text = "";
  for (const token of tokens) {
    const part = token.kind === "text" ? token.text : token.kind === "variable" ? substitute(token.key, context) : "x";
    if (part === undefined) return undefined;
    text += part;
  }
  return text;
}

/** `context` with the values that the conditions ask for, as far as a client can choose them or a fleet can share them. */
export function satisfying(conditions: readonly CompiledCondition[], context: RequestContext): RequestContext {
  let result = context;
  for (const { condition, key } of conditions) {
    const { operator, values } = condition;
    if (operator.isNegated || operator.name === "Null") continue;
    const [first] = values;
    if (first === undefined) continue;
    const value = sampleText(first.test.tokens, context) ?? first.text;
    const address = first.text.replace(/\/[0-9]+$/, "");
    if (key.name === "aws:SourceIp") result = { ...result, sourceIp: address };
    else if (key.name === "iot:DomainName") result = { ...result, domainName: value };
    else if (key.name === "iot:CertificateId") result = { ...result, certificateId: value };
    else if (key.name === "iot:LastWillTopic") result = { ...result, lastWillTopic: value };
    else if (key.name === "iot:ConnectAttributes") result = { ...result, connectAttributes: attributesIn(values) };
    else if (!key.isKnown) result = { ...result, keys: { ...result.keys, [key.name]: value } };
  }
  return result;
}

function attributesIn(values: readonly { readonly text: string }[]): readonly ConnectAttribute[] {
  return (["PersistentConnect", "LastWill"] as const).filter((name) => values.some(({ text }) => text === name));
}
