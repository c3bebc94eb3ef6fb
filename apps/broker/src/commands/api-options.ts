/** The options that every command of the API has, and what they open. */

import { openApi, openLiveApi, type ApiClient, type ApiTarget } from "./api-client.ts";

/** `--data`, `--endpoint` and what belongs to them. */
export const apiOptions = {
  data: { type: "string", description: "The data directory; default latchkey-data" },
  endpoint: { type: "string", description: "A broker's control plane, http://HOST:PORT, in place of a data directory" },
  credentials: {
    type: "string",
    description:
      "A JSON file with accessKeyId and secretAccessKey; default AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
  },
  ca: { type: "string", description: "PEM of the root that vouches for an https endpoint: root-ca.pem of a device" },
  region: { type: "string", description: "The broker's region; default AWS_REGION or us-east-1" },
} as const;

/** `--json`. */
export const jsonOption = { type: "boolean", description: "JSON for programs in place of a table" } as const;

/** `--newest-first` of lists that go by age. */
export const newestFirst = { type: "boolean", description: "The newest first; default the oldest" } as const;

/** The values of `apiOptions` as citty gives them. */
export type ApiArguments = { readonly [K in keyof typeof apiOptions]?: string | undefined };

/** Where the arguments say that the API is. */
export function targetOf({ data, endpoint, credentials, ca, region }: ApiArguments): ApiTarget {
  return { data, endpoint, credentials, ca, region };
}

/** Runs `body` with the API and closes it again. */
export async function withApi<T>(args: ApiArguments, body: (api: ApiClient) => Promise<T>): Promise<T> {
  return closing(await openApi(targetOf(args)), body);
}

/** The same with the API of a broker that runs. */
export async function withLiveApi<T>(args: ApiArguments, body: (api: ApiClient) => Promise<T>): Promise<T> {
  return closing(await openLiveApi(targetOf(args)), body);
}

async function closing<T>(api: ApiClient, body: (api: ApiClient) => Promise<T>): Promise<T> {
  try {
    return await body(api);
  } finally {
    await api[Symbol.asyncDispose]();
  }
}
