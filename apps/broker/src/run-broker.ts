/** A running broker: the data directory, the listeners and the core, wired together. */

import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { messageOf } from "@latchkey/command-line";
import { Broker, type Limits, type Profile } from "@latchkey/broker-core";
import type { ConnectionRightsTable, Scope } from "@latchkey/registry";
import type { Logger } from "pino";
import type { Peer } from "./authorization/peer.ts";
import { PolicyAuthorizer, type Principal } from "./authorization/policy-authorizer.ts";
import { refreshPrincipals } from "./authorization/principal-refresh.ts";
import type { AccessKey, AccessKeys } from "./authorization/access-keys.ts";
import { outliving } from "./authorization/kept-principals.ts";
import { authenticateProgram } from "./authorization/authenticate.ts";
import { openAuthentication, runControlPlane, type ControlPlaneSettings } from "./control-plane/run-control-plane.ts";
import { openBrokerDirectory, type BrokerDirectory } from "./data-directory/data-directory.ts";
import { endingCertificates } from "./data-directory/ending-certificates.ts";
import { announceListeners } from "./data-directory/listeners-file.ts";
import type { ServerCredential } from "./data-directory/server-certificate.ts";
import { openSessionFile } from "./data-directory/session-file.ts";
import { addressGroup } from "./listeners/address-group.ts";
import { programDataPlane } from "./data-plane/data-plane.ts";
import { ClockWatch } from "./observability/clock-watch.ts";
import { logPublished } from "./observability/event-log.ts";
import { OpenFilesWatch } from "./observability/open-files-watch.ts";
import { Observability, type MetricsSettings, type ObservabilityOptions } from "./observability/observability.ts";
import { takeReserved, type ReservedTopicsOptions } from "./reserved-topics/reserved-topics.ts";
import {
  startListeners,
  type ListenerLimits,
  type ListenerSettings,
  type Listeners,
  type Listening,
} from "./listeners/start-listeners.ts";

/** Settings of `latchkey start`. */
export interface RunOptions {
  readonly dataDirectory: string;
  readonly listeners: readonly ListenerSettings[];
  /** In place of the broker core's. */
  readonly limits?: Partial<Limits> | undefined;
  /** Default: 10,000 connections, as many of one address, and 2 s for a client whose certificate is refused. */
  readonly listenerLimits?: Partial<ListenerLimits> | undefined;
  /** Names that the server's certificate is valid for, besides localhost and the loopback addresses. */
  readonly serverNames: readonly string[];
  readonly scope: Scope;
  readonly denial: "explain" | "parity";
  /** `standard` (default): MQTT as its standards have it. `aws`: the limits and deviations of AWS IoT Core; a server name (SNI) is demanded. */
  readonly profile?: Profile | undefined;
  /** Which TLS engine is under the listeners: node:tls or `@latchkey/tls`. */
  readonly tls: "node" | "latchkey";
  /** How long a TLS handshake may take. Default 10,000. */
  readonly handshakeTimeoutMs?: number | undefined;
  /** How long an HTTP request of a device may take to arrive. Default 10,000. */
  readonly requestTimeoutMs?: number | undefined;
  /** The REST API; undefined for none. */
  readonly control: ControlPlaneSettings | undefined;
  /** Where sessions and retained messages are kept: a file of the data directory (default), or this process alone. */
  readonly sessions?: "disk" | "memory" | undefined;
  readonly log: Logger;
  /** Where the lines of the log go, for the count of lost ones. */
  readonly logWriter?: ObservabilityOptions["logWriter"];
  /** Where metrics are to be had; undefined for none. */
  readonly metrics?: MetricsSettings | undefined;
}

/** A broker that listens. */
export interface RunningBroker extends AsyncDisposable {
  /** In the order of the settings. */
  readonly listening: readonly Listening[];
  /** Where the control plane listens: `http://HOST:PORT`. */
  readonly controlUrl: string | undefined;
  /** Where metrics are to be had: `http://HOST:PORT`. */
  readonly metricsUrl: string | undefined;
  /** The access key that this start has made, because there was none. */
  readonly newAdministrator: AccessKey | undefined;
  /**
   * Takes other limits (what is left out gets its default), looks at the level of the log, reads the server's certificate again and
   * opens the file of refusals again. What fails is in the log.
   */
  reload(changes: LiveChanges): Promise<void>;
}

/** What changes while the broker runs. */
type LiveChanges = Required<Pick<RunOptions, "limits" | "listenerLimits">>;

const tickMs = 1000;
/** How often it is looked whether the server's certificate runs out soon, and what nobody has claimed. */
const upkeepMs = 60 * 60 * 1000;

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

/** What decides and routes, without a way in yet. */
interface Core {
  readonly rights: ConnectionRightsTable;
  readonly authorizer: PolicyAuthorizer;
  readonly broker: Broker<Peer, Principal>;
  readonly observed: Observability;
}

