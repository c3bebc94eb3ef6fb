/** A whole run: targets are started, rounds alternate between ours and the peers, each worker count gives its entries. */

import { combineFigures, compareRounds } from "./combine-rounds.ts";
import { checkDescriptors } from "./descriptors.ts";
import { LoadError } from "./errors.ts";
import { makeDevices, openAuthorities, type PemPair } from "./identities.ts";
import { unsupported } from "./probe.ts";
import type { Figures, LoadResult } from "./result.ts";
import { runRound, type RoundProgress } from "./run-round.ts";
import { mostConnections, resultName, scenarios } from "./scenario.ts";
import type { Settings } from "./settings.ts";
import { startTarget } from "./start-target.ts";
import { isTargetName } from "./target/names.ts";
import { makeRunFolder, removeRunFolder, type CorePlan } from "./target/process.ts";
import type { Target, TargetOptions } from "./target/target.ts";
import { readPem, urlTarget } from "./target/url-target.ts";

/** What a run says while it runs. */
interface RunListener {
  note(text: string): void;
  progress(name: string, progress: RoundProgress): void;
  /** A result is there. */
  result(result: LoadResult): void;
}

/** How a run is started. */
export interface RunOptions {
  readonly settings: Settings;
  readonly cores: CorePlan;
  /** Ends the run early; what was measured until then is reported. */
  readonly signal: AbortSignal;
  readonly listener: RunListener;
  readonly pool: TargetPool;
}

/**
 * The targets that run, and the folder that they live in. Several runs on one pool share its targets: then no round has a
 * fresh one, and the pool is made for as many devices as any run needs.
 */
export class TargetPool implements AsyncDisposable {
  readonly folder = makeRunFolder();
  readonly #targets = new Map<string, Target>();
  readonly isShared: boolean;
  readonly devices: number;

  constructor(runs: readonly Settings[]) {
    this.isShared = runs.length > 1;
    this.devices = Math.max(probeDevices, ...runs.map((settings) => scenarios[settings.scenario].devices(settings)));
  }

  /** The target of a name, started where it does not run. */
  async target(name: string, start: () => Promise<Target>): Promise<Target> {
    const target = this.#targets.get(name) ?? (await start());
    this.#targets.set(name, target);
    return target;
  }

  /** Stops a target. */
  async stop(name: string): Promise<void> {
    const target = this.#targets.get(name);
    this.#targets.delete(name);
    await target?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#targets.keys()].map((name) => this.stop(name)));
    removeRunFolder(this.folder);
  }
}

/** One side of a comparison. */
interface Contender {
  readonly name: string;
  target: Target | undefined;
  /** Why it cannot do the scenario. */
  refusal: string | undefined;
  version: string;
  notes: readonly string[];
  rounds: Figures[];
}

/** Devices that are made beyond those of the scenario: the probe's. */
const probeDevices = 3;

/**
 * Runs the scenario of `settings`. True where it ended as planned; false where it was ended early, by the signal or by a target
 * that ended. Results go to the listener. Throws `LoadError` where nothing can be measured.
 */
export async function runLoad(options: RunOptions): Promise<boolean> {
  const { settings } = options;
  const { devices, folder } = options.pool;
  checkDescriptors(mostConnections(settings) + probeDevices, Math.max(...settings.workers));
  const authorities = openAuthorities(settings.keyType);
  const areMade = await makeDevices(authorities, devices, options.signal, (made) => {
    if (made % 1000 !== 0) return;
    options.listener.note(`${made} device certificates are made (${devices} are used); they are kept for the next run`);
  });
  if (!areMade) return false;
  const run = new Run(options, {
    folder,
    authorities,
    devices,
    isPlain: settings.plain,
    tlsVersion: settings.tls,
    cores: options.cores.target,
  });
  for (const workers of settings.workers) if (!run.isEnded) await run.measure(workers);
  return !run.isEnded;
}

class Run {
  readonly #options: RunOptions;
  readonly #targetOptions: TargetOptions;
  readonly #identity: PemPair | undefined;
  readonly #contenders: Contender[];
  readonly #abort = new AbortController();
  readonly #notes: string[];
  /** Rate and workers of the first count of a sweep. */
  #firstOfSweep: { readonly workers: number; readonly rate: number } | undefined;

