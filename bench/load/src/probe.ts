/**
 * Asks a target whether it can do a scenario, before it is loaded: what it cannot do is reported with the reason, and never as
 * a rate of zero. Nothing is assumed by name; each question is put to the running target.
 */

import { createSecureContext } from "node:tls";
import { encode, type ProtocolVersion } from "@latchkey/mqtt-codec";
import { ClientFailure, failureKind, MqttClient, openSocket, tlsOf, WriteTurn, type ClientOptions } from "./client.ts";
import { pause } from "./clock.ts";
import { LoadError } from "./errors.ts";
import { deviceName, DeviceReader, type Authorities, type PemPair } from "./identities.ts";
import { scenarios } from "./scenario.ts";
import { sessionOf } from "./scripts/handshake.ts";
import type { Settings } from "./settings.ts";
import { topicRoot, type Target } from "./target/target.ts";
import { endpointOfUrl } from "./target/url-target.ts";

const timeoutMs = 10_000;
/** How long an answer may take before it counts as none. */
const answerTimeoutMs = 3000;

/** Clients for questions. */
interface Prober {
  readonly connect: (device: number, options?: Partial<ClientOptions>) => Promise<MqttClient>;
  readonly name: (device: number) => string;
  readonly resumes: () => Promise<void>;
  readonly handshake: () => Promise<void>;
}

/**
 * Why the target cannot do the scenario of `settings`, or undefined. Throws `ERR_LOAD_TARGET` where the target cannot be
 * reached or refuses every client.
 */
export async function unsupported(
  target: Target,
  settings: Settings,
  authorities: Authorities,
  identity: PemPair | undefined,
): Promise<string | undefined> {
  const scenario = scenarios[settings.scenario];
  const listener = missingListener(target, settings);
  if (listener !== undefined) return listener;
  const url = settings.scenario === "http-press" ? target.httpUrl : target.controlPlaneUrl;
  if (url !== undefined && (settings.scenario === "http-press" || settings.scenario === "control-plane")) {
    await reachUrl(url, target, settings, authorities, identity);
    return undefined;
  }
  if (target.speaks === "tls" && !scenario.isTlsOnly) return "it is a TLS server without MQTT";
  const prober = makeProber(target, settings, authorities, identity);
  await reach(target, prober);
  if (settings.resumed)
    return failureOf(
      () => prober.resumes(),
      (kind) => `it does not resume sessions (${kind})`,
    );
  if (target.speaks === "tls" || settings.scenario === "handshake") return undefined;
  const version = await failureOf(
    async () => (await prober.connect(0)).disconnect(),
    (kind) => `it refuses MQTT ${settings.mqtt} (${kind})`,
  );
  if (version !== undefined) {
    if (settings.mqtt === "5") return version;
    throw new LoadError(
      "ERR_LOAD_TARGET",
      `${target.name} refuses the bench's client ${prober.name(0)}: ${target.endpoint.tls === undefined ? version : adviceOn(version)}`,
    );
  }
  if (settings.qos === 2) {
    const reason = await failureOf(
      () => takesQos2(prober),
      (kind) => `it has no QoS 2 (${kind})`,
    );
    if (reason !== undefined) return reason;
  }
  if (settings.scenario === "shared") {
    return failureOf(
      () => shares(prober),
      (kind) => `it has no shared subscriptions (${kind})`,
    );
  }
  return undefined;
}

const unknownRoots = "the roots of its certificate are not known: name them with --ca FILE";
const clientCertificate =
  "it may not take this client certificate: name one that it knows with --certificate FILE --key FILE, or let it trust the bench's " +
  "(bench/README.md, Targets)";
/** What to do about a failure, by a part of its name. */
const advice: readonly (readonly [part: string, words: string])[] = [
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", unknownRoots],
  ["UNABLE_TO_GET_ISSUER_CERT", unknownRoots],
  ["SELF_SIGNED_CERT", unknownRoots],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "its certificate is for another name: use that one in the URL"],
  ["CERT_HAS_EXPIRED", "its certificate has expired"],
  ["ECONNREFUSED", "nothing listens there"],
  ["ENOTFOUND", "no such name"],
  ["WRONG_VERSION_NUMBER", "that port does not speak TLS"],
  ["ALERT_UNKNOWN_CA", clientCertificate],
  ["ALERT_BAD_CERTIFICATE", clientCertificate],
  ["ALERT_CERTIFICATE_UNKNOWN", clientCertificate],
  ["CERTIFICATE_REQUIRED", clientCertificate],
  // In TLS 1.3 a client is done before the target has seen its certificate; some targets then only close.
  ["(ECONNRESET)", clientCertificate],
  ["(closed by the target)", clientCertificate],
];

/** A failure with what to do about it, where that is known. */
function adviceOn(failure: string): string {
  const [, words] = advice.find(([part]) => failure.includes(part)) ?? [];
  return words === undefined ? failure : `${failure}: ${words}`;
}

/** Names the listener that a scenario needs and the target lacks. */
function missingListener(target: Target, { scenario }: Settings): string | undefined {
  if (scenario === "http-press" && target.httpUrl === undefined) {
    return "it has no listener for publishing by HTTPS (--http-url https://HOST:PORT names one)";
  }
  if (scenario === "control-plane" && target.controlPlaneUrl === undefined) {
    return "it has no control-plane listener (--control-plane-url http://HOST:PORT names one)";
  }
  return undefined;
}