/** Makes the broker core, with the sessions that were kept. */
async function openCore(
  options: RunOptions,
  { registry }: BrokerDirectory,
  accessKeys: AccessKeys | undefined,
  running: AsyncDisposableStack,
): Promise<Core> {
  const { log, dataDirectory, denial, profile = "standard", sessions: place } = options;
  const rights = registry.connectionRights({
    onUnreadablePolicy: (policyName, reason) => log.error({ policyName, reason }, "policy cannot be read"),
  });
  const authorizer = new PolicyAuthorizer(rights, profile);
  const sessions = place === "memory" ? undefined : await openSessionFile(dataDirectory, log);
  if (sessions !== undefined) running.use(sessions);
  const reserved: ReservedTopicsOptions = {
    provisioning: registry.fleetProvisioning,
    sendTo: (clientIdentifier, message) => broker.sendTo(clientIdentifier, message, performance.now()),
    profile,
    log,
  };
  const observed = running.use(await Observability.start({ ...options, metrics: options.metrics }));
  const broker: Broker<Peer, Principal> = new Broker<Peer, Principal>({
    authenticator: outliving(authorizer, { registry, rights, accessKeys }),
    authorizer,
    addressOf: ({ sourceIp }) => addressGroup(sourceIp),
    assignClientIdentifier: randomUUID,
    monotonicMs: () => performance.now(),
    nextTurn: (work) => setImmediate(() => work(performance.now())),
    denial,
    limits: options.limits,
    profile,
    reservedTopics: (publish) => takeReserved(reserved, publish),
    persistence: sessions?.persistence,
    onEvent: observed.record,
  });
  reportPublished(broker, log);
  observed.publishLifecycle(broker, registry);
  running.defer(() => broker.settled());
  return { rights, authorizer, broker, observed };
}

/** Has a line written for each message, where the log takes such lines. */
function reportPublished(broker: Broker<Peer, Principal>, log: Logger): void {
  broker.reportPublished(log.isLevelEnabled("debug") ? (event) => logPublished(log, event) : undefined);
}

/** Starts the parts, one after another; each is closed with `running`, the last one first. */
async function startOn(options: RunOptions, running: AsyncDisposableStack): Promise<RunningBroker> {
  const { log, scope, serverNames } = options;
  const data = running.use(
    await openBrokerDirectory(options.dataDirectory, { serverNames, scope, now: () => new Date() }),
  );
  reportServerCertificate(data, data.server, log);
  const authentication = options.control && (await openAuthentication(options.dataDirectory, data));
  const { rights, authorizer, broker, observed } = await openCore(options, data, authentication?.keys, running);
  const listeners = await startListeners({
    ...options,
    data,
    broker,
    authorizer,
    observed,
    authenticateProgram: authentication && ((parts, peer) => authenticateProgram(authentication, parts, peer)),
  });
  running.defer(() => listeners.close());
  running.use(await announceListeners(options.dataDirectory, listeners.listening, log));
  const control =
    options.control &&
    authentication &&
    (await runControlPlane(
      options.control,
      options.dataDirectory,
      data,
      { broker, dataPlane: programDataPlane(broker), decisions: observed.decisions, authentication },
      log,
    ));
  const refresh = refreshPrincipals(data.storage, rights, broker, log);
  const tick = keepTime(broker, log);
  const renewal = setInterval(() => {
    void renewServerCertificate(data, [listeners, control], log);
    void removeUnclaimed(data, log);
  }, upkeepMs);
  observed.attach(broker);
  return {
    listening: listeners.listening,
    controlUrl: control?.url,
    metricsUrl: observed.metricsUrl,
    newAdministrator: control?.newAdministrator,
    async reload({ limits, listenerLimits }) {
      broker.changeLimits(limits ?? {});
      listeners.setLimits(listenerLimits ?? {});
      reportPublished(broker, log);
      observed.reopen();
      await renewServerCertificate(data, [listeners, control], log);
    },
    async [Symbol.asyncDispose]() {
      observed.drain();
      clearInterval(tick);
      clearInterval(renewal);
      refresh[Symbol.dispose]();
      await control?.close();
      broker.shutdown(performance.now());
      await running.disposeAsync();
    },
  };
}

/** Has the broker core keep its times. The caller ends the timer. */
function keepTime(broker: Broker<Peer, Principal>, log: Logger): NodeJS.Timeout {
  const clock = new ClockWatch(log, Date.now(), performance.now());
  const openFiles = new OpenFilesWatch(log);
  return setInterval(() => {
    clock.look(Date.now(), performance.now());
    openFiles.look(performance.now(), broker.counters.connections);
    broker.tick(performance.now());
  }, tickMs);
}

/** Removes what fleet provisioning has handed out and nobody has claimed in time. */
async function removeUnclaimed({ registry, scope }: BrokerDirectory, log: Logger): Promise<void> {
  try {
    const removed = await registry.templates.removeUnclaimed(scope, () => nextTurn());
    if (removed > 0) log.info({ removed }, "certificates that nobody has claimed are removed");
  } catch (error) {
    log.error({ reason: messageOf(error) }, "certificates that nobody has claimed cannot be removed");
  }
}

/** Warns of what is wrong with what the broker shows, and of what ends soon. */
function reportServerCertificate(data: BrokerDirectory, server: ServerCredential, log: Logger): void {
  if (server.warning !== undefined) log.warn(server.warning);
  for (const ending of endingCertificates(data, server, Date.now() / 1000)) {
    log.warn(ending, "a certificate of the broker ends soon");
  }
}

/** Serves a renewed certificate without a restart. What cannot be renewed is served on, with a line in the log. */
async function renewServerCertificate(
  data: BrokerDirectory,
  listeners: readonly (Pick<Listeners, "setCertificate"> | undefined)[],
  log: Logger,
): Promise<void> {
  try {
    const server = await data.renewServer();
    reportServerCertificate(data, server, log);
    for (const listener of listeners) listener?.setCertificate(server.certificate, server.privateKey);
  } catch (error) {
    log.error({ reason: messageOf(error) }, "the server certificate cannot be renewed");
  }
}
