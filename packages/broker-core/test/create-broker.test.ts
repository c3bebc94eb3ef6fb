/** The broker inside another program, over every kind of stream. */

import { once } from "node:events";
import { type AddressInfo, connect as connectTcp, createServer, type Server } from "node:net";
import { Duplex, duplexPair, PassThrough } from "node:stream";
import { encode, PacketDecoder, type EncodableConnect, type EncodablePacket, type Packet } from "@latchkey/mqtt-codec";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  createBroker,
  MemorySessionStore,
  type BrokerEvent,
  type CreateBrokerOptions,
  type EmbeddedBroker,
  type MovedSession,
} from "../src/index.ts";
import { publish, subscribe } from "./client.ts";

type Options = CreateBrokerOptions<string, string>;
type Embedded = EmbeddedBroker<string, string>;

const open: Embedded[] = [];
const servers: Server[] = [];
afterEach(async () => {
  for (const broker of open.splice(0)) await broker.close();
  for (const server of servers.splice(0)) server.close();
});

async function make(
  options: Partial<Options> = {},
): Promise<{ broker: Embedded; events: BrokerEvent<string, string>[] }> {
  const events: BrokerEvent<string, string>[] = [];
  const broker = await createBroker<string, string>({
    authenticator: { authenticate: (peer) => ({ ok: true, principal: peer }) },
    authorizer: { decide: () => true },
    onEvent: (event) => events.push(event),
    ...options,
  });
  open.push(broker);
  return { broker, events };
}

const connect = (clientIdentifier: string): EncodableConnect & { readonly type: "connect" } => ({
  type: "connect",
  protocolVersion: 5,
  clientIdentifier,
  cleanStart: true,
  keepAlive: 0,
});

/** A client at the other end of a stream. */
class Client {
  readonly stream: Duplex;
  readonly packets: Packet[] = [];
  readonly closed: Promise<unknown>;
  constructor(stream: Duplex) {
    this.stream = stream;
    // A stream that may be half open does not close with the other end.
    this.closed = new Promise((resolve) => stream.once("close", resolve).once("end", resolve));
    const decoder = new PacketDecoder({ receives: "server-packets", protocolVersion: 5, maximumPacketSize: 1 << 28 });
    stream.on("error", () => {});
    stream.on("data", (chunk: Buffer) => {
      decoder.push(chunk);
      for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) {
        this.packets.push(packet.type === "publish" ? { ...packet, payload: packet.payload.slice() } : packet);
      }
    });
  }
  send(...packets: EncodablePacket[]): void {
    for (const packet of packets) this.stream.write(encode(packet, 5));
  }
  /** The packets of a type, when there are `count` of them. */
  async take<T extends Packet["type"]>(type: T, count = 1): Promise<Extract<Packet, { type: T }>[]> {
    const ofType = (): Extract<Packet, { type: T }>[] =>
      this.packets.filter((packet): packet is Extract<Packet, { type: T }> => packet.type === type);
    await vi.waitFor(() => expect(ofType().length).toBeGreaterThanOrEqual(count), { timeout: 20_000 });
    return ofType();
  }
  async connect(clientIdentifier: string, fields: object = {}): Promise<void> {
    this.send({ ...connect(clientIdentifier), ...fields });
    const [connack] = await this.take("connack");
    expect(connack?.reasonCode).toBe(0);
  }
}

/** Ways to connect a client with the broker. */
const ways: Readonly<Record<string, (broker: Embedded) => Promise<Duplex>>> = {
  "a TCP socket": async (broker) => {
    const server = createServer((socket) => broker.serve(socket, "peer")).listen(0, "127.0.0.1");
    servers.push(server);
    await once(server, "listening");
    return connectTcp((server.address() as AddressInfo).port, "127.0.0.1");
  },
  "a pair of Duplex streams": async (broker) => {
    const [near, far] = duplexPair();
    broker.serve(near, "peer");
    return far;
  },
  "WHATWG streams": async (broker) => {
    const up = new TransformStream<Uint8Array, Uint8Array>();
    const down = new TransformStream<Uint8Array, Uint8Array>();
    broker.serve({ readable: up.readable, writable: down.writable }, "peer");
    return Duplex.fromWeb({ readable: down.readable, writable: up.writable });
  },
  "a Duplex as WHATWG streams": async (broker) => {
    const [near, far] = duplexPair();
    broker.serve(Duplex.toWeb(near), "peer");
    return far;
  },
};

