/**
 * Provisioning templates (AWS IoT, "Provisioning templates"): JSON with parameters, and what it says once they have values.
 *
 * Intrinsic functions are `Ref`, `Fn::Join`, `Fn::Select`, `Fn::Split`, `Fn::Sub` and `Fn::FindInMap`. Nothing is carried out
 * here; `provision.ts` does that.
 */

import { RegistryError } from "../errors.ts";
import { maximumTemplateCharacters } from "../limits.ts";
import type { ThingPrincipalType } from "../records/thing.ts";

/** What happens to a resource that exists already. `MERGE` is for attributes and groups of a thing only. */
export type OverrideSetting = "DO_NOTHING" | "REPLACE" | "FAIL" | "MERGE";

/** A template that was read. Its resources are evaluated with `evaluateTemplate`. */
export interface ProvisioningTemplate {
  /** Default values by parameter; undefined for a parameter that has to be given. */
  readonly parameters: Readonly<Record<string, string | undefined>>;
  readonly mappings: JsonObject;
  readonly resources: readonly TemplateResource[];
  readonly deviceConfiguration: JsonObject;
}

/** One resource of a template, as it is written. */
export interface TemplateResource {
  readonly logicalName: string;
  readonly type: "AWS::IoT::Thing" | "AWS::IoT::Certificate" | "AWS::IoT::Policy";
  readonly properties: JsonObject;
  readonly overrideSettings: Readonly<Record<string, OverrideSetting>>;
}

/** What a template asks for with its parameters' values in it. */
export interface EvaluatedTemplate {
  readonly thing:
    | {
        readonly logicalName: string;
        readonly thingName: string;
        readonly thingTypeName: string | undefined;
        readonly attributes: Readonly<Record<string, string>>;
        readonly thingGroups: readonly string[];
        readonly overrideSettings: Readonly<Record<string, OverrideSetting>>;
      }
    | undefined;
  readonly certificate: {
    readonly logicalName: string;
    readonly source:
      | { readonly kind: "certificateId"; readonly certificateId: string }
      | { readonly kind: "request"; readonly requestPem: string }
      | { readonly kind: "pem"; readonly certificatePem: string; readonly caCertificatePem: string | undefined };
    readonly status: "ACTIVE" | "INACTIVE";
    /** How the template's thing gets it. */
    readonly thingPrincipalType: ThingPrincipalType;
  };
  readonly policies: readonly (
    | { readonly logicalName: string; readonly kind: "name"; readonly policyName: string }
    | {
        readonly logicalName: string;
        readonly kind: "document";
        /** Undefined: a name is made of the document's hash. */
        readonly policyName: string | undefined;
        readonly document: string;
      }
  )[];
  readonly deviceConfiguration: Readonly<Record<string, string>>;
}

/** JSON as it comes out of `JSON.parse`. */
type JsonObject = { readonly [name: string]: unknown };

const resourceTypes = ["AWS::IoT::Thing", "AWS::IoT::Certificate", "AWS::IoT::Policy"] as const;
const overrideSettings = ["DO_NOTHING", "REPLACE", "FAIL", "MERGE"] as const;
/** Functions inside functions; templates of AWS's documentation have two. */
const maximumNesting = 16;
/** Functions and texts that one evaluation goes through; a text that is used twice in each of 16 levels would be 65,536. */
const maximumSteps = 10_000;
/** Characters that all functions of one evaluation make together: several certificates with their chains. */
const maximumCharacters = 1_000_000;

