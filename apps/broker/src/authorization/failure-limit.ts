/**
 * A bound on refused requests of one address: a bucket of refusals that fills again with time. A client whose signatures are right
 * is never held up by the refusals of others behind the same address.
 */

import { addressGroup } from "../listeners/address-group.ts";

/** Refusals that an address may have at once, and seconds until it may have one more. */
const capacity = 60;
const secondsPerRefusal = 1;
/** Addresses that are remembered. The one that was refused longest ago is forgotten first. */
const maximumAddresses = 10_000;

interface Bucket {
  left: number;
  readAtMs: number;
}

/** Counts refusals by address. Times are of any clock that only goes forward. */
export class FailureLimit {
  readonly #buckets = new Map<string, Bucket>();

  /** Whether the address has used up its refusals. */
  isUsedUp(address: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(addressGroup(address));
    return bucket !== undefined && this.#leftIn(bucket, nowMs) < 1;
  }

  /** Counts a refusal. */
  count(address: string, nowMs: number): void {
    const group = addressGroup(address);
    const bucket = this.#buckets.get(group) ?? { left: capacity, readAtMs: nowMs };
    bucket.left = Math.max(0, this.#leftIn(bucket, nowMs) - 1);
    bucket.readAtMs = nowMs;
    this.#buckets.delete(group);
    this.#buckets.set(group, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > maximumAddresses && oldest !== undefined) this.#buckets.delete(oldest);
  }

  #leftIn(bucket: Bucket, nowMs: number): number {
    return Math.min(capacity, bucket.left + (nowMs - bucket.readAtMs) / 1000 / secondsPerRefusal);
  }
}
