// AddressHash: ranges of DMA addresses by where they start: 16384 buckets of 8 KiB, each in order of arrival.
// Source followed: kernel/dma/debug.c (hash_fn, bucket_find_contain's way back from bucket to bucket).
// The way back ends where even the longest range could not reach from; the kernel goes on to address 0 and finds no more.
// Simplified: no locks.

import { offsetWithin } from '@sgfree/hw-model';
import type { Device } from '../device.ts';

const BUCKETS = 16384;
const BUCKET_BYTES = 8192;
const TWO_TO_64: number = 2 ** 64;

/**
 * A range of DMA addresses of one device.
 * @internal
 */
export interface HashedRange {
  readonly dev: Device;
  readonly devAddr: number;
  readonly size: number;
}

/** Bucket of an address; -1 is 2^64 - 1. */
const bucketOf = (address: number): number =>
  address < 0 ? BUCKETS - 1 : offsetWithin(Math.floor(address / BUCKET_BYTES), BUCKETS);

/**
 * True when a range runs past 2^64; -1 is 2^64 - 1.
 * @internal
 */
export const wraps = (start: number, size: number): boolean => start < 0 || start + size >= TWO_TO_64;

/**
 * End of a range in 64-bit arithmetic: one that runs past 2^64 wraps around.
 * @internal
 */
export function wrappedEnd(start: number, size: number): number {
  if (start < 0) return size === 0 ? TWO_TO_64 : size - 1;
  return wraps(start, size) ? start - (TWO_TO_64 - size) : start + size;
}

/**
 * Live ranges, found by device and address.
 * @internal
 */
export class AddressHash<T extends HashedRange> {
  /** Ranges held. */
  count = 0;
  readonly #buckets: (T[] | undefined)[] = new Array<T[] | undefined>(BUCKETS);
  #longest = 0;

  add(range: T): void {
    const at = bucketOf(range.devAddr);
    const bucket = this.#buckets[at];
    if (bucket === undefined) this.#buckets[at] = [range];
    else bucket.push(range);
    this.count += 1;
    this.#longest = Math.max(this.#longest, range.size);
  }

  remove(range: T): void {
    const bucket = this.#buckets[bucketOf(range.devAddr)] ?? [];
    const at = bucket.indexOf(range);
    if (at < 0) return;
    bucket.splice(at, 1);
    this.count -= 1;
    if (this.count === 0) this.#longest = 0;
  }

  /** The ranges that start in the bucket of `address`, oldest first; others share the bucket. */
  bucket(address: number): readonly T[] {
    return this.#buckets[bucketOf(address)] ?? [];
  }

  /**
   * The bucket of `address` and those before it, as far back as a range that holds `address` can start; `everywhere`: all
   * the way, once around.
   */
  *bucketsBackFrom(address: number, everywhere = false): Generator<readonly T[]> {
    const reach = everywhere ? BUCKETS : Math.floor(this.#longest / BUCKET_BYTES) + 2;
    const above = address < 0 ? BUCKETS : Math.floor(address / BUCKET_BYTES) + 1;
    const limit = Math.min(BUCKETS, above, reach);
    const from = bucketOf(address) + BUCKETS;
    for (let back = 0; back < limit; back += 1) {
      const bucket = this.#buckets[(from - back) % BUCKETS];
      if (bucket !== undefined && bucket.length > 0) yield bucket;
    }
  }

  /** Every range of `dev` that holds the byte at `address`. */
  *holding(dev: Device, address: number): Generator<T> {
    for (const bucket of this.bucketsBackFrom(address)) {
      for (const range of bucket) {
        if (range.dev === dev && holds(range, address)) yield range;
      }
    }
  }

  /** Every range, bucket by bucket. */
  *[Symbol.iterator](): Generator<T> {
    for (const bucket of this.#buckets) if (bucket !== undefined) yield* bucket;
  }
}

/**
 * True when the byte at `address` lies in `range`, whosever it is.
 * @internal
 */
export const holds = ({ devAddr, size }: HashedRange, address: number): boolean =>
  devAddr <= address && address < devAddr + size;
