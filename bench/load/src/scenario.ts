/** The scenarios: what each is for, its defaults, its clients, and the name that its results have. */

import { LoadError } from "./errors.ts";
import { deviceName, distinctDevices } from "./identities.ts";
import type { RatioFigure } from "./result.ts";
import type { ScenarioName, Settings } from "./settings.ts";
import { topicRoot } from "./target/target.ts";
import type { ClientPlan } from "./task.ts";

/** What a scenario is. */
export interface Scenario {
  readonly about: string;
  /** What one operation is called in progress and tables. */
  readonly unit: "messages" | "handshakes" | "connections" | "presses" | "calls";
  /** True where a fixed time is measured, with a warm-up before it; false where a fixed number of operations is. */
  readonly isTimed: boolean;
  /** True where each round needs a target that has held nothing before: memory is measured. */
  readonly needsFreshTarget: boolean;
  /** True where a server without MQTT can take part. */
  readonly isTlsOnly: boolean;
  /** The cost that is compared with a peer's; null where a target has none to compare. */
  readonly ratioOf: RatioFigure;
  readonly defaults: Partial<Settings>;
  /** Tiny, for `--smoke`. */
  readonly smoke: Partial<Settings>;
  /** The clients that exist for the whole run; empty where a script makes them by number. */
  readonly plan: (settings: Settings) => ClientPlan[];
  /** How many devices take part. */
  readonly devices: (settings: Settings) => number;
  /** How many of them have a connection at a time; all of them where it is left out. */
  readonly underWay?: (settings: Settings) => number;
}

const shortly = { duration: 0.4, warmUp: 0.1, rampUp: 0 };
const messages = {
  unit: "messages",
  isTimed: true,
  needsFreshTarget: false,
  isTlsOnly: false,
  ratioOf: "cpuMicrosecondsPerMessage",
  devices: (settings: Settings): number => settings.publishers + settings.subscribers,
} as const;
const presses = {
  unit: "presses",
  isTimed: true,
  needsFreshTarget: false,
  isTlsOnly: false,
  ratioOf: "cpuMicrosecondsPerMessage",
  plan: (): ClientPlan[] => [],
  devices: (settings: Settings): number => settings.clients,
  underWay: ({ clients, concurrency }: Settings): number => Math.min(clients, concurrency),
} as const;

