/** The channel of @latchkey/tls/node: writes of a turn, pause, back-pressure, another owner, ends. */

import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { setImmediate as nextTurn, setTimeout as wait } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import {
  acceptTlsChannel,
  type AcceptTlsOptions,
  type ChannelOwner,
  connectTls,
  type TlsChannel,
  TlsStream,
} from "../src/node.ts";
import { clientConfig, serverConfig } from "./pair.ts";

const open: Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});

/** Notes what a channel tells. */
class Notes implements ChannelOwner {
  readonly said: string[] = [];
  octets = Buffer.alloc(0);
  whenSecured: () => void = () => undefined;

  secured(): void {
    this.said.push("secured");
    this.whenSecured();
  }
  received(data: Buffer): void {
    this.octets = Buffer.concat([this.octets, data]);
  }
  drained(): void {
    this.said.push("drained");
  }
  ended(): void {
    this.said.push("ended");
  }
  closed(error: Error | undefined): void {
    this.said.push(error === undefined ? "closed" : `closed: ${error.message}`);
  }
}

interface Ends {
  readonly client: TlsStream;
  readonly channel: TlsChannel;
  readonly notes: Notes;
  readonly sockets: readonly [Socket, Socket];
}

/** A client's stream and a server's channel. */
async function overTcp(options: Partial<AcceptTlsOptions> = {}, notes = new Notes()): Promise<Ends> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const ours = connect({ port: (listener.address() as AddressInfo).port, host: "127.0.0.1" });
  const [[theirs]] = (await Promise.all([once(listener, "connection"), once(ours, "connect")])) as [[Socket], unknown];
  listener.close();
  open.push(ours, theirs);
  const client = connectTls(ours, clientConfig);
  client.on("error", () => undefined);
  const channel = acceptTlsChannel(theirs, { ...serverConfig, ...options });
  channel.attach(notes);
  await once(client, "secureConnect");
  await expect.poll(() => notes.said).toContain("secured");
  return { client, channel, notes, sockets: [ours, theirs] };
}

/** All that a stream gives until it has given so many octets. */
function octetsFrom(stream: TlsStream, count: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let octets = 0;
    stream.on("data", function take(chunk: Buffer) {
      chunks.push(chunk);
      octets += chunk.length;
      if (octets < count) return;
      stream.off("data", take);
      resolve(Buffer.concat(chunks));
    });
  });
}

it("sends the first write of a turn at once, and the others of it as one record", async () => {
  const { client, channel, sockets } = await overTcp();
  const written: number[] = [];
  const write = sockets[1].write.bind(sockets[1]);
  sockets[1].write = (chunk: Uint8Array | string): boolean => {
    written.push(chunk.length);
    return write(chunk);
  };
  const text = octetsFrom(client, 40);
  for (let count = 0; count < 10; count++) channel.write([Buffer.from(`${count},`), Buffer.from(`${count};`)]);
  expect(written).toHaveLength(1);
  expect(channel.bufferedOctets).toBe(36);
  expect((await text).toString()).toBe("0,0;1,1;2,2;3,3;4,4;5,5;6,6;7,7;8,8;9,9;");
  // Header, content type and tag once for all nine.
  expect(written).toEqual([4 + 22, 36 + 22]);
  expect(channel.bufferedOctets).toBe(0);
});

it("hands nothing over while it is paused, and then all of it in its order, the end included", async () => {
  const { client, channel, notes } = await overTcp();
  channel.pause();
  for (let count = 0; count < 1000; count++) client.write(`${count} `);
  client.end("last");
  await wait(50);
  expect(notes.octets).toHaveLength(0);
  expect(notes.said).toEqual(["secured"]);
  channel.resume();
  await expect.poll(() => notes.said).toContain("ended");
  expect(notes.octets.toString()).toBe(`${Array.from({ length: 1000 }, (_, count) => `${count} `).join("")}last`);
});

it("stops within what came in one piece, where its owner pauses it", async () => {
  const { client, channel, notes } = await overTcp();
  const received: string[] = [];
  notes.received = (data) => {
    received.push(data.toString());
    channel.pause();
  };
  // Three records in one segment.
  client.transport.cork();
  for (const text of ["one", "two", "three"]) {
    client.write(text);
    await nextTurn();
  }
  client.transport.uncork();
  await expect.poll(() => received).toEqual(["one"]);
  await wait(20);
  expect(received).toEqual(["one"]);
  channel.resume();
  expect(received).toEqual(["one", "two"]);
  channel.resume();
  expect(received).toEqual(["one", "two", "three"]);
});

