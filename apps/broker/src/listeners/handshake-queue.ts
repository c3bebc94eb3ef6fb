/**
 * Handshakes that wait for their turn. A fleet that connects at once after a failure brings thousands, each of a millisecond of CPU time or
 * more: begun together they would hold up everyone who is connected, and all run out of time together.
 */

import type { Socket } from "node:net";

/** So many begin in one turn of the event loop: some 10 ms of work. A client far away does not count while its answer is on its way. */
const beginningsPerTurn = 10;

/** Begins handshakes in the order of their connections. The time for a handshake counts from its beginning. */
export class HandshakeQueue {
  readonly #begin: (socket: Socket) => void;
  /** In the order in which they came. */
  readonly #waiting = new Set<Socket>();
  #begunInTurn = 0;
  #isTurnAsked = false;

  constructor(begin: (socket: Socket) => void) {
    this.#begin = begin;
  }

  add(socket: Socket): void {
    this.#waiting.add(socket);
    this.#work();
  }

  #work(): void {
    for (const socket of this.#waiting) {
      if (this.#begunInTurn === beginningsPerTurn) break;
      this.#waiting.delete(socket);
      // A client may have given up.
      if (socket.destroyed) continue;
      this.#begunInTurn += 1;
      this.#begin(socket);
    }
    if (this.#isTurnAsked || this.#begunInTurn === 0) return;
    this.#isTurnAsked = true;
    setImmediate(() => {
      this.#isTurnAsked = false;
      this.#begunInTurn = 0;
      this.#work();
    });
  }
}
