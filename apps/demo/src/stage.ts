/** How the story looks: scenes with numbers, lines with a mark and a name, everything broken at words to the terminal's width. */

import { widthOf, wrapText, type Terminal } from "@latchkey/command-line";

/** Where the story is written to. */
export interface StageOptions {
  readonly terminal: Terminal;
  readonly write: (text: string) => void;
  /** Milliseconds to wait before each scene and after each line: for an audience. */
  readonly pauseMs: number;
}

/** Columns in front of a line's text: the mark and the name. */
const nameColumns = 13;
const textColumn = 5 + nameColumns;

/** Prints the story. Each method resolves when its pause is over. */
export class Stage {
  readonly #options: StageOptions;
  #scene = 0;

  constructor(options: StageOptions) {
    this.#options = options;
  }

  /** The headline, and a line below it. */
  async open(title: string, subtitle: string): Promise<void> {
    const { paint, columns } = this.#options.terminal;
    this.#print([paint("strong", title), ...wrapText(paint("quiet", subtitle), columns)]);
    await this.#pause();
  }

  /** A new scene, with what the article says of it. */
  async scene(title: string, text: string): Promise<void> {
    const { paint, columns } = this.#options.terminal;
    this.#scene++;
    const lines = wrapText(`   ${text}`, columns, 3).map((line) => paint("quiet", line));
    this.#print(["", paint("strong", `${this.#scene}. ${title}`), ...lines]);
    await this.#pause();
  }

  /** Something was verified. */
  verified(name: string, text: string): Promise<void> {
    return this.#line(this.#options.terminal.paint("good", "✓"), name, text);
  }

  /** Something was refused, as it has to be. */
  refused(name: string, text: string): Promise<void> {
    return this.#line(this.#options.terminal.paint("bad", "✗"), name, text);
  }

  /** Something was done. */
  done(name: string, text: string): Promise<void> {
    return this.#line("·", name, text);
  }

  /** More about the line before. */
  async more(text: string): Promise<void> {
    const { paint, columns } = this.#options.terminal;
    const lines = wrapText(" ".repeat(textColumn) + text, columns, textColumn).map((line) => paint("quiet", line));
    this.#print(lines);
    await this.#pause();
  }

  /** A line of its own. */
  async say(text: string): Promise<void> {
    this.#print(wrapText(text, this.#options.terminal.columns));
    await this.#pause();
  }

  async #line(mark: string, name: string, text: string): Promise<void> {
    const { paint, columns } = this.#options.terminal;
    const shown = paint("name", name) + " ".repeat(Math.max(1, nameColumns - widthOf(name)));
    this.#print(wrapText(`   ${mark} ${shown}${text}`, columns, textColumn));
    await this.#pause();
  }

  #print(lines: readonly string[]): void {
    this.#options.write(`${lines.join("\n")}\n`);
  }

  #pause(): Promise<void> {
    const { pauseMs } = this.#options;
    if (pauseMs === 0) return Promise.resolve();
    return new Promise((resolve) => {
      setTimeout(resolve, pauseMs);
    });
  }
}
