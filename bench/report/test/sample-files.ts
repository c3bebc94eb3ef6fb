/** Result files for the tests, as the benches write them; every figure follows from a formula. */

const machine = {
  description: "2 x Sample Processor, linux x64",
  processor: "Sample Processor",
  cores: 2,
  megahertz: 2600,
  platform: "linux",
  architecture: "x64",
  kernel: "6.1.0",
  loadAverage: [0.1, 0.1, 0.1],
  memoryTotalMebibytes: 16_000,
  memoryFreeMebibytes: 12_000,
};

const head = { node: "v24.21.0", revision: "abcdef012345", date: "2026-11-26T12:00:00.000Z" };

/** A row of a micro file whose ratio has an interval of so many percent to both sides. */
export function microRow(scenario: string, peer: string | null, ratio: number, percent = 2): Record<string, unknown> {
  const peerOpsPerSecond = peer === null ? null : 200_000;
  return {
    scenario,
    subject: "@latchkey/policy",
    opsPerSecond: 200_000 * ratio,
    spread: 0.02,
    bytesPerOperation: 0,
    peer,
    peerOpsPerSecond,
    ratio: peer === null ? null : ratio,
    ratioInterval: peer === null ? null : [ratio * (1 - percent / 100), ratio * (1 + percent / 100)],
    opsInterval: [200_000 * ratio * (1 - percent / 100), 200_000 * ratio * (1 + percent / 100)],
    peerSpread: peer === null ? null : 0.02,
    unit: "decision",
    subjectVersion: "0.0.0",
    peerVersion: peer === null ? null : "4.13.0",
    rounds: 25,
    warnings: percent > 5 ? [`the 95 % interval of the ratio is ${2 * percent} % wide`] : [],
  };
}

export function microFile(results: readonly unknown[] = microRows()): Record<string, unknown> {
  return {
    machine: machine.description,
    ...head,
    results,
    kind: "micro",
    environment: machine,
    failures: [],
    complete: true,
  };
}

function microRows(): unknown[] {
  return [
    microRow("policy/decide/article", "@cedar-policy/cedar-wasm", 8.2),
    microRow("policy/decide/10x8", "@cedar-policy/cedar-wasm", 3.1),
    microRow("policy/compile/2KB", "@cedar-policy/cedar-wasm", 1.8, 9),
    microRow("policy/explain", null, 1),
    { ...microRow("mqtt-codec/decode/puback", "mqtt-packet", 6.4), subject: "@latchkey/mqtt-codec", unit: "packet" },
    { ...microRow("mqtt-codec/decode/publish/qos1/84B/64-topics", "mqtt-packet", 5.2), unit: "packet" },
    { ...microRow("crypto/verify/p256/node", "bare", 0.97), unit: "signature", peerVersion: "Node 24.21.0" },
    { ...microRow("crypto/verify/p256/noble", "bare", 0.031), unit: "signature", peerVersion: "Node 24.21.0" },
  ];
}

/** Figures of a target that costs `cost` and needs `cost` times as long. */
export function loadFigures(cost: number): Record<string, unknown> {
  const percentiles = [0, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.75, 99.9, 99.95, 99.99, 100];
  const latency = (percentile: number): number => 0.3 * cost * (1 + 0.8 * Math.log10(1 / (1.00001 - percentile / 100)));
  const wave = (second: number): number => 1 + 0.05 * Math.sin(second * 1.3 * cost);
  return {
    cpuMicrosecondsPerMessage: 18 * cost,
    cpuMicrosecondsPerHandshake: null,
    kilobytesPerConnection: null,
    ratePerSecond: 20_000 / cost,
    latencyMs: {
      p50: latency(50),
      p90: latency(90),
      p99: latency(99),
      p999: latency(99.9),
      max: latency(100),
      mean: latency(60),
      percentiles: percentiles.map((percentile) => [percentile, latency(percentile)]),
    },
    durationSeconds: 60,
    operations: 1_200_000,
    sent: 1_200_000,
    received: 1_200_000,
    lost: 0,
    duplicates: 0,
    errors: {},
    generator: {
      cpuShare: 0.4,
      cpuMicrosecondsPerOperation: 4,
      worstEventLoopDelayMs: 3,
      scheduleLagMs: 0.2,
      bottleneck: null,
    },
    timeline: Array.from({ length: 60 }, (_, second) => ({
      second,
      ratePerSecond: (20_000 / cost) * wave(second),
      p50: latency(50) / wave(second),
      p99: latency(99) * (second === 30 ? 9 : 1 / wave(second)),
    })),
    phases: [],
    memory: [],
    processes: [],
  };
}

export function loadRow(
  scenario: string,
  cost: number,
  peer: string | null,
  peerCost: number,
): Record<string, unknown> {
  return {
    scenario,
    target: "latchkey",
    targetVersion: "0.0.0",
    peer,
    peerVersion: peer === null ? null : "2.0.11",
    rounds: 5,
    workers: 1,
    scalingEfficiency: null,
    peerFigures: peer === null ? null : loadFigures(peerCost),
    ratio: peer === null ? null : cost / peerCost,
    ratioSpread: peer === null ? null : [(cost / peerCost) * 0.97, (cost / peerCost) * 1.04],
    ratioOf: peer === null ? null : "cpuMicrosecondsPerMessage",
    notSupported: null,
    notes: ["The generator and the target share two cores."],
    ...loadFigures(cost),
  };
}

export function loadFile(results: readonly unknown[] = loadRows()): Record<string, unknown> {
  return { kind: "load", machine, ...head, flags: { rate: 20_000 }, interrupted: false, results };
}

function loadRows(): unknown[] {
  const held = (kilobytes: number): Record<string, unknown> => ({
    ...loadFigures(1),
    cpuMicrosecondsPerMessage: null,
    cpuMicrosecondsPerHandshake: kilobytes * 40,
    kilobytesPerConnection: kilobytes,
    latencyMs: null,
    timeline: [],
    memory: Array.from({ length: 51 }, (_, index) => ({
      connections: index * 100,
      residentKilobytes: 40_000 + index * 100 * kilobytes,
    })),
  });
  const storm = loadRow("storm/qos0/tls", 1.4, "mosquitto", 1.1);
  const { latencyMs } = loadFigures(3);
  return [
    loadRow("fan-in/qos0/tls", 1.2, "mosquitto", 1),
    loadRow("fan-in/qos0/tls", 1.25, "aedes", 3.4),
    {
      ...loadRow("connect/tls", 1, "mosquitto", 1),
      ...held(21),
      peerFigures: held(34),
      ratio: 21 / 34,
      ratioOf: "kilobytesPerConnection",
    },
    {
      ...storm,
      lost: 12,
      errors: { ECONNRESET: 4 },
      generator: {
        cpuShare: 0.97,
        bottleneck: "The generator was the bottleneck: its busiest worker used 97 % of a core.",
      },
      phases: ["before", "storm", "after"].map((name) => ({
        name,
        durationSeconds: 20,
        received: 1,
        ratePerSecond: 19_000,
        latencyMs,
      })),
    },
  ];
}
