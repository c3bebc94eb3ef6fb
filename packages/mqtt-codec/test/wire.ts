/** Packets written octet by octet, and what a decoder makes of them. */

import {
  MqttCodecError,
  MqttEncodeError,
  type MqttEncodeErrorCode,
  type Packet,
  PacketDecoder,
  type PacketDecoderOptions,
} from "../src/index.ts";

export {
  octets,
  packet,
  properties,
  rawString,
  variableByteInteger,
  type Part,
} from "@latchkey/tooling-vitest/mqtt-octets";

export const fromClient4: PacketDecoderOptions = { receives: "client-packets", protocolVersion: 4 };
export const fromClient5: PacketDecoderOptions = { receives: "client-packets", protocolVersion: 5 };
export const fromServer4: PacketDecoderOptions = { receives: "server-packets", protocolVersion: 4 };
export const fromServer5: PacketDecoderOptions = { receives: "server-packets", protocolVersion: 5 };
export const fresh: PacketDecoderOptions = { receives: "client-packets" };

/** The complete packets in `bytes`, given in one chunk. */
export function decodeAll(bytes: Uint8Array, options: PacketDecoderOptions): Packet[] {
  const decoder = new PacketDecoder(options);
  decoder.push(bytes);
  return drain(decoder);
}

export function drain(decoder: PacketDecoder): Packet[] {
  const packets: Packet[] = [];
  for (let next = decoder.next(); next !== undefined; next = decoder.next()) packets.push(next);
  return packets;
}

/** The one packet in `bytes`. */
export function decodeOne(bytes: Uint8Array, options: PacketDecoderOptions): Packet {
  const [first, ...others] = decodeAll(bytes, options);
  if (first === undefined || others.length > 0) throw new Error("expected one packet");
  return first;
}

/** The error that `bytes` end in; the same in one chunk and octet by octet. */
export function faultOf(bytes: Uint8Array, options: PacketDecoderOptions): MqttCodecError {
  const whole = caught(() => decodeAll(bytes, options));
  const cut = caught(() => {
    const decoder = new PacketDecoder(options);
    for (let at = 0; at < bytes.length; at++) {
      decoder.push(bytes.subarray(at, at + 1));
      drain(decoder);
    }
  });
  if (cut.message !== whole.message || cut.offset !== whole.offset) {
    throw new Error(`in one chunk: ${whole.message}; octet by octet: ${cut.message}`);
  }
  return whole;
}

function caught(run: () => unknown): MqttCodecError {
  try {
    run();
  } catch (error) {
    if (error instanceof MqttCodecError) return error;
    throw error;
  }
  throw new Error("was accepted");
}

/** The code with which an encoder refuses. */
export function refusalOf(run: () => unknown): MqttEncodeErrorCode {
  try {
    run();
  } catch (error) {
    if (error instanceof MqttEncodeError) return error.code;
    throw error;
  }
  throw new Error("was encoded");
}

/** The packets in these chunks, and behind them what the error says where they end in one. */
export function outcome(chunks: readonly Uint8Array[], options: PacketDecoderOptions): unknown[] {
  const decoder = new PacketDecoder(options);
  const results: unknown[] = [];
  try {
    for (const chunk of chunks) {
      decoder.push(chunk);
      for (let next = decoder.next(); next !== undefined; next = decoder.next()) results.push(next);
    }
  } catch (error) {
    if (!(error instanceof MqttCodecError)) throw error;
    results.push([error.code, error.offset, error.field, error.clause, error.message]);
  }
  return results;
}
