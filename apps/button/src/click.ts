/** How a button can be pressed. */

export const clickTypes = ["SINGLE", "DOUBLE", "LONG"] as const;

/** The word in the payload. */
export type ClickType = (typeof clickTypes)[number];
