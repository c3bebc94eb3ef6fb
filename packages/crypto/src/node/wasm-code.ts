/**
 * As much of WebAssembly's binary format (WebAssembly Core Specification 2.0 §5) as `gcm-wasm.ts` needs: expressions over
 * 64-bit integers, and a module of such functions with one page of memory.
 */

/** Instructions that leave one value, or none, on the stack. */
export type Code = readonly number[];

/** Value types (§5.3.1). */
const i32 = 0x7f;
const i64 = 0x7e;

function binary(opcode: number): (left: Code, right: Code) => Code {
  return (left, right) => [...left, ...right, opcode];
}

export const and: (left: Code, right: Code) => Code = binary(0x83);
export const or: (left: Code, right: Code) => Code = binary(0x84);
export const shiftLeft: (left: Code, right: Code) => Code = binary(0x86);
export const shiftRight: (left: Code, right: Code) => Code = binary(0x88);
export const multiply: (left: Code, right: Code) => Code = binary(0x7e);

/** The exclusive or of one value or more. */
export function xor(first: Code, ...others: readonly Code[]): Code {
  return others.reduce((left, right) => [...left, ...right, 0x85], first);
}

export function constant(value: bigint): Code {
  return [0x42, ...signed(BigInt.asIntN(64, value))];
}

export function get(local: number): Code {
  return [0x20, local];
}

export function set(local: number, value: Code): Code {
  return [...value, 0x21, local];
}

/** The 64 bits, the lowest octet first, at an address that is known. */
export function load(address: number): Code {
  return [0x41, 0, 0x29, 3, ...unsigned(address)];
}

/** The 64 bits at the address in a local, and some octets further. */
export function loadAt(local: number, offset: number): Code {
  return [0x20, local, 0x29, 3, ...unsigned(offset)];
}

export function store(address: number, value: Code): Code {
  return [0x41, 0, ...value, 0x37, 3, ...unsigned(address)];
}

/** Stores 64 bits at the address in a local, and some octets further. */
export function storeAt(local: number, offset: number, value: Code): Code {
  return [0x20, local, ...value, 0x37, 3, ...unsigned(offset)];
}

/** Adds to the address in a local. */
export function advance(local: number, octets: number): Code {
  return [0x20, local, 0x41, ...signed(BigInt(octets)), 0x6a, 0x21, local];
}

/** Does `body` again until the address in `from`, which the body advances, is not below that in `end`; once at least. */
export function repeat(from: number, end: number, body: Code): Code {
  return [0x03, 0x40, ...body, 0x20, from, 0x20, end, 0x49, 0x0d, 0, 0x0b];
}

/** A function of three addresses, which returns nothing. */
export interface WasmFunction {
  readonly name: string;
  /** 64-bit locals behind the addresses. */
  readonly locals: number;
  readonly code: Code;
}

/** A module that exports its functions, and its memory as `memory`. */
export function moduleOf(functions: readonly WasmFunction[]): Uint8Array {
  const bodies = functions.map(({ locals, code }) =>
    sized([...vector(locals > 0 ? [[...unsigned(locals), i64]] : []), ...code, 0x0b]),
  );
  return Uint8Array.from([
    // Magic and version.
    0x00,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,
    ...section(1, vector([[0x60, 3, i32, i32, i32, 0]])),
    ...section(3, vector(functions.map(() => [0]))),
    ...section(5, [1, 0, 1]),
    ...section(
      7,
      vector([[...name("memory"), 2, 0], ...functions.map((one, index) => [...name(one.name), 0, ...unsigned(index)])]),
    ),
    ...section(10, vector(bodies)),
  ]);
}

function section(id: number, content: Code): Code {
  return [id, ...sized(content)];
}

function sized(content: Code): Code {
  return [...unsigned(content.length), ...content];
}

function vector(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()];
}

function name(text: string): Code {
  return sized(Array.from(text, (character) => character.charCodeAt(0)));
}

/** Unsigned LEB128 (§5.2.2). */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

/** Signed LEB128 (§5.2.2). */
function signed(value: bigint): Code {
  const low = Number(value & 0x7fn);
  const rest = value >> 7n;
  const isLast = (rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0);
  return isLast ? [low] : [low | 0x80, ...signed(rest)];
}
