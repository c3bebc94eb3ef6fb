/** A broker with its control plane, in this process, and the AWS SDK's clients for it. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IoTClient, type IoTServiceException } from "@aws-sdk/client-iot";
import type { Limits } from "@latchkey/broker-core";
import { defaultScope } from "@latchkey/registry";
import { pino } from "pino";
import { expect } from "vitest";
import type { AccessKey } from "../../src/authorization/access-keys.ts";
import type { ListenerLimits, Service } from "../../src/listeners/start-listeners.ts";
import { send, signed } from "./signed-request.ts";
import { runBroker, type RunningBroker } from "../../src/run-broker.ts";

/** A running broker for tests. Disposing stops it and removes its data. */
export class RunningControlPlane implements AsyncDisposable {
  readonly directory: string;
  readonly administrator: AccessKey;
  readonly #start: () => Promise<RunningBroker>;
  readonly #logged: string[];
  readonly #clients: { destroy(): void }[] = [];
  #broker: RunningBroker;

  private constructor(
    start: () => Promise<RunningBroker>,
    broker: RunningBroker,
    directory: string,
    administrator: AccessKey,
    logged: string[],
  ) {
    this.#start = start;
    this.#broker = broker;
    this.directory = directory;
    this.administrator = administrator;
    this.#logged = logged;
  }

  get broker(): RunningBroker {
    return this.#broker;
  }

  get url(): string {
    return this.#broker.controlUrl ?? "";
  }

  /** Stops the broker and starts it on the same data, with other ports. */
  async restart(): Promise<void> {
    await this.#broker[Symbol.asyncDispose]();
    this.#broker = await this.#start();
  }

  static async start({
    isSecure = false,
    tls = "node",
    denial = "explain",
    listenerLimits,
    limits,
    profile,
    handshakeTimeoutMs,
    requestTimeoutMs = 1000,
  }: {
    readonly profile?: "standard" | "aws";
    readonly isSecure?: boolean;
    readonly tls?: "node" | "latchkey";
    readonly denial?: "explain" | "parity";
    readonly listenerLimits?: Partial<ListenerLimits>;
    readonly limits?: Partial<Limits>;
    readonly handshakeTimeoutMs?: number;
    /** Of the device's HTTPS. */
    readonly requestTimeoutMs?: number;
  } = {}): Promise<RunningControlPlane> {
    const directory = mkdtempSync(join(tmpdir(), "latchkey-control-"));
    const logged: string[] = [];
    const log = pino({ level: "debug", base: null }, { write: (line: string) => void logged.push(line) });
    const start = (): Promise<RunningBroker> =>
      runBroker({
        dataDirectory: directory,
        listeners: (["mqtts", "https", "alpn"] as const).map((service) => ({ service, host: "127.0.0.1", port: 0 })),
        listenerLimits,
        limits,
        profile,
        handshakeTimeoutMs,
        requestTimeoutMs,
        serverNames: [],
        scope: defaultScope,
        denial,
        tls,
        control: { host: "127.0.0.1", port: 0, isSecure, requestTimeoutMs: 1000 },
        log,
      });
    const broker = await start();
    const administrator = broker.newAdministrator;
    if (administrator === undefined) throw new Error("the first start made no administrator");
    return new RunningControlPlane(start, broker, directory, administrator, logged);
  }

  async revokeKey({ accessKeyId }: AccessKey): Promise<void> {
    const url = `${this.url}/latchkey/access-keys/${accessKeyId}`;
    const { status, body } = await send(await signed({ url, method: "DELETE" }, { key: this.administrator }));
    if (status !== 200) throw new Error(body);
  }

  /** The port of a service. */
  portOf(service: Service): number {
    const found = this.broker.listening.find((one) => one.service === service);
    if (found === undefined) throw new Error(`nothing listens for ${service}`);
    return found.port;
  }

  get mqttPort(): number {
    return this.portOf("mqtts");
  }

  /** Every line of the log until now. */
  get log(): string {
    return this.#logged.join("");
  }

  /** A client of the control plane; the administrator's unless another key is given. It does not retry. */
  client(key: { readonly accessKeyId: string; readonly secretAccessKey: string } = this.administrator): IoTClient {
    const { accessKeyId, secretAccessKey } = key;
    const client = new IoTClient({
      endpoint: this.url,
      region: defaultScope.region,
      credentials: { accessKeyId, secretAccessKey },
      maxAttempts: 1,
    });
    this.#clients.push(client);
    return client;
  }

  /** Makes an access key through the API. */
  async createKey(accessScope: "administrator" | "reader", account?: string): Promise<AccessKey> {
    const body = JSON.stringify({ accessScope, account });
    const url = `${this.url}/latchkey/access-keys`;
    const answer = await send(await signed({ url, method: "POST", body }, { key: this.administrator }));
    return (JSON.parse(answer.body) as { accessKey: AccessKey }).accessKey;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.#broker[Symbol.asyncDispose]();
    rmSync(this.directory, { recursive: true });
  }
}

/** Expects a call to end in an exception with this name and status. Gives it, for its members. */
export async function expectException(
  call: Promise<unknown>,
  name: string,
  status: number,
): Promise<IoTServiceException & Record<string, unknown>> {
  const result = await call.then(
    (answer) => ({ answer }),
    (error: unknown) => ({ error }),
  );
  if (!("error" in result)) throw new Error(`it succeeded: ${JSON.stringify(result.answer)}`);
  const error = result.error as IoTServiceException & Record<string, unknown>;
  expect({ name: error.name, status: error.$metadata?.httpStatusCode, cause: error.message }).toMatchObject({
    name,
    status,
  });
  return error;
}
