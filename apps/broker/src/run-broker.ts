/** A running broker: the data directory, the listener and the core, wired together. */

import { randomUUID } from "node:crypto";
import { messageOf } from "@latchkey/command-line";
import { Broker } from "@latchkey/broker-core";
import type { Registry, Scope } from "@latchkey/registry";
import type { Logger } from "pino";
import { PolicyAuthorizer, type Peer, type Principal } from "./authorization/policy-authorizer.ts";
import { refreshPrincipals } from "./authorization/principal-refresh.ts";
import type { AccessKey } from "./control-plane/access-keys.ts";
import { DecisionLog } from "./control-plane/decision-log.ts";
import { runControlPlane, type ControlPlaneSettings } from "./control-plane/run-control-plane.ts";
import { openBrokerDirectory, type BrokerDirectory } from "./data-directory/data-directory.ts";
import { openSessionFile } from "./data-directory/session-file.ts";
import { BrokerError } from "./errors.ts";
import { EventLog, logPublished, logRefusal } from "./observability/event-log.ts";
import { listenWithLatchkeyTls } from "./listeners/latchkey-tls.ts";
import { listen } from "./listeners/node-tls.ts";
import type { AcceptedConnection, Handshake, Listener } from "./listeners/secure-connection.ts";

/** Settings of `latchkey start`. */
export interface RunOptions {
  readonly dataDirectory: string;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Names that the server's certificate is valid for, besides localhost and the loopback addresses. */
  readonly serverNames: readonly string[];
  readonly scope: Scope;
  readonly denial: "explain" | "parity";
  /** Which TLS engine is under the listener: node:tls or `@latchkey/tls`. */
  readonly tls: "node" | "latchkey";
  /** The REST API; undefined for none. */
  readonly control: ControlPlaneSettings | undefined;
  /** Where sessions and retained messages are kept: a file of the data directory (default), or this process alone. */
  readonly sessions?: "disk" | "memory" | undefined;
  readonly log: Logger;
}

/** A broker that listens. */
export interface RunningBroker extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Where the control plane listens: `http://HOST:PORT`. */
  readonly controlUrl: string | undefined;
  /** The access key that this start has made, because there was none. */
  readonly newAdministrator: AccessKey | undefined;
}

const tickMs = 1000;
/** How often it is looked whether the server's certificate runs out soon. */
const renewalCheckMs = 60 * 60 * 1000;
const handshakeTimeoutMs = 10_000;
const maximumConnections = 10_000;

/** Starts a broker. Throws `BrokerError` or `RegistryError` where a person has to do something. */
export async function runBroker(options: RunOptions): Promise<RunningBroker> {
  const running = new AsyncDisposableStack();
  try {
    return await startOn(options, running);
  } catch (error) {
    await running.disposeAsync();
    throw error;
  }
}

/** Starts the parts, one after another; each is closed with `running`, the last one first. */
async function startOn(options: RunOptions, running: AsyncDisposableStack): Promise<RunningBroker> {
  const { log, scope, serverNames } = options;
  const data = running.use(
    await openBrokerDirectory(options.dataDirectory, { serverNames, scope, now: () => new Date() }),
  );
  if (data.server.warning !== undefined) log.warn(data.server.warning);
  const rights = data.registry.connectionRights({
    onUnreadablePolicy: (policyName, reason) => log.error({ policyName, reason }, "policy cannot be read"),
  });
  const authorizer = new PolicyAuthorizer(rights);
  const sessions = options.sessions === "memory" ? undefined : await openSessionFile(options.dataDirectory, log);
  if (sessions !== undefined) running.use(sessions);
  const decisions = new DecisionLog();
  const events = running.use(new EventLog({ log, decisions }));
  const broker = new Broker<Peer, Principal>({
    authenticator: authorizer,
    authorizer,
    assignClientIdentifier: randomUUID,
    nextTurn: (work) => setImmediate(() => work(performance.now())),
    denial: options.denial,
    persistence: sessions?.persistence,
    onEvent: events.record,
    onPublished: log.isLevelEnabled("debug") ? (event) => logPublished(log, event) : undefined,
  });
  running.defer(() => broker.settled());
  const listener = await startListener(options, data, broker);
  running.defer(() => listener.close());
  const control =
    options.control &&
    (await runControlPlane(options.control, options.dataDirectory, data, { broker, decisions }, log));
  const refresh = refreshPrincipals(data.storage, rights, broker, log);
  const tick = setInterval(() => broker.tick(performance.now()), tickMs);
  const renewal = setInterval(() => void renewServerCertificate(data, [listener, control], log), renewalCheckMs);
  return {
    host: listener.address.address,
    port: listener.address.port,
    controlUrl: control?.url,
    newAdministrator: control?.newAdministrator,
    async [Symbol.asyncDispose]() {
      clearInterval(tick);
      clearInterval(renewal);
      refresh[Symbol.dispose]();
      await control?.close();
      broker.shutdown(performance.now());
      await running.disposeAsync();
    },
  };
}

/** Starts to listen. Throws `ERR_BROKER_LISTEN`. */
async function startListener(
  { host, port, tls, log }: RunOptions,
  data: BrokerDirectory,
  broker: Broker<Peer, Principal>,
): Promise<Listener> {
  const listenBy = tls === "latchkey" ? listenWithLatchkeyTls : listen;
  try {
    return await listenBy<Peer>({
      host,
      port,
      certificate: data.server.certificate,
      privateKey: data.server.privateKey,
      handshakeTimeoutMs,
      maximumConnections,
      judge: judgeWith(data.registry, log),
      onConnection: (peer, connection) => serve(broker, peer, connection),
      onHandshakeFailed: (remote, reason) => log.warn({ remote, reason }, "TLS handshake failed"),
    });
  } catch (cause) {
    throw new BrokerError("ERR_BROKER_LISTEN", `cannot listen on ${host}:${port}: ${messageOf(cause)}`, { cause });
  }
}

/** Serves a renewed certificate without a restart. What cannot be renewed is served on, with a line in the log. */
async function renewServerCertificate(
  data: BrokerDirectory,
  listeners: readonly (Pick<Listener, "setCertificate"> | undefined)[],
  log: Logger,
): Promise<void> {
  try {
    const { certificate, privateKey, warning } = await data.renewServer();
    if (warning !== undefined) log.warn(warning);
    for (const listener of listeners) listener?.setCertificate(certificate, privateKey);
  } catch (error) {
    log.error({ reason: messageOf(error) }, "the server certificate cannot be renewed");
  }
}

/** Decides who a client is, and logs each refusal. */
function judgeWith(registry: Registry, log: Logger): (handshake: Handshake) => Promise<Peer | undefined> {
  return async ({ chain, serverName, protocol, remote }) => {
    const result = await registry.resolvePrincipal(chain, serverName);
    if (!result.ok) {
      logRefusal(log, { remote, protocol }, result);
      return undefined;
    }
    const { principal } = result;
    log.info({ remote, protocol, certificateId: principal.certificateId }, "client identified");
    return { principal, sourceIp: remote.slice(0, remote.lastIndexOf(":")), serverName, remote };
  };
}

function serve(broker: Broker<Peer, Principal>, peer: Peer, connection: AcceptedConnection): void {
  const client = broker.accept(peer, connection, performance.now());
  connection.onData = (chunk) => client.receive(chunk, performance.now());
  connection.onDrained = () => client.drained(performance.now());
  connection.onLost = (detail) => client.lost(detail, performance.now());
}
