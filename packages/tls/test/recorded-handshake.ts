/**
 * Recorded connections that one side can be played again from: its randomness, key shares and signatures are those of the
 * record, so it says the same octets, until it hears others.
 */

import type { CryptoProvider, KeyPair, PrivateKey, PublicKey } from "@latchkey/crypto";
import { nodeProvider } from "@latchkey/crypto/node";
import { clientWithHooks, serverWithHooks } from "../src/create.ts";
import {
  acceptEveryChain,
  type ClientConfig,
  type Credential,
  type ResumableSession,
  type ServerConfig,
  TicketKeys,
  type TlsEngine,
} from "../src/index.ts";
import { device, server as serverIdentity } from "./identities.ts";
import { clientConfig, connect, serverConfig, utf8 } from "./pair.ts";

export type Side = "client" | "server";
export type Version = "TLSv1.2" | "TLSv1.3";
export type Kind = "full" | "resumed" | "retried" | "resumed and retried";

/** One step of a connection: octets that a side sent, and what made it do so. */
interface Step {
  readonly from: Side;
  readonly act: "answer" | "send" | "close";
  readonly octets: Uint8Array;
}

export interface Recording {
  readonly steps: readonly Step[];
  readonly start: (side: Side) => TlsEngine;
}

const connections: readonly (readonly [version: Version, kind: Kind])[] = [
  ["TLSv1.3", "full"],
  ["TLSv1.3", "resumed"],
  ["TLSv1.3", "retried"],
  ["TLSv1.3", "resumed and retried"],
  ["TLSv1.2", "full"],
  ["TLSv1.2", "resumed"],
];

/** Each of them, as one of its sides hears it. */
export const heardConnections = connections.flatMap(([version, kind]) =>
  (["client", "server"] as const).map((side) => [version, kind, side] as const),
);

/** What a side that was played again came to. */
export interface Outcome {
  readonly engine: TlsEngine;
  /** What it sent, in hexadecimal. */
  readonly sent: string;
  readonly received: string;
  /** What both ends of a connection export alike; empty where it did not open. */
  readonly exported: string;
}

const said: Readonly<Record<Side, string>> = { client: "one pizza", server: "in the oven" };

/** Remembers what one side drew and computed, by the order or by the input. */
class Tape {
  readonly #randoms = new Map<string, Uint8Array>();
  readonly #keyPairs = new Map<string, KeyPair>();
  readonly #signatures = new Map<string, Uint8Array>();
  readonly #publicKeys = new Map<string, PublicKey>();
  readonly #agreed = new Map<PrivateKey, Map<PublicKey, Uint8Array>>();
  readonly #verified = new Set<string>();