/** Reads a template. Throws `ERR_REGISTRY_PROVISIONING` with the path of what is wrong. */
export function readTemplate(body: string): ProvisioningTemplate {
  if (body.length > maximumTemplateCharacters) {
    throw wrong("$", `the template has ${body.length} characters: at most ${maximumTemplateCharacters} are possible`);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch (cause) {
    throw wrong("$", `the template is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  const template = objectAt(parsed, "$");
  for (const member of Object.keys(template)) {
    if (!["Parameters", "Mappings", "Resources", "DeviceConfiguration"].includes(member)) {
      throw wrong(`$.${member}`, "only Parameters, Mappings, Resources and DeviceConfiguration are possible here");
    }
  }
  const resources = Object.entries(objectAt(template["Resources"], "$.Resources")).map(([name, resource]) =>
    readResource(name, resource),
  );
  const certificates = resources.filter(({ type }) => type === "AWS::IoT::Certificate");
  if (certificates.length !== 1) {
    throw wrong("$.Resources", `${certificates.length} resources of type AWS::IoT::Certificate: there has to be one`);
  }
  if (resources.filter(({ type }) => type === "AWS::IoT::Thing").length > 1) {
    throw wrong("$.Resources", "several resources of type AWS::IoT::Thing: one is possible");
  }
  return {
    parameters: readParameters(template["Parameters"]),
    mappings: objectAt(template["Mappings"] ?? {}, "$.Mappings"),
    resources,
    deviceConfiguration: objectAt(template["DeviceConfiguration"] ?? {}, "$.DeviceConfiguration"),
  };
}

/**
 * Puts values in place of parameters. `given` has them by name; a parameter without a value and without a default is an error.
 *
 * Throws `ERR_REGISTRY_PROVISIONING`.
 */
export function evaluateTemplate(
  template: ProvisioningTemplate,
  given: Readonly<Record<string, string>>,
): EvaluatedTemplate {
  const values = new Map<string, string>();
  for (const [name, byDefault] of Object.entries(template.parameters)) {
    const value = Object.hasOwn(given, name) ? given[name] : byDefault;
    if (value === undefined) throw wrong(`$.Parameters.${name}`, "the parameter has no value and no default");
    values.set(name, value);
  }
  const context: Evaluation = { values, mappings: template.mappings, steps: 0, characters: 0 };
  let thing: EvaluatedTemplate["thing"];
  let certificate: EvaluatedTemplate["certificate"] | undefined;
  const policies: EvaluatedTemplate["policies"][number][] = [];
  for (const resource of template.resources) {
    if (resource.type === "AWS::IoT::Thing") thing = evaluateThing(resource, context);
    else if (resource.type === "AWS::IoT::Certificate") certificate = evaluateCertificate(resource, context);
    else policies.push(evaluatePolicy(resource, context));
  }
  if (certificate === undefined) throw wrong("$.Resources", "there is no resource of type AWS::IoT::Certificate");
  const deviceConfiguration = evaluateTexts(template.deviceConfiguration, "$.DeviceConfiguration", context);
  return { thing, certificate, policies, deviceConfiguration };
}

interface Evaluation {
  readonly values: ReadonlyMap<string, string>;
  readonly mappings: JsonObject;
  /** So far. */
  steps: number;
  characters: number;
}

/** Counts one step that makes a text of so many characters, before it is made. Throws where a budget is used up. */
function charge(context: Evaluation, path: string, characters: number): void {
  context.steps++;
  context.characters += characters;
  if (context.steps > maximumSteps) throw wrong(path, `more than ${maximumSteps} functions and texts to evaluate`);
  if (context.characters > maximumCharacters) {
    throw wrong(path, `the functions make more than ${maximumCharacters} characters`);
  }
}

function evaluateThing(resource: TemplateResource, context: Evaluation): EvaluatedTemplate["thing"] {
  const { logicalName, properties } = resource;
  const path = `$.Resources.${logicalName}.Properties`;
  const known = ["ThingName", "AttributePayload", "ThingTypeName", "ThingGroups", "BillingGroup"];
  checkMembers(properties, known, path);
  const groups = properties["ThingGroups"] ?? [];
  if (!Array.isArray(groups)) throw wrong(`${path}.ThingGroups`, "this has to be an array");
  return {
    logicalName,
    thingName: required(evaluate(properties["ThingName"], `${path}.ThingName`, context), `${path}.ThingName`),
    thingTypeName: evaluate(properties["ThingTypeName"], `${path}.ThingTypeName`, context),
    attributes: evaluateTexts(
      objectAt(properties["AttributePayload"] ?? {}, `${path}.AttributePayload`),
      `${path}.AttributePayload`,
      context,
    ),
    thingGroups: groups.map((group: unknown, index) =>
      required(evaluate(group, `${path}.ThingGroups[${index}]`, context), `${path}.ThingGroups[${index}]`),
    ),
    overrideSettings: resource.overrideSettings,
  };
}

function evaluateCertificate(resource: TemplateResource, context: Evaluation): EvaluatedTemplate["certificate"] {
  const { logicalName, properties } = resource;
  const path = `$.Resources.${logicalName}.Properties`;
  const known = [
    "CertificateSigningRequest",
    "CertificateId",
    "CertificatePem",
    "CACertificatePem",
    "Status",
    "ThingPrincipalType",
  ];
  checkMembers(properties, known, path);
  const text = (name: string): string | undefined => evaluate(properties[name], `${path}.${name}`, context);
  const status = text("Status")?.toUpperCase() ?? "ACTIVE";
  if (status !== "ACTIVE" && status !== "INACTIVE") throw wrong(`${path}.Status`, "this has to be ACTIVE or INACTIVE");
  const thingPrincipalType = text("ThingPrincipalType") ?? "NON_EXCLUSIVE_THING";
  if (thingPrincipalType !== "EXCLUSIVE_THING" && thingPrincipalType !== "NON_EXCLUSIVE_THING") {
    throw wrong(`${path}.ThingPrincipalType`, "this has to be EXCLUSIVE_THING or NON_EXCLUSIVE_THING");
  }
  const fields = { logicalName, status, thingPrincipalType } as const;
  const certificateId = text("CertificateId");
  const requestPem = text("CertificateSigningRequest");
  const certificatePem = text("CertificatePem");
  const given = [certificateId, requestPem, certificatePem].filter((one) => one !== undefined).length;
  if (given !== 1) {
    throw wrong(path, "one of CertificateSigningRequest, CertificateId and CertificatePem has to be there");
  }
  if (certificateId !== undefined) return { ...fields, source: { kind: "certificateId", certificateId } };
  if (requestPem !== undefined) return { ...fields, source: { kind: "request", requestPem } };
  const source = {
    kind: "pem",
    certificatePem: certificatePem ?? "",
    caCertificatePem: text("CACertificatePem"),
  } as const;
  return { ...fields, source };
}

function evaluatePolicy(resource: TemplateResource, context: Evaluation): EvaluatedTemplate["policies"][number] {
  const { logicalName, properties } = resource;
  const path = `$.Resources.${logicalName}.Properties`;
  checkMembers(properties, ["PolicyName", "PolicyDocument"], path);
  const policyName = evaluate(properties["PolicyName"], `${path}.PolicyName`, context);
  const document = properties["PolicyDocument"];
  if (document === undefined) {
    return { logicalName, kind: "name", policyName: required(policyName, `${path}.PolicyName or PolicyDocument`) };
  }
  // A document is text with JSON in it, or JSON itself, which may hold no functions.
  const text =
    typeof document === "string" || isIntrinsic(document)
      ? evaluate(document, `${path}.PolicyDocument`, context)
      : JSON.stringify(document);
  return { logicalName, kind: "document", policyName, document: required(text, `${path}.PolicyDocument`) };
}

function evaluateTexts(object: JsonObject, path: string, context: Evaluation): Readonly<Record<string, string>> {
  const result: [string, string][] = [];
  for (const [name, value] of Object.entries(object)) {
    result.push([name, required(evaluate(value, `${path}.${name}`, context), `${path}.${name}`)]);
  }
  return Object.fromEntries(result);
}

/** A text with its functions carried out; undefined where there is none. */
function evaluate(value: unknown, path: string, context: Evaluation, depth = 0): string | undefined {
  if (value === undefined) return undefined;
  const result = evaluateAny(value, path, context, depth);
  if (typeof result === "string") return result;
  throw wrong(path, "this has to be a text, and it is a list");
}

function evaluateAny(value: unknown, path: string, context: Evaluation, depth: number): string | readonly string[] {
  charge(context, path, 0);
  if (typeof value === "string") return value;
  if (depth > maximumNesting) throw wrong(path, `functions inside functions: at most ${maximumNesting} are possible`);
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => text(item, `${path}[${index}]`, context, depth + 1));
  }
  const [name, argument, ...others] = Object.entries(objectAt(value, path)).flat();
  if (typeof name !== "string" || others.length > 0) throw wrong(path, "a function is an object with one member");
  const at = `${path}.${name}`;
  switch (name) {
    case "Ref":
      return reference(argument, at, context);
    case "Fn::Join":
      return join(argument, at, context, depth);
    case "Fn::Select":
      return select(argument, at, context, depth);
    case "Fn::Split":
      return split(argument, at, context, depth);
    case "Fn::Sub":
      return substitute(argument, at, context, depth);
    case "Fn::FindInMap":
      return findInMap(argument, at, context, depth);
    default:
      throw wrong(at, "possible functions: Ref, Fn::Join, Fn::Select, Fn::Split, Fn::Sub, Fn::FindInMap");
  }
}

function reference(argument: unknown, path: string, context: Evaluation): string {
  const value = typeof argument === "string" ? context.values.get(argument) : undefined;
  if (value === undefined) throw wrong(path, `${JSON.stringify(argument)} is not a parameter of the template`);
  charge(context, path, value.length);
  return value;
}

function join(argument: unknown, path: string, context: Evaluation, depth: number): string {
  const [separator, items] = listAt(argument, path, 2);
  const between = text(separator, path, context, depth);
  const texts = list(items, path, context, depth);
  charge(
    context,
    path,
    texts.reduce((sum, item) => sum + item.length + between.length, 0),
  );
  return texts.join(between);
}

function select(argument: unknown, path: string, context: Evaluation, depth: number): string {
  const [index, items] = listAt(argument, path, 2);
  const all = list(items, path, context, depth);
  const found = all[Number(typeof index === "number" ? index : text(index, path, context, depth))];
  return required(found, `${path}: index ${String(index)} of ${all.length} items`);
}

function split(argument: unknown, path: string, context: Evaluation, depth: number): readonly string[] {
  const [separator, source] = listAt(argument, path, 2);
  const whole = text(source, path, context, depth);
  charge(context, path, whole.length);
  return whole.split(text(separator, path, context, depth));
}

/** `${Name}` stands for a parameter or for a member of the second argument, `${!Name}` for the text `${Name}`. */
function substitute(argument: unknown, path: string, context: Evaluation, depth: number): string {
  const [source, given] = typeof argument === "string" ? [argument, {}] : listAt(argument, path, 2);
  const own = objectAt(given, path);
  const whole = text(source, path, context, depth);
  charge(context, path, whole.length);
  return whole.replaceAll(/\$\{(!?)([^}$]*)\}/g, (_, escaped: string, name: string) => {
    if (escaped !== "") return `\${${name}}`;
    if (!Object.hasOwn(own, name)) return reference(name, path, context);
    const value = text(own[name], `${path}.${name}`, context, depth + 1);
    charge(context, path, value.length);
    return value;
  });
}

function findInMap(argument: unknown, path: string, context: Evaluation, depth: number): string | readonly string[] {
  const keys = listAt(argument, path, 3).map((key) => text(key, path, context, depth + 1));
  let found: unknown = context.mappings;
  for (const key of keys) {
    const level = objectAt(found, `${path}: ${keys.join(".")}`);
    found = Object.hasOwn(level, key) ? level[key] : undefined;
  }
  if (found === undefined) throw wrong(path, `there is no ${keys.join(".")} in Mappings`);
  return Array.isArray(found) ? list(found, path, context, depth) : text(found, path, context, depth + 1);
}

/** An argument of a function; it may be empty. */
function text(value: unknown, path: string, context: Evaluation, depth: number): string {
  return evaluate(value, path, context, depth + 1) ?? required(undefined, path);
}

function list(value: unknown, path: string, context: Evaluation, depth: number): readonly string[] {
  const result = evaluateAny(value, path, context, depth + 1);
  if (typeof result === "string") throw wrong(path, "this has to be a list, and it is a text");
  return result;
}

function readParameters(value: unknown): Readonly<Record<string, string | undefined>> {
  const parameters: [string, string | undefined][] = [];
  for (const [name, definition] of Object.entries(objectAt(value ?? {}, "$.Parameters"))) {
    const path = `$.Parameters.${name}`;
    const { Type: type, Default: byDefault } = objectAt(definition, path);
    if (type !== "String") throw wrong(`${path}.Type`, 'this has to be "String"');
    if (byDefault !== undefined && typeof byDefault !== "string")
      throw wrong(`${path}.Default`, "this has to be a text");
    parameters.push([name, byDefault]);
  }
  return Object.fromEntries(parameters);
}

function readResource(logicalName: string, value: unknown): TemplateResource {
  const path = `$.Resources.${logicalName}`;
  const resource = objectAt(value, path);
  checkMembers(resource, ["Type", "Properties", "OverrideSettings"], path);
  const type = resourceTypes.find((one) => one === resource["Type"]);
  if (type === undefined) throw wrong(`${path}.Type`, `this has to be one of ${resourceTypes.join(", ")}`);
  const settings: [string, OverrideSetting][] = [];
  for (const [property, given] of Object.entries(
    objectAt(resource["OverrideSettings"] ?? {}, `${path}.OverrideSettings`),
  )) {
    const setting = overrideSettings.find((one) => one === given);
    if (setting === undefined) {
      throw wrong(`${path}.OverrideSettings.${property}`, `this has to be one of ${overrideSettings.join(", ")}`);
    }
    if (setting === "MERGE" && property !== "AttributePayload" && property !== "ThingGroups") {
      throw wrong(`${path}.OverrideSettings.${property}`, "MERGE is for AttributePayload and ThingGroups only");
    }
    settings.push([property, setting]);
  }
  return {
    logicalName,
    type,
    properties: objectAt(resource["Properties"] ?? {}, `${path}.Properties`),
    overrideSettings: Object.fromEntries(settings),
  };
}

function checkMembers(object: JsonObject, known: readonly string[], path: string): void {
  const other = Object.keys(object).find((name) => !known.includes(name));
  if (other !== undefined) throw wrong(`${path}.${other}`, `possible here: ${known.join(", ")}`);
}

function isIntrinsic(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const [name, ...others] = Object.keys(value);
  return others.length === 0 && (name === "Ref" || name?.startsWith("Fn::") === true);
}

function objectAt(value: unknown, path: string): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw wrong(path, "this has to be an object");
}

function listAt(value: unknown, path: string, length: number): readonly unknown[] {
  if (Array.isArray(value) && value.length === length) return value;
  throw wrong(path, `this has to be an array of ${length}`);
}

function required(value: string | undefined, path: string): string {
  if (value === undefined || value === "") throw wrong(path, "this has to be there, and not empty");
  return value;
}

function wrong(path: string, message: string): RegistryError<"ERR_REGISTRY_PROVISIONING"> {
  return new RegistryError("ERR_REGISTRY_PROVISIONING", `provisioning template, ${path}: ${message}`, { path });
}
