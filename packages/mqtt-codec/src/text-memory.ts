/**
 * The last few texts of one connection, so that a topic name or a property that comes again is neither checked nor
 * decoded again.
 *
 * A device publishes to a handful of topics with a handful of properties; comparing a text's octets, four at a time,
 * with a copy of the last one that fell into the same slot costs a fifth of making it. A hash map keyed by octets would
 * cost more than it saves. Only ASCII texts of 4 to 64 octets are kept; a memory is about 700 octets, made when the
 * first text is asked for.
 */

const SLOTS = 8;
const WORDS = 16;
const SHORTEST = 4;
const LONGEST = WORDS * 4;

/**
 * Printable ASCII without wildcards. A topic is remembered when its text is asked for, and whoever has used the chunk's
 * memory again by then must not get something kept that was never checked.
 */
const keepable = /^[ -"$-*,-~]+$/u;

export class TextMemory {
  private readonly words: Int32Array = new Int32Array(SLOTS * WORDS);
  /** The last octets of the text that last missed each slot. */
  private readonly candidates: Int32Array = new Int32Array(SLOTS);
  private readonly texts: string[] = Array.from({ length: SLOTS }, () => "");

  /** The text of these octets where they are one of the texts kept. */
  recall(view: DataView, start: number, length: number): string | undefined {
    if (length < SHORTEST || length > LONGEST) return undefined;
    const last = view.getInt32(start + length - 4, true);
    const slot = slotOf(last);
    const text = this.texts[slot];
    if (text === undefined || text.length !== length) return undefined;
    const { words } = this;
    let index = slot * WORDS;
    const end = start + length - 3;
    for (let at = start; at < end; at += 4) {
      if (words[index++] !== view.getInt32(at, true)) return undefined;
    }
    return (length & 3) === 0 || words[index] === last ? text : undefined;
  }

  /**
   * Keeps a checked ASCII text in place of the one that was in its slot, once it seems to come a second time: so texts
   * that never come again cost next to nothing.
   */
  remember(bytes: Uint8Array, start: number, text: string): void {
    const { length } = text;
    if (length < SHORTEST || length > LONGEST) return;
    const last = wordAt(bytes, start + length - 4);
    const slot = slotOf(last);
    if (this.candidates[slot] !== last) {
      this.candidates[slot] = last;
      return;
    }
    if (!keepable.test(text)) return;
    let index = slot * WORDS;
    const end = start + length - 3;
    for (let at = start; at < end; at += 4) this.words[index++] = wordAt(bytes, at);
    if ((length & 3) !== 0) this.words[index] = last;
    this.texts[slot] = text;
  }
}

/** As DataView's getInt32 reads it; a view made for one text would cost more than all the rest. */
function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}

/** Topic names of one connection differ at their end more often than at their beginning. */
function slotOf(last: number): number {
  return Math.imul(last, 0x9e37_79b1) >>> 29;
}
