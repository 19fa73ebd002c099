// DriverStack: an NVMe driver seen as a StorageStack, whichever stage built it.
// Source followed: the shape of the driver in the block package; it is kept by shape, so that no stage is named here.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import type { Outcome } from '@sgfree/mm';
import { type IoRecord, ioBytes, type PageBacking } from './io-record.ts';
import type { StackResult, StackTracking, StorageStack } from './storage-stack.ts';

interface Driver<Request, Limits> {
  readonly tracking: StackTracking;
  readonly pools: { readonly small: Pool; readonly large: Pool };
  readonly limits: Limits;
  probe(): ModelTask<number>;
  execute(requests: readonly Request[]): ModelTask<readonly StackResult[]>;
  remove(): ModelTask<void>;
}

interface Pool {
  readonly liveBlocks: number;
}

/**
 * The stack of a driver whose requests `requestsOf` cuts.
 * @internal
 */
export function driverStack<Request, Limits>(
  driver: Driver<Request, Limits>,
  requestsOf: (io: IoRecord, backing: PageBacking, limits: Limits) => Outcome<Request[]>,
): StorageStack {
  return {
    get tracking() {
      return driver.tracking;
    },
    get liveDescriptorBlocks() {
      return driver.pools.small.liveBlocks + driver.pools.large.liveBlocks;
    },
    probe: () => driver.probe(),
    *execute(io, backing) {
      const requests = requestsOf(io, backing, driver.limits);
      return requests.ok ? yield* driver.execute(requests.value) : [refused(io)];
    },
    remove: () => driver.remove(),
  };
}

/** An I/O that the block layer refused whole. */
function refused(io: IoRecord): StackResult {
  const { operation, position } = io;
  return { request: { operation, position, bytes: ioBytes(io), vecs: [] }, status: 'invalid', nvmeStatus: 0 };
}
