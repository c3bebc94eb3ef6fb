/** The Duplex of @latchkey/tls/node: back-pressure, half-close, errors, signing elsewhere, what it tells of the peer. */

import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { acceptTls, type AcceptTlsOptions, connectTls, type ConnectTlsOptions, type TlsStream } from "../src/node.ts";
import type { TlsError } from "../src/index.ts";
import { device, newAuthority, newDevice } from "./identities.ts";
import { clientConfig, serverConfig } from "./pair.ts";

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

interface Ends {
  readonly client: TlsStream;
  readonly server: TlsStream;
  readonly sockets: readonly [Socket, Socket];
}

async function overTcp(client: Partial<ConnectTlsOptions> = {}, server: Partial<AcceptTlsOptions> = {}): Promise<Ends> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const ours = connect({ port: (listener.address() as AddressInfo).port, host: "127.0.0.1" });
  const [[theirs]] = (await Promise.all([once(listener, "connection"), once(ours, "connect")])) as [[Socket], unknown];
  listener.close();
  const ends: Ends = {
    client: connectTls(ours, { ...clientConfig, ...client }),
    server: acceptTls(theirs, { ...serverConfig, ...server }),
    sockets: [ours, theirs],
  };
  for (const stream of [ends.client, ends.server]) stream.on("error", () => undefined);
  open.push(() => [ours, theirs].forEach((socket) => socket.destroy()));
  return ends;
}

/** Two ends of a transport in memory, which hands over within `write`. */
class MemoryEnd extends Duplex {
  other: MemoryEnd | undefined;

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    this.other?.push(chunk);
    done();
  }
}

it("goes over a transport that answers within its own write", async () => {
  const [left, right] = [new MemoryEnd(), new MemoryEnd()];
  left.other = right;
  right.other = left;
  for (const end of [left, right]) end.resume();
  const server = acceptTls(right, serverConfig);
  const client = connectTls(left, clientConfig);
  let heard = "";
  server.on("data", (chunk: Buffer) => {
    heard += chunk.toString();
    server.write(`${chunk.toString()} again`);
  });
  for (let count = 0; count < 20; count++) {
    client.write(`order ${count}`);
    const [answer] = (await once(client, "data")) as [Buffer];
    expect(answer.toString()).toBe(`order ${count} again`);
  }
  expect(heard).toContain("order 19");
  client.destroy();
});

/** All that comes, once the other side has ended. */
async function everythingFrom(stream: TlsStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(stream, "end");
  return Buffer.concat(chunks);
}

it("keeps octets as they are that a slow transport has not taken, whatever other streams write meanwhile", async () => {
  const pairs = await Promise.all([overTcp(), overTcp(), overTcp()]);
  await Promise.all(pairs.map(({ server }) => once(server, "secureConnect")));
  // The first reads as it comes, the others once everything is written: their sockets fill.
  const heard = pairs.slice(0, 1).map(({ client }) => everythingFrom(client));
  const sent: Buffer[][] = [[], [], []];
  for (let count = 0; count < 1500; count++) {
    for (const [of, { server }] of pairs.entries()) {
      const chunk = Buffer.alloc(5000 + ((count * 997) % 5000), 16 * of + (count % 16));
      sent[of]?.push(chunk);
      server.write(chunk);
    }
    await nextTurn();
  }
  for (const { server } of pairs) server.end();
  heard.push(...pairs.slice(1).map(({ client }) => everythingFrom(client)));
  const octets = await Promise.all(heard);
  for (const [of, chunks] of sent.entries()) expect(octets[of]?.equals(Buffer.concat(chunks))).toBe(true);
});

it("keeps what is written before the handshake is done, on several streams", async () => {
  const pairs = await Promise.all([overTcp(), overTcp(), overTcp()]);
  const sent = pairs.map(({ client }, of) => {
    client.cork();
    for (let count = 0; count < 4; count++) client.write(Buffer.alloc(3000, 16 * of + count));
    client.uncork();
    client.end();
    return Buffer.concat([0, 1, 2, 3].map((count) => Buffer.alloc(3000, 16 * of + count)));
  });
  const heard = await Promise.all(pairs.map(({ server }) => everythingFrom(server)));
  for (const [of, octets] of sent.entries()) expect(heard[of]?.equals(octets)).toBe(true);
});

