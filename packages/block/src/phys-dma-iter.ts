// Starting the DMA iterator on a request that names its memory's provider: no struct page is looked at.
// Source followed: none; the same steps as blk_rq_dma_map_iter_start of Linux 7.3.4, which asks the first page instead.
// The rest of the iterator is the kernel's: it takes physical addresses already.
// Simplified: none known.

import type { Device, P2pMapType } from '@sgfree/dma-core';
import type { DmaIovaState } from '@sgfree/dma-iova';
import type { DmaAddr, PhysAddr } from '@sgfree/hw-model';
import { type BlkDmaIter, firstRun, mapFirstRun } from './blk-dma-iter.ts';
import type { PhysRequest } from './phys-request.ts';

/**
 * Knows the routes from devices to providers; whoever builds a machine supplies it.
 * @beta
 */
export interface PeerRoutes<Provider extends object> {
  /** How `client` reaches the provider's memory. */
  mapType(provider: Provider, client: Device): Exclude<P2pMapType, 'none'>;
  /** What CPU address `phys` of the provider answers to on the bus. */
  busAddress(provider: Provider, phys: PhysAddr): DmaAddr;
}

/**
 * Maps the first DMA range of `request` into `iter`, or all of it, as {@link blkRqDmaMapIterStart} does; the provider is
 * asked once. False: nothing mapped, `iter.status` says why: 'invalid' where the peer cannot be reached, as
 * in the kernel's iterator.
 * @beta
 */
export function physRqDmaMapIterStart<Provider extends object>(
  request: PhysRequest<Provider>,
  dev: Device,
  state: DmaIovaState,
  iter: BlkDmaIter,
  routes: PeerRoutes<Provider>,
): boolean {
  const first = firstRun(request, iter);
  if (first === null) return false;
  const { provider } = request;
  iter.mapType = provider === null ? 'none' : routes.mapType(provider, dev);
  if (iter.mapType === 'not-supported') {
    iter.status = 'invalid';
    return false;
  }
  iter.busAddress = provider === null ? null : (phys) => routes.busAddress(provider, phys);
  return mapFirstRun(request, dev, state, iter, first);
}
