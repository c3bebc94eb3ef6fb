/**
 * Every prefix, every split and every change of one octet of a handshake: an alert or the same result, never an exception,
 * never a connection with other contents.
 */

import { describe, expect, it } from "vitest";
import { nodeProvider } from "@latchkey/crypto/node";
import type { ClientConfig, ServerConfig } from "../src/index.ts";
import { deliver, newPair, type Pair, pump } from "./pair.ts";

/** Both sides' flights of a handshake: flight 0 is the client's. */
function flights(version: "TLSv1.2" | "TLSv1.3"): Uint8Array[] {
  const pair = fixedPair(version);
  const seen: Uint8Array[] = [];
  for (let turn = 0; ; turn++) {
    const [from, to] = turn % 2 === 0 ? [pair.client, pair.server] : [pair.server, pair.client];
    const output = from.takeOutput();
    if (output === undefined) return seen;
    seen.push(output);
    to.receive(output);
  }
}

const cheap = { verify: () => ({ ok: true }) as const };

/** A pair whose flights are the same each time, as far as randomness goes into them. */
function fixedPair(version: "TLSv1.2" | "TLSv1.3"): Pair {
  const pairs = [nodeProvider.generateKeyPair({ name: "x25519" }), nodeProvider.generateKeyPair({ name: "x25519" })];
  let next = 0;
  const provider = { ...nodeProvider, generateKeyPair: () => pairs[next++ % 2]! };
  const common = { provider, verifier: cheap, versions: [version] } satisfies Partial<ClientConfig & ServerConfig>;
  return newPair({ client: common, server: common });
}

/** Plays a handshake whose flight `which` is changed on its way. */
function play(version: "TLSv1.2" | "TLSv1.3", which: number, change: (flight: Uint8Array) => Uint8Array): Pair {
  const pair = fixedPair(version);
  for (let turn = 0; turn < 6; turn++) {
    const [from, to] = turn % 2 === 0 ? [pair.client, pair.server] : [pair.server, pair.client];
    const output = from.takeOutput();
    if (output === undefined) continue;
    to.receive(turn === which ? change(output) : output);
  }
  return pump(pair);
}

describe.each(["TLSv1.3", "TLSv1.2"] as const)("%s", (version) => {
  const recorded = flights(version);

  it("every change of one octet", () => {
    let refused = 0;
    let harmless = 0;
    for (const [which, flight] of recorded.slice(0, 4).entries()) {
      // Signatures differ in length from run to run, so the last octets of a flight may not be there.
      for (let at = 0; at < flight.length - 8; at += at < 600 ? 3 : 11) {
        const pair = play(version, which, (octets) => {
          const changed = octets.slice();
          changed[at]! ^= 1 << (at & 7);
          return changed;
        });
        if (pair.client.phase === "open" && pair.server.phase === "open") {
          harmless++;
          expect(pair.client.info?.cipherSuite).toBe(pair.server.info?.cipherSuite);
          expect(pair.client.exportKeyingMaterial(8, "x")).toEqual(pair.server.exportKeyingMaterial(8, "x"));
        } else {
          refused++;
          // Both hear of it, or one waits for octets that a changed length announced.
          const codes = [pair.client.error?.code, pair.server.error?.code];
          expect(codes).not.toContain("ERR_TLS_INTERNAL");
        }
      }
    }
    // The version of a record, and session tickets behind the handshake, count for nothing.
    expect(harmless).toBeLessThan(40);
    expect(refused).toBeGreaterThan(400);
  });

  it("every prefix waits, and its end is a truncation", () => {
    for (const [which, flight] of recorded.slice(0, 3).entries()) {
      for (let length = 0; length < flight.length - 8; length += 5) {
        const pair = fixedPair(version);
        for (let turn = 0; turn < which; turn++) {
          const [from, to] = turn % 2 === 0 ? [pair.client, pair.server] : [pair.server, pair.client];
          to.receive(from.takeOutput()!);
        }
        const [from, to] = which % 2 === 0 ? [pair.client, pair.server] : [pair.server, pair.client];
        to.receive(from.takeOutput()!.subarray(0, length));
        expect(to.error).toBeUndefined();
        to.receiveEnd();
        expect(to.error?.code).toBe("ERR_TLS_TRUNCATED");
      }
    }
  });

  it("every size of chunk", () => {
    for (let chunk = 1; chunk <= 64; chunk++) {
      const pair = fixedPair(version);
      for (let turn = 0; turn < 6; turn++) {
        const [from, to] = turn % 2 === 0 ? [pair.client, pair.server] : [pair.server, pair.client];
        const output = from.takeOutput();
        if (output !== undefined) deliver(to, output, chunk);
      }
      expect([pair.client.phase, pair.server.phase]).toEqual(["open", "open"]);
    }
  });
});
