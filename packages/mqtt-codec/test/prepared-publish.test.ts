/** A PUBLISH for many receivers, patched for each, at the lengths where its header changes size. */

import { expect, test } from "vitest";
import { encode, preparePublish, type ProtocolVersion } from "../src/index.ts";

test.each<[ProtocolVersion, number]>([
  [4, 127],
  [5, 127],
  [4, 16_383],
  [5, 16_383],
])("is what encode writes, in any order of receivers (version %i, around %i octets)", (version, boundary) => {
  for (let length = boundary - 9; length <= boundary + 1; length++) {
    const publish = { topicName: "a/b", payload: new Uint8Array(length) };
    const prepared = preparePublish(publish);
    const buffer = new Uint8Array(length + 32);
    for (const [qos, retain] of [
      [1, false],
      [0, false],
      [2, true],
      [0, true],
      [1, true],
    ] as const) {
      const packetIdentifier = qos === 0 ? undefined : 0x1234 + qos;
      const receiver = { qos, retain, ...(packetIdentifier === undefined ? {} : { packetIdentifier }) };
      const end = prepared.encodeInto(version, receiver, buffer, 3);
      expect(buffer.slice(3, end)).toEqual(encode({ type: "publish", ...publish, ...receiver }, version));
    }
  }
});