it("tells of the connection by the names of node:tls", async () => {
  const { client, server } = await overTcp({ alpn: ["mqtt"] }, { alpn: ["mqtt"] });
  expect([client.getProtocol(), client.getCipher(), client.authorized]).toEqual([null, undefined, false]);
  await Promise.all([once(client, "secureConnect"), once(server, "secureConnect")]);
  expect(server.authorized).toBe(true);
  expect(client.authorized).toBe(true);
  expect(server.getProtocol()).toBe("TLSv1.3");
  expect(server.getCipher()).toEqual({
    name: "TLS_AES_128_GCM_SHA256",
    standardName: "TLS_AES_128_GCM_SHA256",
    version: "TLSv1.3",
  });
  expect(server.alpnProtocol).toBe("mqtt");
  expect(server.servername).toBe("broker.example");
  expect(server.getPeerX509Certificate()?.subject).toBe("CN=button-1");
  expect(new Uint8Array(client.getPeerX509Certificate()!.raw)).toEqual(client.peerCertificates[0]);
  expect(server.exportKeyingMaterial(16, "EXPORTER-x")).toEqual(client.exportKeyingMaterial(16, "EXPORTER-x"));
  const old = await overTcp({ versions: ["TLSv1.2"] });
  await once(old.server, "secureConnect");
  expect(old.server.getCipher()?.name).toBe("ECDHE-ECDSA-AES128-GCM-SHA256");
});

it("carries much data both ways, with back-pressure, also where writes come before the handshake", async () => {
  const { client, server } = await overTcp();
  const size = 3_000_000;
  const octets = Buffer.alloc(size, "pizza ");
  server.pipe(server);
  const received: Buffer[] = [];
  client.on("data", (chunk: Buffer) => received.push(chunk));
  let offset = 0;
  while (offset < size) {
    const more = client.write(octets.subarray(offset, offset + 100_000));
    offset += 100_000;
    if (!more) await once(client, "drain");
  }
  client.end();
  await once(client, "end");
  expect(Buffer.concat(received).equals(octets)).toBe(true);
});

it("does not read on while nobody reads", async () => {
  const { client, server } = await overTcp();
  await once(server, "secureConnect");
  let isFull = false;
  for (let count = 0; count < 400 && !isFull; count++) {
    isFull = !client.write(Buffer.alloc(100_000));
    await nextTurn();
  }
  expect(isFull).toBe(true);
  expect(server.readableLength).toBeLessThan(2_000_000);
});

it("half-close: the other side may go on where it is allowed", async () => {
  const { client, server } = await overTcp({ allowHalfOpen: true }, { allowHalfOpen: true });
  await once(server, "secureConnect");
  client.end("last order");
  let order = "";
  for await (const chunk of server) order += String(chunk);
  expect(order).toBe("last order");
  server.end("goodbye");
  let answer = "";
  for await (const chunk of client) answer += String(chunk);
  expect(answer).toBe("goodbye");
});

it("half-close: what is cut off of the other side's octets is an error", async () => {
  const { client, server, sockets } = await overTcp({ allowHalfOpen: true }, { allowHalfOpen: true });
  await once(server, "secureConnect");
  client.end("last order");
  server.resume();
  await once(server, "end");
  server.write("good");
  await once(client, "data");
  const failed = once(client, "error");
  sockets[1].end();
  const [error] = (await failed) as [TlsError];
  expect(error.code).toBe("ERR_TLS_TRUNCATED");
});

it.each(["TLSv1.3", "TLSv1.2"] as const)("%s: end and close on both sides without errors", async (version) => {
  const { client, server } = await overTcp({ versions: [version] });
  const errors: Error[] = [];
  for (const stream of [client, server]) stream.on("error", (error) => errors.push(error));
  await once(server, "secureConnect");
  server.resume();
  client.resume();
  client.end("bye");
  await Promise.all([once(client, "close"), once(server, "close")]);
  expect(errors).toEqual([]);
});

it("a stream that is done has no secrets any more, however it ended", async () => {
  const ends: Readonly<Record<string, (ends: Ends) => Promise<TlsStream>>> = {
    "its own end, then that of the transport": async ({ client, sockets }) => {
      client.end();
      await once(client, "finish");
      sockets[1].end();
      return client;
    },
    "destroyed while open": async ({ client }) => client.destroy(),
    "destroyed after the peer's end": async ({ client, server }) => {
      client.end();
      await once(server, "end");
      return server.destroy();
    },
  };
  for (const [how, end] of Object.entries(ends)) {
    const both = await overTcp({}, { allowHalfOpen: true });
    for (const stream of [both.client, both.server]) stream.resume();
    await once(both.server, "secureConnect");
    const stream = await end(both);
    if (!stream.closed) await once(stream, "close");
    expect(() => stream.exportKeyingMaterial(16, "EXPORTER-test"), how).toThrow("not in phase");
    expect(stream.errored).toBeNull();
  }
});

