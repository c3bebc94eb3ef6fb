/** The file of refusals in the data directory: JSON lines, bounded in size and number. */

import { join } from "node:path";
import { messageOf } from "@latchkey/command-line";
import type { Logger } from "pino";
import { RotatingFile } from "./rotating-file.ts";

/** How much of the refusals is kept. */
export interface DecisionFileBounds {
  /** Octets of one file. */
  readonly maximumOctets: number;
  /** Files in all. */
  readonly maximumFiles: number;
}

/** 8 MiB of some 20,000 refusals each, four times. */
const defaultBounds: DecisionFileBounds = { maximumOctets: 8 * 1024 * 1024, maximumFiles: 4 };

/** Opens the file with its first line. What cannot be written is lost, with one line in the log. */
export function openDecisionFile(
  dataDirectory: string,
  log: Logger,
  bounds: DecisionFileBounds = defaultBounds,
): RotatingFile {
  return new RotatingFile({
    ...bounds,
    file: join(dataDirectory, "decisions.jsonl"),
    onFailed: (error) =>
      log.error({ reason: messageOf(error) }, "decisions.jsonl cannot be written: refusals are lost"),
  });
}
