/** Random changes of octets that were right, for fuzzers: repeatable from a seed. */

/** Random numbers and changes that depend on a seed alone. */
export interface OctetChanger {
  /** A whole number from 0 on, below this one. */
  readonly random: (below: number) => number;
  /** A copy with one to four changes: bits, octets that mean something to a decoder, insertions, deletions, repetitions. */
  readonly changed: (octets: Uint8Array) => Uint8Array;
}

/** Makes one. `interesting` are values of octets that a decoder looks for. */
export function octetChanger(seed: number, interesting: readonly number[]): OctetChanger {
  let state = seed;
  // mulberry32: small, and repeatable from a seed.
  const random = (below: number): number => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
  const change = (out: number[]): void => {
    const at = random(out.length + 1);
    switch (random(6)) {
      case 0:
        if (at < out.length) out[at] = (out[at] ?? 0) ^ (1 << random(8));
        break;
      case 1:
        if (at < out.length) out[at] = interesting[random(interesting.length)] ?? 0;
        break;
      case 2:
        out.splice(at, 1 + random(4));
        break;
      case 3:
        out.splice(at, 0, ...Array.from({ length: 1 + random(4) }, () => random(256)));
        break;
      case 4:
        out.splice(at, 0, ...out.slice(at, at + 1 + random(8)));
        break;
      default:
        // A length in the second octet stays true to the rest, so that what is wrong is found further in.
        if (out.length > 2 && out.length < 130) out[1] = out.length - 2;
    }
  };
  return {
    random,
    changed(octets) {
      const out = [...octets];
      for (let times = 1 + random(4); times > 0; times--) change(out);
      return Uint8Array.from(out);
    },
  };
}

/** Octets that MQTT's decoders look for: ends of varying lengths, U+0000, wildcards, property identifiers. */
export const interestingInMqtt: readonly number[] = [
  0x00, 0x01, 0x02, 0x7f, 0x80, 0x81, 0xc0, 0xff, 0x23, 0x2b, 0x26, 0x0b,
];
