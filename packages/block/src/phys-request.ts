// PhysRequest: a block request that says whose its memory is: physical ranges and, for a peer's BAR, its provider.
// Source followed: none: the block layer of Linux 7.3.4 still finds the provider through the first page of a request.
// This is what the second step of the road leaves to be done there; requests are cut as that kernel cuts them.
// Simplified: an I/O is cut where the owner changes; Linux finishes such an I/O through the page cache.

import { alignDown } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { requestsOf } from './bio-split.ts';
import { type BioVec, type PageBacking, totalBytes } from './bio-vec.ts';
import type { BlockRequest } from './block-request.ts';
import type { IoOperation } from './direct-io.ts';
import type { QueueLimits } from './queue-limits.ts';

/**
 * A run of physical ranges of one owner, in the order of the data.
 * @beta
 */
export interface PhysRun<Provider extends object> {
  /** Who offers the memory to its peers; null: it is ordinary memory. */
  readonly provider: Provider | null;
  readonly ranges: readonly BioVec[];
}

/**
 * A direct I/O on physical memory. `position` is a byte offset on the disk.
 * @beta
 */
export interface PhysIo<Provider extends object> {
  readonly operation: IoOperation;
  readonly position: number;
  readonly runs: readonly PhysRun<Provider>[];
}

/**
 * A request all of whose memory has one owner.
 * @beta
 */
export interface PhysRequest<Provider extends object> extends BlockRequest {
  /** Null: ordinary memory. */
  readonly provider: Provider | null;
}

/**
 * All requests of an I/O, run by run, in the order they reach the driver; EINVAL when position or a run's length is not
 * whole blocks, memory is not aligned as the queue asks, or a part cannot be split.
 * @beta
 */
export function physRequestsOf<Provider extends object>(
  io: PhysIo<Provider>,
  backing: PageBacking,
  limits: QueueLimits,
): Outcome<PhysRequest<Provider>[]> {
  const requests: PhysRequest<Provider>[] = [];
  let { position } = io;
  for (const { provider, ranges } of io.runs) {
    const bytes = totalBytes(ranges);
    if (alignDown(bytes, limits.logicalBlockBytes) !== bytes) return failure(Errno.EINVAL);
    const part = requestsOf({ operation: io.operation, position, iovecs: [ranges] }, backing, limits);
    if (!part.ok) return part;
    for (const request of part.value) requests.push({ ...request, provider });
    position += bytes;
  }
  return success(requests);
}
