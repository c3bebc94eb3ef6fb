/** The broker's doors: which ports there are, what is spoken on each, and what becomes of a client that is refused. */

import { messageOf } from "@latchkey/command-line";
import type { Broker, Profile } from "@latchkey/broker-core";
import type { Logger } from "pino";
import { judgeClient, judgePlainClient } from "./judge-client.ts";
import type { HandshakePeer, Peer } from "../authorization/peer.ts";
import type { PolicyAuthorizer, Principal } from "../authorization/policy-authorizer.ts";
import { deviceDataPlane } from "../data-plane/data-plane.ts";
import { startDataPlane, type DataPlaneServer } from "../data-plane/https-server.ts";
import { MqttOverWebSocket, type WebSocketOptions } from "../data-plane/websocket.ts";
import type { BrokerDirectory } from "../data-directory/data-directory.ts";
import { BrokerError } from "../errors.ts";
import type { Observability } from "../observability/observability.ts";
import { Admission, type AdmissionLimits } from "./admission.ts";
import { latchkeyTlsLayer } from "./latchkey-tls.ts";
import { nodeTlsLayer } from "./node-tls.ts";
import { openFiles, type OpenFiles } from "./open-files.ts";
import { plainLayer } from "./plain-layer.ts";
import { startSecureListener, type SecureListener } from "./secure-listener.ts";
import { serveMqtt } from "./serve-mqtt.ts";
import type { Handshake, SecureConnection } from "./tls-layer.ts";

/** What is spoken on a port; `alpn`: what the client asks for, as on AWS IoT's port 443; `mqtt`: MQTT without TLS. */
export type Service = "mqtts" | "https" | "alpn" | "mqtt";

/** A port to listen on. */
export type ListenerSettings = {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
} & (
  | { readonly service: Exclude<Service, "mqtt"> }
  /** On a loopback address alone. Every client has the rights of this registered certificate. */
  | { readonly service: "mqtt"; readonly certificateId: string }
);

/** A port that is listened on. */
export interface Listening {
  readonly service: Service;
  readonly host: string;
  readonly port: number;
}

/** What is limited before a client is known to the broker core. */
export interface ListenerLimits extends AdmissionLimits {
  /**
   * How long a client whose certificate is refused stays connected, to ask by CONNECT or an HTTP request and to be told why. In milliseconds from
   * the handshake on.
   */
  readonly refusedTimeoutMs: number;
}

/** What the listeners are started with. */
export interface ListenersOptions {
  readonly listeners: readonly ListenerSettings[];
  /** Which TLS engine is under the listeners: node:tls or `@latchkey/tls`. */
  readonly tls: "node" | "latchkey";
  /** `explain` tells a refused client why, by CONNACK or an HTTP answer; `parity` cuts it off, as AWS IoT does. */
  readonly denial: "explain" | "parity";
  readonly profile?: Profile | undefined;
  readonly listenerLimits?: Partial<ListenerLimits> | undefined;
  /** How long a TLS handshake may take. Default 10,000. */
  readonly handshakeTimeoutMs?: number | undefined;
  /** How long an HTTP request may take to arrive. Default 10,000. */
  readonly requestTimeoutMs?: number | undefined;
  /** Who signed the URL of a WebSocket; undefined where there are no access keys. */
  readonly authenticateProgram: WebSocketOptions["authenticateProgram"];
  readonly data: BrokerDirectory;
  readonly broker: Broker<Peer, Principal>;
  readonly authorizer: PolicyAuthorizer;
  /** Learns what becomes of handshakes. */
  readonly observed: Observability;
  readonly log: Logger;
}

/** Listeners that listen. */
export interface Listeners {
  readonly listening: readonly Listening[];
  setCertificate(certificate: string, privateKey: string): void;
  /** Changes the limits; connections that are open stay. What is left out gets its default. */
  setLimits(limits: Partial<ListenerLimits>): void;
  /** Stops listening and ends what is still open; resolves when all is closed. */
  close(): Promise<void>;
}

const defaultHandshakeTimeoutMs = 10_000;
/** Ours, against a process that runs out of file descriptors. AWS IoT has no such limit of its own. */
const defaultLimits: ListenerLimits = {
  maximumConnections: 10_000,
  maximumConnectionsPerSecond: 0,
  // Behind a load balancer or a translated address all clients have one address.
  maximumConnectionsOfAddress: Infinity,
  maximumConnectionsPerSecondOfAddress: 0,
  maximumHandshakesOfAddress: Infinity,
  refusedTimeoutMs: 2000,
};

/** AWS IoT's protocol names of ALPN, and those that other programs use. */
const mqttProtocols: readonly string[] = ["x-amzn-mqtt-ca", "mqtt"];
const httpProtocols: readonly string[] = ["x-amzn-http-ca", "http/1.1"];

