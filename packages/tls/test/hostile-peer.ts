/** A peer that does not keep to the rules: it edits its hellos, drops, repeats and makes up messages, and forges records. */

import { nodeProvider } from "@latchkey/crypto/node";
import { suiteByNumber } from "../src/cipher-suite.ts";
import type { OutgoingHooks } from "../src/outgoing.ts";
import { type ExtensionName, extensionNumber } from "../src/extension-type.ts";
import { encodeHandshake } from "../src/handshake-input.ts";
import type { HandshakeType } from "../src/handshake-type.ts";
import type { TlsError } from "../src/index.ts";
import { trafficKeys } from "../src/key-schedule.ts";
import { readClientHello } from "../src/messages/client-hello.ts";
import { readServerHello } from "../src/messages/server-hello.ts";
import type { RecordProtection } from "../src/record-protection.ts";
import { recordProtection } from "../src/record-protection.ts";
import { written } from "../src/writer.ts";
import { newPair, type Pair, type PairOptions, pump } from "./pair.ts";

/** A hello that can be changed. */
export interface EditableHello {
  legacyVersion: number;
  random: Uint8Array;
  sessionId: Uint8Array;
  suites: number[];
  compression: number[];
  extensions: [number, Uint8Array][];
}

export function extension(hello: EditableHello, name: ExtensionName): Uint8Array {
  return hello.extensions.find(([number]) => number === extensionNumber(name))?.[1] ?? new Uint8Array(0);
}

/** Sets an extension where it stands, or adds it; undefined takes it away. */
export function setExtension(hello: EditableHello, name: ExtensionName | number, value: Uint8Array | undefined): void {
  const number = typeof name === "number" ? name : extensionNumber(name);
  const at = hello.extensions.findIndex(([one]) => one === number);
  if (value === undefined) hello.extensions = hello.extensions.filter(([one]) => one !== number);
  else if (at < 0) hello.extensions.push([number, value]);
  else hello.extensions[at] = [number, value];
}

/** Changes the client's first hello. */
export function editClientHello(edit: (hello: EditableHello, index: number) => void): OutgoingHooks {
  let index = 0;
  return {
    message: (name, encoding) => {
      if (name !== "client_hello") return [encoding];
      const { legacyVersion, random, sessionId, cipherSuites, compressionMethods, extensions } = readClientHello(
        encoding.subarray(4),
      );
      const hello: EditableHello = {
        legacyVersion,
        random: random.slice(),
        sessionId,
        suites: [...cipherSuites],
        compression: [...compressionMethods],
        extensions: extensions.numbers.map((number) => [number, extensions.byNumber(number)!]),
      };
      edit(hello, index++);
      const body = written((writer) => {
        writer.uint16(hello.legacyVersion).octets(hello.random).vector8(hello.sessionId);
        writer.vector16((list) => hello.suites.forEach((suite) => list.uint16(suite)));
        writer.vector8(Uint8Array.from(hello.compression));
        writer.vector16((list) => hello.extensions.forEach(([number, value]) => list.uint16(number).vector16(value)));
      });
      return [encodeHandshake("client_hello", body)];
    },
  };
}

/** Changes the server's hellos. */
export function editServerHello(edit: (hello: EditableHello, index: number) => void): OutgoingHooks {
  let index = 0;
  return {
    message: (name, encoding) => {
      if (name !== "server_hello") return [encoding];
      const { legacyVersion, random, sessionId, cipherSuite, compressionMethod, extensions } = readServerHello(
        encoding.subarray(4),
      );
      const hello: EditableHello = {
        legacyVersion,
        random: random.slice(),
        sessionId,
        suites: [cipherSuite],
        compression: [compressionMethod],
        extensions: extensions.numbers.map((number) => [number, extensions.byNumber(number)!]),
      };
      edit(hello, index++);
      const body = written((writer) => {
        writer.uint16(hello.legacyVersion).octets(hello.random).vector8(hello.sessionId);
        writer.uint16(hello.suites[0]!).uint8(hello.compression[0]!);
        writer.vector16((list) => hello.extensions.forEach(([number, value]) => list.uint16(number).vector16(value)));
      });
      return [encodeHandshake("server_hello", body)];
    },
  };
}

/** Replaces the messages of one name. */
export function replace(name: HandshakeType, by: (encoding: Uint8Array) => readonly Uint8Array[]): OutgoingHooks {
  return { message: (found, encoding) => (found === name ? by(encoding) : [encoding]) };
}

/** What the side under attack says, and that its alert went out first. */
export function refusal(options: PairOptions, side: "client" | "server"): TlsError {
  const pair = pump(newPair(options));
  return refusalOf(pair, side);
}

export function refusalOf(pair: Pair, side: "client" | "server"): TlsError {
  const { error } = pair[side];
  if (error === undefined) throw new Error(`the ${side} let it pass`);
  const other = pair[side === "client" ? "server" : "client"];
  if (error.alertSent !== undefined && other.error !== undefined && other.error.alertReceived !== error.alertSent) {
    // Two sides may fail at once; then neither hears the other.
    if (other.error.alertReceived !== undefined) throw new Error(`the alert was ${other.error.alertReceived}`);
  }
  return error;
}

/** Keys of a connection from its key log, for records that no engine would send. */
export class KeyLogReader {
  readonly #secrets = new Map<string, string>();
  readonly log = (line: string): void => {
    const [label = "", , secret = ""] = line.split(" ");
    this.#secrets.set(label, secret);
  };

  /** The protection of a direction of TLS 1.3, from its first record on. */
  protection(
    label: "CLIENT_TRAFFIC_SECRET_0" | "SERVER_TRAFFIC_SECRET_0" | "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
  ): RecordProtection {
    const suite = suiteByNumber(0x1301)!;
    const secret = new Uint8Array(Buffer.from(this.#secrets.get(label) ?? "", "hex"));
    return recordProtection(nodeProvider, suite, trafficKeys(nodeProvider, suite, secret));
  }
}

export function sealed(
  protection: RecordProtection,
  type: number,
  content: Uint8Array,
  padding: number = 0,
): Uint8Array {
  const output = new Uint8Array(5 + content.length + protection.overheadOctets + padding);
  const length = protection.seal(type, content, output, 0, padding);
  return output.subarray(0, length);
}

/** A record in clear. */
export function plain(type: number, content: Uint8Array, version: number = 0x0303): Uint8Array {
  return written((writer) => writer.uint8(type).uint16(version).vector16(content));
}

export function octets(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}
