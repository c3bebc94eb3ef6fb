/** What the script in the page draws: lines over a common axis. */

/** A plot of lines. It is data only, so that it can stand in the page as JSON. */
export interface Chart {
  readonly id: string;
  /**
   * `percentile` has the axis 1 / (1 - p), on which 90, 99 and 99.9 % have the same distance; `seconds` has labels at whole numbers
   * only.
   */
  readonly x: { readonly label: string; readonly scale: "linear" | "seconds" | "percentile" };
  readonly y: { readonly label: string; readonly scale: "linear" | "logarithmic" };
  readonly lines: readonly Line[];
}

export interface Line {
  readonly label: string;
  /** The number of its colour, from 0; the same target has the same one in every plot of a scenario. */
  readonly colour: number;
  readonly isDashed: boolean;
  readonly points: readonly (readonly [x: number, y: number | null])[];
}

/** How many colours the style sheet has. */
export const colours = 6;
