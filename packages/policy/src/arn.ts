/**
 * Amazon resource names: `arn:partition:service:region:account:resource`.
 *
 * Everything behind the fifth colon is the resource and may itself hold colons and slashes, since topics may.
 */

import type { ResourceArn } from "./context.ts";

/** Where the resources of a broker live. */
export interface ArnScope {
  /** Such as `eu-west-1`. */
  readonly region: string;
  /** Twelve digits. */
  readonly account: string;
  /** `aws` where it is left out. */
  readonly partition?: string | undefined;
}

/** For iot:Connect, and for direct messages. */
export function clientArn(scope: ArnScope, clientId: string): ResourceArn {
  return arn(scope, "client", clientId);
}

/** For iot:Publish, iot:RetainPublish, iot:Receive and iot:GetRetainedMessage. */
export function topicArn(scope: ArnScope, topic: string): ResourceArn {
  return arn(scope, "topic", topic);
}

/** For iot:Subscribe: the filter exactly as it stands in the SUBSCRIBE, `$share/...` included. */
export function topicFilterArn(scope: ArnScope, topicFilter: string): ResourceArn {
  return arn(scope, "topicfilter", topicFilter);
}

/** For shadow and job actions over HTTPS; a named shadow stands behind the thing's name. */
export function thingArn(scope: ArnScope, thingName: string, shadowName?: string): ResourceArn {
  return arn(scope, "thing", shadowName === undefined ? thingName : `${thingName}/${shadowName}`);
}

/** For iot:AssumeRoleWithCertificate. */
export function roleAliasArn(scope: ArnScope, roleAlias: string): ResourceArn {
  return arn(scope, "rolealias", roleAlias);
}

function arn(scope: ArnScope, type: string, name: string): ResourceArn {
  return `arn:${scope.partition ?? "aws"}:iot:${scope.region}:${scope.account}:${type}/${name}`;
}

/** Offset behind the fifth colon, where the resource starts; -1 where `text` has fewer. */
export function resourceOffset(text: string): number {
  let offset = 0;
  for (let count = 0; count < 5; count++) {
    const colon = text.indexOf(":", offset);
    if (colon === -1) return -1;
    offset = colon + 1;
  }
  return offset;
}

/**
 * The scope up to the fifth colon with it, the type, and the name behind the slash. A text that is no ARN with a type is
 * scope alone.
 */
export function partsOfArn(text: string): readonly [scope: string, type: string, name: string] {
  const offset = resourceOffset(text);
  const slash = text.indexOf("/", offset);
  if (offset === -1 || slash === -1) return [text, "", ""];
  return [text.slice(0, offset), text.slice(offset, slash), text.slice(slash + 1)];
}