  /** A provider that gives the same again from the start. */
  provider(): CryptoProvider {
    let draws = 0;
    return {
      ...nodeProvider,
      randomBytes: (length) =>
        remembered(this.#randoms, `${draws++} ${length}`, () => nodeProvider.randomBytes(length)).slice(),
      generateKeyPair: (algorithm) =>
        remembered(this.#keyPairs, `${draws++} ${JSON.stringify(algorithm)}`, () =>
          nodeProvider.generateKeyPair(algorithm),
        ),
      importSpki: (der) => remembered(this.#publicKeys, text(der), () => nodeProvider.importSpki(der.slice())),
      deriveSharedSecret: (privateKey, publicKey) => {
        const ofKey = remembered(this.#agreed, privateKey, () => new Map<PublicKey, Uint8Array>());
        return remembered(ofKey, publicKey, () => nodeProvider.deriveSharedSecret(privateKey, publicKey)).slice();
      },
      verify: (key, algorithm, data, signature) => {
        const question = `${text(key.spki)} ${text(data)} ${text(signature)}`;
        if (this.#verified.has(question)) return true;
        const holds = nodeProvider.verify(key, algorithm, data, signature);
        if (holds) this.#verified.add(question);
        return holds;
      },
    };
  }

  credential(credential: Credential): Credential {
    return {
      ...credential,
      sign: (scheme, data) => remembered(this.#signatures, text(data), () => credential.sign!(scheme, data)),
    };
  }
}

function text(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString("latin1");
}

function remembered<Key, Value>(memory: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = memory.get(key);
  if (found !== undefined) return found;
  const made = make();
  memory.set(key, made);
  return made;
}

/** A nonce that repeats gives the same ticket again. */
const tickets = new TicketKeys({
  provider: { ...nodeProvider, randomBytes: (length) => new Uint8Array(length).fill(7) },
});

/** Plays a connection and records it. No chain is verified: the engine alone has to notice what was changed. */
export function record(version: Version, kind: Kind): Recording {
  const isRetried = kind.includes("retried");
  const common = { versions: [version], verifier: acceptEveryChain } as const;
  const client: ClientConfig = { ...clientConfig, ...common };
  const server: ServerConfig = {
    ...serverConfig,
    ...common,
    tickets,
    ...(isRetried ? { groups: ["secp256r1"] } : {}),
  };
  const session = kind.includes("resumed") ? firstSession(client, server) : undefined;
  const tapes = { client: new Tape(), server: new Tape() };
  const start = (side: Side): TlsEngine => {
    const provider = tapes[side].provider();
    return side === "client"
      ? clientWithHooks({ ...client, provider, session, credentials: [tapes.client.credential(device.credential)] }, {})
      : serverWithHooks({ ...server, provider, credentials: [tapes.server.credential(serverIdentity.credential)] }, {});
  };
  const steps: Step[] = [];
  const engines = { client: start("client"), server: start("server") };
  run(engines, steps, undefined);
  for (const side of ["client", "server"] as const) {
    engines[side].send(utf8(said[side]));
    run(engines, steps, { from: side, act: "send" });
  }
  for (const side of ["client", "server"] as const) {
    engines[side].close();
    run(engines, steps, { from: side, act: "close" });
  }
  const { info } = engines.server;
  if (info?.wasRetried !== isRetried || info.isResumption !== kind.includes("resumed")) throw new Error(`not ${kind}`);
  return { steps, start };
}

function firstSession(client: ClientConfig, server: ServerConfig): ResumableSession {
  for (const event of connect({ client, server }).clientEvents) {
    if (event.type === "session") return event.session;
  }
  throw new Error("no session came");
}

/** Carries and records until both are quiet. What comes first of the side that was asked to do something is due to that. */
function run(
  engines: Readonly<Record<Side, TlsEngine>>,
  steps: Step[],
  asked: Pick<Step, "from" | "act"> | undefined,
): void {
  let due = asked;
  for (let isQuiet = false; !isQuiet;) {
    isQuiet = true;
    for (const from of ["client", "server"] as const) {
      const octets = engines[from].takeOutput();
      if (octets === undefined) continue;
      isQuiet = false;
      steps.push({ from, act: due?.from === from ? due.act : "answer", octets });
      if (due?.from === from) due = undefined;
      engines[from === "client" ? "server" : "client"].receive(octets);
    }
  }
}

/** All octets that a side of the record hears. */
export function heard({ steps }: Recording, side: Side): Uint8Array {
  return new Uint8Array(Buffer.concat(steps.filter(({ from }) => from !== side).map(({ octets }) => octets)));
}

/**
 * Plays one side again. `change` gets each piece that it hears, and where it starts in all that it hears; the pieces that it
 * returns are received one by one. Stops early where it returns undefined.
 */
export function replay(
  recording: Recording,
  side: Side,
  change: (piece: Uint8Array, start: number) => readonly Uint8Array[] | undefined = (piece) => [piece],
): Outcome {
  const engine = recording.start(side);
  let sent = "";
  let exported = "";
  let start = 0;
  const take = (): void => {
    const output = engine.takeOutput();
    if (output !== undefined) sent += Buffer.from(output).toString("hex");
  };
  for (const step of recording.steps) {
    if (step.from === side) {
      if (step.act === "send" && engine.phase === "open") engine.send(utf8(said[side]));
      // In the handshake it would cancel, and nobody could say what the change did.
      if (step.act === "close" && engine.phase !== "handshake") engine.close();
      take();
      continue;
    }
    const pieces = change(step.octets, start);
    if (pieces === undefined) break;
    for (const piece of pieces) engine.receive(piece);
    if (engine.phase === "open" && exported === "") exported = text(engine.exportKeyingMaterial(16, "EXPORTER-test"));
    start += step.octets.length;
  }
  take();
  let received = "";
  for (let event = engine.next(); event !== undefined; event = engine.next()) {
    if (event.type === "data") received += text(event.data);
  }
  return { engine, sent, received, exported };
}

/** Plays a side with one octet changed by exclusive or. */
export function replayChanged(recording: Recording, side: Side, at: number, mask: number): Outcome {
  return replay(recording, side, (piece, start) => {
    if (at < start || at >= start + piece.length) return [piece];
    const changed = piece.slice();
    changed[at - start]! ^= mask;
    return [changed];
  });
}

/** Plays a side that hears all, cut in two at a place. */
export function replaySplit(recording: Recording, side: Side, at: number): Outcome {
  return replay(recording, side, (piece, start) => {
    if (at <= start || at >= start + piece.length) return [piece];
    return [piece.subarray(0, at - start), piece.subarray(at - start)];
  });
}

/** Plays a side that hears one octet at a time, so every prefix of all that there is to hear. */
export function replayOctets(recording: Recording, side: Side): Outcome {
  return replay(recording, side, (piece) => Array.from(piece, (octet) => Uint8Array.of(octet)));
}

/** Plays a side that hears no more than the first octets, and then the end of the transport. */
export function replayPrefix(recording: Recording, side: Side, length: number): Outcome {
  let isOver = false;
  const outcome = replay(recording, side, (piece, start) => {
    if (isOver) return undefined;
    isOver = start + piece.length > length;
    return [piece.subarray(0, length - start)];
  });
  outcome.engine.receiveEnd();
  return outcome;
}

/** Where the second octet of legacy_record_version stands in records in clear: nothing may depend on it (RFC 8446 §5.1). */
export function ignoredOctets(octets: Uint8Array, version: Version): number[] {
  const ignored = [];
  let isProtected = false;
  for (let at = 0; at < octets.length; at += 5 + ((octets[at + 3]! << 8) | octets[at + 4]!)) {
    if (!isProtected && octets[at] !== 23) ignored.push(at + 2);
    if (octets[at] === 20 && version === "TLSv1.2") isProtected = true;
  }
  return ignored;
}

/** What a change of an octet may end in. */
export type Verdict = "alert" | "the same" | "waits";

/** Judges a changed outcome beside the unchanged one. Throws where it is none of the three. */
export function verdictOf(changed: Outcome, unchanged: Outcome): Verdict {
  const { engine } = changed;
  const { error } = engine;
  if (!unchanged.received.startsWith(changed.received)) throw new Error("other data came out");
  if (error !== undefined) {
    const { code, alertSent, alertReceived } = error;
    if (code === "ERR_TLS_INTERNAL" || (alertSent === undefined && alertReceived === undefined)) throw error;
    return "alert";
  }
  if (changed.exported !== "" && changed.exported !== unchanged.exported) throw new Error("another connection");
  const isSame = changed.sent === unchanged.sent && changed.received === unchanged.received;
  if (isSame && engine.phase === unchanged.engine.phase) return "the same";
  // A length that was changed announces octets that do not come: the end of the transport ends it.
  engine.receiveEnd();
  if (engine.error?.code !== "ERR_TLS_TRUNCATED") throw new Error(`it is ${engine.phase}, and nothing was wrong`);
  return "waits";
}
