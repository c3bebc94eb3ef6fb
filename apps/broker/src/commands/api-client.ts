/**
 * The API as commands call it: over the network, signed, or in this process on a data directory that is on this machine. The second
 * needs no running broker; a running one acts on what it changes.
 */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { request as requestHttp, type IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import { join } from "node:path";
import { isBrokerRunning, messageOf, UsageError } from "@latchkey/command-line";
import { Asn1Error } from "@latchkey/asn1";
import { certificatesFromPem, certificateToPem, X509Error } from "@latchkey/x509";
import { Sha256 } from "@latchkey/request-signing";
import { SignatureV4 } from "@smithy/signature-v4";
import { AccessKeys } from "../authorization/access-keys.ts";
import type { Operation } from "../http/operation.ts";
import { accessKeyOperations, type AccessKeyContext } from "../control-plane/operations/access-keys.ts";
import { dataPlaneOperations, type LiveContext } from "../data-plane/operations.ts";
import { decisionOperations, type DecisionContext } from "../control-plane/operations/decisions.ts";
import { directoryOperations } from "../control-plane/operations/all.ts";
import type { BrokerContext } from "../control-plane/operations/broker.ts";
import { regionOf } from "../configuration/option-values.ts";
import { defaults } from "../configuration/settings.ts";
import { openExistingDirectory, type DataDirectory } from "../data-directory/data-directory.ts";
import { BrokerError } from "../errors.ts";
import { isObject } from "../http/json-body.ts";
import { ServiceError } from "../http/service-error.ts";
import { dataDirectoryOf } from "./data-option.ts";
import { apiRequest, type ApiRequest } from "./api-request.ts";

/** The members of an answer. */
export type ApiAnswer = Readonly<Record<string, unknown>>;

/** What commands call operations with. */
export interface ApiClient extends AsyncDisposable {
  /** Calls an operation. Throws `RegistryError` or `BrokerError` (`ERR_BROKER_REQUEST`) with the exception's name. */
  call(name: string, input?: Readonly<Record<string, unknown>>): Promise<ApiAnswer>;
}

/** Where the API is. */
export interface ApiTarget {
  readonly data: string | undefined;
  readonly endpoint: string | undefined;
  readonly credentials: string | undefined;
  readonly ca: string | undefined;
  readonly region: string | undefined;
}

/**
 * The endpoint that is meant, or undefined for the data directory: `--endpoint`; the data directory where `--data` is given;
 * `AWS_ENDPOINT_URL_IOT` and `AWS_ENDPOINT_URL`.
 */
export function endpointOf({ endpoint, data }: ApiTarget): string | undefined {
  if (endpoint !== undefined || data !== undefined) return endpoint;
  return process.env["AWS_ENDPOINT_URL_IOT"] ?? process.env["AWS_ENDPOINT_URL"];
}

/** Opens the API. Throws `UsageError`, `BrokerError`. */
export async function openApi(target: ApiTarget): Promise<ApiClient> {
  const endpoint = endpointOf(target);
  if (endpoint === undefined) return LocalApi.open(dataDirectoryOf(target));
  if (!isHttpUrl(endpoint)) {
    throw new UsageError(`--endpoint ${JSON.stringify(endpoint)} is no URL: http://HOST:PORT or https://HOST:PORT`);
  }
  return new RemoteApi(endpoint, await readCredentials(target), await readRoots(target.ca), regionOfTarget(target));
}

/** The API of the broker that runs: for what only a running broker has. */
export async function openLiveApi(target: ApiTarget): Promise<ApiClient> {
  const endpoint = endpointOf(target);
  if (endpoint !== undefined) return openApi(target);
  const directory = dataDirectoryOf(target);
  const file = join(directory, "control-plane.json");
  // One that was killed has left its file.
  if (!existsSync(file) || !isBrokerRunning(directory)) {
    throw new BrokerError(
      "ERR_BROKER_REQUEST",
      `no broker with a control plane runs on ${directory}: start one with "latchkey start --data ${directory}", or name ` +
        "one elsewhere with --endpoint",
    );
  }
  const { url } = jsonObject(await readFile(file, "utf8"));
  if (typeof url !== "string" || !isHttpUrl(url)) {
    throw new BrokerError("ERR_BROKER_DATA_DIRECTORY", `${file} is damaged: the broker writes it when it starts`);
  }
  const data = await openExistingDirectory(directory, () => new Date());
  const { scope } = data;
  await data[Symbol.asyncDispose]();
  const key = (await AccessKeys.open(directory, nowSeconds)).administratorOf(scope.account);
  if (key === undefined) throw new BrokerError("ERR_BROKER_REQUEST", `${directory} has no administrator access key`);
  const roots = url.startsWith("https:") ? await readFile(join(directory, "server-ca.pem"), "utf8") : undefined;
  return new RemoteApi(url, key, roots, scope.region);
}

/** Operations in this process, on a data directory. */
class LocalApi implements ApiClient {
  readonly #data: DataDirectory;
  readonly #context: BrokerContext;

  private constructor(data: DataDirectory) {
    const { registry, scope, serverAuthority } = data;
    this.#data = data;
    this.#context = { registry, scope, serverAuthorityPem: certificateToPem(serverAuthority) };
  }

  static async open(directory: string): Promise<LocalApi> {
    return new LocalApi(await openExistingDirectory(directory, () => new Date()));
  }

  async call(name: string, input: Readonly<Record<string, unknown>> = {}): Promise<ApiAnswer> {
    const operation = operationNamed(directoryOperations, name);
    try {
      const answer = await operation.handle(this.#context, apiRequest(operation, input));
      return isObject(answer) ? answer : {};
    } catch (cause) {
      if (!(cause instanceof ServiceError)) throw cause;
      throw new BrokerError("ERR_BROKER_REQUEST", `${cause.code}: ${cause.message}`, { cause });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#data[Symbol.asyncDispose]();
  }
}

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const operations: readonly Operation<AccessKeyContext & LiveContext & DecisionContext>[] = [
  ...directoryOperations,
  ...accessKeyOperations,
  ...dataPlaneOperations,
  ...decisionOperations,
];
const timeoutMs = 30_000;
const maximumAnswerOctets = 16 * 1024 * 1024;

/** The API of a server. */
class RemoteApi implements ApiClient {
  readonly #endpoint: URL;
  readonly #roots: string | undefined;
  readonly #signer: SignatureV4;

  constructor(endpoint: string, credentials: Credentials, roots: string | undefined, region: string) {
    this.#endpoint = new URL(endpoint);
    this.#roots = roots;
    this.#signer = new SignatureV4({ service: "iot", region, credentials, sha256: Sha256 });
  }

  async call(name: string, input: Readonly<Record<string, unknown>> = {}): Promise<ApiAnswer> {
    const operation = operationNamed(operations, name);
    const request = apiRequest(operation, input);
    const { status, errorType, body } = await this.#send(operation.method, request);
    const answer = parsed(body);
    if (status === 200) return answer;
    const message = typeof answer["message"] === "string" ? answer["message"] : `HTTP ${status}`;
    throw new BrokerError("ERR_BROKER_REQUEST", `${errorType ?? "no exception"}: ${message}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #send(
    method: string,
    { path, query, headers, body }: ApiRequest,
  ): Promise<{ readonly status: number; readonly errorType: string | undefined; readonly body: string }> {
    const { protocol, hostname, host } = this.#endpoint;
    const text = new URLSearchParams();
    for (const [name, [value = ""]] of query) text.set(name, value);
    const signed = await this.#signer.sign({
      method,
      protocol,
      hostname,
      path,
      query: Object.fromEntries(Array.from(query, ([name, [value = ""]]) => [name, value])),
      headers: { host, ...(body.length > 0 && { "content-type": "application/json" }), ...Object.fromEntries(headers) },
      body,
    });
    // A space is %20 in the signed form, and a plus sign in that of forms.
    const target = query.size === 0 ? path : `${path}?${text.toString().replaceAll("+", "%20")}`;
    const send = protocol === "https:" ? requestHttps : requestHttp;
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void =>
        reject(
          new BrokerError("ERR_BROKER_REQUEST", `${this.#endpoint.origin} cannot be asked: ${messageOf(error)}`, {
            cause: error,
          }),
        );
      const outgoing = send(
        this.#endpoint,
        {
          method,
          path: target,
          headers: signed.headers,
          timeout: timeoutMs,
          ...(this.#roots !== undefined && { ca: this.#roots }),
        },
        (incoming) => {
          readAnswer(incoming).then(
            (answered) => resolve({ ...answered, errorType: incoming.headers["x-amzn-errortype"]?.toString() }),
            failed,
          );
        },
      );
      outgoing.on("timeout", () => outgoing.destroy(new Error("no answer in time")));
      outgoing.on("error", failed);
      outgoing.end(body);
    });
  }
}

async function readAnswer(incoming: IncomingMessage): Promise<{ readonly status: number; readonly body: string }> {
  const chunks: Buffer[] = [];
  let octets = 0;
  for await (const chunk of incoming) {
    if (!(chunk instanceof Buffer)) continue;
    octets += chunk.length;
    if (octets > maximumAnswerOctets) throw new Error("the answer is too long");
    chunks.push(chunk);
  }
  return { status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") };
}

function parsed(body: string): ApiAnswer {
  if (body === "") return {};
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value) ? value : {};
  } catch {
    return { message: "the answer is no JSON: is this the control plane of a broker?" };
  }
}

