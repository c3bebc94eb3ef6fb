/**
 * How a button can be pressed, and which click a key's events are.
 *
 * Two sources: a terminal that reports the release of a key gives durations. Every other one gives a character for the press and,
 * while the key is held, one more for each repeat: the first after up to `pairMs`, then at short intervals. There a second character is
 * a second click unless repeats follow it.
 */

export const clickTypes = ["SINGLE", "DOUBLE", "LONG"] as const;

/** The word in the payload. */
export type ClickType = (typeof clickTypes)[number];

/** The first press is LONG when it lasts longer than this (AWS IoT Button). */
const longMs = 1500;
/** How long a second press may be awaited. Keyboards wait up to 660 ms before they repeat. */
const pairMs = 700;
/** The same where releases are reported: only the second press is awaited. */
const exactPairMs = 400;
/** Repeats come at least this often. A finger is slower. */
const repeatMs = 90;
/** Silence after which a held key was released. */
const silenceMs = 160;

type State =
  | { readonly is: "idle" }
  /** One character so far. */
  | { readonly is: "first"; readonly sinceMs: number }
  /** Two: a second click, or the first repeat. */
  | { readonly is: "second"; readonly sinceMs: number; readonly atMs: number }
  /** Repeats: the key is held. */
  | { readonly is: "held"; readonly sinceMs: number; readonly atMs: number; readonly isReported: boolean }
  /** Down, in a terminal that will report the release. */
  | { readonly is: "down"; readonly sinceMs: number; readonly isSecond: boolean }
  /** Released once. */
  | { readonly is: "up"; readonly atMs: number };

/** Makes clicks of key events. Times are milliseconds of one clock. */
export class ClickRecognizer {
  #state: State = { is: "idle" };

  /** The character of the key, also as a repeat. Gives a click where it is known already. */
  typed(nowMs: number): ClickType | undefined {
    const state = this.#state;
    switch (state.is) {
      case "first":
        if (nowMs - state.sinceMs < repeatMs) return this.#hold(state.sinceMs, nowMs, false);
        this.#state = { is: "second", sinceMs: state.sinceMs, atMs: nowMs };
        return undefined;
      case "second":
        return this.#hold(state.sinceMs, nowMs, false);
      case "held":
        return this.#hold(state.sinceMs, nowMs, state.isReported);
      case "idle":
      case "down":
      case "up":
        this.#state = { is: "first", sinceMs: nowMs };
        return undefined;
    }
  }

  /** The key went down, in a terminal that reports releases. */
  pressed(nowMs: number): void {
    this.#state = { is: "down", sinceMs: nowMs, isSecond: this.#state.is === "up" };
  }

  /** It was released. */
  released(nowMs: number): ClickType | undefined {
    const state = this.#state;
    if (state.is !== "down") return undefined;
    if (state.isSecond) return this.#done("DOUBLE");
    if (nowMs - state.sinceMs > longMs) return this.#done("LONG");
    this.#state = { is: "up", atMs: nowMs };
    return undefined;
  }

  /** When `passed` is to be called next; undefined while nothing is awaited. */
  get deadlineMs(): number | undefined {
    const state = this.#state;
    switch (state.is) {
      case "first":
        return state.sinceMs + pairMs;
      case "second":
      case "held":
        return state.atMs + silenceMs;
      case "up":
        return state.atMs + exactPairMs;
      case "idle":
      case "down":
        return undefined;
    }
  }

  /** The deadline has passed without an event. */
  passed(): ClickType | undefined {
    const state = this.#state;
    switch (state.is) {
      case "first":
      case "up":
        return this.#done("SINGLE");
      case "second":
        return this.#done("DOUBLE");
      case "held":
        return this.#done(state.isReported ? undefined : "SINGLE");
      case "idle":
      case "down":
        return undefined;
    }
  }

  /** A long press is known before its end. */
  #hold(sinceMs: number, nowMs: number, isReported: boolean): ClickType | undefined {
    const isLong = nowMs - sinceMs > longMs;
    this.#state = { is: "held", sinceMs, atMs: nowMs, isReported: isReported || isLong };
    return isLong && !isReported ? "LONG" : undefined;
  }

  #done<T extends ClickType | undefined>(click: T): T {
    this.#state = { is: "idle" };
    return click;
  }
}