  constructor(options: RunOptions, targetOptions: TargetOptions) {
    const { settings, signal, cores } = options;
    this.#options = options;
    this.#targetOptions = targetOptions;
    this.#identity = identityOf(settings);
    const own =
      settings.url ??
      (usesOnlyUrl(settings) ? (settings.httpUrl ?? settings.controlPlaneUrl) : undefined) ??
      settings.target;
    this.#contenders = [own, ...settings.compare].map((name) => makeContender(name));
    if (signal.aborted) this.#abort.abort();
    signal.addEventListener("abort", () => this.#abort.abort(), { once: true });
    this.#notes = [cores.note];
    if (settings.keyType === "rsa") this.#notes.push("RSA clients share at most 64 keys");
    if (this.#identity !== undefined) this.#notes.push("all clients of the URL use one certificate");
  }

  get isEnded(): boolean {
    return this.#abort.signal.aborted;
  }

  /** All rounds with so many workers. */
  async measure(workers: number): Promise<void> {
    const { settings, listener } = this.#options;
    for (const contender of this.#contenders) contender.rounds = [];
    for (let round = 0; round < settings.rounds && !this.isEnded; round++) {
      for (const contender of this.#contenders) {
        if (this.isEnded || contender.refusal !== undefined) continue;
        await this.#round(contender, workers, round);
      }
    }
    for (const result of this.#results(workers)) listener.result(result);
  }

  async #round(contender: Contender, workers: number, round: number): Promise<void> {
    const { settings, listener } = this.#options;
    const target = await this.#ready(contender);
    if (target === undefined) return;
    const name = `${resultName(settings)} ${contender.name} ${round + 1}/${settings.rounds}`;
    const ended = target.ended.then((sentence) => {
      this.#notes.push(`the run ended early: ${sentence}`);
      listener.note(sentence);
      this.#abort.abort();
    });
    const figures = await Promise.race([
      runRound({
        settings,
        workers,
        target,
        authorities: this.#targetOptions.authorities,
        identity: this.#identityFor(contender),
        signal: this.#abort.signal,
        onProgress: (progress) => listener.progress(name, progress),
      }),
      // Never wins: it only keeps the promise from going unhandled.
      ended.then(() => new Promise<never>(() => {})),
    ]);
    if (figures !== undefined) contender.rounds.push(figures);
    if (scenarios[settings.scenario].needsFreshTarget && !this.#options.pool.isShared) {
      contender.target = undefined;
      await this.#options.pool.stop(contender.name);
    }
  }

  /** The running target, started and asked where it is not; undefined where it cannot do the scenario. */
  async #ready(contender: Contender): Promise<Target | undefined> {
    if (contender.target !== undefined) return contender.target;
    const { settings } = this.#options;
    try {
      contender.target = await this.#options.pool.target(contender.name, () => this.#start(contender.name));
    } catch (error) {
      const isOwn = contender === this.#contenders[0];
      if (!(error instanceof LoadError) || (isOwn && this.#contenders.length === 1)) throw error;
      contender.refusal = error.message;
      return undefined;
    }
    const { target } = contender;
    contender.version = target.version;
    contender.notes = target.notes;
    contender.refusal = await unsupported(
      target,
      settings,
      this.#targetOptions.authorities,
      this.#identityFor(contender),
    );
    return contender.refusal === undefined ? target : undefined;
  }

  /** What the user named is for the broker behind the URL; those that the bench starts know its own devices. */
  #identityFor({ name }: Contender): PemPair | undefined {
    return isTargetName(name) ? undefined : this.#identity;
  }

  #start(name: string): Promise<Target> {
    const { settings } = this.#options;
    return isTargetName(name)
      ? startTarget(name, this.#targetOptions)
      : Promise.resolve(urlTarget(settings, this.#targetOptions.authorities));
  }

  /** One entry a peer, or one alone. */
  #results(workers: number): LoadResult[] {
    const [own, ...peers] = this.#contenders;
    if (own === undefined) return [];
    const entries = (peers.length === 0 ? [undefined] : peers).flatMap(
      (peer) => this.#result(workers, own, peer) ?? [],
    );
    return entries;
  }

  #result(workers: number, own: Contender, peer: Contender | undefined): LoadResult | undefined {
    const { settings } = this.#options;
    const hasAny =
      own.rounds.length > 0 ||
      own.refusal !== undefined ||
      (peer !== undefined && (peer.rounds.length > 0 || peer.refusal !== undefined));
    if (!hasAny) return undefined;
    const { ratioOf } = scenarios[settings.scenario];
    const figures = combined(own) ?? nothingMeasured;
    const refusals = [own, ...(peer === undefined ? [] : [peer])].flatMap(({ name, refusal }) =>
      refusal === undefined ? [] : [`not supported by ${name}: ${refusal}`],
    );
    const comparison =
      peer === undefined ? { ratio: null, ratioSpread: null } : compareRounds(own.rounds, peer.rounds, ratioOf);
    return {
      ...figures,
      scenario: resultName(settings),
      target: own.name,
      targetVersion: own.version,
      peer: peer?.name ?? null,
      peerVersion: peer?.version ?? null,
      rounds: own.rounds.length,
      workers,
      scalingEfficiency: this.#efficiency(workers, figures.ratePerSecond),
      peerFigures: peer === undefined ? null : (combined(peer) ?? null),
      ...comparison,
      ratioOf: comparison.ratio === null ? null : ratioOf,
      notSupported: refusals.length === 0 ? null : refusals.join("; "),
      notes: [...new Set([...this.#notes, ...this.#sharing(workers), ...own.notes, ...(peer?.notes ?? [])])],
    };
  }

  /** Workers above the number of cores scale nothing, and a sweep without this note looks like a target's limit. */
  #sharing(workers: number): string[] {
    const { generatorCores } = this.#options.cores;
    if (workers <= generatorCores) return [];
    const cores = generatorCores === 1 ? "1 core" : `${generatorCores} cores`;
    return [`${workers} workers share ${cores} of the generator: they can do no more than ${generatorCores}`];
  }

  #efficiency(workers: number, rate: number | null): number | null {
    if (this.#options.settings.workers.length < 2 || rate === null) return null;
    this.#firstOfSweep ??= { workers, rate };
    const first = this.#firstOfSweep.rate / this.#firstOfSweep.workers;
    return first === 0 ? null : rate / workers / first;
  }
}

/** Whether http-press or control-plane is run against a URL of its own, with no broker to start. */
function usesOnlyUrl({ scenario, httpUrl, controlPlaneUrl }: Settings): boolean {
  return (
    (scenario === "http-press" && httpUrl !== undefined) ||
    (scenario === "control-plane" && controlPlaneUrl !== undefined)
  );
}

function makeContender(name: string): Contender {
  return { name, target: undefined, refusal: undefined, version: "unknown", notes: [], rounds: [] };
}

function combined({ rounds }: Contender): Figures | undefined {
  const [first, ...rest] = rounds;
  return first === undefined ? undefined : combineFigures([first, ...rest]);
}

/** The figures of a target that could not do the scenario: counts of nothing, and no figure that could be taken for one. */
const nothingMeasured: Figures = {
  cpuMicrosecondsPerMessage: null,
  cpuMicrosecondsPerHandshake: null,
  kilobytesPerConnection: null,
  ratePerSecond: null,
  latencyMs: null,
  durationSeconds: 0,
  operations: 0,
  sent: 0,
  received: 0,
  lost: 0,
  duplicates: 0,
  ledger: { notSent: 0, missing: 0, failed: 0, unfinished: 0, outsideWindow: 0, unexpected: 0 },
  errors: {},
  errorsBeforeWindow: {},
  generator: null,
  timeline: [],
  phases: [],
  memory: [],
  processes: [],
};

/** The one certificate that the user gave for a URL. Throws `ERR_LOAD_USAGE`. */
function identityOf({ certificate, key }: Settings): PemPair | undefined {
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined || key === undefined) {
    throw new LoadError("ERR_LOAD_USAGE", "--certificate and --key belong together: give both");
  }
  return { certificate: readPem("--certificate", certificate), privateKey: readPem("--key", key) };
}
