/** The machine that figures come from: without it a figure is worth nothing. */

import { arch, cpus, freemem, loadavg, platform, release, totalmem } from "node:os";

/** What a result file says of the machine. */
export interface Machine {
  /** One line: cores, processor, platform. Two files with different lines come from different machines. */
  readonly description: string;
  readonly processor: string;
  readonly cores: number;
  /** The clock as the system states it at this moment; 0 where it does not. */
  readonly megahertz: number;
  readonly platform: string;
  readonly architecture: string;
  readonly kernel: string;
  /** Processes that ran or waited, averaged over 1, 5 and 15 minutes. More than 0 means that the bench was not alone. */
  readonly loadAverage: readonly [number, number, number];
  readonly memoryTotalMebibytes: number;
  readonly memoryFreeMebibytes: number;
}

/** Describes this machine as it is now. */
export function describeMachine(): Machine {
  const processors = cpus();
  const processor = processors[0]?.model.trim() || "unknown processor";
  const [one = 0, five = 0, fifteen = 0] = loadavg();
  return {
    description: `${processors.length} x ${processor}, ${platform()} ${arch()}`,
    processor,
    cores: processors.length,
    megahertz: Math.round(Math.max(0, ...processors.map(({ speed }) => speed))),
    platform: platform(),
    architecture: arch(),
    kernel: release(),
    loadAverage: [one, five, fifteen],
    memoryTotalMebibytes: Math.round(totalmem() / 2 ** 20),
    memoryFreeMebibytes: Math.round(freemem() / 2 ** 20),
  };
}

/** One line for people; also of a file whose machine is a text or is missing. */
export function machineText(machine: unknown): string {
  if (typeof machine === "string") return machine;
  if (!isObject(machine)) return "unknown machine";
  const { description, megahertz, kernel, loadAverage, memoryTotalMebibytes, memoryFreeMebibytes } = machine;
  if (typeof description !== "string") return "unknown machine";
  const parts = [description];
  if (typeof megahertz === "number" && megahertz > 0) parts.push(`${megahertz} MHz`);
  if (typeof kernel === "string") parts.push(`kernel ${kernel}`);
  if (typeof memoryTotalMebibytes === "number" && typeof memoryFreeMebibytes === "number") {
    parts.push(`memory ${memoryFreeMebibytes} of ${memoryTotalMebibytes} MiB free`);
  }
  if (Array.isArray(loadAverage) && typeof loadAverage[0] === "number") parts.push(`load ${loadAverage[0].toFixed(2)}`);
  return parts.join(", ");
}

/**
 * In what two files' machines differ, in words; empty where they are the same. The clock, load and free memory of the
 * moment do not make another machine.
 */
export function differences(old: unknown, now: unknown): string[] {
  const before = fields(old);
  const after = fields(now);
  return (["description", "kernel", "memoryTotalMebibytes"] as const).flatMap((field) =>
    before[field] === undefined || after[field] === undefined || before[field] === after[field]
      ? []
      : [`${field}: ${JSON.stringify(before[field])} / ${JSON.stringify(after[field])}`],
  );
}

function fields(machine: unknown): Record<string, unknown> {
  if (typeof machine === "string") return { description: machine };
  return isObject(machine) ? machine : {};
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
