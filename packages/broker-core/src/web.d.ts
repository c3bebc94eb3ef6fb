/** The web globals that this package uses; every JavaScript runtime has them, except where `undefined` is in the type. */

declare function setTimeout(work: () => void, delayMs: number): unknown;
declare function clearTimeout(timer: unknown): void;
declare function setInterval(work: () => void, everyMs: number): unknown;
declare function clearInterval(timer: unknown): void;
/** Node's: later in this turn of the event loop, where a timer would wait for a millisecond. */
declare const setImmediate: ((work: () => void) => unknown) | undefined;
declare const performance: { now(): number };
declare const crypto: { randomUUID(): string };