describe.each(Object.entries(ways))("over %s", (_, way) => {
  test("messages go both ways", async () => {
    const { broker } = await make();
    const client = new Client(await way(broker));
    await client.connect("a");
    client.send(subscribe("topic", 1), publish("topic", "hello", 1));
    const [message] = await client.take("publish");
    expect(new TextDecoder().decode(message?.payload)).toBe("hello");
    await client.take("puback");
  });

  test("a client that reads slowly gets all of it, and the broker goes on with others", async () => {
    const { broker } = await make();
    const octets = 20_000;
    for (let number = 0; number < 200; number++) {
      const payload = new Uint8Array(octets).fill(number);
      await broker.publish({ topicName: `retained/${number}`, payload, retain: true });
    }
    const slow = new Client(await way(broker));
    await slow.connect("slow");
    slow.stream.pause();
    slow.send(subscribe("retained/#", 0));
    const other = new Client(await way(broker));
    await other.connect("other");
    other.send(subscribe("topic", 1), publish("topic", "hello", 1));
    await other.take("publish");
    slow.stream.resume();
    const messages = await slow.take("publish", 200);
    expect(new Set(messages.map(({ topicName, payload }) => `${topicName} ${payload.length}`)).size).toBe(200);
    expect(messages.every(({ payload }) => payload.length === octets)).toBe(true);
  });

  test("a client that ends its stream has its will published, and nothing stays open", async () => {
    const { broker, events } = await make();
    const watcher = new Client(await way(broker));
    await watcher.connect("watcher");
    watcher.send(subscribe("wills", 1));
    const client = new Client(await way(broker));
    await client.connect("a", { will: { topicName: "wills", payload: new TextEncoder().encode("gone"), qos: 1 } });
    client.stream.end();
    const [will] = await watcher.take("publish");
    expect(new TextDecoder().decode(will?.payload)).toBe("gone");
    expect(events).toContainEqual(expect.objectContaining({ type: "closed", reason: "connection-lost" }));
    await client.closed;
  });

  test("at the end clients learn why, and their streams are closed", async () => {
    const { broker } = await make();
    const client = new Client(await way(broker));
    await client.connect("a");
    await broker.close();
    const [disconnect] = await client.take("disconnect");
    expect(disconnect?.reasonCode).toBe(0x8b);
    await client.closed;
  });

  test("at the end a client that does not read is cut", async () => {
    const { broker } = await make();
    const stream = await way(broker);
    const client = new Client(stream);
    await client.connect("a");
    client.send(subscribe("topic", 0));
    await client.take("suback");
    stream.pause();
    for (let number = 0; number < 400; number++) {
      await broker.publish({ topicName: "topic", payload: new Uint8Array(100_000) });
    }
    await broker.close();
    expect(Array.from(broker.core.connections())).toEqual([]);
  });
});

test("a store keeps sessions for the next broker, and is closed with the first", async () => {
  const store = new MemorySessionStore();
  const closed = vi.spyOn(store, "close");
  const first = await make({ store });
  const [near, far] = duplexPair();
  first.broker.serve(near, "peer");
  const client = new Client(far);
  await client.connect("a", { properties: { sessionExpiryInterval: 1000 } });
  client.send(subscribe("topic", 1));
  await client.take("suback");
  await first.broker.close();
  await first.broker.close();
  expect(closed).toHaveBeenCalledOnce();

  const second = await make({ store });
  const payload = new TextEncoder().encode("kept");
  expect(await second.broker.publish({ topicName: "topic", payload, qos: 1 })).toEqual({ ok: true, receivers: 1 });
});

