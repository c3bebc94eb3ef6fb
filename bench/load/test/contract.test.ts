import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { findProgram } from "@latchkey/tooling-vitest/programs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, expect, test, vi } from "vitest";
import type { LoadResult } from "../src/result.ts";
import {
  bench,
  endBenches,
  expectBalance,
  measure,
  measureAll,
  newFile,
  readFile,
  startTestBroker,
} from "./run-bench.ts";

afterAll(endBenches);

vi.setConfig({ testTimeout: 130_000 });
const mosquitto = findProgram("mosquitto");
const peers = mosquitto.path === undefined ? "aedes" : "mosquitto";

const schema = JSON.parse(readFileSync(new URL("../result-file.schema.json", import.meta.url), "utf8"));
const validate = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true, strictTypes: false }).compile(
  schema,
);

function expectValid(file: unknown): void {
  validate(file);
  expect(validate.errors ?? []).toEqual([]);
}

const costs = ["cpuMicrosecondsPerMessage", "cpuMicrosecondsPerHandshake", "kilobytesPerConnection"] as const;

/** What another program relies on: which cost there is, and that the ratio is that of these costs. */
function expectContract(result: LoadResult | undefined, cost: (typeof costs)[number], others: readonly string[] = []) {
  if (result === undefined || result.peerFigures === null) throw new Error("no entry with a peer's figures");
  for (const name of costs) {
    const isKnown = name === cost || others.includes(name);
    expect([name, typeof result[name]]).toEqual([name, isKnown ? "number" : "object"]);
    expect([name, typeof result.peerFigures[name]]).toEqual([name, isKnown ? "number" : "object"]);
  }
  expect(result.ratioOf).toBe(cost);
  expect(result.ratio).toBeGreaterThan(0);
  const [least, most] = result.ratioSpread ?? [Number.NaN, Number.NaN];
  expect(result.ratio).toBeGreaterThanOrEqual(least);
  expect(result.ratio).toBeLessThanOrEqual(most);
  if (result.rounds === 1) expect(result.ratio).toBeCloseTo((result[cost] ?? 0) / (result.peerFigures[cost] ?? 0), 6);
  expect(result.ratePerSecond).toBeGreaterThan(0);
  expect(result.latencyMs?.p50).toBeLessThanOrEqual(result.latencyMs?.p99 ?? 0);
}

test("500 handshakes with ours, the peer and node:tls: one entry each peer, valid by the schema", async () => {
  const file = newFile();
  const compare = ["--compare", `${peers},node-tls`, "--rounds", "2"];
  const words = ["--scenario", "handshake", "--count", "500", "--clients", "100", "--no-pin"];
  expect(await bench(...words, ...compare, "--json", file)).toMatchObject({ code: 0 });
  const content = readFile(file);
  expectValid(content);
  expect(content).toMatchObject({ interrupted: false, flags: { scenario: "handshake", compare: `${peers},node-tls` } });
  expect(content.results.map(({ peer }) => peer)).toEqual([peers, "node-tls"]);
  for (const result of content.results) {
    expectBalance(result);
    expectContract(result, "cpuMicrosecondsPerHandshake");
    // Counts are sums over the rounds.
    expect(result).toMatchObject({ scenario: "handshake/full/tls13/p256", rounds: 2, sent: 1000, received: 1000 });
    expect(result.peerFigures).toMatchObject({ sent: 1000, received: 1000, lost: 0 });
  }
});

test("200 connections are held by ours and by the peer, with the memory of each", async () => {
  const words = ["--scenario", "connect", "--clients", "200", "--duration", "0.5", "--rounds", "1", "--compare", peers];
  const [result] = await measureAll(...words);
  expectContract(result, "kilobytesPerConnection", ["cpuMicrosecondsPerHandshake"]);
  expect(result).toMatchObject({ sent: 200, received: 200, lost: 0 });
  expect(result?.memory.at(-1)?.connections).toBe(200);
  expect(result?.memory.length).toBeGreaterThan(1);
});

