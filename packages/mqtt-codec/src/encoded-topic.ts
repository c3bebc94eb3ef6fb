/** The longest topic name that an encoder keeps, in octets. */
const LONGEST = 256;

const EMPTY = new Uint8Array(0);

/**
 * The last topic name of an encoder as it is written: who publishes to one topic again and again has it checked and
 * encoded once. A name is kept when it comes for the second time in a row.
 */
export class EncodedTopic {
  topicName: string | undefined = undefined;
  /** With the two octets of length before them. */
  octets: Uint8Array = EMPTY;
  private candidate = "";

  /** Keeps an ASCII name that was checked and stands, with its length, in `buffer`. */
  remember(topicName: string, buffer: Uint8Array, start: number, end: number): void {
    const isAscii = end - start === topicName.length + 2;
    if (topicName === this.candidate && isAscii && end <= Math.min(buffer.length, start + LONGEST)) {
      this.topicName = topicName;
      // A copy: `slice` of a Buffer would be a view.
      this.octets = Uint8Array.prototype.slice.call(buffer, start, end);
    }
    this.candidate = topicName;
  }
}
