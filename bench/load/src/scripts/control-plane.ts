/**
 * Script of control-plane: calls of the REST API for certificates.
 *
 * An operation is one call. By default three take turns, as a factory line does: CreateKeysAndCertificate (POST
 * /keys-and-certificate), DescribeCertificate (GET /certificates/ID) and UpdateCertificate to INACTIVE (PUT
 * /certificates/ID). `--call` measures one of them alone, or CreateCertificateFromCsr (POST /certificates). Requests and
 * certificates that such a run needs are made before the measured time.
 *
 * Calls are signed as the AWS SDKs sign them with the key of a target that the bench started, or with AWS_ACCESS_KEY_ID and
 * AWS_SECRET_ACCESS_KEY for one behind a URL; where these are not set they are not signed.
 */

import { nodeProvider } from "@latchkey/crypto/node";
import { certificateRequestToPem, createCertificationRequest, makeName } from "@latchkey/x509";
import { ClientFailure } from "../client.ts";
import { nowMs } from "../clock.ts";
import { makeCaller, type Caller } from "../control-plane-caller.ts";
import { deviceName } from "../identities.ts";
import { Schedule } from "../schedule.ts";
import type { Settings } from "../settings.ts";
import type { WorkerContext } from "../worker-context.ts";

/** Certificates that are read in turn, and requests that are sent in turn; each worker has so many. */
const mostPrepared = 256;
/** Calls of each worker before those that are measured. */
const mostWarmUp = 100;

/** Makes call number k and gives the name of the API's operation that it was. */
type NextCall = (k: number) => Promise<string>;

/** Runs one worker's share. */
export async function runControlPlane(context: WorkerContext): Promise<void> {
  const { task, meter } = context;
  const { count, rate, rampUp, concurrency, duration } = task.settings;
  const own = context.share(count);
  const ownConcurrency = Math.max(1, context.share(concurrency));
  const isMixed = task.settings.call === "mixed";
  const next = await nextCalls[task.settings.call](context, makeCaller(context), own);
  await context.pace({
    count: Math.min(mostWarmUp, Math.ceil(own / 10)),
    concurrency: ownConcurrency,
    operation: async (k) => {
      await context.attempt(() => next(k));
    },
  });
  const startMs = await context.arrive("ready");
  const schedule =
    rate === 0 ? undefined : new Schedule({ startMs, ratePerSecond: (rate * own) / count, rampUpSeconds: rampUp });
  await context.pace({
    // Those of the ramp-up do not count.
    count: own + (schedule?.countInRamp ?? 0),
    untilMs: startMs + (rampUp + duration) * 1000,
    concurrency: ownConcurrency,
    schedule,
    operation: async (k, dueMs) => {
      await context.measure(dueMs, async () => {
        const beganMs = nowMs();
        const operation = await next(k);
        const doneMs = nowMs();
        if (isMixed && meter.isMeasured(dueMs)) meter.arriveIn(operation, doneMs - beganMs);
        return doneMs;
      });
    },
  });
  await context.arrive("sent");
}

/** What is made before the first call, and the calls. */
const nextCalls: Readonly<
  Record<Settings["call"], (context: WorkerContext, call: Caller, count: number) => NextCall | Promise<NextCall>>
> = {
  mixed: (_context, call) => mixedCalls(call),
  CreateKeysAndCertificate: (_context, call) => async () => {
    await createKeysAndCertificate(call);
    return "CreateKeysAndCertificate";
  },
  CreateCertificateFromCsr: (context, call, count) => {
    const requests = makeRequests(context, count);
    return async (k) => {
      await createFromCsr(call, requests[k % requests.length] ?? "");
      return "CreateCertificateFromCsr";
    };
  },
  DescribeCertificate: async (context, call, count) => {
    const known: string[] = [];
    const requests = makeRequests(context, count);
    await context.pace({
      count: requests.length,
      concurrency: Math.max(1, context.share(context.task.settings.concurrency)),
      operation: async (k) => {
        const made = await context.attempt(() => createFromCsr(call, requests[k] ?? ""));
        if (made !== undefined) known.push(made);
      },
    });
    return async (k) => {
      const certificateId = known[k % known.length];
      if (certificateId === undefined) throw new ClientFailure("no certificate to describe");
      await call("GET", `/certificates/${certificateId}`);
      return "DescribeCertificate";
    };
  },
};

/** Each certificate is created, then described, then made inactive. */
function mixedCalls(call: Caller): NextCall {
  const created: string[] = [];
  const described: string[] = [];
  return async () => {
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
    created.push(await createKeysAndCertificate(call));
    return "CreateKeysAndCertificate";
  };
}

async function createKeysAndCertificate(call: Caller): Promise<string> {
  return certificateIdOf("CreateKeysAndCertificate", await call("POST", "/keys-and-certificate?setAsActive=true"));
}

async function createFromCsr(call: Caller, certificateSigningRequest: string): Promise<string> {
  const body = JSON.stringify({ certificateSigningRequest });
  return certificateIdOf("CreateCertificateFromCsr", await call("POST", "/certificates?setAsActive=true", body));
}

/** The identifier that an answer names. Throws `ClientFailure` where it names none. */
function certificateIdOf(operation: string, answer: unknown): string {
  const isObject = typeof answer === "object" && answer !== null && "certificateId" in answer;
  if (!isObject || typeof answer.certificateId !== "string" || !/^[0-9a-f]{64}$/.test(answer.certificateId)) {
    throw new ClientFailure(`${operation} gave no certificateId`);
  }
  return answer.certificateId;
}

/** Requests for P-256 keys, each with a key of its own, in PEM; as many as `count` calls need, and `mostPrepared` at most. */
function makeRequests(context: WorkerContext, count: number): string[] {
  const first = context.shareStart(context.task.settings.count);
  return Array.from({ length: Math.min(mostPrepared, count) }, (_, n) => {
    const { privateKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
    const subject = makeName([{ type: "commonName", value: deviceName(first + n) }]);
    return certificateRequestToPem(createCertificationRequest({ provider: nodeProvider, privateKey, subject }));
  });
}
