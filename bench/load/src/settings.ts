/**
 * The settings of a run: one table for the command line, the scenario file, its JSON Schema and `--help`.
 *
 * A setting is a flag in kebab-case (`--ramp-up 2`) and a field of a scenario file in camelCase (`"rampUp": 2`). A flag
 * outranks the file, the file outranks the scenario's default.
 */

import { LoadError } from "./errors.ts";
import { peerNames, targetNames, type PeerName, type TargetName } from "./target/names.ts";

/** The scenarios, in the order of `--help`. */
export const scenarioNames = [
  "handshake",
  "connect",
  "fan-in",
  "fan-out",
  "pairs",
  "shared",
  "press",
  "storm",
  "mixed",
  "retained",
  "offline",
  "soak",
  "http-press",
  "control-plane",
] as const;
export type ScenarioName = (typeof scenarioNames)[number];

/** What control-plane calls: three operations in turn, or one alone, by the API's name. */
const callNames = ["mixed", "DescribeCertificate", "CreateCertificateFromCsr", "CreateKeysAndCertificate"] as const;

/** All settings of a run. */
export interface Settings {
  readonly scenario: ScenarioName;
  readonly target: TargetName;
  readonly url: string | undefined;
  readonly httpUrl: string | undefined;
  readonly controlPlaneUrl: string | undefined;
  readonly ca: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  readonly insecure: boolean;
  readonly compare: readonly PeerName[];
  readonly rounds: number;
  readonly clients: number;
  readonly publishers: number;
  readonly subscribers: number;
  readonly topics: number;
  readonly count: number;
  readonly call: (typeof callNames)[number];
  readonly rate: number;
  readonly duration: number;
  readonly warmUp: number;
  readonly rampUp: number;
  readonly concurrency: number;
  readonly qos: 0 | 1 | 2;
  readonly payload: number;
  readonly mqtt: "3.1.1" | "5";
  readonly plain: boolean;
  readonly tls: "1.2" | "1.3";
  readonly keyType: "p256" | "rsa";
  readonly resumed: boolean;
  readonly closed: boolean;
  readonly window: number;
  readonly workers: readonly number[];
  readonly pin: boolean;
  readonly burden: number;
}

/** What a setting may be. */
type Kind =
  | { readonly type: "text" }
  | { readonly type: "boolean" }
  | { readonly type: "choice"; readonly values: readonly string[] }
  | { readonly type: "number"; readonly whole: boolean; readonly least: number; readonly most: number }
  | { readonly type: "choices"; readonly values: readonly string[] }
  | { readonly type: "numbers"; readonly least: number; readonly most: number };

/** A row of the table. */
export interface SettingDescription {
  readonly kind: Kind;
  /** What follows the flag in `--help`. */
  readonly placeholder: string;
  readonly about: string;
  /** The heading in `--help`. */
  readonly group: "what" | "where" | "load" | "protocol" | "generator";
}

const whole = (least: number, most: number): Kind => ({ type: "number", whole: true, least, most });
const decimal = (least: number, most: number): Kind => ({ type: "number", whole: false, least, most });
const choice = (values: readonly string[]): Kind => ({ type: "choice", values });
const text: Kind = { type: "text" };
const boolean: Kind = { type: "boolean" };

/** A day: no run is longer. */
const longestSeconds = 86_400;
/** More clients than this need more than one machine. */
const mostClients = 100_000;