test("2,000 messages a second for 3 s pass ours and the peer without a loss", async () => {
  const load = ["--scenario", "fan-in", "--publishers", "50", "--rate", "2000", "--duration", "3", "--warm-up", "0.5"];
  const [result] = await measureAll(...load, "--rounds", "1", "--compare", peers);
  expectContract(result, "cpuMicrosecondsPerMessage");
  expect(result).toMatchObject({ sent: 6000, received: 6000, lost: 0, duplicates: 0, durationSeconds: 3 });
  expect(result?.peerFigures).toMatchObject({ sent: 6000, received: 6000 });
  // The warm-up's messages were seen, and counted nowhere else.
  expect(result?.ledger.outsideWindow).toBe(1000);
});

const pairs = ["--scenario", "pairs", "--publishers", "5", "--rate", "100", "--duration", "1", "--warm-up", "0"];

test("MQTT 5 with QoS 2 over TLS 1.2, and a shared subscription, reach ours", async () => {
  const result = await measure(...pairs, "--qos", "2", "--mqtt", "5", "--tls", "1.2");
  expect(result).toMatchObject({ scenario: "pairs/qos2/tls12/mqtt5", sent: 100, received: 100, notSupported: null });
  const shared = await measure(...pairs, "--scenario", "shared", "--workers", "2");
  expect(shared).toMatchObject({ sent: 100, received: 100, lost: 0, duplicates: 0, notSupported: null });
});

test.skipIf(mosquitto.path === undefined)(
  `MQTT 5 with QoS 2, and a shared subscription, reach mosquitto (${mosquitto.skipReason})`,
  async () => {
    const result = await measure(...pairs, "--qos", "2", "--mqtt", "5", "--target", "mosquitto");
    expect(result).toMatchObject({ scenario: "pairs/qos2/tls/mqtt5", sent: 100, received: 100, notSupported: null });
    const shared = ["--scenario", "shared", "--publishers", "5", "--rate", "100", "--duration", "1", "--warm-up", "0"];
    expect(await measure(...shared, "--target", "mosquitto")).toMatchObject({ sent: 100, received: 100, lost: 0 });
  },
);

test("what is published before the measured time keeps to the Receive Maximum of ours", async () => {
  const before = ["--scenario", "offline", "--publishers", "2", "--count", "300", "--qos", "2", "--mqtt", "5"];
  const offline = await measure(...before);
  expect(offline).toMatchObject({ sent: 600, received: 600, lost: 0, errorsBeforeWindow: {} });
  const retained = ["--scenario", "retained", "--publishers", "2", "--topics", "300", "--subscribers", "2"];
  const result = await measure(...retained, "--qos", "1", "--mqtt", "5");
  expect(result).toMatchObject({ sent: 1200, received: 1200, lost: 0, errorsBeforeWindow: {} });
});

test("a sweep says where its workers share cores", async () => {
  const cores = availableParallelism();
  const words = ["--scenario", "pairs", "--publishers", "4", "--rate", "50", "--duration", "0.5", "--warm-up", "0"];
  const results = await measureAll(...words, "--workers", `1,${cores + 1}`);
  expect(results.map(({ workers, scalingEfficiency }) => [workers, scalingEfficiency !== null])).toEqual([
    [1, true],
    [cores + 1, true],
  ]);
  const sharing = results.map(({ notes }) => notes.filter((note) => note.includes("share")));
  const note = `${cores + 1} workers share ${cores === 1 ? "1 core" : `${cores} cores`} of the generator`;
  expect(sharing).toEqual([[], [`${note}: they can do no more than ${cores}`]]);
});

test("http-press presses ours over HTTPS with the certificate and the policy of each device", async () => {
  const words = ["--scenario", "http-press", "--clients", "5", "--rate", "30", "--duration", "1", "--warm-up", "0"];
  for (const qos of ["0", "1"]) {
    const result = await measure(...words, "--qos", qos);
    expect(result).toMatchObject({ scenario: `http-press/qos${qos}/tls`, sent: 30, received: 30, lost: 0, errors: {} });
    expect(result.notSupported).toBeNull();
    expect(result.cpuMicrosecondsPerMessage).toBeGreaterThan(0);
  }
});

