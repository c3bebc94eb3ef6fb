/**
 * Answers that were read from the storage, remembered until a change touches what they depend on.
 *
 * A connection needs many small records that hardly ever change. Each answer is kept with the resources that it was made of. Before
 * answers are given, the number of the last change is compared (some microseconds, which a storage may spend once a turn of the event
 * loop); where it is another, the feed says which answers to forget. So a change of any process counts at the next question, or in the
 * next turn. The alternative was a clock that lets answers be some milliseconds old, and lets a revoked certificate in for that long.
 */

import type { Change, ChangeKind } from "./changes.ts";
import { SetsByKey } from "./sets-by-key.ts";
import type { Storage, StorageReader } from "./storage.ts";

/** With more changes than this since the last look, everything is forgotten, and they are not read. */
const maximumChangesToRead = 1000;

/** Says what an answer depends on: a key of `resourceKey`, or what `inEveryScope`, `allAuthorities` or `allOfKind` give. */
export type DependsOn = (dependency: string) => void;

/** The certificate with this identifier, in whichever account. */
export function inEveryScope(certificateId: string): string {
  return `/certificate/${certificateId}`;
}

/** The authorities of an account, also those to come. */
export function allAuthorities(scope: string): string {
  return `${scope}/certificate-authority`;
}

/** Every change of a kind. */
export function allOfKind(kind: ChangeKind): string {
  return kind;
}

/** An answer that is remembered, as the index of dependencies sees it. */
interface Dependent {
  /** Each once. */
  readonly dependencies: readonly string[];
  /** Takes it out of the answers that it is one of. */
  forget(): void;
}

/** Which answers depend on what. */
class DependencyIndex {
  readonly #dependents = new SetsByKey<string, Dependent>();

  add(dependent: Dependent): void {
    for (const dependency of dependent.dependencies) this.#dependents.add(dependency, dependent);
  }

  delete(dependent: Dependent): void {
    for (const dependency of dependent.dependencies) this.#dependents.delete(dependency, dependent);
  }

  forget(dependency: string): void {
    for (const dependent of this.#dependents.of(dependency)) dependent.forget();
  }

  get size(): number {
    return this.#dependents.size;
  }
}

/** The remembered answers of one registry. */
export class RememberedReads implements Disposable {
  readonly #storage: Storage;
  readonly #maximum: number;
  readonly #index = new DependencyIndex();
  readonly #clear: (() => void)[] = [];
  readonly #stopListening: () => void;
  /** Of the last change that was acted on; undefined before the first look. */
  #sequence: number | undefined;

  /** `maximum`: most answers that one `Answers` remembers. */
  constructor(storage: Storage, maximum: number) {
    this.#storage = storage;
    this.#maximum = maximum;
    this.#stopListening = storage.onCommit((changes) => this.#commit(changes));
  }

  /** A place for answers of one type. */
  answers<T>(): Answers<T> {
    const answers = new Answers<T>(this.#storage, this.#index, this.#maximum);
    this.#clear.push(() => answers.clear());
    return answers;
  }

  /**
   * Forgets what changes since the last call have made untrue. To be called before a group of questions. Throws
   * `ERR_REGISTRY_UNAVAILABLE`.
   */
  follow(): void {
    const last = this.#storage.sequence();
    while (this.#sequence !== last) {
      const before = this.#sequence;
      const isNear = before !== undefined && last > before && last - before <= maximumChangesToRead;
      const batch = isNear ? this.#storage.changesAfter(before, maximumChangesToRead) : undefined;
      const sequence = batch?.isComplete === true ? batch.changes.at(-1)?.sequence : undefined;
      if (batch?.isComplete !== true || sequence === undefined) {
        this.forgetAll();
        this.#sequence = last;
        return;
      }
      this.#act(batch.changes);
      this.#sequence = sequence;
      // Another process may have committed since the look.
      if (sequence > last) return;
    }
  }

  /** Forgets everything. */
  forgetAll(): void {
    for (const clear of this.#clear) clear();
  }

  [Symbol.dispose](): void {
    this.#stopListening();
    this.forgetAll();
  }

  #commit(changes: readonly Change[]): void {
    this.#act(changes);
    const [first] = changes;
    // Otherwise another process has committed in between: `follow` reads its changes, and these again.
    if (first !== undefined && first.sequence - 1 === this.#sequence) this.#sequence = changes.at(-1)?.sequence;
  }

  #act(changes: readonly Change[]): void {
    if (this.#index.size === 0) return;
    for (const { kind, touches } of changes) {
      this.#index.forget(allOfKind(kind));
      for (const key of touches) {
        this.#index.forget(key);
        // `resourceKey` writes SCOPE/KIND/NAME.
        this.#index.forget(key.slice(key.indexOf("/")));
        this.#index.forget(key.slice(0, key.lastIndexOf("/")));
      }
    }
  }
}

/** Answers of one type by their keys. */
export class Answers<T> {
  readonly #storage: Storage;
  readonly #index: DependencyIndex;
  readonly #maximum: number;
  /** The least recently used one first. */
  readonly #remembered = new Map<string, Remembered<T>>();

  constructor(storage: Storage, index: DependencyIndex, maximum: number) {
    this.#storage = storage;
    this.#index = index;
    this.#maximum = maximum;
  }

  /**
   * The remembered answer, or the one that `read` gives; undefined is not remembered. What `read` throws is thrown. To be called
   * behind `RememberedReads.follow`.
   */
  get(key: string, read: (reader: StorageReader, dependsOn: DependsOn) => T): T {
    const known = this.#remembered.get(key);
    if (known !== undefined) {
      this.#remembered.delete(key);
      this.#remembered.set(key, known);
      return known.value;
    }
    const dependencies = new Set<string>();
    const value = this.#storage.read((reader) => read(reader, (dependency) => dependencies.add(dependency)));
    if (value !== undefined) this.#remember(key, value, Array.from(dependencies));
    return value;
  }

  /** The answer where it is remembered, without reading. To be called behind `RememberedReads.follow`. */
  remembered(key: string): T | undefined {
    return this.#remembered.get(key)?.value;
  }

  clear(): void {
    for (const key of Array.from(this.#remembered.keys())) this.forget(key);
  }

  #remember(key: string, value: T, dependencies: readonly string[]): void {
    const [oldest] = this.#remembered.size >= this.#maximum ? this.#remembered.values() : [];
    oldest?.forget();
    const entry = new Remembered(this, key, value, dependencies);
    this.#remembered.set(key, entry);
    this.#index.add(entry);
  }

  /** Forgets the answer of a key, where there is one. */
  forget(key: string): void {
    const entry = this.#remembered.get(key);
    if (entry === undefined) return;
    this.#remembered.delete(key);
    this.#index.delete(entry);
  }
}

/** One answer. There is one of each type for each device, so it has no closure, which would keep a connection's buffers alive, too. */
class Remembered<T> implements Dependent {
  readonly value: T;
  readonly dependencies: readonly string[];
  readonly #answers: Answers<T>;
  readonly #key: string;

  constructor(answers: Answers<T>, key: string, value: T, dependencies: readonly string[]) {
    this.#answers = answers;
    this.#key = key;
    this.value = value;
    this.dependencies = dependencies;
  }

  forget(): void {
    this.#answers.forget(this.#key);
  }
}
