/** With what calls of the control plane are signed. */

import type { AccessKey } from "@latchkey/request-signing";

/** With what, and for what, requests are signed. */
export interface SigningCredentials extends AccessKey {
  readonly region: string;
  /** `iot` for the control plane. */
  readonly service: string;
}

/** The credentials of the usual variables; undefined where they are not set. */
export function environmentCredentials(environment: NodeJS.ProcessEnv): SigningCredentials | undefined {
  const accessKeyId = environment["AWS_ACCESS_KEY_ID"];
  const secretAccessKey = environment["AWS_SECRET_ACCESS_KEY"];
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  const sessionToken = environment["AWS_SESSION_TOKEN"];
  const region = environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"] ?? "us-east-1";
  return { accessKeyId, secretAccessKey, sessionToken, region, service: "iot" };
}
