/** Which certificates a thing has, and which things a certificate has. The principal stands in a header. */

import { resourceArn } from "@latchkey/registry";
import {
  arn,
  nextOf,
  pageOptions,
  principalCertificate,
  thingName,
  thingPrincipalType,
  tokenPaging,
} from "../members.ts";
import { operation, type Operation } from "../../http/operation.ts";
import { header, label, query, required } from "../../http/shape.ts";

const name = label(thingName);
const principal = required(header("x-amzn-principal", arn));
const exceptions = ["ResourceNotFoundException"] as const;

/** The operations. */
export const thingPrincipalOperations: readonly Operation[] = [
  operation("AttachThingPrincipal", "PUT /things/{thingName}/principals", {
    exceptions,
    members: { thingName: name, principal, thingPrincipalType: query(thingPrincipalType) },
    run({ registry, scope }, input) {
      const id = principalCertificate(scope, input.principal);
      return registry.things.attachPrincipal(scope, input.thingName, id, input.thingPrincipalType);
    },
  }),
  operation("DetachThingPrincipal", "DELETE /things/{thingName}/principals", {
    exceptions,
    members: { thingName: name, principal },
    run: ({ registry, scope }, input) =>
      registry.things.detachPrincipal(scope, input.thingName, principalCertificate(scope, input.principal)),
  }),
  operation("ListThingPrincipals", "GET /things/{thingName}/principals", {
    exceptions,
    members: { thingName: name, ...tokenPaging },
    run({ registry, scope }, input) {
      const page = registry.things.listPrincipals(scope, input.thingName, pageOptions(input));
      return {
        principals: page.items.map((one) => resourceArn(scope, "cert", one.certificateId)),
        nextToken: nextOf(page),
      };
    },
  }),
  operation("ListThingPrincipalsV2", "GET /things/{thingName}/principals-v2", {
    exceptions,
    members: { thingName: name, ...tokenPaging, thingPrincipalType: query(thingPrincipalType) },
    run({ registry, scope }, input) {
      const page = registry.things.listPrincipals(scope, input.thingName, pageOptions(input));
      return {
        thingPrincipalObjects: page.items
          .filter(({ type }) => input.thingPrincipalType === undefined || type === input.thingPrincipalType)
          .map(({ certificateId, type }) => ({
            principal: resourceArn(scope, "cert", certificateId),
            thingPrincipalType: type,
          })),
        nextToken: nextOf(page),
      };
    },
  }),
  operation("ListPrincipalThings", "GET /principals/things", {
    exceptions,
    members: { principal, ...tokenPaging },
    run({ registry, scope }, input) {
      const id = principalCertificate(scope, input.principal);
      const page = registry.things.listThingsOfPrincipal(scope, id, pageOptions(input));
      return { things: page.items.map((one) => one.thingName), nextToken: nextOf(page) };
    },
  }),
  operation("ListPrincipalThingsV2", "GET /principals/things-v2", {
    exceptions,
    members: { principal, ...tokenPaging, thingPrincipalType: query(thingPrincipalType) },
    run({ registry, scope }, input) {
      const id = principalCertificate(scope, input.principal);
      const page = registry.things.listThingsOfPrincipal(scope, id, pageOptions(input));
      return {
        principalThingObjects: page.items
          .filter(({ type }) => input.thingPrincipalType === undefined || type === input.thingPrincipalType)
          .map(({ thingName: thing, type }) => ({ thingName: thing, thingPrincipalType: type })),
        nextToken: nextOf(page),
      };
    },
  }),
];
