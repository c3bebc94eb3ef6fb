/**
 * What the button's LED shows: white blinking while it is awake, then green, or red blinks that name the layer.
 *
 * Known of the device are three codes: short-short-short (no network), long-short-short (no secure connection, mostly an unknown or
 * inactive certificate), long-short-long (HTTP 403). AWS's table of the others was not found, so the fourth is ours.
 */

import type { Layer } from "./errors.ts";

/** One red blink. */
export type Blink = "short" | "long";

/** Milliseconds that a blink is lit. */
export const blinkMs: Readonly<Record<Blink, number>> = { short: 150, long: 450 };

const network: readonly Blink[] = ["short", "short", "short"];
const notSecure: readonly Blink[] = ["long", "short", "short"];
const notAllowed: readonly Blink[] = ["long", "short", "long"];
const otherAnswer: readonly Blink[] = ["long", "long", "short"];

/** The red code of each layer; a button without power shows nothing. */
const codes: Readonly<Record<Layer, readonly Blink[]>> = {
  battery: [],
  credentials: notSecure,
  resolve: network,
  tcp: network,
  tls: notSecure,
  server: notSecure,
  identity: notSecure,
  permission: notAllowed,
  answer: otherAnswer,
};

/** The red code for a failed layer. */
export function redCode(layer: Layer): readonly Blink[] {
  return codes[layer];
}

/** `red, long short long`, or `dark`. */
export function ledText(layer: Layer | undefined): string {
  if (layer === undefined) return "green";
  const code = redCode(layer);
  return code.length === 0 ? "dark" : `red, ${code.join(" ")}`;
}