function makeProber(
  target: Target,
  settings: Settings,
  authorities: Authorities,
  identity: PemPair | undefined,
): Prober {
  const reader = new DeviceReader(authorities.folder, authorities.keyType);
  const protocolVersion: ProtocolVersion = settings.mqtt === "5" ? 5 : 4;
  const { endpoint, roots } = target;
  const turn = new WriteTurn();
  const context = (device: number) => {
    if (endpoint.tls === undefined) return undefined;
    const { certificate, privateKey } = identity ?? reader.device(device);
    const { version } = endpoint.tls;
    return createSecureContext({
      cert: certificate,
      key: privateKey,
      ...(roots !== undefined && { ca: roots }),
      ...(version !== undefined && { minVersion: `TLSv${version}` as const, maxVersion: `TLSv${version}` as const }),
    });
  };
  const name = (device: number): string =>
    identity === undefined ? reader.device(device).commonName : deviceName(device);
  return {
    name,
    connect: async (device, options = {}) => {
      const socket = await openSocket(endpoint, context(device), timeoutMs);
      return MqttClient.connect(socket, turn, {
        clientIdentifier: name(device),
        protocolVersion,
        timeoutMs,
        ...options,
      });
    },
    handshake: async () => {
      (await openSocket(endpoint, context(0), timeoutMs)).destroy();
    },
    resumes: async () => {
      const first = await openSocket(endpoint, context(0), timeoutMs);
      const session = await sessionOf(first);
      first.destroy();
      const second = await openSocket(endpoint, context(0), timeoutMs, session);
      const isReused = tlsOf(second).isSessionReused();
      second.destroy();
      if (!isReused) throw new ClientFailure("a session that was offered got a full handshake");
    },
  };
}

/** One connection or handshake, so that a target that is not there is an error and not a scenario without messages. */
async function reach(target: Target, prober: Prober): Promise<void> {
  try {
    await prober.handshake();
  } catch (cause) {
    const { host, port, tls } = target.endpoint;
    const how = tls === undefined ? "by TCP" : "by TLS";
    throw new LoadError(
      "ERR_LOAD_TARGET",
      `${target.name} cannot be reached ${how} at ${host}:${port}: ${adviceOn(failureKind(cause))}`,
      { cause },
    );
  }
}

/** One connection to where the scenario's requests go: with the first device's certificate for a press, without one for a call. */
async function reachUrl(
  url: string,
  target: Target,
  settings: Settings,
  authorities: Authorities,
  identity: PemPair | undefined,
): Promise<void> {
  const endpoint = endpointOfUrl(new URL(url), settings);
  const { roots } = target;
  const isPress = settings.scenario === "http-press";
  const { certificate, privateKey } = identity ?? new DeviceReader(authorities.folder, authorities.keyType).device(0);
  const context = createSecureContext({
    ...(isPress && { cert: certificate, key: privateKey }),
    ...(roots !== undefined && { ca: roots }),
  });
  try {
    (await openSocket(endpoint, context, timeoutMs)).destroy();
  } catch (cause) {
    throw new LoadError("ERR_LOAD_TARGET", `${url} cannot be reached: ${adviceOn(failureKind(cause))}`, { cause });
  }
}

async function failureOf(ask: () => Promise<void>, reason: (kind: string) => string): Promise<string | undefined> {
  try {
    await ask();
    return undefined;
  } catch (error) {
    if (!(error instanceof ClientFailure)) throw error;
    return reason(error.kind);
  }
}

/** One PUBLISH with QoS 2, from PUBLISH to PUBCOMP, and one delivered with QoS 2. */
async function takesQos2(prober: Prober): Promise<void> {
  await deliver(prober, `${topicRoot}/${prober.name(0)}/probe`, 2, 1);
}

/** Two members of one shared subscription; two messages; each of them once. */
async function shares(prober: Prober): Promise<void> {
  const received = await deliver(prober, `$share/probe/${topicRoot}/${prober.name(0)}/probe`, 1, 2);
  if (received !== 2) throw new ClientFailure(`2 messages to a group of 2 members arrived ${received} times`);
}

/** Publishes two messages to `members` subscribers of `topicFilter`; gives how many deliveries there were. */
async function deliver(prober: Prober, topicFilter: string, qos: 1 | 2, members: number): Promise<number> {
  let received = 0;
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => {});
  const onLost = (kind: string): void => reject(new ClientFailure(kind));
  const clients: MqttClient[] = [];
  const until = async (isDone: () => boolean): Promise<void> => {
    for (let waited = 0; !isDone() && waited < answerTimeoutMs; waited += 20) await Promise.race([pause(20), failed]);
  };
  try {
    for (let member = 1; member <= members; member++) {
      clients.push(await prober.connect(member, { onLost, onPublish: () => received++ }));
    }
    for (const client of clients) await Promise.race([client.subscribe(topicFilter, qos), failed]);
    let acknowledged = 0;
    const publisher = await prober.connect(0, { onLost, onAcknowledged: () => acknowledged++ });
    clients.push(publisher);
    for (let n = 0; n < 2; n++) {
      const packetIdentifier = publisher.takePacketIdentifier();
      const topicName = `${topicRoot}/${prober.name(0)}/probe`;
      publisher.queue(
        encode({ type: "publish", topicName, payload: Buffer.from("probe"), qos, packetIdentifier }, publisher.version),
      );
    }
    await until(() => acknowledged === 2);
    if (acknowledged !== 2) throw new ClientFailure("no acknowledgement");
    await until(() => received >= 2);
    if (received < 2) throw new ClientFailure(`${received} of 2 messages arrived`);
    // What would arrive twice has had the time of a round trip.
    await pause(50);
    return received;
  } finally {
    await Promise.all(clients.map((client) => client.disconnect()));
  }
}
