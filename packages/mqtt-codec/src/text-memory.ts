/**
 * The texts that come again on one connection, so that a topic name or a property is not checked and decoded each time.
 *
 * A device publishes to a few topics, a gateway to some dozens, each with the same few property texts. Finding a text by
 * its octets, four at a time, costs a third of making it. The memory is a table of slots: each text has one slot, by a
 * hash of its octets, and replaces the text in it. The table begins with 4 slots and doubles, up to 256, when as many
 * texts were replaced as it has slots: about 500 octets for a device, 20 KiB at most. On a connection whose texts do not come
 * again, only a few of them are looked for and kept.
 *
 * Only printable ASCII without wildcards of 4 to 64 octets is kept, so a text that is found is a checked topic name.
 */

const WORDS = 16;
const SHORTEST = 4;
const LONGEST = WORDS * 4;
const FEWEST_BITS = 2;
const MOST_BITS = 8;
/** After so many texts in a row that were not found, only one in `LOOKED_FOR` is looked for and kept. */
const PATIENCE = 1024;
const LOOKED_FOR = 16;

/** The memory of one connection. */
export class TextMemory {
  private bits = FEWEST_BITS;
  private words: Int32Array = new Int32Array(WORDS << FEWEST_BITS);
  private texts: (string | undefined)[] = emptySlots(FEWEST_BITS);
  /** The hash of the last text that was looked for. */
  private hash = 0;
  /** Texts that were not found since the last one that was. */
  private misses = 0;
  /** Texts that were replaced by another one since the table last doubled. */
  private replaced = 0;

  /** The text of these octets if it is kept. */
  recall(view: DataView, start: number, length: number): string | undefined {
    if (length < SHORTEST || length > LONGEST) return undefined;
    this.misses += 1;
    if (this.misses > PATIENCE && this.misses % LOOKED_FOR !== 0) return undefined;
    const last = start + length - 4;
    let hash = length;
    for (let at = start; at < last; at += 4) hash = Math.imul(hash ^ view.getInt32(at, true), MULTIPLIER);
    hash = Math.imul(hash ^ view.getInt32(last, true), MULTIPLIER);
    this.hash = hash;
    const slot = hash >>> (32 - this.bits);
    const text = this.texts[slot];
    if (text === undefined || text.length !== length) return undefined;
    const { words } = this;
    let index = slot * WORDS;
    for (let at = start; at < last; at += 4) {
      if (words[index++] !== view.getInt32(at, true)) return undefined;
    }
    if (words[index] !== view.getInt32(last, true)) return undefined;
    this.misses = 0;
    return text;
  }

  /** Keeps a checked text that `recall` has just not found. */
  remember(view: DataView, start: number, text: string): void {
    const { length } = text;
    if (length < SHORTEST || length > LONGEST) return;
    if (this.misses > PATIENCE && this.misses % LOOKED_FOR !== 0) return;
    const slot = this.hash >>> (32 - this.bits);
    if (this.texts[slot] !== undefined && this.bits < MOST_BITS && ++this.replaced > 1 << this.bits) {
      this.double();
      return;
    }
    this.texts[slot] = text;
    const last = start + length - 4;
    let index = slot * WORDS;
    for (let at = start; at < last; at += 4) this.words[index++] = view.getInt32(at, true);
    this.words[index] = view.getInt32(last, true);
  }

  /** Doubles the table; its texts come again by themselves. */
  private double(): void {
    this.bits += 1;
    this.replaced = 0;
    this.words = new Int32Array(WORDS << this.bits);
    this.texts = emptySlots(this.bits);
  }
}

/** An odd number whose multiples are spread evenly: 2 ** 32 divided by the golden ratio. */
const MULTIPLIER = 0x9e37_79b1;

function emptySlots(bits: number): (string | undefined)[] {
  return Array.from({ length: 1 << bits }, () => undefined);
}
