/** How a reader reads: its limits, and what it tolerates. */

/** What bounds a reader's work on one input. */
export interface DerLimits {
  /** How deep constructed values may nest; certificates with every extension stay under 16. Default 32. */
  readonly maximumDepth?: number;
  /** How many elements are read in all. Default 1,048,576. */
  readonly maximumElements?: number;
}

/**
 * An encoding that DER forbids and that can be read in one way only: a BOOLEAN TRUE that is not 0xff, or a DEFAULT value
 * that is written out.
 */
export type DerTolerance = "booleanTrue" | "defaultWrittenOut";

/** How a reader reads one input. */
export interface DerReaderOptions extends DerLimits {
  /** Added to every reported offset: where `bytes` starts within what the caller calls the input. Default 0. */
  readonly baseOffset?: number;
  /**
   * Asked about each encoding that breaks a rule but has one meaning only, with its name and its offset; true reads on.
   * The reader's own names are those of `DerTolerance`; a schema may ask about further ones by `tolerates`. Default:
   * nothing is tolerated.
   */
  readonly tolerate?: ((name: string, offset: number) => boolean) | undefined;
}

/** How deep constructed values may nest unless the options say otherwise. */
export const defaultMaximumDepth = 32;
/** How many elements are read in all unless the options say otherwise. */
export const defaultMaximumElements = 1_048_576;

/** What all readers of one input share. */
export interface Budget {
  elementsLeft: number;
  readonly elements: number;
  readonly depth: number;
  readonly baseOffset: number;
  readonly tolerate: ((name: string, offset: number) => boolean) | undefined;
}

/** The budget that the options ask for. */
export function makeBudget(options: DerReaderOptions = {}): Budget {
  const {
    maximumElements: elements = defaultMaximumElements,
    maximumDepth: depth = defaultMaximumDepth,
    baseOffset = 0,
    tolerate,
  } = options;
  return { elementsLeft: elements, elements, depth, baseOffset, tolerate };
}
