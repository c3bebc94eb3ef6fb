/** Random octets by node:crypto. */

import { randomFillSync } from "node:crypto";
import { checkRandomLength } from "../arguments.ts";

/** A call of the generator costs as much as some thousand octets of it, so short requests share one. */
const poolOctets = 1024;
const shortOctets = 64;

let pool = new Uint8Array(0);
let used = 0;

/** A fresh array. The pool forgets octets that it has given. */
export function randomBytes(length: number): Uint8Array {
  checkRandomLength(length);
  if (length > shortOctets) return randomFillSync(new Uint8Array(length));
  if (pool.length - used < length) {
    pool = randomFillSync(new Uint8Array(poolOctets));
    used = 0;
  }
  const end = used + length;
  const octets = pool.slice(used, end);
  pool.fill(0, used, end);
  used = end;
  return octets;
}
