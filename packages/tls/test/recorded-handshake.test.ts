/**
 * Every changed octet, every prefix and every size of chunk of recorded connections, both versions, both sides, full, resumed
 * and retried: an alert or the same result, never an exception, never a connection with other contents.
 *
 * `recorded-handshake.corpora.test.ts` takes longer: every bit, and every place to cut.
 */

import { describe, expect, it } from "vitest";
import {
  heard,
  heardConnections,
  ignoredOctets,
  record,
  replay,
  replayChanged,
  replayOctets,
  replayPrefix,
  replaySplit,
  verdictOf,
} from "./recorded-handshake.ts";

/** Prefixes and cuts take a whole connection each: each of these is far from the others' octets. */
const step = 5;

describe.each(heardConnections)("%s, %s, as the %s hears it", (version, kind, side) => {
  const recording = record(version, kind);
  const octets = heard(recording, side);
  const unchanged = replay(recording, side);

  it("is played again octet by octet", () => {
    const own = recording.steps.filter(({ from }) => from === side).map((one) => one.octets);
    expect(unchanged.sent).toBe(Buffer.concat(own).toString("hex"));
    expect(unchanged.received).not.toBe("");
    expect(unchanged.engine.phase).toBe("closed");
  });

  it("a change of any octet is an alert, or ends with the transport, but for the version that is ignored", () => {
    const harmless: number[] = [];
    let waiting = 0;
    for (let at = 0; at < octets.length; at++) {
      const verdict = verdictOf(replayChanged(recording, side, at, 1 << (at & 7)), unchanged);
      if (verdict === "the same") harmless.push(at);
      if (verdict === "waits") waiting++;
    }
    expect(harmless).toEqual(ignoredOctets(octets, version));
    // Lengths of records and of messages in clear that now announce more.
    expect(waiting).toBeLessThan(40);
  });

  it("every prefix waits, and its end is a truncation", () => {
    // One octet at a time: after each of them nothing is wrong, or the end would be another one.
    expect(verdictOf(replayOctets(recording, side), unchanged)).toBe("the same");
    for (let length = 0; length < octets.length; length += step) {
      const { engine } = replayPrefix(recording, side, length);
      expect(engine.error?.code).toBe("ERR_TLS_TRUNCATED");
    }
  });

  it("every cut in two", () => {
    for (let at = 1; at < octets.length; at += step) {
      expect(verdictOf(replaySplit(recording, side, at), unchanged)).toBe("the same");
    }
  });
});
