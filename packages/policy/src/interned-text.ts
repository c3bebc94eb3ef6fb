/** Text that engines compare and look up fast. */

/**
 * The same text as the engine keeps it for names of properties. Text that was cut from a document refers to it, which
 * makes each comparison with it slow and keeps the whole document in memory.
 */
export function internedText(text: string): string {
  return Object.keys({ [text]: true })[0] ?? text;
}
