/** The web globals that this package uses. */

declare function setTimeout(work: () => void, delayMs: number): unknown;