/** Every setting. The bounds keep each run finite in time and count. */
export const settingDescriptions: Readonly<Record<keyof Settings, SettingDescription>> = {
  scenario: { group: "what", kind: choice(scenarioNames), placeholder: "NAME", about: "what to do: see below" },
  compare: {
    group: "what",
    kind: { type: "choices", values: peerNames },
    placeholder: "PEERS",
    about: "peers to alternate with, separated by commas",
  },
  rounds: {
    group: "what",
    kind: whole(1, 50),
    placeholder: "N",
    about: "rounds; default 5 with --compare, else 1",
  },
  target: {
    group: "where",
    kind: choice(targetNames),
    placeholder: "NAME",
    about: "what to load; started by the bench",
  },
  url: {
    group: "where",
    kind: text,
    placeholder: "URL",
    about: "load this broker instead: mqtts://HOST:PORT or mqtt://HOST:PORT",
  },
  httpUrl: {
    group: "where",
    kind: text,
    placeholder: "URL",
    about: "where http-press sends to: https://HOST:PORT",
  },
  controlPlaneUrl: {
    group: "where",
    kind: text,
    placeholder: "URL",
    about: "where control-plane calls: http://HOST:PORT or https://HOST:PORT",
  },
  ca: {
    group: "where",
    kind: text,
    placeholder: "FILE",
    about: "PEM of the roots that a URL's server is checked with",
  },
  certificate: {
    group: "where",
    kind: text,
    placeholder: "FILE",
    about: "PEM of one client certificate for all clients of a URL; default: the bench's own, one for each client",
  },
  key: { group: "where", kind: text, placeholder: "FILE", about: "PEM of its private key" },
  insecure: { group: "where", kind: boolean, placeholder: "", about: "do not check the server's certificate of a URL" },
  clients: { group: "load", kind: whole(1, mostClients), placeholder: "N", about: "clients, each with its own key" },
  publishers: {
    group: "load",
    kind: whole(1, mostClients),
    placeholder: "N",
    about: "clients that publish",
  },
  subscribers: { group: "load", kind: whole(1, mostClients), placeholder: "N", about: "clients that subscribe" },
  topics: { group: "load", kind: whole(1, 10_000), placeholder: "N", about: "topics of each publisher, used in turn" },
  count: {
    group: "load",
    kind: whole(1, 10_000_000),
    placeholder: "N",
    about: "how many: handshakes; messages for each client in offline; calls of control-plane",
  },
  call: {
    group: "load",
    kind: choice(callNames),
    placeholder: "NAME",
    about: "what control-plane calls",
  },
  rate: {
    group: "load",
    kind: decimal(0, 5_000_000),
    placeholder: "N",
    about: "operations each second over all clients, due by a schedule; 0 where concurrency alone is the limit",
  },
  duration: { group: "load", kind: decimal(0.1, longestSeconds), placeholder: "SECONDS", about: "the measured time" },
  warmUp: {
    group: "load",
    kind: decimal(0, 3600),
    placeholder: "SECONDS",
    about: "time under the same load before that",
  },
  rampUp: {
    group: "load",
    kind: decimal(0, 3600),
    placeholder: "SECONDS",
    about: "time in which the rate grows from 0; not measured either",
  },
  concurrency: {
    group: "load",
    kind: whole(1, 10_000),
    placeholder: "N",
    about: "handshakes, connections or presses under way at a time",
  },
  closed: {
    group: "load",
    kind: boolean,
    placeholder: "",
    about: "closed loop: no schedule, each publisher keeps --window messages under way",
  },
  window: { group: "load", kind: whole(1, 60_000), placeholder: "N", about: "messages under way of each publisher" },
  qos: { group: "protocol", kind: whole(0, 2), placeholder: "0|1|2", about: "quality of service" },
  payload: {
    group: "protocol",
    kind: whole(20, 1_000_000),
    placeholder: "OCTETS",
    about: "size of a payload; the first 20 octets are a time and a number",
  },
  mqtt: { group: "protocol", kind: choice(["3.1.1", "5"]), placeholder: "3.1.1|5", about: "MQTT version" },
  plain: { group: "protocol", kind: boolean, placeholder: "", about: "TCP without TLS" },
  tls: { group: "protocol", kind: choice(["1.2", "1.3"]), placeholder: "1.2|1.3", about: "TLS version" },
  keyType: { group: "protocol", kind: choice(["p256", "rsa"]), placeholder: "p256|rsa", about: "keys of both sides" },
  resumed: {
    group: "protocol",
    kind: boolean,
    placeholder: "",
    about: "handshake: resume the session of an earlier handshake",
  },
  workers: {
    group: "generator",
    kind: { type: "numbers", least: 1, most: 64 },
    placeholder: "N[,N...]",
    about: "worker threads; several numbers run one after the other and print the scaling efficiency",
  },
  pin: {
    group: "generator",
    kind: boolean,
    placeholder: "",
    about: "target on one core, generator on the others, by taskset; --no-pin leaves both where they are",
  },
  burden: {
    group: "generator",
    kind: decimal(0, 1000),
    placeholder: "MS",
    about: "burn this much time in each turn of the generator: shows how a generator that is too slow is reported",
  },
};

/** The names of all settings. */
export const settingNames: readonly (keyof Settings)[] = Object.keys(settingDescriptions) as (keyof Settings)[];

/** `rampUp` is `ramp-up` on the command line. */
export function flagOf(name: keyof Settings): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** A value as it was written, in words for a message. */
function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/**
 * Reads a value: text from the command line, or what JSON gives. `where` names it in the message. Throws
 * `ERR_LOAD_USAGE`.
 */
export function readSetting(name: keyof Settings, value: unknown, where: string): Settings[keyof Settings] {
  const { kind } = settingDescriptions[name];
  const refuse = (accepted: string): never => {
    throw new LoadError("ERR_LOAD_USAGE", `${where} is ${shown(value)}: it is ${accepted}`);
  };
  switch (kind.type) {
    case "text":
      return typeof value === "string" && value !== "" ? value : refuse("a text that is not empty");
    case "boolean":
      return typeof value === "boolean" ? value : refuse("true or false");
    case "choice":
      return typeof value === "string" && kind.values.includes(value)
        ? value
        : refuse(`one of ${kind.values.join(", ")}${suggestion(value, kind.values)}`);
    case "number": {
      const number = numberOf(value);
      if (
        number !== undefined &&
        number >= kind.least &&
        number <= kind.most &&
        (!kind.whole || Number.isInteger(number))
      )
        return number;
      return refuse(`${kind.whole ? "a whole number" : "a number"} from ${kind.least} to ${kind.most}`);
    }
    case "choices": {
      const items = listOf(value);
      const isFine = items.length > 0 && items.every((item) => typeof item === "string" && kind.values.includes(item));
      if (isFine && new Set(items).size === items.length) return items as PeerName[];
      return refuse(`a list of ${kind.values.join(", ")}, each at most once`);
    }
    case "numbers": {
      const items = listOf(value).map(numberOf);
      const isFine = (item: number | undefined): item is number =>
        item !== undefined && Number.isInteger(item) && item >= kind.least && item <= kind.most;
      return items.length > 0 && items.every(isFine)
        ? items
        : refuse(`whole numbers from ${kind.least} to ${kind.most}, separated by commas`);
    }
  }
}

function listOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return typeof value === "string" ? value.split(",").map((item) => item.trim()) : [value];
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  return typeof value === "string" && /^\d+(\.\d+)?$/.test(value) ? Number(value) : undefined;
}

/** `; did you mean X?` where a known word is close to what was written. */
export function suggestion(value: unknown, known: readonly string[]): string {
  if (typeof value !== "string") return "";
  const [best] = known
    .map((word) => ({ word, distance: editDistance(value.slice(0, 40), word) }))
    .toSorted((a, b) => a.distance - b.distance);
  return best !== undefined && best.distance <= 2 ? `; did you mean ${best.word}?` : "";
}

/** Levenshtein's distance, by rows. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
