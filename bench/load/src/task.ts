/** What the main thread and the worker threads say to each other. */

import type { RecordableHistogram } from "node:perf_hooks";
import type { QoS } from "@latchkey/mqtt-codec";
import type { Endpoint } from "./client.ts";
import type { KeyType, PemPair } from "./identities.ts";
import type { LedgerReport } from "./ledger.ts";
import type { Settings } from "./settings.ts";
import type { SigningCredentials } from "./signing-credentials.ts";

/** A client of the run; every worker has a share of them. */
export interface ClientPlan {
  /** Number of its device; its client identifier and the second level of its topics are this device's name. */
  readonly device: number;
  readonly role: "publisher" | "subscriber" | "idle";
  readonly qos: QoS;
  /** Publishers: a level of their topics, such as `g0`; the subscribers of the group filter by it. */
  readonly topicGroup: string;
  /** Publishers: how many clients receive each message. */
  readonly receivers: number;
  /** Subscribers. */
  readonly topicFilter: string;
}

/** What a worker is started with. */
export interface WorkerTask {
  readonly settings: Settings;
  /** Marks the messages of this run: others are not counted. */
  readonly runNumber: number;
  readonly worker: number;
  readonly workers: number;
  readonly endpoint: Endpoint;
  readonly roots: string | undefined;
  readonly speaks: "mqtt" | "tls";
  readonly httpUrl: string | undefined;
  readonly controlPlaneUrl: string | undefined;
  readonly controlPlaneCredentials: SigningCredentials | undefined;
  readonly devicesFolder: string;
  readonly keyType: KeyType;
  /** One identity for all clients, where the user gave one. */
  readonly identity: PemPair | undefined;
  readonly clients: readonly ClientPlan[];
  /** Publishers of all workers, by which the rate is divided. */
  readonly publishers: number;
  /** Messages received, by device of the publisher; only kept in a closed loop. */
  readonly receivedByDevice: SharedArrayBuffer;
}

/** Points that all workers reach before any goes on. */
export type Barrier = "ready" | "absent" | "queued" | "held" | "sent";

/** From the main thread. */
export type ToWorker =
  | { readonly type: "go"; readonly barrier: Barrier; readonly atMs: number; readonly window: MeasuredWindow }
  | { readonly type: "stop" };

/** What is measured: operations that are due in [fromMs, toMs). */
export interface MeasuredWindow {
  readonly fromMs: number;
  readonly toMs: number;
  readonly phases: readonly { readonly name: string; readonly fromMs: number; readonly toMs: number }[];
}

/** From a worker. */
export type FromWorker =
  | { readonly type: "reached"; readonly barrier: Barrier }
  | LiveReport
  | SecondReport
  | DoneReport
  | { readonly type: "failed"; readonly message: string };

/** Counts so far, several times a second. */
export interface LiveReport {
  readonly type: "live";
  readonly connections: number;
  readonly sent: number;
  readonly received: number;
}

/** What was received in one second of the measured time. */
export interface SecondReport {
  readonly type: "second";
  readonly second: number;
  readonly received: number;
  readonly histogram: RecordableHistogram;
}

/** A worker's share of the result. */
export interface DoneReport {
  readonly type: "done";
  readonly operations: number;
  readonly sent: number;
  readonly received: number;
  readonly ledger: LedgerReport;
  readonly errors: Readonly<Record<string, number>>;
  readonly errorsBeforeWindow: Readonly<Record<string, number>>;
  readonly histogram: RecordableHistogram;
  readonly lag: RecordableHistogram;
  readonly phases: readonly {
    readonly name: string;
    readonly received: number;
    readonly histogram: RecordableHistogram;
  }[];
  /** When the last of what was measured arrived; 0 where nothing did. */
  readonly lastArrivalMs: number;
  readonly cpuShare: number;
  readonly worstEventLoopDelayMs: number;
}