it("a transport that ends without close_notify is an error", async () => {
  const { client, server, sockets } = await overTcp();
  await once(server, "secureConnect");
  const failed = once(server, "error");
  sockets[0].destroy();
  const [error] = (await failed) as [TlsError];
  expect(error.code).toBe("ERR_TLS_TRUNCATED");
  client.destroy();
});

it("an untrusted client: refused by an alert, or connected and named where that is wanted", async () => {
  const stranger = newDevice(newAuthority("Another Root"));
  const refused = await overTcp({ credentials: [stranger.credential] });
  const [ours, theirs] = await Promise.all([once(refused.server, "error"), once(refused.client, "error")]);
  expect(ours[0]).toMatchObject({ code: "ERR_TLS_PEER_REFUSED", alertSent: "unknown_ca" });
  expect(theirs[0]).toMatchObject({ code: "ERR_TLS_ALERT_RECEIVED", alertReceived: "unknown_ca" });
  const named = await overTcp({ credentials: [stranger.credential] }, { rejectUnauthorized: false });
  await once(named.server, "secureConnect");
  expect(named.server.authorized).toBe(false);
  expect(named.server.authorizationError?.message).toContain("no trust anchor");
  expect(named.server.getPeerX509Certificate()?.subject).toBe("CN=button-1");
});

it("signs by a key that is elsewhere, and fails where that does", async () => {
  const { chain, schemes, sign } = device.credential;
  const elsewhere = { chain, schemes };
  let asked = 0;
  const { server } = await overTcp({
    credentials: [elsewhere],
    answers: {
      sign: async (scheme, data) => {
        asked++;
        await nextTurn();
        return sign!(scheme, data);
      },
    },
  });
  await once(server, "secureConnect");
  expect([asked, server.authorized]).toEqual([1, true]);
  const broken = await overTcp({
    credentials: [elsewhere],
    answers: { sign: () => Promise.reject(new Error("the token is out")) },
  });
  const [[error]] = await Promise.all([once(broken.client, "error"), once(broken.server, "error")]);
  const cause = { message: "the token is out" };
  expect(error).toMatchObject({ code: "ERR_TLS_CREDENTIAL", alertSent: "internal_error", cause });
});

it("asks for everything that a config leaves open, later", async () => {
  const sessions = new Map<string, Uint8Array>();
  const later = async <Value>(value: Value): Promise<Value> => {
    await nextTurn();
    return value;
  };
  const answers = {
    credential: () => later(serverConfig.credentials[0] as typeof device.credential),
    verifyPeer: () => later({ ok: true } as const),
    sealTicket: (session: Uint8Array) => {
      sessions.set(`${sessions.size}`, session);
      return later(new Uint8Array(Buffer.from(`${sessions.size - 1}`)));
    },
    openTicket: (ticket: Uint8Array) => later(sessions.get(Buffer.from(ticket).toString())),
  };
  const options = { credentials: "ask", verifier: "ask", tickets: "ask", answers } as const;
  const first = await overTcp({}, options);
  const [[session]] = await Promise.all([once(first.client, "session"), once(first.server, "secureConnect")]);
  expect(first.server.authorized).toBe(true);
  const again = await overTcp({ session }, options);
  await once(again.server, "secureConnect");
  expect(again.server.isSessionReused()).toBe(true);
});

it("leaves what comes in the transport while a question is open", async () => {
  const size = 2_000_000;
  const verifyPeer = async (): Promise<{ ok: true }> => {
    for (let turn = 0; turn < 200; turn++) await nextTurn();
    return { ok: true };
  };
  const { client, server } = await overTcp({}, { verifier: "ask", answers: { verifyPeer } });
  client.end(Buffer.alloc(size));
  let received = 0;
  for await (const chunk of server) received += (chunk as Buffer).length;
  expect(received).toBe(size);
});

it("gives up a handshake that takes too long", async () => {
  const silent = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  const stream = acceptTls(silent, { ...serverConfig, handshakeTimeoutMs: 1 });
  const [error] = (await once(stream, "error")) as [Error];
  expect(error.message).toContain("1 milliseconds");
});

it("destroy ends both sides, and a write then fails", async () => {
  const { client, server } = await overTcp();
  await once(server, "secureConnect");
  const closed = new Promise((resolve) => server.once("close", resolve));
  client.destroy();
  await closed;
  const outcome = await new Promise((resolve) => server.write("x", resolve));
  expect(outcome).toBeInstanceOf(Error);
});

