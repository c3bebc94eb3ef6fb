/** What the main thread and the workers of a fleet say to each other. */

import type { Press } from "../press.ts";
import type { FleetButton } from "./identities.ts";

/** What a worker is to do. */
export interface WorkerTask {
  readonly connection: Pick<Press, "protocol" | "host" | "port" | "roots" | "timeoutMs">;
  readonly buttons: readonly FleetButton[];
  /** In the order of their times: an index into `buttons`, and milliseconds from the start. */
  readonly presses: readonly { readonly button: number; readonly atMs: number }[];
  /** Presses that may be under way at once. */
  readonly maximumUnderWay: number;
}

/** An order to a worker. The worker says `ready` once and waits for `start`. After `stop` it begins no press. */
export type WorkerOrder = "start" | "stop";

/** What became of one press. */
export interface WorkerResult {
  /** From waking to the acknowledgement or the failure. */
  readonly milliseconds: number;
  /** How much later than its time it began. */
  readonly lateMs: number;
  /** The code of the failure. */
  readonly failure: string | undefined;
}
