/**
 * Writes the lines of a log without ever waiting for their reader.
 *
 * Lines are collected, and written together when the work that they tell of is done. A pipe or socket is in non-blocking mode: what
 * it does not take stays here and is offered again. A file or terminal is written to by libuv's threads. What waits is bounded: beyond
 * the bound lines are dropped until everything that waited has gone out, and then one line says how many are missing at that place.
 */

import { closeSync, fstatSync, openSync, write, writeSync } from "node:fs";

/** Where lines go, and how many may wait. */
export interface LineWriterOptions {
  /** 2 is standard error; a text is a file that lines are appended to, made for its owner only. */
  readonly destination: 2 | string;
  /** Characters that may wait. */
  readonly maximumCharacters: number;
  /** The line, with its line end, that says how many lines are missing. */
  readonly droppedLine: (count: number) => string;
}

/** Characters that are written at once. */
const chunkCharacters = 64 * 1024;
/** Octets that are written before other work gets its turn. */
const octetsPerTurn = 1024 * 1024;
/** How long a reader that takes nothing is left alone: doubled from the first to the second. */
const retryMs = [2, 64] as const;
/** A full disk is asked again after this. */
const failedRetryMs = 1000;
/** How long the last lines may take when the process ends. */
const finalFlushMs = 1000;

/** The writer. */
export class LineWriter {
  readonly #options: LineWriterOptions;
  #descriptor: number;
  #isNonBlocking: boolean;
  #lines: string[] = [];
  /** What is being written, and how much of it is. */
  #chunk: Buffer | undefined;
  #written = 0;
  /** Of `#lines` and `#chunk`. */
  #characters = 0;
  #chunkSize = 0;
  #isScheduled = false;
  #isWriting = false;
  /** The reader is gone for good. */
  #isClosed = false;
  #retryMs: number = retryMs[0];
  /** Lines that are missing and not yet reported. */
  #missing = 0;
  #dropped = 0;

  /** Throws the system's error where a file cannot be opened. */
  constructor(options: LineWriterOptions) {
    this.#options = options;
    this.#descriptor = open(options.destination);
    this.#isNonBlocking = isNonBlocking(this.#descriptor);
  }

  /** Lines that were dropped since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes a line with its line end. */
  write(line: string): void {
    const isFull = this.#characters + line.length > this.#options.maximumCharacters;
    if (this.#isClosed || this.#missing > 0 || isFull) {
      this.#dropped += 1;
      this.#missing += 1;
      return;
    }
    this.#characters += line.length;
    this.#lines.push(line);
    this.#schedule();
  }

  /** Opens the file again under its name, after it was renamed. Standard error stays as it is. Throws the system's error. */
  reopen(): void {
    if (this.#options.destination === 2) return;
    const before = this.#descriptor;
    this.#descriptor = open(this.#options.destination);
    this.#isNonBlocking = isNonBlocking(this.#descriptor);
    this.#isClosed = false;
    // A write that is under way has the old one.
    if (this.#isWriting) setTimeout(() => closeSync(before), finalFlushMs).unref();
    else closeSync(before);
  }

  /** Writes what waits before it returns, as far as the reader takes it within a second. For the end of the process. */
  flushSync(): void {
    const endMs = performance.now() + finalFlushMs;
    // What a thread writes is on its way already.
    if (this.#isWriting) this.#took(this.#chunk?.length ?? 0);
    while (this.#nextChunk() && !this.#isClosed && performance.now() < endMs) {
      try {
        this.#took(writeSync(this.#descriptor, this.#chunk ?? empty, this.#written));
      } catch (error) {
        this.#failed(error);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs[0]);
      }
    }
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isWriting) return;
    this.#isScheduled = true;
    queueMicrotask(() => this.#start());
  }

  #retryIn(ms: number): void {
    this.#isScheduled = true;
    setTimeout(() => this.#start(), ms).unref();
  }

  #start(): void {
    this.#isScheduled = false;
    if (this.#isWriting || this.#isClosed || !this.#nextChunk()) return;
    if (this.#isNonBlocking) this.#writeNow();
    else this.#writeInThread();
  }

  /** A pipe or socket: it takes what it has room for. */
  #writeNow(): void {
    let left = octetsPerTurn;
    while (left > 0 && this.#nextChunk()) {
      try {
        const octets = writeSync(this.#descriptor, this.#chunk ?? empty, this.#written);
        left -= octets;
        this.#took(octets);
      } catch (error) {
        const ms = this.#failed(error);
        if (ms !== undefined) this.#retryIn(ms);
        return;
      }
    }
    if (this.#characters > 0) this.#retryIn(0);
  }

  #writeInThread(): void {
    const chunk = this.#chunk ?? empty;
    this.#isWriting = true;
    write(this.#descriptor, chunk, this.#written, (error, octets) => {
      this.#isWriting = false;
      // At the end of the process it was given up for written.
      if (this.#chunk !== chunk) return;
      if (error === null) {
        this.#took(octets);
        if (this.#characters > 0 || this.#missing > 0) this.#schedule();
        return;
      }
      const ms = this.#failed(error);
      if (ms !== undefined) this.#retryIn(ms);
    });
  }

  /** Has something to write in `#chunk`; false where nothing waits. */
  #nextChunk(): boolean {
    if (this.#chunk !== undefined) return true;
    if (this.#lines.length === 0 && this.#missing > 0) {
      // The gap is here: all lines before it are out.
      const line = this.#options.droppedLine(this.#missing);
      this.#missing = 0;
      this.#characters += line.length;
      this.#lines.push(line);
    }
    let size = 0;
    let count = 0;
    for (; count < this.#lines.length && size < chunkCharacters; count++) size += this.#lines[count]?.length ?? 0;
    if (count === 0) return false;
    this.#chunk = Buffer.from(this.#lines.splice(0, count).join(""));
    this.#chunkSize = size;
    this.#written = 0;
    return true;
  }

  #took(octets: number): void {
    this.#retryMs = retryMs[0];
    this.#written += octets;
    if (this.#chunk === undefined || this.#written < this.#chunk.length) return;
    this.#characters -= this.#chunkSize;
    this.#chunk = undefined;
  }

  /** What a failed write means: milliseconds until the next, or undefined where the reader is gone. */
  #failed(error: unknown): number | undefined {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EAGAIN") {
      const ms = this.#retryMs;
      this.#retryMs = Math.min(ms * 2, retryMs[1]);
      return ms;
    }
    if (code !== "EPIPE" && code !== "EBADF" && code !== "ECONNRESET") return failedRetryMs;
    this.#isClosed = true;
    this.#dropped += this.#lines.length;
    this.#lines = [];
    this.#chunk = undefined;
    this.#characters = 0;
    return undefined;
  }
}

const empty = Buffer.alloc(0);

function open(destination: 2 | string): number {
  return destination === 2 ? 2 : openSync(destination, "a", 0o600);
}

/** Whether the descriptor is a pipe or socket. Node sets those of standard error to non-blocking mode when it makes the stream. */
function isNonBlocking(descriptor: number): boolean {
  const kind = fstatSync(descriptor);
  return descriptor === process.stderr.fd && (kind.isFIFO() || kind.isSocket());
}