/** All scenarios by name. */
export const scenarios: Readonly<Record<ScenarioName, Scenario>> = {
  handshake: {
    about: "--count TLS handshakes with client certificates, --concurrency at a time; --resumed, --tls, --key-type",
    unit: "handshakes",
    isTimed: false,
    needsFreshTarget: false,
    isTlsOnly: true,
    ratioOf: "cpuMicrosecondsPerHandshake",
    defaults: { count: 2000, clients: 1000, concurrency: 32, rate: 0, duration: 600 },
    smoke: { count: 40, clients: 20, concurrency: 8, duration: 10 },
    plan: () => [],
    devices: (settings) => Math.min(settings.clients, settings.count),
    underWay: (settings) => settings.concurrency,
  },
  connect: {
    about: "opens --clients connections, holds them for --duration; memory of a connection",
    unit: "connections",
    isTimed: false,
    needsFreshTarget: true,
    isTlsOnly: true,
    ratioOf: "kilobytesPerConnection",
    defaults: { clients: 1000, concurrency: 64, rate: 0, duration: 5 },
    smoke: { clients: 40, concurrency: 8, duration: 0.2 },
    plan: () => [],
    devices: (settings) => settings.clients,
  },
  "fan-in": {
    ...messages,
    about: "many --publishers, few --subscribers: each publisher's messages go to one of them",
    defaults: { publishers: 200, subscribers: 1, rate: 10_000 },
    smoke: { publishers: 10, subscribers: 1, rate: 300, ...shortly },
    plan: (settings) => [
      ...publishers(settings, 1, (index) => `g${index % settings.subscribers}`),
      ...subscribers(settings, (index) => `${topicRoot}/+/g${index}/#`),
    ],
  },
  "fan-out": {
    ...messages,
    about: "few --publishers, many --subscribers: all of them receive each message",
    defaults: { publishers: 1, subscribers: 500, rate: 20 },
    smoke: { publishers: 1, subscribers: 10, rate: 30, ...shortly },
    plan: (settings) => [
      ...publishers(settings, settings.subscribers, () => "g0"),
      ...subscribers(settings, () => `${topicRoot}/+/g0/#`),
    ],
  },
  pairs: {
    ...messages,
    about: "--publishers pairs of one publisher and one subscriber",
    defaults: { publishers: 100, rate: 10_000 },
    smoke: { publishers: 5, rate: 300, ...shortly },
    plan: pairs,
    devices: (settings) => 2 * settings.publishers,
  },
  shared: {
    ...messages,
    about: "--subscribers members of one shared subscription; each message goes to one member",
    defaults: { publishers: 100, subscribers: 4, rate: 5000, qos: 1 },
    smoke: { publishers: 5, subscribers: 2, rate: 300, ...shortly },
    plan: (settings) => [
      ...publishers(settings, 1, () => "g0"),
      ...subscribers(settings, () => `$share/bench/${topicRoot}/+/g0/#`),
    ],
  },
  press: {
    ...presses,
    about: "the article's button: connect, publish one message, leave; --rate presses a second from --clients buttons",
    defaults: { clients: 500, rate: 100, concurrency: 200, qos: 1 },
    smoke: { clients: 20, rate: 30, concurrency: 10, ...shortly },
  },
  storm: {
    ...messages,
    about: "--clients idle clients all reconnect at once while pairs publish: phases before, storm, after, reconnect",
    defaults: { publishers: 50, clients: 500, rate: 2000, duration: 15 },
    smoke: { publishers: 3, clients: 15, rate: 100, ...shortly, duration: 0.9 },
    plan: (settings) => [
      ...pairs(settings),
      ...Array.from({ length: settings.clients }, (_, index) => ({
        ...idle,
        device: 2 * settings.publishers + index,
      })),
    ],
    devices: (settings) => 2 * settings.publishers + settings.clients,
  },
  mixed: {
    ...messages,
    about:
      "of --publishers 6 in 10 publish to one collector, 3 to a partner each, 1 to ten listeners; QoS 0 and 1 in turn",
    defaults: { publishers: 100, rate: 5000 },
    smoke: { publishers: 10, rate: 200, ...shortly },
    plan: mixed,
    devices: (settings) => mixed(settings).length,
  },
  retained: {
    ...messages,
    about: "--publishers leave --topics retained messages each; --subscribers come and get them all",
    isTimed: false,
    defaults: { publishers: 10, topics: 50, subscribers: 50, qos: 1 },
    smoke: { publishers: 2, topics: 5, subscribers: 4 },
    plan: (settings) => [
      ...publishers(settings, settings.subscribers, () => "retained"),
      ...subscribers(settings, () => `${topicRoot}/+/retained/#`),
    ],
  },
  offline: {
    ...messages,
    about: "--publishers pairs: --count messages wait for each absent subscriber, which then comes back for them",
    isTimed: false,
    defaults: { publishers: 100, count: 100, qos: 1 },
    smoke: { publishers: 4, count: 10 },
    plan: pairs,
    devices: (settings) => 2 * settings.publishers,
  },
  soak: {
    ...messages,
    about: "pairs for an hour or as long as --duration says: does memory grow, does latency?",
    defaults: { publishers: 50, rate: 2000, duration: 3600 },
    smoke: { publishers: 3, rate: 100, ...shortly },
    plan: pairs,
    devices: (settings) => 2 * settings.publishers,
  },
  "http-press": {
    ...presses,
    about: "a press by HTTPS: POST /topics/TOPIC on a connection of its own; ours has such a listener",
    defaults: { clients: 500, rate: 100, concurrency: 200, qos: 1 },
    smoke: { clients: 20, rate: 30, concurrency: 10, ...shortly },
  },
  "control-plane": {
    about: "--count REST calls: create, describe and deactivate certificates in turn, or --call NAME alone",
    unit: "calls",
    isTimed: false,
    needsFreshTarget: false,
    isTlsOnly: false,
    ratioOf: "cpuMicrosecondsPerMessage",
    defaults: { count: 1000, concurrency: 8, rate: 0, duration: 600 },
    smoke: { count: 15, concurrency: 4, duration: 10 },
    plan: () => [],
    devices: () => 1,
    underWay: (settings) => settings.concurrency,
  },
};

const idle = {
  role: "idle",
  qos: 0,
  topicGroup: "",
  receivers: 0,
  topicFilter: "",
} as const;

function publishers(
  { publishers: count, qos }: Settings,
  receivers: number,
  topicGroup: (index: number) => string,
): ClientPlan[] {
  return Array.from({ length: count }, (_, index) => ({
    ...idle,
    role: "publisher" as const,
    device: index,
    qos,
    topicGroup: topicGroup(index),
    receivers,
  }));
}

function subscribers(
  { publishers: first, subscribers: count, qos }: Settings,
  topicFilter: (index: number) => string,
): ClientPlan[] {
  return Array.from({ length: count }, (_, index) => subscriber(first + index, topicFilter(index), qos));
}

function subscriber(device: number, topicFilter: string, qos: ClientPlan["qos"]): ClientPlan {
  return { ...idle, role: "subscriber", device, topicFilter, qos };
}

