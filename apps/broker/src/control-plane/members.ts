/** The members that several operations have, with the bounds that AWS IoT's API model (2015-05-28) states for them. */

import { nameInArn, type Page, type Scope } from "@latchkey/registry";
import { invalidRequest } from "../http/service-error.ts";
import { flag, list, map, member, query, required, structure, text, whole, word } from "../http/shape.ts";
import type { Shape } from "../http/shape.ts";

const resourceName = {
  least: 1,
  most: 128,
  pattern: /^[a-zA-Z0-9:_-]+$/,
  allowed: "1 to 128 letters, digits and : _ -",
};

export const certificateId: Shape<string> = text({
  least: 64,
  most: 64,
  pattern: /^(?:0x)?[a-fA-F0-9]+$/,
  allowed: "64 hexadecimal digits",
});
export const policyName: Shape<string> = text({
  least: 1,
  most: 128,
  pattern: /^[\w+=,.@-]+$/,
  allowed: "1 to 128 letters, digits and _ + = , . @ -",
});
export const policyVersionId: Shape<string> = text({ most: 10, pattern: /^[0-9]+$/, allowed: "a decimal number" });
export const policyDocument: Shape<string> = text({ most: 404_600 });
export const thingName: Shape<string> = text(resourceName);
export const thingTypeName: Shape<string> = text(resourceName);
export const thingGroupName: Shape<string> = text(resourceName);
export const attributeName: Shape<string> = text({
  most: 128,
  pattern: /^[a-zA-Z0-9_.,@/:#-]+$/,
  allowed: "letters, digits and _ . , @ / : # -",
});
export const attributeValue: Shape<string> = text({
  most: 800,
  pattern: /^[a-zA-Z0-9_.,@/:#=[\]-]*$/,
  allowed: "letters, digits and _ . , @ / : # = [ ] -",
});
export const templateName: Shape<string> = text({
  least: 1,
  most: 36,
  pattern: /^[0-9A-Za-z_-]+$/,
  allowed: "1 to 36 letters, digits and _ -",
});
export const templateBody: Shape<string> = text({ most: 10_240 });
export const roleArn: Shape<string> = text({ least: 20, most: 2048 });
export const pem: Shape<string> = text({ least: 1, most: 65_536 });
export const message: Shape<string> = text({ most: 128 });
export const description: Shape<string> = text({
  most: 2028,
  pattern: /^[^\p{C}\p{Zl}\p{Zp}]*$/u,
  allowed: "printable characters",
});
export const account: Shape<string> = text({ least: 12, most: 12, pattern: /^[0-9]+$/, allowed: "12 digits" });
export const certificateMode = word("DEFAULT", "SNI_ONLY");
export const certificateStatus = word(
  "ACTIVE",
  "INACTIVE",
  "REVOKED",
  "PENDING_TRANSFER",
  "REGISTER_INACTIVE",
  "PENDING_ACTIVATION",
);
export const thingPrincipalType = word("EXCLUSIVE_THING", "NON_EXCLUSIVE_THING");
export const arn: Shape<string> = text({ least: 1, most: 2048 });
export const version: Shape<number> = whole(0, Number.MAX_SAFE_INTEGER);
export const attributePayload = structure({
  attributes: member(map(attributeValue, attributeName)),
  merge: member(flag),
});
export const tags = list(
  structure({
    Key: required(
      member(
        text({
          least: 1,
          most: 128,
          pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u,
          allowed: "letters, digits, spaces and _ . : / = + - @",
        }),
      ),
    ),
    Value: member(text({ most: 256 })),
  }),
  0,
  50,
);
export const registrationConfig = structure({
  templateBody: member(templateBody),
  roleArn: member(roleArn),
  templateName: member(templateName),
});

/** Lists of certificates and policies: `pageSize` and `marker`. */
export const markerPaging = {
  pageSize: query(whole(1, 250)),
  marker: query(text({ most: 4096, pattern: /^[A-Za-z0-9+/]+={0,2}$/, allowed: "the nextMarker of the page before" })),
};
/** The order of lists: by creation or attachment, the newest first unless it is true. */
const ascendingOrder = query(flag, "isAscendingOrder");
/** Lists of certificates and policies that go by age. */
export const agePaging = { ...markerPaging, ascendingOrder };
/** Lists of things: `maxResults` and `nextToken`. */
export const tokenPaging = {
  maxResults: query(whole(1, 250)),
  nextToken: query(text({ least: 1, most: 4096 })),
};

/** The registry's page options of a request. */
export function pageOptions(input: {
  readonly pageSize?: number | undefined;
  readonly marker?: string | undefined;
  readonly maxResults?: number | undefined;
  readonly nextToken?: string | undefined;
}): { readonly pageSize: number; readonly nextToken: string | undefined } {
  const token = input.marker ?? input.nextToken;
  return {
    pageSize: input.pageSize ?? input.maxResults ?? 25,
    nextToken: token === undefined ? undefined : Buffer.from(token, "base64").toString("utf8"),
  };
}

/** The same for a list that goes by age. */
export function ageOptions(
  input: Parameters<typeof pageOptions>[0] & { readonly ascendingOrder: boolean | undefined },
): ReturnType<typeof pageOptions> & { readonly isDescending: boolean } {
  return { ...pageOptions(input), isDescending: input.ascendingOrder !== true };
}

/** The token of the next page as it is answered: base64, as the model wants it. */
export function nextOf({ nextToken }: Pick<Page<unknown>, "nextToken">): string | undefined {
  return nextToken === undefined ? undefined : Buffer.from(nextToken, "utf8").toString("base64");
}

/** The certificateId in a principal, which is the ARN of a certificate. Throws InvalidRequestException. */
export function principalCertificate(scope: Scope, principal: string): string {
  const id = nameInArn(scope, "cert", principal);
  if (id !== undefined && /^[0-9a-f]{64}$/.test(id)) return id;
  throw invalidRequest("principal", "has to be the ARN of a certificate of this account and region");
}