it("says when what a slow peer left has gone, also where only held writes had waited", async () => {
  const { client, channel, notes } = await overTcp();
  const piece = Buffer.alloc(16_384, 7);
  let sent = 0;
  // What is held in one turn is enough; the socket takes all of it at the end of the turn.
  while (channel.bufferedOctets < 65_536) {
    channel.write([piece]);
    sent += piece.length;
  }
  const first = octetsFrom(client, sent);
  await expect.poll(() => notes.said).toContain("drained");
  expect(await first).toHaveLength(sent);

  client.pause();
  notes.said.length = 0;
  sent = 0;
  while (!channel.isBlocked) {
    channel.write([piece]);
    sent += piece.length;
    await nextTurn();
  }
  expect(notes.said).toEqual([]);
  const second = octetsFrom(client, sent);
  client.resume();
  expect(await second).toHaveLength(sent);
  await expect.poll(() => notes.said).toContain("drained");
  expect(channel.bufferedOctets).toBe(0);
});

it("says that held writes have left, also where another call sent them", async () => {
  const { client, channel, notes } = await overTcp();
  let sent = 0;
  while (channel.bufferedOctets < 65_536) {
    channel.write([Buffer.alloc(5100)]);
    sent += 5100;
  }
  channel.send([Buffer.alloc(1)]);
  expect(await octetsFrom(client, sent + 1)).toHaveLength(sent + 1);
  await expect.poll(() => notes.said).toContain("drained");
});

it("tells the end behind what a slow owner has not taken yet, after its own end, too", async () => {
  const { client, channel, notes } = await overTcp();
  notes.received = (data) => {
    notes.said.push(`${data.length}`);
    channel.pause();
    setTimeout(() => channel.resume(), 5);
  };
  channel.end();
  client.end(Buffer.alloc(60_000));
  await expect.poll(() => notes.said).toContain("ended");
  const behindEnd = notes.said.slice(notes.said.indexOf("ended"));
  expect(behindEnd.filter((text) => text !== "ended")).toEqual([]);
  const octets = notes.said.map(Number).filter((count) => count > 0);
  expect(octets.reduce((sum, count) => sum + count, 0)).toBe(60_000);
});

it("is handed on within the handshake's end, paused until a stream over it is read, and nothing is lost", async () => {
  const notes = new Notes();
  const streams: TlsStream[] = [];
  const ends = overTcp({}, notes);
  notes.whenSecured = () =>
    void ends.then(async ({ channel }) => {
      await wait(20);
      streams.push(new TlsStream(channel));
    });
  const { client, channel } = await ends;
  channel.pause();
  client.write("before the stream, ");
  await wait(5);
  await expect.poll(() => streams).toHaveLength(1);
  client.end("and behind it");
  const [stream] = streams;
  if (stream === undefined) throw new Error("no stream");
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  expect(text).toBe("before the stream, and behind it");
  expect(notes.octets).toHaveLength(0);
  expect(notes.said).toEqual(["secured"]);
});

it("sends what is held before its end, and calls back when the transport has it", async () => {
  const { client, channel, notes } = await overTcp();
  const text = (async (): Promise<string> => {
    let all = "";
    for await (const chunk of client) all += String(chunk);
    return all;
  })();
  for (const word of ["all ", "of ", "it"]) channel.write([Buffer.from(word)]);
  await new Promise<void>((resolve) => channel.end(resolve));
  expect(await text).toBe("all of it");
  expect(channel.isWritable).toBe(false);
  channel.write([Buffer.from("too late")]);
  expect(channel.send([Buffer.from("too late")])).toBe(false);
  channel.destroy();
  expect(notes.said.at(-1)).toBe("closed");
});

it("tells the end last and once: of a transport that breaks, of a peer that is no TLS any more, of destroy", async () => {
  const cut = await overTcp();
  cut.sockets[0].destroy();
  await expect.poll(() => cut.notes.said).toHaveLength(2);
  expect(cut.notes.said).toEqual(["secured", "closed: The transport ended without close_notify (RFC 8446 §6.1)"]);

  const garbled = await overTcp();
  garbled.sockets[0].write("no record at all");
  await expect.poll(() => garbled.notes.said).toHaveLength(2);
  expect(garbled.notes.said[1]).toMatch(/^closed: /);
  expect(garbled.channel.isDestroyed).toBe(true);

  const destroyed = await overTcp();
  destroyed.client.write("not heard");
  destroyed.channel.destroy();
  destroyed.channel.abort("internal_error");
  await wait(20);
  expect(destroyed.notes.said).toEqual(["secured", "closed"]);
  expect(destroyed.notes.octets).toHaveLength(0);
});

it("learns of a transport that breaks while it is paused", async () => {
  const { channel, notes, sockets } = await overTcp();
  channel.pause();
  sockets[1].destroy();
  await expect.poll(() => notes.said).toHaveLength(2);
  expect(notes.said[1]).toMatch(/^closed: /);
});

it("gives the handshake up after its time", async () => {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const silent = connect({ port: (listener.address() as AddressInfo).port, host: "127.0.0.1" });
  const [socket] = (await once(listener, "connection")) as [Socket];
  listener.close();
  open.push(silent, socket);
  const notes = new Notes();
  acceptTlsChannel(socket, { ...serverConfig, handshakeTimeoutMs: 20 }).attach(notes);
  await expect.poll(() => notes.said).toEqual(["closed: The TLS handshake was not done in 20 milliseconds"]);
});
