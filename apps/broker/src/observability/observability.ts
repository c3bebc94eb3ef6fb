/** What a running broker reports: its log, its refusals, its metrics and whether it is ready. */

import type { Broker, BrokerEvent } from "@latchkey/broker-core";
import type { Registry } from "@latchkey/registry";
import type { ClientRefusal, Peer } from "../authorization/peer.ts";
import type { Principal } from "../authorization/policy-authorizer.ts";
import type { AdmissionRefusal } from "../listeners/admission.ts";
import { DecisionLog } from "./decision-log.ts";
import { brokerMetrics, createAppCounts, type AppCounts } from "./broker-metrics.ts";
import { openDecisionFile } from "./decision-file.ts";
import { EventLog } from "./event-log.ts";
import { HandshakeLog } from "./handshake-log.ts";
import { EventLoopDelay } from "./event-loop-delay.ts";
import { lifecycleOn } from "./lifecycle-publisher.ts";
import type { LifecycleEvents } from "./lifecycle-events.ts";
import { startMetricsServer } from "./metrics-server.ts";
import type { OpenedLog } from "./open-log.ts";
import type { RotatingFile } from "./rotating-file.ts";

/** Where metrics are to be had. */
export interface MetricsSettings {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
}

/** What it is started with. */
export interface ObservabilityOptions {
  readonly dataDirectory: string;
  readonly log: OpenedLog["log"];
  /** Undefined where the log goes elsewhere. */
  readonly logWriter?: Pick<OpenedLog["writer"], "dropped"> | undefined;
  /** Undefined for no metrics. */
  readonly metrics: MetricsSettings | undefined;
}

/** Counts and logs what happens, and answers who asks for it, until it is disposed. */
export class Observability implements AsyncDisposable {
  readonly decisions: DecisionLog;
  readonly #running = new AsyncDisposableStack();
  readonly #options: ObservabilityOptions;
  readonly #counts: AppCounts = createAppCounts();
  readonly #file: RotatingFile;
  readonly #events: EventLog;
  readonly #handshakes: HandshakeLog;
  #lifecycle: LifecycleEvents | undefined;
  #broker: Broker<Peer, Principal> | undefined;
  #isDraining = false;
  #metricsUrl: string | undefined;

  private constructor(options: ObservabilityOptions) {
    const { dataDirectory, log } = options;
    this.#options = options;
    this.#file = this.#running.use(openDecisionFile(dataDirectory, log));
    this.decisions = new DecisionLog((line) => this.#file.write(line));
    this.#handshakes = this.#running.use(new HandshakeLog(log));
    this.#events = this.#running.use(new EventLog({ log, decisions: this.decisions }));
  }

  /** Starts it. Throws `ERR_BROKER_LISTEN` where metrics cannot be offered. */
  static async start(options: ObservabilityOptions): Promise<Observability> {
    const observed = new Observability(options);
    try {
      if (options.metrics !== undefined) await observed.#serveMetrics(options.metrics);
      return observed;
    } catch (error) {
      await observed[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where metrics are to be had, or undefined. */
  get metricsUrl(): string | undefined {
    return this.#metricsUrl;
  }

  /** Takes an event of the broker core. */
  readonly record = (event: BrokerEvent<Peer, Principal>): void => {
    const { closed } = this.#counts;
    if (event.type === "closed") closed.set(event.reason, (closed.get(event.reason) ?? 0) + 1);
    this.#events.record(event);
    this.#lifecycle?.record(event);
  };

  handshakeAccepted(): void {
    this.#counts.handshakes.accepted += 1;
  }

  readonly handshakeFailed = (remote: string, reason: string): void => {
    this.#counts.handshakes.failed += 1;
    this.#handshakes.failed(remote, reason);
  };

  readonly notAdmitted = (remote: string, limit: AdmissionRefusal, value: number): void => {
    const { notAdmitted } = this.#counts;
    notAdmitted.set(limit, (notAdmitted.get(limit) ?? 0) + 1);
    this.#handshakes.notAdmitted(remote, limit, value);
  };

  /** The handshake went well, but its certificate is not let in. */
  clientRefused(connection: { readonly remote: string; readonly protocol: string }, refusal: ClientRefusal): void {
    const { refused } = this.#counts.handshakes;
    refused.set(refusal.code, (refused.get(refusal.code) ?? 0) + 1);
    this.#handshakes.refused(connection, refusal);
    if (refusal.code === "ERR_IDENTITY_PENDING_ACTIVATION") this.#lifecycle?.registered(refusal.event);
  }

  /** Has lifecycle events published, until it drains. */
  publishLifecycle(broker: Broker<Peer, Principal>, registry: Registry): void {
    this.#lifecycle = lifecycleOn(broker, registry, this.#options.log);
  }

  /** From now on there is a broker to count, and it is ready. */
  attach(broker: Broker<Peer, Principal>): void {
    this.#broker = broker;
  }

  /** From now on it is not ready any more. */
  drain(): void {
    this.#isDraining = true;
    // All clients are being disconnected: no subscriber is left who could receive the events of it.
    this.#lifecycle?.[Symbol.dispose]();
  }

  /** Opens the file of refusals again, after it was renamed. */
  reopen(): void {
    this.#file.reopen();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#running.disposeAsync();
  }

  async #serveMetrics(settings: MetricsSettings): Promise<void> {
    const delay = this.#running.use(new EventLoopDelay());
    const server = await startMetricsServer({
      ...settings,
      metrics: () => this.#metrics(delay),
      unreadyReason: () => this.#unreadyReason(),
    });
    this.#metricsUrl = this.#running.use(server).url;
  }

  #metrics(delay: EventLoopDelay): string {
    if (this.#broker === undefined) return "";
    return brokerMetrics({
      broker: this.#broker,
      counts: this.#counts,
      delay,
      logLinesDropped: this.#options.logWriter?.dropped ?? 0,
      decisionsLost: this.#file.lost,
    });
  }

  #unreadyReason(): string | undefined {
    if (this.#isDraining) return "the broker stops";
    if (this.#broker === undefined) return "the broker starts";
    return this.#broker.hasStoreFailed ? "sessions cannot be written" : undefined;
  }
}
