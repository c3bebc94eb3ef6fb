/** What holds for every packet and every octet string, for as many runs as a caller wants. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encode, encodedLength, encodeInto, type Packet, PacketDecoder } from "../src/index.ts";
import { clientPacket, connectPacket, serverPacket } from "./arbitraries.ts";
import { decodeAll, drain, fresh, fromClient4, fromClient5, fromServer4, fromServer5, outcome } from "./wire.ts";

const clients = { 4: fromClient4, 5: fromClient5 } as const;
const servers = { 4: fromServer4, 5: fromServer5 } as const;

/** `runs` packets of each kind. */
export function describeCodec(runs: number): void {
  describe.each([4, 5] as const)("protocol version %i", (version) => {
    const sides = [
      ["client", clients[version], clientPacket(version)],
      ["server", servers[version], serverPacket(version)],
    ] as const;

    test.each(sides)("%s packets: encode, cut anywhere, decode, equal", (_side, options, packet) => {
      const cuts = fc.array(fc.nat({ max: 400 }), { minLength: 1, maxLength: 10 });
      fc.assert(
        fc.property(fc.array(packet, { minLength: 1, maxLength: 5 }), cuts, (packets, sizes) => {
          const encoded = packets.map((one) => encode(one, version));
          expect(encoded.map(({ length }) => length)).toEqual(packets.map((one) => encodedLength(one, version)));
          const stream = Buffer.concat(encoded);
          const decoder = new PacketDecoder(options);
          const decoded: Packet[] = [];
          for (let at = 0, turn = 0; at < stream.length; turn++) {
            const size = sizes[turn % sizes.length] ?? 0;
            const end = turn % sizes.length === 0 ? at + Math.max(size, 1) : at + size;
            decoder.push(stream.subarray(at, end));
            decoded.push(...drain(decoder));
            at = Math.min(end, stream.length);
          }
          expect(decoded).toEqual(packets);
        }),
        { numRuns: runs },
      );
    });

    test.each(sides)(
      "%s packets: encodeInto writes the octets of encode, at any offset, and no others",
      (_side, _options, packet) => {
        const pool = new Uint8Array(65_536);
        fc.assert(
          fc.property(packet, fc.nat({ max: 99 }), (one, offset) => {
            pool.fill(0xee);
            const end = encodeInto(one, version, pool, offset);
            expect(pool.slice(offset, end)).toEqual(encode(one, version));
            // The octets around the packet are not touched.
            expect(pool.findIndex((octet) => octet !== 0xee)).toBe(offset);
            expect(pool.subarray(end).every((octet) => octet === 0xee)).toBe(true);
          }),
          { numRuns: runs },
        );
      },
    );

    test("CONNECT: encode, decode, equal; and every cut waits for more", () => {
      fc.assert(
        fc.property(connectPacket(version), fc.nat(), (packet, at) => {
          const bytes = encode(packet, version);
          expect(decodeAll(bytes, fresh)).toEqual([packet]);
          expect(decodeAll(bytes.subarray(0, at % bytes.length), fresh)).toEqual([]);
        }),
        { numRuns: runs },
      );
    });

    test.each(sides)("%s packets: any octet changed decodes or ends in MqttCodecError", (_side, options, packet) => {
      fc.assert(
        fc.property(packet, fc.nat(), fc.integer({ min: 1, max: 255 }), (one, where, change) => {
          const bytes = encode(one, version);
          const at = where % bytes.length;
          bytes[at] = (bytes[at] ?? 0) ^ change;
          decodesOrFails(bytes, options);
        }),
        { numRuns: 2 * runs },
      );
    });
  });

  test("any octets decode or end in MqttCodecError, however they are cut", () => {
    const all = [fresh, fromClient4, fromClient5, fromServer4, fromServer5];
    const first = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(fc.constantFrom(...all), first, fc.uint8Array({ maxLength: 60 }), (options, octet, body) => {
        decodesOrFails(Uint8Array.of(octet, body.length, ...body), options);
        decodesOrFails(body, options);
      }),
      { numRuns: 8 * runs },
    );
  });
}

/** In one chunk and octet by octet, with the same outcome; what was decoded can be encoded again. */
function decodesOrFails(bytes: Uint8Array, options: ConstructorParameters<typeof PacketDecoder>[0]): void {
  const whole = outcome([bytes], options);
  const cut = outcome(
    Array.from(bytes, (octet) => Uint8Array.of(octet)),
    options,
  );
  expect(cut).toEqual(whole);
}