it("a write that uses up a key of TLS 1.2 gets an error, and the stream ends", async () => {
  const { client, server } = await overTcp({ versions: ["TLSv1.2"], limits: { recordsPerKey: 4 } });
  await Promise.all([once(client, "secureConnect"), once(server, "secureConnect")]);
  const closed = new Promise<void>((resolve) => client.once("close", resolve));
  const error = await new Promise<Error | null | undefined>((resolve) => client.write(Buffer.alloc(100_000), resolve));
  expect(error).toMatchObject({ code: "ERR_TLS_ABORTED" });
  await closed;
});

it("an alert goes out behind data that the peer has not read yet", async () => {
  const { client, server } = await overTcp();
  await Promise.all([once(client, "secureConnect"), once(server, "secureConnect")]);
  client.pause();
  server.write(Buffer.alloc(8_000_000));
  server.abort("certificate_revoked");
  const failed = once(client, "error") as Promise<[TlsError]>;
  client.resume();
  const [error] = await failed;
  expect(error.alertReceived).toBe("certificate_revoked");
});

it("a verifier is asked for the keys that it remembers", async () => {
  const { verifier } = serverConfig;
  if (typeof verifier !== "object") throw new TypeError("the verifier is asked by events");
  let remembered = 0;
  const counting = {
    verify: verifier.verify,
    rememberedKey: (...asked: Parameters<NonNullable<typeof verifier.rememberedKey>>) => {
      const key = verifier.rememberedKey?.(...asked);
      if (key !== undefined) remembered++;
      return key;
    },
  };
  for (let count = 0; count < 2; count++) {
    const { client, server } = await overTcp({}, { verifier: counting });
    await Promise.all([once(client, "secureConnect"), once(server, "secureConnect")]);
  }
  expect(remembered).toBeGreaterThan(0);
});

it("a transport that has ended already is an error at once", async () => {
  const left = new MemoryEnd();
  left.destroy();
  const client = connectTls(left, clientConfig);
  const [error] = (await once(client, "error")) as [TlsError];
  expect(error.code).toBe("ERR_TLS_TRUNCATED");
});

/** A client that takes a little at a time, and has ended its own side before. */
async function slowly(stream: TlsStream): Promise<number> {
  let octets = 0;
  stream.on("data", (chunk: Buffer) => {
    octets += chunk.length;
    stream.pause();
    setTimeout(() => stream.resume(), 2);
  });
  await once(stream, "end");
  return octets;
}

it.each([150_000, 190_000, 270_000])(
  "gives all of %i octets to a slow reader that has ended before",
  async (octets) => {
    const { client, server } = await overTcp();
    server.once("data", () => server.end(Buffer.alloc(octets)));
    client.end("all of it, please");
    expect(await slowly(client)).toBe(octets);
  },
);

it("does not take a cut for the end, where a slow reader of a half-closed stream has not read all", async () => {
  const { client, server, sockets } = await overTcp({ allowHalfOpen: true }, { allowHalfOpen: true });
  const failed = once(client, "error");
  server.once("data", () => server.write(Buffer.alloc(150_000), () => sockets[1].end()));
  client.end("all of it, please");
  const outcome = Promise.race([
    slowly(client).then(() => "a good end"),
    failed.then(([error]) => (error as TlsError).code),
  ]);
  expect(await outcome).toBe("ERR_TLS_TRUNCATED");
});

it.each([true, false])(
  "loses nothing at its end, however much a slow peer has left: half-open %s",
  async (isHalfOpen) => {
    const { client, server } = await overTcp({ allowHalfOpen: true }, { allowHalfOpen: isHalfOpen });
    await once(server, "secureConnect");
    client.pause();
    let sent = 0;
    // Until the socket is partly filled: less than what the stream would wait for.
    while (server.transport.writableLength < 20_000) {
      server.write(Buffer.alloc(9000));
      sent += 9000;
      await nextTurn();
    }
    const isFinished = once(server, "finish");
    if (isHalfOpen) server.end();
    else client.end();
    server.resume();
    setTimeout(() => client.resume(), 50);
    expect((await everythingFrom(client)).length).toBe(sent);
    await isFinished;
  },
);

it("tells who writes to a half-closed stream that its transport is gone", async () => {
  const { client, server, sockets } = await overTcp({ allowHalfOpen: true }, { allowHalfOpen: true });
  const closed = new Promise((resolve) => server.once("close", resolve));
  client.end("last");
  await expect.poll(() => server.readableLength).toBe(4);
  sockets[1].destroy();
  await nextTurn();
  const outcome = new Promise((resolve) => server.write("to nobody", resolve));
  server.resume();
  expect(await outcome).toBeInstanceOf(Error);
  await closed;
});
