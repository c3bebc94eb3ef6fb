import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readCommand } from "../src/flags.ts";
import { readScenarioFile, scenarioFileSchema } from "../src/scenario-file.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-load-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(content: unknown): string {
  const file = join(folder, "scenario.json");
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

test("the committed schema is the one that the settings give", () => {
  const committed = readFileSync(new URL("../scenario-file.schema.json", import.meta.url), "utf8");
  expect(JSON.parse(committed)).toEqual(scenarioFileSchema());
});

test("a scenario file says what flags say, and a flag outranks it", () => {
  const file = write({ $schema: "x", scenario: "pairs", rate: 500, warmUp: 1, compare: ["aedes"] });
  const command = readCommand(["--file", file, "--rate", "700"]);
  expect(command).toMatchObject({
    type: "run",
    settings: { scenario: "pairs", rate: 700, warmUp: 1, compare: ["aedes"], rounds: 5 },
  });
});

test.each([
  ["{", /cannot be read as a scenario file/],
  [[], /must hold one JSON object/],
  [{ scenari: "pairs" }, /scenari is no setting; did you mean scenario\?/],
  [{ scenario: "pair" }, /scenario is pair: it is one of .*did you mean pairs\?/],
  [{ scenario: "pairs", qos: 3 }, /qos is 3: it is a whole number from 0 to 2/],
  [{ scenario: "pairs", rate: "many" }, /rate is many: it is a number from 0/],
  [{ scenario: "pairs", plain: "yes" }, /plain is yes: it is true or false/],
])("a wrong scenario file is refused with what is accepted: %j", (content, message) => {
  expect(() => readScenarioFile(write(content))).toThrow(message);
});

test.each([
  [["--scenario", "pairs", "--duraton", "3"], /--duraton is no flag; did you mean --duration\?/],
  [["--scenario"], /--scenario needs a value/],
  [["--scenario", "pairs", "--rate", "0"], /give pairs a rate, or --closed/],
  [["--scenario", "http-press", "--qos", "2"], /http-press needs --qos 0 or 1/],
  [["--scenario", "press", "--call", "DescribeCertificate"], /--call belongs to control-plane, not to press/],
  [["--scenario", "offline", "--qos", "0"], /offline needs --qos 1 or 2/],
  [["--scenario", "handshake", "--plain"], /handshake needs TLS/],
  [["--scenario", "fan-in", "--key-type", "rsa"], /64 RSA identities/],
  [["pairs"], /pairs is no flag/],
  [[], /--scenario is missing/],
])("a wrong command line is refused with what is accepted: %j", (words, message) => {
  expect(() => readCommand(words)).toThrow(message);
});
