/** Signed calls of the control plane's REST API, by HTTP or HTTPS. */

import { Agent as HttpAgent, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { signRequest } from "@latchkey/request-signing";
import { ClientFailure, failureKind } from "./client.ts";
import type { WorkerContext } from "./worker-context.ts";

const timeoutMs = 20_000;
const mostAnswerOctets = 1_000_000;

/** Sends a request, with a body of JSON where one is given, and gives what the answer's JSON says. Rejects with `ClientFailure`. */
export type Caller = (method: string, path: string, body?: string) => Promise<unknown>;

/** A caller with one connection for each call under way, kept open between calls. */
export function makeCaller(context: WorkerContext): Caller {
  const { controlPlaneUrl, controlPlaneCredentials: credentials, roots, settings } = context.task;
  const base = new URL(controlPlaneUrl ?? "");
  const isSecure = base.protocol === "https:";
  const agent = isSecure
    ? new HttpsAgent({ keepAlive: true, ca: roots, rejectUnauthorized: !settings.insecure })
    : new HttpAgent({ keepAlive: true });
  const request = isSecure ? requestHttps : requestHttp;
  return async (method, path, body) => {
    const url = new URL(path, base);
    const headers = {
      ...(body !== undefined && { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
      ...(credentials !== undefined &&
        (await signRequest({ ...credentials, method, url, body, date: new Date() }, credentials))),
    };
    return new Promise((resolve, reject) => {
      const outgoing = request(url, { method, agent, timeout: timeoutMs, headers }, (incoming) => {
        let answer = "";
        incoming.setEncoding("utf8");
        incoming.on("error", (error) => reject(new ClientFailure(failureKind(error), { cause: error })));
        incoming.on("data", (chunk: string) => {
          if (answer.length < mostAnswerOctets) answer += chunk;
        });
        incoming.on("end", () => {
          if (incoming.statusCode === 200) parse(answer).then(resolve, reject);
          else reject(new ClientFailure(`HTTP ${incoming.statusCode} for ${method}`));
        });
      });
      outgoing.on("timeout", () => outgoing.destroy(new ClientFailure("timeout of the answer")));
      outgoing.on("error", (error) => reject(new ClientFailure(failureKind(error), { cause: error })));
      outgoing.end(body);
    });
  };
}

function parse(answer: string): Promise<unknown> {
  try {
    return Promise.resolve(answer === "" ? undefined : JSON.parse(answer));
  } catch (cause) {
    return Promise.reject(new ClientFailure("the answer is no JSON", { cause }));
  }
}
