/**
 * Program: a broker with faults of known size, to hold the bench to. `node test-broker.ts JSON`, where the JSON is `Faults`.
 *
 * It prints `ready PORT`. A message's number is its publisher's own count, which the bench writes into the payload.
 */

import { createServer, type Socket } from "node:net";
import {
  encode,
  PacketDecoder,
  type EncodablePacket,
  type Packet,
  type ProtocolVersion,
  type PublishPacket,
} from "@latchkey/mqtt-codec";

/** A choice of messages: those whose number leaves `rest` when it is divided by `every`. */
interface Choice {
  readonly every: number;
  readonly rest: number;
}

/** What the broker does wrong. */
export interface Faults {
  /** Each message is forwarded so much later. */
  readonly delayMs?: number;
  /** With the message that is number `atMessage` of all that come, the whole process stands still for `forMs`. */
  readonly stall?: { readonly atMessage: number; readonly forMs: number };
  readonly drop?: Choice;
  readonly repeat?: Choice;
  /** Each receiver gets a message that nobody published. */
  readonly addsForeign?: boolean;
  /** Closes each connection at once. */
  readonly closes?: boolean;
  /** What CONNACK tells a client of MQTT 5.0: so many messages with QoS 1 may wait for their PUBACK. */
  readonly receiveMaximum?: number;
  /** The process ends with this message. */
  readonly diesAtMessage?: number;
  /** The first so many CONNECT packets after the bench's question whether it is served are refused with CONNACK 3. */
  readonly refusesConnects?: number;
}

const faults = JSON.parse(process.argv[2] ?? "{}") as Faults;
/** Where a stamp has the message's number: after a time of 8 octets and a device of 4. */
const sequenceOffset = 12;

interface Client {
  readonly socket: Socket;
  readonly filters: Map<string, 0 | 1 | 2>;
  packetIdentifier: number;
  version: ProtocolVersion;
}

const clients = new Set<Client>();
let messages = 0;
let connects = 0;
const turns = new Map<string, number>();

const server = createServer({ noDelay: true }, (socket) => {
  const client: Client = { socket, filters: new Map(), packetIdentifier: 0, version: 4 };
  socket.on("error", () => socket.destroy());
  if (faults.closes === true) {
    socket.destroy();
    return;
  }
  const decoder = new PacketDecoder({ receives: "client-packets" });
  clients.add(client);
  socket.on("close", () => clients.delete(client));
  socket.on("data", (chunk: Buffer) => {
    decoder.push(chunk);
    for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) hear(client, packet);
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address !== null && typeof address !== "string") process.stdout.write(`ready ${address.port}\n`);
});
// The end of standard input means that the test has ended.
process.stdin.on("end", () => process.exit(0)).resume();

function hear(client: Client, packet: Packet): void {
  switch (packet.type) {
    case "connect": {
      const number = connects++;
      // The first is the bench's question.
      const isRefused = number > 0 && number <= (faults.refusesConnects ?? 0);
      client.version = packet.protocolVersion;
      const { receiveMaximum } = faults;
      const properties = { ...(client.version === 5 && receiveMaximum !== undefined && { receiveMaximum }) };
      reply(client, { type: "connack", sessionPresent: false, reasonCode: isRefused ? 3 : 0, properties });
      break;
    }
    case "subscribe": {
      for (const { topicFilter, qos } of packet.subscriptions) client.filters.set(topicFilter, qos);
      const reasonCodes = packet.subscriptions.map(({ qos }) => qos);
      reply(client, { type: "suback", packetIdentifier: packet.packetIdentifier, reasonCodes });
      break;
    }
    case "publish":
      take(packet);
      if (packet.qos === 1) reply(client, { type: "puback", packetIdentifier: packet.packetIdentifier });
      break;
    case "pingreq":
      reply(client, { type: "pingresp" });
      break;
    case "disconnect":
      client.socket.end();
      break;
    default:
  }
}

function reply(client: Client, packet: EncodablePacket): void {
  client.socket.write(encode(packet, client.version));
}

function take(packet: PublishPacket): void {
  const number = messages++;
  if (number === faults.diesAtMessage) process.exit(1);
  if (number === faults.stall?.atMessage) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, faults.stall.forMs);
  }
  const payload = Uint8Array.from(packet.payload);
  // The bench's questions before the run carry no stamp.
  const sequence =
    payload.length < sequenceOffset + 4 ? 1 : new DataView(payload.buffer).getUint32(sequenceOffset, true);
  if (isChosen(sequence, faults.drop)) return;
  const times = isChosen(sequence, faults.repeat) ? 2 : 1;
  const { topicName } = packet;
  const forward = (): void => {
    for (let time = 0; time < times; time++) send(topicName, payload);
    if (faults.addsForeign === true) send(topicName, new Uint8Array(payload.length));
  };
  if (faults.delayMs === undefined) forward();
  else setTimeout(forward, faults.delayMs);
}

function isChosen(sequence: number, choice: Choice | undefined): boolean {
  return choice !== undefined && sequence % choice.every === choice.rest;
}

/** To every subscriber, and to one member of each shared subscription. */
function send(topicName: string, payload: Uint8Array): void {
  const groups = new Map<string, Client[]>();
  for (const client of clients) {
    for (const [filter, qos] of client.filters) {
      const shared = /^\$share\/([^/]+)\/(.*)$/s.exec(filter);
      if (!matches(shared?.[2] ?? filter, topicName)) continue;
      if (shared === null) deliver(client, topicName, payload, qos);
      else groups.set(filter, [...(groups.get(filter) ?? []), client]);
    }
  }
  for (const [filter, members] of groups) {
    const turn = turns.get(filter) ?? 0;
    turns.set(filter, turn + 1);
    const member = members[turn % members.length];
    if (member !== undefined) deliver(member, topicName, payload, 1);
  }
}

function deliver(client: Client, topicName: string, payload: Uint8Array, qos: 0 | 1 | 2): void {
  client.packetIdentifier = (client.packetIdentifier % 65_535) + 1;
  const acknowledged = { qos: 1, packetIdentifier: client.packetIdentifier } as const;
  reply(client, { type: "publish", topicName, payload, ...(qos === 0 ? { qos } : acknowledged) });
}

function matches(filter: string, topicName: string): boolean {
  const parts = filter.split("/");
  const levels = topicName.split("/");
  return (
    parts.every((part, at) => part === "#" || part === levels[at] || (part === "+" && at < levels.length)) &&
    (parts.at(-1) === "#" || parts.length === levels.length)
  );
}