test("a store that cannot be read is an error of the start", async () => {
  const store = new MemorySessionStore();
  vi.spyOn(store, "load").mockRejectedValue(new Error("damaged"));
  await expect(make({ store })).rejects.toThrow("damaged");
});

test("time goes by: a delayed will is published", async () => {
  let ms = 0;
  const { broker } = await make({ monotonicMs: () => ms });
  const [near, far] = duplexPair();
  broker.serve(near, "peer");
  const client = new Client(far);
  const will = { topicName: "wills", payload: new Uint8Array(1), retain: true, properties: { willDelayInterval: 30 } };
  await client.connect("a", { properties: { sessionExpiryInterval: 1000 }, will });
  far.destroy();
  await vi.waitFor(() => expect(broker.core.connection("a")?.connection).toBeUndefined());
  expect(broker.core.retained("wills")).toBeUndefined();
  ms = 30_001;
  await vi.waitFor(() => expect(broker.core.retained("wills")).toBeDefined(), { timeout: 20_000 });
});

test("a client without identifier gets a random one", async () => {
  const { broker } = await make();
  const [near, far] = duplexPair();
  broker.serve(near, "peer");
  const client = new Client(far);
  await client.connect("");
  const [connack] = await client.take("connack");
  expect(connack?.properties?.assignedClientIdentifier).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
});

test.each(["at once", "later"])("an authorizer that answers %s decides", async (when) => {
  const answer = (isAllowed: boolean): true | { isAllowed: false; reason: string } =>
    isAllowed || { isAllowed: false, reason: "no" };
  const { broker, events } = await make({
    authorizer: {
      decide: (_, action) =>
        when === "at once" ? answer(action !== "publish") : Promise.resolve(answer(action !== "publish")),
    },
  });
  const [near, far] = duplexPair();
  broker.serve(near, "peer");
  const client = new Client(far);
  await client.connect("a");
  client.send(publish("topic", "hello", 1));
  const [puback] = await client.take("puback");
  expect(puback?.reasonCode).toBe(0x87);
  expect(events).toContainEqual(expect.objectContaining({ type: "denied", action: "publish", name: "topic" }));
});

test("a stream that gives text is closed", async () => {
  const { broker, events } = await make();
  const stream = new PassThrough({ encoding: "utf8" });
  broker.serve(stream, "peer");
  stream.write("hello");
  const detail = "the stream gives something else than octets";
  await vi.waitFor(() => expect(events).toContainEqual(expect.objectContaining({ type: "closed", detail })));
  broker.serve(
    { readable: new ReadableStream({ start: (to) => to.enqueue("hello") }), writable: new WritableStream() },
    "peer",
  );
  await vi.waitFor(() => expect(events.filter((event) => event.type === "closed")).toHaveLength(2));
});

test("what comes after the end is let in no more", async () => {
  const { broker, events } = await make();
  await broker.close();
  const [near, far] = duplexPair();
  const client = new Client(far);
  broker.serve(near, "peer");
  await client.closed;
  expect(events).toContainEqual(expect.objectContaining({ type: "closed", reason: "server-shutdown" }));
});

test("a stream that throws at a write is closed, and who has published notices nothing", async () => {
  const { broker, events } = await make();
  let isBroken = false;
  const broken = new Duplex({
    read: () => {},
    write: (_chunk, _encoding, done) => {
      if (isBroken) throw new Error("it is broken");
      done();
    },
  });
  broker.serve(broken, "broken");
  for (const packet of [connect("receiver"), subscribe("topic", 0)]) broken.push(encode(packet, 5));
  await vi.waitFor(() => expect(events).toContainEqual(expect.objectContaining({ type: "subscribed" })));
  isBroken = true;
  const [near, far] = duplexPair();
  broker.serve(near, "well");
  const client = new Client(far);
  await client.connect("sender");
  client.send(publish("topic", "hello", 1));
  await client.take("puback");
  await vi.waitFor(() =>
    expect(events).toContainEqual(
      expect.objectContaining({ type: "closed", clientIdentifier: "receiver", detail: "it is broken" }),
    ),
  );
});

