// A driver leaves its device: what it mapped and never unmapped is a leak.
// Source followed: kernel/dma/debug.c (dma_debug_device_change, device_dma_allocations): the count and one example, the
// last in the order of buckets. The entries stay.
// Ranges of the two-step API are counted beside them; Linux does not know of any.
// Simplified: every bus is watched.

import type { Device } from '../device.ts';
import type { AddressHash, HashedRange } from './address-hash.ts';
import { checkerOf } from './dma-debug.ts';

/**
 * The driver of `dev` is gone: reports what it left.
 * @public
 * @kernel dma_debug_device_change
 */
export function dmaDebugDeviceChange(dev: Device): void {
  const debug = checkerOf(dev);
  if (debug === null) return;
  const mappings = leftBehind(debug.entries, dev);
  if (mappings.last !== null) {
    const { devAddr: address, size, direction, type } = mappings.last;
    const example = { address, size, mappedWith: direction, mappedAs: type };
    debug.report.error(dev, 'dma-debug-leaked-at-unbind', { count: mappings.count, ...example });
  }
  const ranges = leftBehind(debug.ranges, dev);
  if (ranges.last === null) return;
  const { devAddr: address, size, linkedEnd } = ranges.last;
  const linked = ranges.last.linkedBytes(0, linkedEnd);
  debug.report.shadow(dev, 'dma-shadow-states-leaked', { count: ranges.count, address, size, linked });
}

function leftBehind<T extends HashedRange>(
  ranges: AddressHash<T>,
  dev: Device,
): { readonly count: number; readonly last: T | null } {
  let count = 0;
  let last: T | null = null;
  for (const range of ranges) {
    if (range.dev !== dev) continue;
    count += 1;
    last = range;
  }
  return { count, last };
}
