/** What the scenes of the story share. */

import type { LogLine, RunningProcess } from "./program.ts";
import type { Stage } from "./stage.ts";

/** A step did not go as the story has it. */
export class StoryError extends Error {
  override readonly name = "StoryError";
  readonly code = "ERR_DEMO_STORY";
}

/** Throws `StoryError` where something is not as the story has it. */
export function check(isSo: boolean, otherwise: string): void {
  if (!isSo) throw new StoryError(otherwise);
}

/** A button of the story. */
export interface StoryButton {
  readonly serialNumber: string;
  readonly way: "one-click" | "csr" | "own-ca";
  readonly clickType: "SINGLE" | "DOUBLE" | "LONG";
}

/** One for each way to an identity. */
export const buttons: readonly StoryButton[] = [
  { serialNumber: "G030JF055364XVRB", way: "one-click", clickType: "SINGLE" },
  { serialNumber: "G030JF051234A5BC", way: "csr", clickType: "DOUBLE" },
  { serialNumber: "G030JF052345MARG", way: "own-ca", clickType: "LONG" },
];

/** An order as the pizzeria reads it. */
export interface Order {
  readonly topicName: string;
  readonly payload: string;
}

/** The story under way. */
export interface Play {
  readonly stage: Stage;
  readonly folder: string;
  readonly broker: RunningProcess;
  /** What has reached the pizzeria, in order. */
  readonly orders: readonly Order[];
}

/** How long the broker may take to say or to deliver something. */
const patienceMs = 15_000;

/** Waits until something is so. Throws `StoryError` after some seconds. */
export async function until<T>(found: () => T | undefined, otherwise: string): Promise<T> {
  const endMs = performance.now() + patienceMs;
  for (;;) {
    const value = found();
    if (value !== undefined) return value;
    if (performance.now() > endMs) throw new StoryError(otherwise);
    await new Promise<void>((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

/** The first line of the broker's log from `from` on with this message and these fields. Throws `StoryError` where it does not come. */
export function logged(
  { broker }: Pick<Play, "broker">,
  from: number,
  message: string,
  fields: LogLine = {},
): Promise<LogLine> {
  const wanted = Object.entries(fields);
  const isWanted = (line: LogLine): boolean =>
    line["msg"] === message && wanted.every(([name, value]) => line[name] === value);
  return until(() => broker.log.slice(from).find(isWanted), `the broker's log does not say "${message}"`);
}

/** ARNs without the account, which is the same in all, and the beginnings of long identifiers: they are wider than a line. */
export function shortened(text: string): string {
  return text
    .replaceAll("arn:aws:iot:us-east-1:000000000000:", "")
    .replaceAll(/\b([0-9a-f]{16})[0-9a-f]{24,}\b/g, "$1…");
}
