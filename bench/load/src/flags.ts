/** The command line: flags, a scenario file, the scenario's defaults, in this order of rank. */

import { availableParallelism } from "node:os";
import { LoadError } from "./errors.ts";
import { checkUrls } from "./target/url-target.ts";
import { checkSettings, scenarios } from "./scenario.ts";
import { readScenarioFile } from "./scenario-file.ts";
import {
  flagOf,
  readSetting,
  scenarioNames,
  settingDescriptions,
  settingNames,
  suggestion,
  type Settings,
} from "./settings.ts";

/** What is to be done. */
export type Command =
  | { readonly type: "help" }
  | { readonly type: "smoke"; readonly runs: readonly Settings[]; readonly json: string | undefined }
  | { readonly type: "run"; readonly settings: Settings; readonly json: string | undefined };

const defaults: Omit<Settings, "scenario"> = {
  target: "latchkey",
  url: undefined,
  httpUrl: undefined,
  controlPlaneUrl: undefined,
  ca: undefined,
  certificate: undefined,
  key: undefined,
  insecure: false,
  compare: [],
  rounds: 1,
  clients: 100,
  publishers: 100,
  subscribers: 1,
  topics: 1,
  count: 1000,
  call: "mixed",
  rate: 1000,
  duration: 10,
  warmUp: 2,
  rampUp: 0,
  concurrency: 50,
  qos: 0,
  payload: 128,
  mqtt: "3.1.1",
  plain: false,
  tls: "1.3",
  keyType: "p256",
  resumed: false,
  closed: false,
  window: 50,
  workers: [Math.max(1, availableParallelism() - 1)],
  pin: true,
  burden: 0,
};
const roundsOfComparison = 5;
const otherFlags = ["json", "file", "smoke", "help", "no-pin"];

/** Reads the words behind the program's name. Throws `ERR_LOAD_USAGE`. */
export function readCommand(words: readonly string[]): Command {
  const { settings, others } = readFlags(words);
  if (others.has("help")) return { type: "help" };
  const file = others.get("file");
  const given = { ...(file === undefined ? {} : readScenarioFile(file)), ...settings };
  const json = others.get("json");
  if (others.has("smoke")) {
    const names = given.scenario === undefined ? scenarioNames : [given.scenario];
    const runs = names.map((scenario) => resolve({ compare: ["mosquitto"], rounds: 1, ...given, scenario }, true));
    return { type: "smoke", runs, json };
  }
  if (given.scenario === undefined) {
    throw new LoadError(
      "ERR_LOAD_USAGE",
      `--scenario is missing: one of ${scenarioNames.join(", ")}; --help says what each does`,
    );
  }
  return { type: "run", settings: resolve({ ...given, scenario: given.scenario }, false), json };
}

function resolve(given: Partial<Settings> & Pick<Settings, "scenario">, isSmoke: boolean): Settings {
  const scenario = scenarios[given.scenario];
  const isCompared = given.compare !== undefined && given.compare.length > 0;
  const settings: Settings = {
    ...defaults,
    ...(isCompared && { rounds: roundsOfComparison }),
    ...scenario.defaults,
    ...(isSmoke && { ...scenario.smoke, pin: false }),
    ...given,
    ...(given.url?.startsWith("mqtt://") === true && { plain: true }),
  };
  checkSettings(settings);
  checkUrls(settings);
  return settings;
}

function readFlags(words: readonly string[]): { settings: Partial<Settings>; others: Map<string, string> } {
  const settings: Partial<Record<keyof Settings, unknown>> = {};
  const others = new Map<string, string>();
  const known = [...settingNames.map(flagOf), ...otherFlags].map((name) => `--${name}`);
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const match = /^--([^=]+)(?:=(.*))?$/s.exec(word);
    if (match === null) throw new LoadError("ERR_LOAD_USAGE", `${word} is no flag: flags begin with --`);
    const [, flag = "", attached] = match;
    const name = settingNames.find((one) => flagOf(one) === flag);
    if (flag === "no-pin") settings.pin = false;
    else if (name !== undefined && settingDescriptions[name].kind.type === "boolean") {
      settings[name] = readSetting(
        name,
        attached === undefined || attached === "true" ? true : attached === "false" ? false : attached,
        `--${flag}`,
      );
    } else if (flag === "smoke" || flag === "help") others.set(flag, "");
    else if (name === undefined && !otherFlags.includes(flag)) {
      throw new LoadError(
        "ERR_LOAD_USAGE",
        `--${flag} is no flag${suggestion(`--${flag}`, known)}; --help lists them all`,
      );
    } else {
      const value = attached ?? rest.shift();
      if (value === undefined || (attached === undefined && value.startsWith("--"))) {
        throw new LoadError(
          "ERR_LOAD_USAGE",
          `--${flag} needs a value: --${flag} ${name === undefined ? "FILE" : settingDescriptions[name].placeholder}`,
        );
      }
      if (name === undefined) others.set(flag, value);
      else settings[name] = readSetting(name, value, `--${flag}`);
    }
  }
  return { settings: settings as Partial<Settings>, others };
}

const groups = {
  what: "What is measured",
  where: "Against what",
  load: "How much",
  protocol: "By which protocol",
  generator: "The generator",
} as const;

/** What `--help` prints. */
export function helpText(): string {
  const lines = [
    "npm run bench:load -- --scenario NAME [--compare PEER,...] [--json FILE] [--file SCENARIO.json] [flags]",
    "",
    "Scenarios:",
    ...scenarioNames.map((name) => `  ${name.padEnd(14)} ${scenarios[name].about}`),
  ];
  for (const group of ["what", "where", "load", "protocol", "generator"] as const) {
    lines.push("", `${groups[group]}:`);
    for (const name of settingNames) {
      const { group: own, placeholder, about, kind } = settingDescriptions[name];
      if (own !== group) continue;
      const words = kind.type === "choices" || kind.type === "choice" ? `: ${kind.values.join(", ")}` : "";
      const shownWords = name === "scenario" ? "" : words;
      lines.push(`  ${`--${flagOf(name)} ${placeholder}`.padEnd(26)} ${about}${shownWords}`);
    }
  }
  lines.push(
    "",
    "Also: --json FILE writes the result, --file FILE reads a scenario file (see scenario-file.schema.json), --smoke does",
    "every scenario (or --scenario NAME) with tiny numbers against ours and mosquitto. Numbers that are left out depend on",
    "the scenario. bench/README.md says how the figures are made.",
  );
  return lines.join("\n");
}
