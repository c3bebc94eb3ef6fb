/**
 * Script of control-plane: registers certificates over the REST API, as a factory line does, and reads them back.
 *
 * An operation is one call. They take turns: CreateKeysAndCertificate (POST /keys-and-certificate), DescribeCertificate (GET
 * /certificates/ID) and UpdateCertificate to INACTIVE (PUT /certificates/ID). Calls are signed as the AWS SDKs sign them
 * with the key of a target that the bench started, or with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for one behind a URL;
 * where these are not set they are not signed.
 */

import { Agent as HttpAgent, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { signRequest } from "@latchkey/request-signing";
import { ClientFailure, failureKind } from "../client.ts";
import { nowMs } from "../clock.ts";
import { Schedule } from "../schedule.ts";
import type { WorkerContext } from "../worker-context.ts";

const timeoutMs = 20_000;
const mostAnswerOctets = 1_000_000;

/** Runs one worker's share. */
export async function runControlPlane(context: WorkerContext): Promise<void> {
  const { task, meter } = context;
  const { count, rate, rampUp, concurrency, duration } = task.settings;
  const call = makeCaller(context);
  const own = context.share(count);
  const startMs = await context.arrive("ready");
  /** Certificates that were created and not yet looked at, or looked at and not yet made inactive. */
  const created: string[] = [];
  const described: string[] = [];
  const schedule =
    rate === 0 ? undefined : new Schedule({ startMs, ratePerSecond: (rate * own) / count, rampUpSeconds: rampUp });
  await context.pace({
    // Those of the ramp-up do not count.
    count: own + (schedule?.countInRamp ?? 0),
    untilMs: startMs + (rampUp + duration) * 1000,
    concurrency: Math.max(1, context.share(concurrency)),
    schedule,
    operation: async (_k, dueMs) => {
      await context.measure(dueMs, async () => {
        const beganMs = nowMs();
        const operation = await nextCall(call, created, described);
        const doneMs = nowMs();
        if (meter.isMeasured(dueMs)) meter.arriveIn(operation, doneMs - beganMs);
        return doneMs;
      });
    },
  });
  await context.arrive("sent");
}

type Caller = (method: string, path: string) => Promise<unknown>;

async function nextCall(call: Caller, created: string[], described: string[]): Promise<string> {
  const finished = described.shift();
  if (finished !== undefined) {
    await call("PUT", `/certificates/${finished}?newStatus=INACTIVE`);
    return "UpdateCertificate";
  }
  const known = created.shift();
  if (known !== undefined) {
    await call("GET", `/certificates/${known}`);
    described.push(known);
    return "DescribeCertificate";
  }
  const answer = await call("POST", "/keys-and-certificate?setAsActive=true");
  const isObject = typeof answer === "object" && answer !== null && "certificateId" in answer;
  if (!isObject || typeof answer.certificateId !== "string" || !/^[0-9a-f]{64}$/.test(answer.certificateId)) {
    throw new ClientFailure("CreateKeysAndCertificate gave no certificateId");
  }
  created.push(answer.certificateId);
  return "CreateKeysAndCertificate";
}

/** One connection for each call under way, kept open between calls. */
function makeCaller(context: WorkerContext): Caller {
  const { controlPlaneUrl, controlPlaneCredentials: credentials, roots, settings } = context.task;
  const base = new URL(controlPlaneUrl ?? "");
  const isSecure = base.protocol === "https:";
  const agent = isSecure
    ? new HttpsAgent({ keepAlive: true, ca: roots, rejectUnauthorized: !settings.insecure })
    : new HttpAgent({ keepAlive: true });
  const request = isSecure ? requestHttps : requestHttp;
  return async (method, path) => {
    const url = new URL(path, base);
    const headers =
      credentials === undefined
        ? {}
        : await signRequest({ ...credentials, method, url, date: new Date() }, credentials);
    return new Promise((resolve, reject) => {
      const outgoing = request(url, { method, agent, timeout: timeoutMs, headers }, (incoming) => {
        let body = "";
        incoming.setEncoding("utf8");
        incoming.on("error", (error) => reject(new ClientFailure(failureKind(error), { cause: error })));
        incoming.on("data", (chunk: string) => {
          if (body.length < mostAnswerOctets) body += chunk;
        });
        incoming.on("end", () => {
          if (incoming.statusCode === 200) parse(body).then(resolve, reject);
          else reject(new ClientFailure(`HTTP ${incoming.statusCode} for ${method}`));
        });
      });
      outgoing.on("timeout", () => outgoing.destroy(new ClientFailure("timeout of the answer")));
      outgoing.on("error", (error) => reject(new ClientFailure(failureKind(error), { cause: error })));
      outgoing.end();
    });
  };
}

function parse(body: string): Promise<unknown> {
  try {
    return Promise.resolve(body === "" ? undefined : JSON.parse(body));
  } catch (cause) {
    return Promise.reject(new ClientFailure("the answer is no JSON", { cause }));
  }
}