test("WHATWG streams may fail with anything", async () => {
  const { broker, events } = await make();
  broker.serve(
    {
      readable: new ReadableStream({ start: (to) => to.error(Object.create(null)) }),
      writable: new WritableStream(),
    },
    "peer",
  );
  await vi.waitFor(() =>
    expect(events).toContainEqual(expect.objectContaining({ type: "closed", detail: "the stream failed" })),
  );
  await broker.close();
});

test("at the end a stream that has closed without a word is not waited for", async () => {
  const { broker, events } = await make();
  const silent = new Duplex({ emitClose: false, read: () => {}, write: (_chunk, _encoding, done) => done() });
  broker.serve(silent, "peer");
  silent.push(encode(connect("a"), 5));
  await vi.waitFor(() => expect(events).toContainEqual(expect.objectContaining({ type: "connected" })));
  silent.destroy();
  await broker.close();
});

test("at the end a session that another node gives away is kept", async () => {
  const store = new MemorySessionStore();
  let isClosed = false;
  const claimed = Promise.withResolvers<MovedSession>();
  const asked = Promise.withResolvers<void>();
  const { broker } = await make({
    store: {
      load: () => store.load(),
      append: (records, atMs) => {
        if (isClosed) throw new Error("the store is closed");
        return store.append(records, atMs);
      },
      close: async () => {
        isClosed = true;
      },
    },
    cluster: {
      node: 1,
      interest: { match: () => [], revision: 0, subscribed: () => {}, unsubscribed: () => {}, forward: () => {} },
      sessions: {
        claim: () => {
          asked.resolve();
          return claimed.promise;
        },
      },
    },
  });
  const [near, far] = duplexPair();
  broker.serve(near, "peer");
  far.resume();
  far.write(encode({ ...connect("device"), cleanStart: false }, 5));
  await asked.promise;
  const closing = broker.close();
  // After the streams have closed.
  setTimeout(() => {
    const nothing = { awayReason: undefined, awayDetail: undefined, owner: undefined };
    const owed = { subscriptions: [], deliveries: [], released: [], received: [] };
    const times = { expirySeconds: 1000, awayAtMs: Date.now() };
    const session = { clientIdentifier: "device", protocolVersion: 5, ...times, ...nothing, ...owed } as const;
    claimed.resolve({ session, messages: new Map() });
  }, 100);
  await closing;
  expect((await store.load()).sessions).toMatchObject([{ clientIdentifier: "device" }]);
});

test("at the end a node that gives no answer is not waited for without end", async () => {
  const asked = Promise.withResolvers<void>();
  const { broker } = await make({
    cluster: {
      node: 1,
      interest: { match: () => [], revision: 0, subscribed: () => {}, unsubscribed: () => {}, forward: () => {} },
      sessions: {
        claim: () => {
          asked.resolve();
          return new Promise(() => {});
        },
      },
    },
  });
  const [near, far] = duplexPair();
  broker.serve(near, "peer");
  far.resume();
  far.write(encode(connect("device"), 5));
  await asked.promise;
  await broker.close();
});

test.each(["readable", "writable"] as const)(
  "streams of which the %s one is locked are refused, and the other one is left as it was",
  async (lockedSide) => {
    const { broker } = await make();
    const up = new TransformStream<Uint8Array, Uint8Array>();
    const down = new TransformStream<Uint8Array, Uint8Array>();
    const streams = { readable: up.readable, writable: down.writable };
    const lock = lockedSide === "readable" ? streams.readable.getReader() : streams.writable.getWriter();
    expect(() => broker.serve(streams, "peer")).toThrow(TypeError);
    expect([streams.readable.locked, streams.writable.locked]).toEqual([
      lockedSide === "readable",
      lockedSide === "writable",
    ]);
    lock.releaseLock();
    expect(() => broker.serve(streams, "peer")).not.toThrow();
    await up.writable.close();
  },
);
