/**
 * `npm run fuzz -w @latchkey/mqtt-codec -- [--seconds N] [--seed N]`: mutates valid packets and feeds them to every kind
 * of decoder, in one chunk and in random cuts. It ends with an error, the seed and the octets, where a decoder throws
 * anything but MqttCodecError, gives another outcome when cut elsewhere, takes long, or gives
 * a packet that the encoder does not take back. What it finds becomes a test in `fuzz-findings.test.ts`.
 */

import { Buffer } from "node:buffer";
import { parseArgs } from "node:util";
import { interestingInMqtt, octetChanger } from "@latchkey/tooling-vitest/changed-octets";
import fc from "fast-check";
import { encode, MqttCodecError, type Packet, PacketDecoder, type PacketDecoderOptions } from "../src/index.ts";
import { clientPacket, connectPacket, serverPacket } from "./arbitraries.ts";

const { values: flags } = parseArgs({
  options: { seconds: { type: "string", default: "10" }, seed: { type: "string" } },
});
const seed = Number(flags.seed ?? Date.now() % 0x7fff_ffff);
const deadline = performance.now() + Number(flags.seconds) * 1000;

const { random, changed } = octetChanger(seed, interestingInMqtt);

const kinds = ([4, 5] as const).flatMap((protocolVersion) => [
  { packets: connectPacket(protocolVersion), options: { receives: "client-packets" } as const, protocolVersion },
  {
    packets: clientPacket(protocolVersion),
    options: { receives: "client-packets", protocolVersion } as const,
    protocolVersion,
  },
  {
    packets: serverPacket(protocolVersion),
    options: { receives: "server-packets", protocolVersion } as const,
    protocolVersion,
  },
]);
const corpus = kinds.flatMap(({ packets, options, protocolVersion }, index) =>
  fc
    .sample(packets, { numRuns: 300, seed: seed + index })
    .map((packet) => ({ bytes: encode(packet, protocolVersion), options, protocolVersion })),
);

interface Outcome {
  readonly packets: readonly Packet[];
  readonly error: string;
}

function decodeIn(chunks: readonly Uint8Array[], options: PacketDecoderOptions): Outcome {
  const decoder = new PacketDecoder({ ...options, maximumPacketSize: 4096 });
  const packets: Packet[] = [];
  try {
    for (const chunk of chunks) {
      decoder.push(chunk);
      for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) packets.push(packet);
    }
  } catch (error) {
    if (!(error instanceof MqttCodecError)) throw error;
    return { packets, error: `${error.message} ${error.offset} ${error.reasonCode}` };
  }
  return { packets, error: "" };
}

function randomCuts(bytes: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + random(random(4) === 0 ? 40 : 4);
    chunks.push(bytes.subarray(at, end));
    at = end;
  }
  return chunks;
}

function check(bytes: Uint8Array, options: PacketDecoderOptions, otherwise: 4 | 5): void {
  const started = performance.now();
  const whole = decodeIn([bytes], options);
  const cut = decodeIn(randomCuts(bytes), options);
  if (JSON.stringify(whole) !== JSON.stringify(cut)) throw new Error(`cut: ${cut.error}; whole: ${whole.error}`);
  let protocolVersion = options.protocolVersion ?? otherwise;
  for (const packet of whole.packets) {
    if (packet.type === "connect") protocolVersion = packet.protocolVersion;
    const again = decodeIn([encode(packet, protocolVersion)], {
      ...options,
      ...(packet.type === "connect" ? { protocolVersion: undefined } : { protocolVersion }),
    });
    if (JSON.stringify(again.packets) !== JSON.stringify([packet])) throw new Error(`encoded again: ${again.error}`);
  }
  if (performance.now() - started > 500) throw new Error("took more than 500 ms");
}

let runs = 0;
let refused = 0;
while (performance.now() < deadline) {
  const sample = corpus[random(corpus.length)];
  const next = corpus[random(corpus.length)];
  if (sample === undefined || next === undefined) break;
  const bytes = random(3) === 0 ? Buffer.concat([changed(sample.bytes), next.bytes]) : changed(sample.bytes);
  try {
    check(bytes, sample.options, sample.protocolVersion);
    if (decodeIn([bytes], sample.options).error !== "") refused += 1;
  } catch (error) {
    console.error(
      `seed ${seed}, run ${runs}, ${JSON.stringify(sample.options)}: ${Buffer.from(bytes).toString("hex")}`,
    );
    throw error;
  }
  runs += 1;
}
console.log(`${runs} inputs, ${refused} refused, seed ${seed}: nothing found`);
