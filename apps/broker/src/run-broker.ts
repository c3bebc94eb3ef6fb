/** A running broker: the data directory, the listener and the core, wired together. */

import { randomUUID } from "node:crypto";
import { Broker } from "@latchkey/broker-core";
import { nodeProvider } from "@latchkey/crypto/node";
import type { ArnScope } from "@latchkey/policy";
import { CertificateIdentifier } from "@latchkey/registry";
import type { Logger } from "pino";
import { PolicyAuthorizer, type Peer, type Principal } from "./authorization/policy-authorizer.ts";
import { openBrokerDirectory } from "./data-directory/data-directory.ts";
import { BrokerError, messageOf } from "./errors.ts";
import { logEvent, logRefusal } from "./observability/event-log.ts";
import { listen, type AcceptedConnection, type Handshake, type Listener } from "./listeners/node-tls.ts";

/** Settings of `latchkey start`. */
export interface RunOptions {
  readonly dataDirectory: string;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Names that the server's certificate is valid for, besides localhost and the loopback addresses. */
  readonly serverNames: readonly string[];
  readonly scope: ArnScope;
  readonly denial: "explain" | "parity";
  readonly log: Logger;
}

/** A broker that listens. */
export interface RunningBroker extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
}

const tickMs = 1000;
/** How often a change that another process made to the registry is looked for. */
const registryPollMs = 200;
const handshakeTimeoutMs = 10_000;
const maximumConnections = 10_000;

/** Starts a broker. Throws `BrokerError` or `RegistryError` where a person has to do something. */
export async function runBroker(options: RunOptions): Promise<RunningBroker> {
  const { log } = options;
  const data = await openBrokerDirectory(options.dataDirectory, { serverNames: options.serverNames, now: new Date() });
  if (data.server.warning !== undefined) log.warn(data.server.warning);
  const authority = new PolicyAuthorizer(data.registry, options.scope, (policyName, reason) => {
    log.error({ policyName, reason }, "policy cannot be read");
  });
  const broker = new Broker<Peer, Principal>({
    authenticator: authority,
    authorizer: authority,
    assignClientIdentifier: randomUUID,
    denial: options.denial,
    onEvent: (event) => logEvent(log, authority, event),
  });
  let listener: Listener;
  try {
    listener = await listen<Peer>({
      host: options.host,
      port: options.port,
      certificate: data.server.certificate,
      privateKey: data.server.privateKey,
      handshakeTimeoutMs,
      maximumConnections,
      judge: judgeWith(new CertificateIdentifier(data.registry, nodeProvider), log),
      onConnection: (peer, connection) => serve(broker, peer, connection),
      onHandshakeFailed: (remote, reason) => log.warn({ remote, reason }, "TLS handshake failed"),
    });
  } catch (cause) {
    await data[Symbol.asyncDispose]();
    throw new BrokerError(
      "ERR_BROKER_LISTEN",
      `cannot listen on ${options.host}:${options.port}: ${messageOf(cause)}`,
      { cause },
    );
  }
  const stopTimers = startTimers(broker, authority, log);
  return {
    host: listener.address.address,
    port: listener.address.port,
    async [Symbol.asyncDispose]() {
      stopTimers();
      broker.shutdown();
      await listener.close();
      await data[Symbol.asyncDispose]();
    },
  };
}

/** Believes a client's certificate or not, and logs why not. */
function judgeWith(
  identifier: CertificateIdentifier,
  log: Logger,
): (handshake: Handshake) => Promise<Peer | undefined> {
  return async ({ chain, serverName, protocol, remote }) => {
    const result = await identifier.identify(chain, Math.floor(Date.now() / 1000));
    if (!result.ok) {
      logRefusal(log, { remote, protocol }, result);
      return undefined;
    }
    const { identity } = result;
    log.info({ remote, protocol, certificateId: identity.certificateId }, "client identified");
    return { identity, sourceIp: remote.slice(0, remote.lastIndexOf(":")), serverName, remote };
  };
}

function serve(broker: Broker<Peer, Principal>, peer: Peer, connection: AcceptedConnection): void {
  const client = broker.accept(peer, connection, performance.now());
  connection.onData = (chunk) => client.receive(chunk, performance.now());
  connection.onDrained = () => client.drained(performance.now());
  connection.onLost = (detail) => client.lost(detail);
}

function startTimers(broker: Broker<Peer, Principal>, authority: PolicyAuthorizer, log: Logger): () => void {
  const tick = setInterval(() => broker.tick(performance.now()), tickMs);
  let isApplying = false;
  const poll = setInterval(() => {
    if (isApplying) return;
    isApplying = true;
    void applyChanges(broker, authority, log).finally(() => {
      isApplying = false;
    });
  }, registryPollMs);
  return () => {
    clearInterval(tick);
    clearInterval(poll);
  };
}

/** A changed status or policy acts on live connections. A client whose rights cannot be read loses them all. */
async function applyChanges(broker: Broker<Peer, Principal>, authority: PolicyAuthorizer, log: Logger): Promise<void> {
  for (const connection of Array.from(broker.connections())) {
    const { principal } = connection;
    if (principal === undefined) continue;
    try {
      const refusal = await authority.refresh(principal);
      if (refusal !== undefined) connection.end("administrative", refusal);
    } catch (error) {
      authority.revoke(principal);
      log.error({ certificateId: principal.certificateId, reason: messageOf(error) }, "rights cannot be read");
      connection.end("administrative", "the registry cannot be read");
    }
  }
}
