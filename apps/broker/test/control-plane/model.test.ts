/** Our table beside the schemas of the AWS SDK: every route, every member and where it stands. */

import * as controlPlane from "@aws-sdk/client-iot";
import * as dataPlane from "@aws-sdk/client-iot-data-plane";
import { describe, expect, test } from "vitest";
import type { Operation } from "../../src/http/operation.ts";
import { dataPlaneOperations } from "../../src/data-plane/operations.ts";
import { registryOperations } from "../../src/control-plane/operations/all.ts";
import { RouteTable } from "../../src/http/route-table.ts";

interface Model {
  readonly route: string;
  /** Place and name on the wire by member. */
  readonly members: Readonly<Record<string, string>>;
  readonly required: readonly string[];
}

const client = { ...dataPlane, ...controlPlane } as unknown as Record<string, readonly unknown[] | undefined>;

/** What the SDK's schema says of an operation: [9, namespace, name, traits, names, schemas, number of required ones first]. */
function modelOf(name: string): Model | undefined {
  const operation = client[`${name}$`];
  const request = client[`${name}Request$`];
  if (operation === undefined) return undefined;
  const [method, path] = (operation[3] as { http: [string, string] }).http;
  const names = (request?.[4] ?? []) as string[];
  const schemas = (request?.[5] ?? []) as (number | readonly [unknown, Record<string, string> | number])[];
  const members = names.map((member, index) => {
    const schema = schemas[index];
    const traits = Array.isArray(schema) ? (schema as readonly [unknown, unknown])[1] : undefined;
    return [member, placeOf(member, traits)];
  });
  return {
    route: `${method} ${path}`,
    members: Object.fromEntries(members) as Record<string, string>,
    required: names.slice(0, Number(request?.[6] ?? 0)),
  };
}

function placeOf(member: string, traits: unknown): string {
  // The trait of a label is a bit.
  if (typeof traits === "number") return "path";
  const { httpQuery, httpHeader } = (traits ?? {}) as { httpQuery?: string; httpHeader?: string };
  if (httpQuery !== undefined) return `query ${httpQuery}`;
  if (httpHeader !== undefined) return `header ${httpHeader.toLowerCase()}`;
  return `body ${member}`;
}

function oursOf({ method, path, members }: Pick<Operation, "method" | "path" | "members">): Model {
  const places = Object.entries(members).map(([name, { place, wireName = name }]) => [
    name,
    place === "path" ? "path" : `${place} ${wireName}`,
  ]);
  return {
    route: `${method} ${path}`,
    members: Object.fromEntries(places) as Record<string, string>,
    required: Object.entries(members).flatMap(([name, { isRequired }]) => (isRequired ? [name] : [])),
  };
}

/** Required by us, since nothing here is made without it; and members that nothing here has a meaning for. */
const knownDifferences: Readonly<Record<string, Partial<Model>>> = {
  UpdateThingGroupsForThing: { required: ["thingName"] },
};

describe("the operations of the control plane", () => {
  test.each(registryOperations.map((operation) => [operation.name, operation] as const))("%s", (name, operation) => {
    const model = modelOf(name);
    const ours = oursOf(operation);
    expect({ route: ours.route }).toEqual({ route: model?.route });
    expect(ours.members).toEqual(
      Object.fromEntries(Object.keys(ours.members).map((one) => [one, model?.members[one]])),
    );
    expect([...ours.required].sort()).toEqual([...(knownDifferences[name]?.required ?? model?.required ?? [])].sort());
  });

  test("each route finds its own operation", () => {
    const table = new RouteTable(registryOperations);
    for (const operation of registryOperations) {
      const segments = operation.path.slice(1).split("/");
      expect(table.find(operation.method, segments).operation.name).toBe(operation.name);
    }
  });

  test("no member of the model is left out by mistake", () => {
    const left = registryOperations.flatMap(({ name, members }) =>
      Object.keys(modelOf(name)?.members ?? {})
        .filter((member) => !(member in members))
        .map((member) => `${name}.${member}`),
    );
    expect(left.sort()).toEqual([
      // There are no pre-provisioning hooks, so none can be removed.
      "UpdateProvisioningTemplate.removePreProvisioningHook",
    ]);
  });
});

describe("the operations of the data plane", () => {
  const known = dataPlaneOperations.filter(({ path }) => !path.startsWith("/latchkey/"));
  test.each(known.map((operation) => [operation.name, operation] as const))("%s", (name, operation) => {
    const model = modelOf(name);
    const ours = oursOf(operation);
    expect(ours.route.replace("+}", "}")).toBe(model?.route);
    expect(ours.members).toEqual(
      Object.fromEntries(Object.keys(ours.members).map((one) => [one, model?.members[one]])),
    );
    const left = Object.keys(model?.members ?? {}).filter((member) => !(member in ours.members));
    expect(left).toEqual(operation.hasPayload ? ["payload"] : []);
  });
});