function operationNamed<Context>(known: readonly Operation<Context>[], name: string): Operation<Context> {
  const operation = known.find((one) => one.name === name);
  if (operation === undefined) throw new TypeError(`there is no operation ${name}`);
  return operation;
}

async function readCredentials({ credentials }: ApiTarget): Promise<Credentials> {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = process.env;
  if (credentials === undefined) {
    if (accessKeyId !== undefined && secretAccessKey !== undefined) return { accessKeyId, secretAccessKey };
    throw new UsageError(
      "the control plane needs an access key: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a file with --credentials",
    );
  }
  const { accessKeyId: id, secretAccessKey: secret } = jsonObject(await readText("--credentials", credentials));
  if (typeof id === "string" && typeof secret === "string") return { accessKeyId: id, secretAccessKey: secret };
  throw new UsageError(
    `--credentials ${credentials} is no JSON object with accessKeyId and secretAccessKey, as "latchkey keys create --json" prints it`,
  );
}

async function readRoots(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const pem = await readText("--ca", file);
  try {
    certificatesFromPem(pem);
  } catch (cause) {
    if (!(cause instanceof X509Error || cause instanceof Asn1Error)) throw cause;
    throw new UsageError(`--ca ${file} has no certificate that can be read: ${cause.message}`, { cause });
  }
  return pem;
}

/** The members of a JSON object; none where the text is something else. */
function jsonObject(content: string): ApiAnswer {
  try {
    const value: unknown = JSON.parse(content);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function isHttpUrl(url: string): boolean {
  return URL.canParse(url) && ["http:", "https:"].includes(new URL(url).protocol);
}

async function readText(flag: string, file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new UsageError(`${flag} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

function regionOfTarget({ region }: ApiTarget): string {
  if (region !== undefined) return regionOf(region);
  return process.env["AWS_REGION"] ?? process.env["AWS_DEFAULT_REGION"] ?? defaults.region;
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