/** Publisher i is device i, its subscriber device n + i. */
function pairs(settings: Settings): ClientPlan[] {
  const { publishers: count, qos } = settings;
  return publishers(settings, 1, () => "pair").flatMap((publisher, index) => [
    publisher,
    subscriber(count + index, `${topicRoot}/${deviceName(index)}/#`, qos),
  ]);
}

const mixedListeners = 10;

function mixed(settings: Settings): ClientPlan[] {
  const { publishers: count } = settings;
  const senders: ClientPlan[] = [];
  const receivers: ClientPlan[] = [];
  const receive = (topicFilter: string, qos: ClientPlan["qos"]): void => {
    receivers.push(subscriber(count + receivers.length, topicFilter, qos));
  };
  receive(`${topicRoot}/+/collector/#`, 1);
  for (let index = 0; index < mixedListeners; index++) receive(`${topicRoot}/+/listeners/#`, 1);
  for (let index = 0; index < count; index++) {
    const qos = index % 2 === 0 ? 0 : 1;
    const part = index % 10;
    const topicGroup = part < 6 ? "collector" : part < 9 ? "pair" : "listeners";
    if (topicGroup === "pair") receive(`${topicRoot}/${deviceName(index)}/#`, qos);
    const own = topicGroup === "listeners" ? mixedListeners : 1;
    senders.push({ ...idle, role: "publisher", device: index, qos, topicGroup, receivers: own });
  }
  return [...senders, ...receivers];
}

/** The most connections that a scenario has at a time. */
export function mostConnections(settings: Settings): number {
  const { underWay, devices } = scenarios[settings.scenario];
  return (underWay ?? devices)(settings);
}

/** The name that results have: fixed fields, then those that differ from the usual (`mqtt5`, `closed`). */
export function resultName(settings: Settings): string {
  const { scenario, call, resumed, tls, keyType, plain, qos, mqtt, closed } = settings;
  const transport = plain ? "plain" : tls === "1.3" ? "tls" : "tls12";
  if (scenario === "handshake") {
    return `handshake/${resumed ? "resumed" : "full"}/tls${tls.replace(".", "")}/${keyType}`;
  }
  if (scenario === "control-plane") return `control-plane/${call === "mixed" ? "rest" : call}`;
  const fields =
    scenario === "connect" || scenario === "mixed" ? [scenario, transport] : [scenario, `qos${qos}`, transport];
  if (keyType === "rsa" && !plain) fields.push("rsa");
  if (mqtt === "5" && scenario !== "http-press") fields.push("mqtt5");
  if (closed) fields.push("closed");
  return fields.join("/");
}

/** What cannot be: combinations that no target could do. Throws `ERR_LOAD_USAGE`. */
export function checkSettings(settings: Settings): void {
  const { scenario, call, plain, qos, rate, rampUp, closed, keyType, resumed, compare, target, url } = settings;
  const refuse = (message: string): never => {
    throw new LoadError("ERR_LOAD_USAGE", message);
  };
  const { unit, devices } = scenarios[scenario];
  if (plain && scenario === "handshake") refuse("handshake needs TLS: leave --plain out");
  if (call !== "mixed" && scenario !== "control-plane") refuse(`--call belongs to control-plane, not to ${scenario}`);
  if (resumed && scenario !== "handshake") refuse(`--resumed belongs to handshake, not to ${scenario}`);
  if (closed && !scenarios[scenario].isTimed) refuse(`--closed belongs to scenarios with a rate, not to ${scenario}`);
  if (closed && unit !== "messages") refuse(`--closed is for messages; for ${scenario} use --rate 0`);
  if (scenario === "http-press" && qos === 2) refuse("http-press needs --qos 0 or 1: HTTPS publishing has no QoS 2");
  if (scenario === "offline" && qos === 0) refuse("offline needs --qos 1 or 2: QoS 0 is not kept for absent clients");
  if (unit === "messages" && scenarios[scenario].isTimed && rate === 0 && !closed) {
    refuse(`--rate is 0: give ${scenario} a rate, or --closed to publish as fast as the target takes it`);
  }
  if (rampUp > 0 && unit !== "messages" && rate === 0) refuse(`--ramp-up needs a rate: give ${scenario} --rate, too`);
  if (rampUp > 0 && (scenario === "retained" || scenario === "offline")) refuse(`${scenario} has no --ramp-up`);
  const count = devices(settings);
  if (keyType === "rsa" && scenario !== "handshake" && count > distinctDevices("rsa", count)) {
    refuse(
      `${scenario} needs ${count} clients with names of their own, and there are ${distinctDevices("rsa", count)} RSA identities: ` +
        "use fewer clients, or --key-type p256",
    );
  }
  if (count > 100_000) refuse(`${scenario} needs ${count} clients with these settings: at most 100000 are possible`);
  const repeated = compare.find((peer) => peer === target);
  if (repeated !== undefined && url === undefined) refuse(`--compare ${repeated} is the target itself: leave it out`);
}
