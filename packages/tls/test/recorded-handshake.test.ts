/**
 * Changed octets, prefixes and cuts of recorded connections, both versions, both sides, full, resumed and retried: an alert or the
 * same result, never an exception, never a connection with other contents. Some places of each, and every one that is ignored.
 *
 * `recorded-handshake.corpora.test.ts` has all of them: every bit, and every place to cut.
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

/** Each place takes a whole connection. These steps have no factor in common with the lengths of what stands there. */
const changeStep = 17;
const cutStep = 83;

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

  it("a change of an octet is an alert, or ends with the transport, but for the version that is ignored", () => {
    const ignored = ignoredOctets(octets, version);
    const harmless: number[] = [];
    let waiting = 0;
    for (let at = 0; at < octets.length; at++) {
      if (at % changeStep !== 0 && !ignored.includes(at)) continue;
      const verdict = verdictOf(replayChanged(recording, side, at, 1 << (at & 7)), unchanged);
      if (verdict === "the same") harmless.push(at);
      if (verdict === "waits") waiting++;
    }
    expect(harmless).toEqual(ignored);
    // Lengths of records and of messages in clear that now announce more.
    expect(waiting).toBeLessThan(40);
  });

  it("a prefix waits, and its end is a truncation", () => {
    // One octet at a time: after no prefix is anything wrong, or the end would be another one.
    expect(verdictOf(replayOctets(recording, side), unchanged)).toBe("the same");
    for (let length = 0; length < octets.length; length += cutStep) {
      const { engine } = replayPrefix(recording, side, length);
      expect(engine.error?.code).toBe("ERR_TLS_TRUNCATED");
    }
  });

  it("a cut in two changes nothing", () => {
    for (let at = 1; at < octets.length; at += cutStep) {
      expect(verdictOf(replaySplit(recording, side, at), unchanged)).toBe("the same");
    }
  });
});
