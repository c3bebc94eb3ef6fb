/** What an operation of the API is: its route, its members, who may call it, which exceptions it has, and what it does. */

import type { Registry, Scope } from "@latchkey/registry";
import { readJsonBody } from "./json-body.ts";
import { invalidRequest, type ExceptionName } from "./service-error.ts";
import { ownMember, readMembers, type Input, type Member, type Members } from "./shape.ts";

/** A request after routing. */
export interface OperationRequest {
  readonly labels: Readonly<Record<string, string>>;
  readonly query: ReadonlyMap<string, readonly string[]>;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/** What operations work with. */
export interface OperationContext {
  readonly registry: Registry;
  /** The account and region of the caller. */
  readonly scope: Scope;
}

/** An operation. `Context` is what it works with. */
export interface Operation<Context = OperationContext> {
  readonly name: string;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Segments with `{label}`; a last `{label+}` takes all that follow. */
  readonly path: string;
  /** `read` changes nothing, so that a key with the scope `reader` may call it. */
  readonly access: "read" | "write";
  /** Whether the body is an opaque payload and not JSON. */
  readonly hasPayload: boolean;
  /** Exceptions besides those that every operation has. What the registry refuses otherwise is InvalidRequestException. */
  readonly exceptions: readonly ExceptionName[];
  readonly members: Members;
  /** Reads the request and carries it out. Gives the members of the answer; undefined is an answer without a body. */
  handle(context: Context, request: OperationRequest): Promise<object | undefined>;
}

/** What an operation is defined by. `path` begins with the method, for instance `GET /things/{thingName}`. */
export interface OperationDefinition<M extends Members, Context> {
  readonly exceptions?: readonly ExceptionName[];
  readonly access?: "read" | "write";
  readonly members?: M;
  /** An opaque body: `run` gets it as its third parameter. */
  readonly hasPayload?: boolean;
  run(
    context: Context,
    input: Input<M>,
    payload: Uint8Array,
  ): Promise<object | undefined | void> | object | undefined | void;
}

type NoMembers = Readonly<Record<string, never>>;

/** Defines an operation by its name, its route (`GET /things/{thingName}`) and the rest. GET reads, everything else writes by default. */
export function operation<const M extends Members = NoMembers, Context = OperationContext>(
  name: string,
  route: `${Operation["method"]} /${string}`,
  definition: OperationDefinition<M, Context>,
): Operation<Context> {
  const space = route.indexOf(" ");
  const method = methods.find((one) => one === route.slice(0, space)) ?? "GET";
  const { hasPayload = false, exceptions = [], access = method === "GET" ? "read" : "write" } = definition;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- left out only where M has no members
  const members = definition.members ?? ({} as M);
  return {
    name,
    method,
    path: route.slice(space + 1),
    access,
    hasPayload,
    exceptions,
    members,
    async handle(context, request) {
      const body = hasPayload ? {} : readJsonBody(request.body);
      const input = readMembers(members, (member, place) => findMember(request, body, member, place));
      return (await definition.run(context, input, request.body)) ?? undefined;
    },
  };
}

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

function findMember(
  { labels, query, headers }: OperationRequest,
  body: Readonly<Record<string, unknown>>,
  name: string,
  { place, wireName = name, shape }: Member<unknown>,
): unknown {
  if (place === "body") return ownMember(body, name);
  let found: string | undefined;
  if (place === "path") found = labels[name];
  else if (place === "header") found = headers.get(wireName);
  else {
    const values = query.get(wireName) ?? [];
    if (values.length > 1) throw invalidRequest(name, "is given more than once");
    [found] = values;
  }
  return found === undefined ? undefined : shape.fromText(found, name);
}
