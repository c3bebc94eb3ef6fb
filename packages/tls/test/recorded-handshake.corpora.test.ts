/** As `recorded-handshake.test.ts`, whole: every bit of every octet, every octet set to other values, every cut, every prefix. */

import { describe, expect, it } from "vitest";
import {
  heard,
  heardConnections,
  ignoredOctets,
  record,
  replay,
  replayChanged,
  replayPrefix,
  replaySplit,
  verdictOf,
} from "./recorded-handshake.ts";

/** Each bit, all bits, and two that make a length much longer or shorter. */
const masks = [1, 2, 4, 8, 16, 32, 64, 128, 255, 0x7f, 0xaa];

describe.each(heardConnections)("%s, %s, as the %s hears it", { timeout: 600_000 }, (version, kind, side) => {
  const recording = record(version, kind);
  const octets = heard(recording, side);
  const unchanged = replay(recording, side);

  it(`every change of ${octets.length} octets`, () => {
    const ignored = ignoredOctets(octets, version);
    for (const mask of masks) {
      const harmless: number[] = [];
      for (let at = 0; at < octets.length; at++) {
        if (verdictOf(replayChanged(recording, side, at, mask), unchanged) === "the same") harmless.push(at);
      }
      expect([mask, ...harmless]).toEqual([mask, ...ignored]);
    }
  });

  it("every prefix and every cut in two", () => {
    for (let at = 0; at < octets.length; at++) {
      expect(replayPrefix(recording, side, at).engine.error?.code).toBe("ERR_TLS_TRUNCATED");
      expect(verdictOf(replaySplit(recording, side, at), unchanged)).toBe("the same");
    }
  });
});
