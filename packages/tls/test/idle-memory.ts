/** What an open connection that says nothing keeps: measured in the heap, and the secrets' buffers that must not be reachable. */

import { once } from "node:events";
import { Duplex } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { nodeProvider } from "@latchkey/crypto/node";
import { describe, expect, it } from "vitest";
import { type ResumableSession, TicketKeys } from "../src/index.ts";
import { acceptTls, type TlsStream } from "../src/node.ts";
import { clientWithHooks } from "../src/create.ts";
import { clientConfig, connect, serverConfig } from "./pair.ts";

/** A transport without a socket: what it writes goes to `onWrite`. */
class MemoryTransport extends Duplex {
  onWrite: (octets: Uint8Array) => void = () => undefined;

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    this.onWrite(chunk);
    done();
  }
}

type Version = "TLSv1.2" | "TLSv1.3";
const tickets = new TicketKeys({ provider: nodeProvider });

/** Made out here: a function made beside the client would keep it. */
function ignore(): void {}

/** A server's stream after the handshake and some messages each way. Its client is gone. */
async function idleStream(version: Version): Promise<TlsStream> {
  const transport = new MemoryTransport();
  const client = clientWithHooks({ ...clientConfig, versions: [version] }, {});
  const stream = acceptTls(transport, { ...serverConfig, tickets, versions: [version] });
  const carry = (): void => {
    for (let output = client.takeOutput(); output !== undefined; output = client.takeOutput()) transport.push(output);
  };
  transport.onWrite = (octets) => {
    client.receive(octets);
    carry();
  };
  stream.on("data", ignore);
  const secured = once(stream, "secureConnect");
  carry();
  await secured;
  for (let count = 0; count < 8; count++) {
    client.send(new Uint8Array(40));
    const heard = once(stream, "data");
    carry();
    await heard;
    await new Promise<void>((resolve) => stream.write("PINGRESP", () => resolve()));
  }
  transport.onWrite = ignore;
  return stream;
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

async function usedOctets(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Measures with so many connections. */
export function describeIdleMemory(count: number): void {
  describe.each(["TLSv1.3", "TLSv1.2"] as const)("%s", (version) => {
    it("an idle connection keeps at most 14 KB beside its transport's own", async () => {
      // The first ones pay for what all share.
      for (let index = 0; index < 30; index++) await idleStream(version);
      const before = await usedOctets();
      const held = [];
      for (let index = 0; index < count; index++) held.push(await idleStream(version));
      const each = ((await usedOctets()) - before) / count;
      console.log(`${version}: ${Math.round(each)} octets a connection, with a transport in memory`);
      expect(each).toBeLessThan(14_336);
      expect(held.every((stream) => stream.authorized)).toBe(true);
    });

    it("the peer's certificates are copies: behind them is no flight, and no secret of a ticket", () => {
      const first = connect({ client: { versions: [version] }, server: { tickets } });
      let session: ResumableSession | undefined;
      for (const event of first.clientEvents) if (event.type === "session") session = event.session;
      const again = connect({ client: { versions: [version], session }, server: { tickets } });
      expect(again.server.info?.isResumption).toBe(true);
      for (const pair of [first, again]) {
        for (const side of [pair.client, pair.server]) {
          for (const der of side.info!.peerCertificates) expect(der.buffer.byteLength).toBe(der.length);
        }
      }
    });
  });
}
