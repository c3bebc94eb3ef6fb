/** Limits are in octets, texts are in UTF-16. */

/** Octets of a text in UTF-8. */
export function utf8Length(text: string): number {
  let octets = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    // A surrogate pair is two units and four octets; every other unit from U+0800 is three.
    if (unit >= 0x80) octets += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return octets;
}
