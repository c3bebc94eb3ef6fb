/**
 * A bounded fuzzer: recorded flights with octets changed, removed, repeated and swapped, given to a fresh engine in chunks.
 *
 * `npm run fuzz -w @latchkey/tls -- --runs 20000 --seed 1` prints what came out. Whatever throws, fails as `ERR_TLS_INTERNAL`, or
 * opens a connection with another result than its peer's ends it with the seed that shows it.
 */

import { parseArgs } from "node:util";
import { nodeProvider } from "@latchkey/crypto/node";
import { type ResumableSession, TicketKeys } from "../src/index.ts";
import { connect, newPair, type Pair } from "./pair.ts";

const { values } = parseArgs({ options: { runs: { type: "string" }, seed: { type: "string" } } });
const runs = Number(values.runs ?? 5000);
const firstSeed = Number(values.seed ?? 1);

/** xorshift32: small, and the same for a seed everywhere. */
function random(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function mutated(octets: Uint8Array, below: (limit: number) => number): Uint8Array {
  const result = [...octets];
  for (let count = 1 + below(4); count > 0; count--) {
    const at = below(Math.max(1, result.length));
    const length = 1 + below(8);
    switch (below(5)) {
      case 0:
        result[at] = below(256);
        break;
      case 1:
        result.splice(at, length);
        break;
      case 2:
        result.splice(at, 0, ...result.slice(at, at + length));
        break;
      case 3:
        result[at] = (result[at] ?? 0) ^ (1 << below(8));
        break;
      default:
        result.splice(at, 0, ...Array.from({ length }, () => below(256)));
    }
  }
  return Uint8Array.from(result);
}

const versions = ["TLSv1.3", "TLSv1.2"] as const;
const tickets = new TicketKeys({ provider: nodeProvider });
const sessions = versions.map((version) => firstSession(version));

function firstSession(version: (typeof versions)[number]): ResumableSession {
  for (const event of connect({ client: { versions: [version] }, server: { tickets } }).clientEvents) {
    if (event.type === "session") return event.session;
  }
  throw new Error("no session came");
}

function play(seed: number): Pair {
  const below = random(seed);
  const which = below(2);
  const session = below(2) === 0 ? undefined : sessions[which];
  const pair = newPair({
    client: { versions: [versions[which] ?? "TLSv1.3"], session },
    // The client has a share of x25519: half of the handshakes of TLS 1.3 are retried.
    server: { tickets, ...(below(2) === 0 ? {} : { groups: ["secp256r1"] }) },
  });
  const spoiled = below(7);
  for (let turn = 0; turn < 10; turn++) {
    const [from, to] = turn % 2 === 0 ? [pair.client, pair.server] : [pair.server, pair.client];
    const output = from.takeOutput();
    if (output === undefined) continue;
    const sent = turn === spoiled ? mutated(output, below) : output;
    const chunk = 1 + below(sent.length);
    for (let offset = 0; offset < sent.length; offset += chunk) to.receive(sent.subarray(offset, offset + chunk));
  }
  return pair;
}

const outcomes = new Map<string, number>();
for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
  const pair = play(seed);
  const codes = [pair.client.error?.code, pair.server.error?.code];
  if (codes.includes("ERR_TLS_INTERNAL"))
    throw new Error(`seed ${seed}`, { cause: pair.client.error ?? pair.server.error });
  const isOpen = pair.client.phase === "open" && pair.server.phase === "open";
  if (isOpen) {
    const keys = [pair.client, pair.server].map((one) =>
      Buffer.from(one.exportKeyingMaterial(16, "fuzz")).toString("hex"),
    );
    if (keys[0] !== keys[1]) throw new Error(`seed ${seed}: two ends with two secrets`);
  }
  const outcome = isOpen ? "open" : `${codes[0] ?? pair.client.phase} / ${codes[1] ?? pair.server.phase}`;
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
}
for (const [outcome, count] of [...outcomes].sort((left, right) => right[1] - left[1]))
  console.log(`${count}\t${outcome}`);