test("our broker on its own TLS engine is a target and a peer of ours on node:tls", async () => {
  const words = ["--scenario", "fan-in", "--publishers", "5", "--rate", "100", "--duration", "1", "--warm-up", "0"];
  const [result] = await measureAll(...words, "--compare", "latchkey-tls", "--rounds", "1");
  expectContract(result, "cpuMicrosecondsPerMessage");
  expect(result).toMatchObject({ target: "latchkey", peer: "latchkey-tls", sent: 100, received: 100, lost: 0 });
  expect(result?.peerFigures).toMatchObject({ sent: 100, received: 100, lost: 0 });
  const press = ["--scenario", "press", "--clients", "5", "--rate", "20", "--duration", "1", "--warm-up", "0"];
  expect(await measure(...press, "--target", "latchkey-tls")).toMatchObject({ target: "latchkey-tls", received: 20 });
});

test("the control plane of ours is called", async () => {
  const result = await measure("--scenario", "control-plane", "--count", "15", "--concurrency", "3");
  expect(result).toMatchObject({ target: "latchkey", sent: 15, received: 15, lost: 0, errors: {} });
  expect(result.phases.map(({ name }) => name).toSorted()).toEqual([
    ...["CreateKeysAndCertificate", "DescribeCertificate", "UpdateCertificate"],
  ]);
});

test("DescribeCertificate and CreateCertificateFromCsr of ours have a rate and percentiles each", async () => {
  const words = ["--scenario", "control-plane", "--count", "20", "--concurrency", "3"];
  for (const call of ["DescribeCertificate", "CreateCertificateFromCsr"]) {
    const result = await measure(...words, "--call", call, "--workers", "2");
    expect(result).toMatchObject({ scenario: `control-plane/${call}`, sent: 20, received: 20, errors: {} });
    expect(result.errorsBeforeWindow).toEqual({});
    expect(result.ratePerSecond).toBeGreaterThan(0);
    expect(result.latencyMs?.p99).toBeGreaterThan(0);
    expect(result.cpuMicrosecondsPerMessage).toBeGreaterThan(0);
  }
});

test("a peer that cannot do the scenario is named, and has no figures", async () => {
  const file = newFile();
  const words = ["--scenario", "press", "--clients", "5", "--rate", "20", "--duration", "1", "--warm-up", "0"];
  expect(await bench(...words, "--compare", "node-tls", "--rounds", "1", "--no-pin", "--json", file)).toMatchObject({
    code: 0,
  });
  expectValid(readFile(file));
  expect(readFile(file).results).toMatchObject([
    { peerFigures: null, ratio: null, notSupported: "not supported by node-tls: it is a TLS server without MQTT" },
  ]);
});

test("a target that cannot do the scenario has null for every figure that could be taken for one", async () => {
  const file = newFile();
  const url = await startTestBroker();
  const words = ["--scenario", "pairs", "--qos", "2", "--publishers", "2", "--rate", "20", "--duration", "1"];
  expect(await bench(...words, "--url", url, "--no-pin", "--json", file)).toMatchObject({ code: 0 });
  const content = readFile(file);
  expectValid(content);
  expect(content.results).toMatchObject([
    {
      ...{ ratePerSecond: null, latencyMs: null, generator: null, rounds: 0, sent: 0, ratio: null },
      notSupported: expect.stringMatching(/^not supported by mqtt:.*: it has no QoS 2 /),
    },
  ]);
});

test("what is due in a ramp-up is outside of the measured time, also the first handshakes", async () => {
  // 100 a second are reached after 1 s, 50 handshakes later; then come the 100 that are asked for.
  const words = ["--scenario", "handshake", "--count", "100", "--rate", "100", "--ramp-up", "1", "--clients", "200"];
  const result = await measure(...words);
  expect(result).toMatchObject({ operations: 100, sent: 100, received: 100, errors: {} });
  const connect = ["--scenario", "connect", "--clients", "100", "--rate", "100", "--ramp-up", "1", "--duration", "0.2"];
  expect(await measure(...connect)).toMatchObject({ operations: 50, received: 50, lost: 0 });
});
