/** Two engines that talk through memory. */

import { nodeProvider } from "@latchkey/crypto/node";
import { clientWithHooks, serverWithHooks } from "../src/create.ts";
import type { OutgoingHooks } from "../src/outgoing.ts";
import {
  chainPeerVerifier,
  type ClientConfig,
  type ServerConfig,
  type TlsEngine,
  type TlsEvent,
} from "../src/index.ts";
import { device, now, root, server } from "./identities.ts";

const verifier = chainPeerVerifier({ provider: nodeProvider, trustAnchors: [root.certificate] });

export const clientConfig: ClientConfig = {
  provider: nodeProvider,
  clock: () => now,
  serverName: "broker.example",
  credentials: [device.credential],
  verifier,
};

export const serverConfig: ServerConfig = {
  provider: nodeProvider,
  clock: () => now,
  credentials: [server.credential],
  clientAuthentication: "require",
  verifier,
};

export interface Pair {
  readonly client: TlsEngine;
  readonly server: TlsEngine;
  readonly clientEvents: TlsEvent[];
  readonly serverEvents: TlsEvent[];
}

export interface PairOptions {
  readonly client?: Partial<ClientConfig>;
  readonly server?: Partial<ServerConfig>;
  readonly clientHooks?: OutgoingHooks;
  readonly serverHooks?: OutgoingHooks;
  /** Octets in one `receive`; default all. */
  readonly chunk?: number;
}

export function newPair(options: PairOptions = {}): Pair {
  return {
    client: clientWithHooks({ ...clientConfig, ...options.client }, options.clientHooks ?? {}),
    server: serverWithHooks({ ...serverConfig, ...options.server }, options.serverHooks ?? {}),
    clientEvents: [],
    serverEvents: [],
  };
}

function drain(engine: TlsEngine, events: TlsEvent[]): void {
  for (let event = engine.next(); event !== undefined; event = engine.next()) events.push(event);
}

/** Carries octets both ways until neither side has any. */
export function pump(pair: Pair, chunk: number = Number.POSITIVE_INFINITY): Pair {
  for (let round = 0; round < 100_000; round++) {
    drain(pair.client, pair.clientEvents);
    drain(pair.server, pair.serverEvents);
    const up = pair.client.takeOutput();
    const down = pair.server.takeOutput();
    if (up === undefined && down === undefined) return pair;
    if (up !== undefined) deliver(pair.server, up, chunk);
    if (down !== undefined) deliver(pair.client, down, chunk);
  }
  throw new Error("the two never came to rest");
}

function deliver(engine: TlsEngine, octets: Uint8Array, chunk: number): void {
  for (let offset = 0; offset < octets.length; offset += chunk) {
    // A Buffer, whose slice is no copy.
    const piece = Buffer.from(octets.subarray(offset, offset + chunk));
    engine.receive(piece);
    // Nothing may have been kept as a view.
    piece.fill(0xee);
  }
}

export function connect(options: PairOptions = {}): Pair {
  return pump(newPair(options), options.chunk);
}

export function dataOf(events: readonly TlsEvent[]): string {
  return events.map((event) => (event.type === "data" ? Buffer.from(event.data).toString("latin1") : "")).join("");
}

export function utf8(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text));
}
