/**
 * A file of lines with a bound: when it is full it is renamed to `NAME.1`, what was `NAME.1` to `NAME.2`, and the oldest is removed.
 *
 * Nobody waits for it: lines are collected while a write is under way. What cannot be written, for instance on a full disk, is lost and
 * counted, and the next lines are tried again.
 */

import { open, rename, rm, type FileHandle } from "node:fs/promises";

/** The file, and its bounds. */
export interface RotatingFileOptions {
  readonly file: string;
  /** Octets of one file. */
  readonly maximumOctets: number;
  /** Files in all. */
  readonly maximumFiles: number;
  /** Lines could not be written. Called once for a row of failures. */
  readonly onFailed: (error: unknown) => void;
}

/** Characters that may wait while a write is under way. */
const maximumWaitingCharacters = 1024 * 1024;
/** How long the last lines may take. */
const closeTimeoutMs = 1000;
const lineFeed = 0x0a;

/** The file. It is made when the first line comes, for its owner only. */
export class RotatingFile implements AsyncDisposable {
  readonly #options: RotatingFileOptions;
  #waiting: string[] = [];
  #waitingCharacters = 0;
  #handle: FileHandle | undefined;
  #size = 0;
  /** Whether the file ends in the middle of a line. */
  #isCutOff = false;
  #lost = 0;
  #isFailing = false;
  #isReopening = false;
  #writing: Promise<void> | undefined;

  constructor(options: RotatingFileOptions) {
    this.#options = options;
  }

  /** Lines that could not be written. */
  get lost(): number {
    return this.#lost;
  }

  /** Takes a line with its line end. */
  write(line: string): void {
    if (this.#waitingCharacters + line.length > maximumWaitingCharacters) {
      this.#lost += 1;
      return;
    }
    this.#waiting.push(line);
    this.#waitingCharacters += line.length;
    this.#writing ??= this.#writeAll();
  }

  /** Opens the file again by its name, with the next line. */
  reopen(): void {
    this.#isReopening = true;
  }

  /** Writes what waits, for a second at most, and closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, closeTimeoutMs);
    await Promise.race([this.#writing, late]);
    clearTimeout(timer);
    await this.#close();
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      this.#waitingCharacters = 0;
      try {
        await this.#append(lines.join(""));
        this.#isFailing = false;
      } catch (error) {
        this.#lost += lines.length;
        await this.#close();
        if (!this.#isFailing) this.#options.onFailed(error);
        this.#isFailing = true;
      }
    }
    this.#writing = undefined;
  }

  async #append(text: string): Promise<void> {
    if (this.#isReopening) await this.#close();
    this.#isReopening = false;
    const { file, maximumOctets } = this.#options;
    this.#handle ??= await this.#open();
    const octets = Buffer.from(this.#isCutOff ? `\n${text}` : text);
    if (this.#size > 0 && this.#size + octets.length > maximumOctets) {
      await this.#close();
      await this.#rotate(file);
      this.#handle = await this.#open();
    }
    await this.#handle.appendFile(octets);
    this.#size += octets.length;
    this.#isCutOff = false;
  }

  /** After a failure or a crash the file may end in the middle of a line. */
  async #open(): Promise<FileHandle> {
    const handle = await open(this.#options.file, "a+", 0o600);
    this.#size = (await handle.stat()).size;
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, Math.max(0, this.#size - 1));
    this.#isCutOff = this.#size > 0 && buffer[0] !== lineFeed;
    return handle;
  }

  async #rotate(file: string): Promise<void> {
    const last = this.#options.maximumFiles - 1;
    if (last === 0) {
      await rm(file, { force: true });
      return;
    }
    for (let number = last; number >= 1; number--) {
      const from = number === 1 ? file : `${file}.${number - 1}`;
      await rename(from, `${file}.${number}`).catch(ignoreMissing);
    }
  }

  async #close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close().catch(() => {});
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
}
