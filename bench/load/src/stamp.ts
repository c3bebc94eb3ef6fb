/**
 * The first 20 octets of a payload: when the message was due, which device published it, its number, and the run.
 *
 * The receiver reads its latency from it, on any thread of the machine, and tells a message of another run (a retained one,
 * for instance) from one of its own. In the machine's own byte order: a stamp never leaves it.
 */

/** Octets of a stamp. */
const stampOctets = 20;

const scratch = new Uint8Array(24);
const scratchDue = new Float64Array(scratch.buffer, 0, 1);
const scratchNumbers = new Uint32Array(scratch.buffer, 8, 3);

/** What was last read by `readStamp`. */
export interface Stamp {
  dueMs: number;
  device: number;
  sequence: number;
}

/** Writes a stamp at `offset`. */
export function writeStamp(
  octets: Uint8Array,
  offset: number,
  dueMs: number,
  device: number,
  sequence: number,
  runNumber: number,
): void {
  scratchDue[0] = dueMs;
  scratchNumbers[0] = device;
  scratchNumbers[1] = sequence;
  scratchNumbers[2] = runNumber;
  octets.set(stampBytes, offset);
}

const stampBytes = scratch.subarray(0, stampOctets);

/** Reads a stamp into `stamp`; false where the payload is none of this run. */
export function readStamp(payload: Uint8Array, runNumber: number, stamp: Stamp): boolean {
  if (payload.length < stampOctets) return false;
  for (let at = 0; at < stampOctets; at++) scratch[at] = payload[at] ?? 0;
  if (scratchNumbers[2] !== runNumber) return false;
  stamp.dueMs = scratchDue[0] ?? 0;
  stamp.device = scratchNumbers[0] ?? 0;
  stamp.sequence = scratchNumbers[1] ?? 0;
  return true;
}