/** Starts them. Throws `ERR_BROKER_LISTEN`, and then none of them listens. */
export async function startListeners(options: ListenersOptions): Promise<Listeners> {
  const { denial, broker, authorizer, log } = options;
  const files = openFiles();
  let limits = limitsWithin(files, { ...defaultLimits, ...options.listenerLimits }, log);
  const admission = new Admission(limits);
  const dataPlane = await startDataPlane({
    authorizer,
    webSocket: new MqttOverWebSocket({ broker, authenticateProgram: options.authenticateProgram }),
    dataPlaneOf: deviceDataPlane(broker, authorizer, denial),
    requestTimeoutMs: options.requestTimeoutMs,
    log,
  });
  const started: { readonly service: Service; readonly listener: SecureListener }[] = [];
  const close = async (): Promise<void> => {
    await Promise.all([...started.map(({ listener }) => listener.close()), dataPlane.close()]);
  };
  try {
    for (const settings of options.listeners) {
      const { service } = settings;
      started.push({
        service,
        listener: await startListener(settings, options, { admission, dataPlane, limits: () => limits }),
      });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    listening: started.map(({ service, listener: { address } }) => ({
      service,
      host: address.address,
      port: address.port,
    })),
    setCertificate(certificate, privateKey) {
      for (const { listener } of started) listener.setCertificate(certificate, privateKey);
    },
    setLimits(changed) {
      limits = limitsWithin(files, { ...defaultLimits, ...changed }, log);
      admission.limits = limits;
    },
    close,
  };
}

/**
 * Admits no more connections than the limit on open files leaves room for. Otherwise the system would close those above it without a word, and
 * the registry and the logs could not open their files either.
 */
function limitsWithin(files: OpenFiles | undefined, limits: ListenerLimits, log: Logger): ListenerLimits {
  if (files === undefined || files.maximumConnections >= limits.maximumConnections) return limits;
  const { maximumOpenFiles, maximumConnections } = files;
  log.warn(
    {
      maximumOpenFiles,
      maximumConnections,
      configured: limits.maximumConnections,
      mend: "raise the limit on open files (ulimit -n, LimitNOFILE of systemd), or set limits.process.maximumConnections lower",
    },
    "the limit on open files leaves room for fewer connections",
  );
  return { ...limits, maximumConnections };
}

/** What all listeners share. */
interface Shared {
  readonly admission: Admission;
  readonly dataPlane: DataPlaneServer;
  /** Those of this moment. */
  readonly limits: () => ListenerLimits;
}

/** Starts one of them. Throws `ERR_BROKER_LISTEN`. */
async function startListener(
  settings: ListenerSettings,
  options: ListenersOptions,
  { admission, dataPlane, limits }: Shared,
): Promise<SecureListener> {
  const { service, host, port } = settings;
  const { data, tls, denial, broker, observed, log, handshakeTimeoutMs = defaultHandshakeTimeoutMs } = options;
  const judgeOne = judgeOf(settings, options);
  const serve = async (connection: SecureConnection, handshake: Handshake): Promise<void> => {
    // The client is judged before an octet is read from it.
    const peer = await judgeOne(handshake);
    if (connection.isDestroyed) return;
    if (peer.kind === "refused" && denial === "parity") {
      connection.refuse(peer.alert);
      return;
    }
    const speaksMqtt = isMqtt(service, handshake.applicationProtocol);
    // Over HTTP a signature can stand in for a certificate that was not shown.
    const isRefused = peer.kind === "refused" && (speaksMqtt || peer.alert !== "certificate_required");
    const timeoutMs = isRefused ? limits().refusedTimeoutMs : undefined;
    if (speaksMqtt) {
      const client = serveMqtt(broker, peer, connection);
      const reason = "it was refused and sent no CONNECT in time";
      callAfter(timeoutMs, connection, () => client.lost(reason, performance.now()));
    } else {
      dataPlane.serve(connection.stream(), peer);
      callAfter(timeoutMs, connection, () => connection.close());
    }
  };
  try {
    return await startSecureListener({
      host,
      port,
      isLoopbackOnly: service === "mqtt",
      tlsLayer: service === "mqtt" ? plainLayer : tlsLayers[tls],
      certificate: data.server.certificate,
      privateKey: data.server.privateKey,
      handshakeTimeoutMs,
      applicationProtocols: service === "alpn" ? [...mqttProtocols, ...httpProtocols] : [],
      admission,
      onConnection: (connection, handshake) => void serve(connection, handshake),
      onFailed: observed.handshakeFailed,
      onNotAdmitted: (remote, limit) => observed.notAdmitted(remote, limit, admission.limits[limit]),
      onAcceptFailed: (reason) => log.error({ reason, open: admission.open }, "a connection cannot be accepted"),
    });
  } catch (cause) {
    throw new BrokerError(
      "ERR_BROKER_LISTEN",
      `cannot listen on ${host}:${port} for ${service}: ${messageOf(cause)}. Give another port with --${flags[service]}`,
      { cause },
    );
  }
}

const tlsLayers = { node: nodeTlsLayer, latchkey: latchkeyTlsLayer } as const;

/** How a client of this listener is judged. */
function judgeOf(
  settings: ListenerSettings,
  { data, profile, observed, log }: ListenersOptions,
): (handshake: Handshake) => Promise<HandshakePeer> {
  const { registry, scope } = data;
  const judging = { registry, isServerNameRequired: profile === "aws", observed, log };
  if (settings.service !== "mqtt") return (handshake) => judgeClient(judging, handshake);
  const { host, port, certificateId } = settings;
  log.warn(
    { host, port, certificateId },
    "plain MQTT: every program of this machine has the rights of the certificate",
  );
  return (handshake) => judgePlainClient(judging, handshake, { scope, certificateId });
}

/** Calls `end` where the connection is still open then. */
function callAfter(timeoutMs: number | undefined, connection: SecureConnection, end: () => void): void {
  if (timeoutMs === undefined) return;
  const timer = setTimeout(() => {
    if (!connection.isDestroyed) end();
  }, timeoutMs);
  timer.unref();
}

const flags: Readonly<Record<Service, string>> = {
  mqtts: "port",
  https: "https-port",
  alpn: "alpn-port",
  mqtt: "plain-port",
};

function isMqtt(service: Service, applicationProtocol: string | undefined): boolean {
  if (service !== "alpn") return service !== "https";
  // A client that asks for nothing speaks HTTP, as on port 443 of AWS IoT.
  return applicationProtocol !== undefined && mqttProtocols.includes(applicationProtocol);
}
