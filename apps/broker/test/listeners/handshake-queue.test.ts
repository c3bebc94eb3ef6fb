import { Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { HandshakeQueue } from "../../src/listeners/handshake-queue.ts";

test("a few handshakes begin in each turn, in the order of their connections", async () => {
  const begun: Socket[] = [];
  const queue = new HandshakeQueue((socket) => begun.push(socket));
  const sockets = Array.from({ length: 95 }, () => new Socket());
  for (const socket of sockets) queue.add(socket);
  let before = 0;
  for (let turns = 0; begun.length < sockets.length; turns++) {
    expect(begun.length - before).toBe(Math.min(10, sockets.length - before));
    before = begun.length;
    expect(turns).toBeLessThan(10);
    await nextTurn();
  }
  expect(begun).toEqual(sockets);
});

test("one that comes alone begins at once, and clients that have gone take no place", async () => {
  const begun: Socket[] = [];
  const queue = new HandshakeQueue((socket) => begun.push(socket));
  const first = new Socket();
  queue.add(first);
  expect(begun).toEqual([first]);
  const gone = Array.from({ length: 50 }, () => new Socket());
  for (const socket of gone) queue.add(socket);
  for (const socket of gone) socket.destroy();
  const last = new Socket();
  queue.add(last);
  await nextTurn();
  await nextTurn();
  expect(begun).toHaveLength(11);
  expect(begun.at(-1)).toBe(last);
});
