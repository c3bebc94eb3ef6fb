/**
 * The button in a terminal: the space bar is the button, and a line shows the LED. How long and how often the bar is pressed decides
 * the click.
 *
 * Terminals with the kitty keyboard protocol report the release of a key; the others repeat a key that is held.
 */

import type { ReadStream, WriteStream } from "node:tty";
import { terminalOf, UsageError, wrapText, type Terminal } from "@latchkey/command-line";
import { ClickRecognizer, type ClickType } from "../click.ts";
import { ButtonError } from "../errors.ts";
import { blinkMs, redCode, type Blink } from "../led.ts";
import { press } from "../press.ts";
import type { ChosenButton } from "./chosen-button.ts";

/** Asks for key events with releases (flags 1, 2 and 8), and gives the keyboard back. Terminals that do not know it ignore it. */
const askForReleases = "\u001B[>11u";
const keyboardBack = "\u001B[<u";
const hideCursor = "\u001B[?25l";
const showCursor = "\u001B[?25h";
const clearLine = "\r\u001B[2K";

const whiteBlinkMs = 250;
const greenMs = 1500;
const pauseMs = 200;

/** Space, and what ends the program (q, Ctrl-C, Ctrl-D), as characters or as events `CSI code ; modifiers : event u`. */
// oxlint-disable-next-line no-control-regex -- a terminal's key events begin with an escape character
const keyEvent = /\u001B\[(\d+)(?:;(\d+)?(?::(\d))?)?(?:;[\d:]*)?u|\u001B\[[\d;?]*[A-Za-z~]|[\s\S]/g;

/** Lets a person press until q or Ctrl-C. Throws `UsageError` where there is no terminal. */
export async function pressByHand(button: ChosenButton, input: ReadStream, output: WriteStream): Promise<void> {
  if (!input.isTTY || !output.isTTY) {
    throw new UsageError("--interactive needs a terminal; in a script choose the click with --click");
  }
  const terminal = terminalOf(output, process.env);
  const lines = [
    `This is button ${button.press.serialNumber}. The space bar presses it: once, twice, or longer than 1.5 s. q ends.`,
  ];
  output.write(`${lines.flatMap((line) => wrapText(line, terminal.columns)).join("\n")}\n`);
  output.write(`${hideCursor}${askForReleases}`);
  input.setRawMode(true);
  input.resume();
  try {
    const hand = new Hand(input);
    for (let click = await hand.click(); click !== undefined; click = await hand.click()) {
      await show(button, click, output, terminal);
      hand.forget();
    }
  } finally {
    input.setRawMode(false);
    input.pause();
    output.write(`${clearLine}${keyboardBack}${showCursor}`);
  }
}

/** Presses, and shows what the LED does meanwhile and after. */
async function show(button: ChosenButton, click: ClickType, output: WriteStream, terminal: Terminal): Promise<void> {
  const led = new Led(output, terminal);
  led.blinkWhite(click);
  let failure: ButtonError | undefined;
  try {
    await press({ ...button.press, clickType: click, batteryMillivolts: await button.drawPower() });
  } catch (error) {
    if (!(error instanceof ButtonError)) throw error;
    failure = error;
  } finally {
    led.dark();
  }
  const { paint, columns } = terminal;
  const text =
    failure === undefined
      ? `${paint("good", "✓")} ${click} acknowledged: ${button.press.topicName ?? `iotbutton/${button.press.serialNumber}`}`
      : `${paint("bad", "✗")} ${click} failed at the layer ${failure.layer}. ${failure.code}: ${failure.message}`;
  output.write(`${wrapText(text, columns, 2).join("\n")}\n`);
  if (failure === undefined) await led.green();
  else await led.red(redCode(failure.layer));
}

/** The LED, as the last line of the screen. */
class Led {
  readonly #output: WriteStream;
  readonly #terminal: Terminal;
  #timer: NodeJS.Timeout | undefined;

  constructor(output: WriteStream, terminal: Terminal) {
    this.#output = output;
    this.#terminal = terminal;
  }

  blinkWhite(click: ClickType): void {
    let isLit = true;
    const draw = (): void => {
      this.#draw(isLit ? "●" : "○", `white, blinking: ${click}, waking and publishing`);
      isLit = !isLit;
    };
    draw();
    this.#timer = setInterval(draw, whiteBlinkMs);
  }

  async green(): Promise<void> {
    this.#draw(this.#terminal.paint("good", "●"), "green");
    await after(greenMs);
    this.dark();
  }

  async red(code: readonly Blink[]): Promise<void> {
    for (const blink of code) {
      this.#draw(this.#terminal.paint("bad", "●"), `red, ${code.join(" ")}`);
      await after(blinkMs[blink]);
      this.#draw("○", `red, ${code.join(" ")}`);
      await after(pauseMs);
    }
    this.dark();
  }

  dark(): void {
    clearInterval(this.#timer);
    this.#output.write(clearLine);
  }

  #draw(light: string, text: string): void {
    this.#output.write(`${clearLine}  ${light} LED ${text}`);
  }
}

/** Reads clicks from what a terminal sends. */
class Hand {
  readonly #recognizer = new ClickRecognizer();
  #waiting: ((click: ClickType | undefined) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #hasEnded = false;

  constructor(input: ReadStream) {
    input.on("data", (chunk: Buffer) => this.#read(chunk.toString("utf8")));
    input.once("end", () => this.#end());
  }

  /** The next click; undefined when the person ends the program. */
  click(): Promise<ClickType | undefined> {
    if (this.#hasEnded) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** Keys that were pressed while the button was awake do nothing. */
  forget(): void {
    clearTimeout(this.#timer);
    while (this.#recognizer.deadlineMs !== undefined) this.#recognizer.passed();
  }

  #read(text: string): void {
    for (const [event, code, modifiers, kind] of text.matchAll(keyEvent)) {
      const isControl = code !== undefined && ((Number(modifiers ?? 1) - 1) & 4) !== 0;
      const isEnd = isControl
        ? code === "99" || code === "100"
        : code === "113" || ["q", "\u0003", "\u0004"].includes(event);
      if (isEnd) this.#end();
      else if (event === " ") this.#note(this.#recognizer.typed(performance.now()));
      else if (code === "32" && kind === "3") this.#note(this.#recognizer.released(performance.now()));
      else if (code === "32" && kind !== "2") this.#note(this.#recognizer.pressed(performance.now()));
    }
  }

  #note(click: ClickType | undefined | void): void {
    clearTimeout(this.#timer);
    const { deadlineMs } = this.#recognizer;
    if (deadlineMs !== undefined) {
      const leftMs = Math.max(0, deadlineMs - performance.now());
      this.#timer = setTimeout(() => this.#note(this.#recognizer.passed()), leftMs);
    }
    if (click !== undefined) this.#settle(click);
  }

  #end(): void {
    this.#hasEnded = true;
    this.#settle(undefined);
  }

  #settle(click: ClickType | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(click);
  }
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
