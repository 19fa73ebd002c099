// Physical ranges made reachable for one device as a range list: bus addresses inside a switch, one run of DMA addresses in
// which each range is linked behind the one before, or a mapping for each range.
// Source followed: our own, after drivers/dma-buf/dma-buf-mapping.c; each offset is that of the bytes linked so far, and
// whatever fails takes back exactly what was done.
// Simplified: none.

import { type DmaAttrs, type DmaDataDirection, dmaMapPhys, dmaUnmapPhys } from '@sgfree/dma-core';
import { DmaIovaState, dmaIovaDestroy, dmaIovaLink, dmaIovaSync, dmaIovaTryAlloc } from '@sgfree/dma-iova';
import { physAddr } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success, warnViolation } from '@sgfree/mm';
import { type P2pdmaProvider, pciP2pdmaBusAddrMap, pciP2pdmaMapType } from '@sgfree/p2p';
import type { DmaBufAttachment } from '../buffer/dma-buf-attachment.ts';
import type { PhysVec } from '../phys-vec.ts';
import { DmaRangeList, type DmaRangeListRoute, RANGE_LIST_BYTES } from './dma-range-list.ts';

const MMIO: DmaAttrs = { mmio: true };
const MEMORY: DmaAttrs = {};

/** What is mapped, and for whom. */
interface RangeJob {
  readonly list: DmaRangeList;
  readonly provider: P2pdmaProvider | null;
  readonly physVec: readonly PhysVec[];
  readonly dir: DmaDataDirection;
}

/**
 * A list over the memory of `provider`, or over ordinary memory for null; with the reservation lock held. -EINVAL for no ranges
 * or sizes that do not add up to `size` (a violation `phys-vec-size`), and when peer-to-peer has no way; -ENOMEM; the errors of
 * {@link @sgfree/dma-iova#dmaIovaLink} and {@link @sgfree/dma-iova#dmaIovaSync}.
 * @beta
 */
export function dmaBufPhysVecToRangeList(
  attach: DmaBufAttachment<DmaRangeList>,
  provider: P2pdmaProvider | null,
  physVec: readonly PhysVec[],
  size: number,
  dir: DmaDataDirection,
): Outcome<DmaRangeList> {
  const { dev, dmabuf } = attach;
  const sum = physVec.reduce((bytes, { len }) => bytes + len, 0);
  if (sum !== size) warnViolation(dev.log, 'phys-vec-size', { device: dev.name, size, linked: sum });
  if (sum !== size || size === 0) return failure(Errno.EINVAL);
  const mapType = provider === null ? 'thru-host-bridge' : pciP2pdmaMapType(provider, dev);
  if (mapType === 'not-supported') return failure(Errno.EINVAL);
  if (!dmabuf.platform.allocate(RANGE_LIST_BYTES.head + physVec.length * RANGE_LIST_BYTES.entry)) {
    return failure(Errno.ENOMEM);
  }
  const state = new DmaIovaState();
  let route: DmaRangeListRoute = 'bus-address';
  if (mapType === 'thru-host-bridge') {
    route = dmaIovaTryAlloc(dev, state, physAddr(0), size) ? 'iova' : 'mapped';
  }
  const attrs = provider === null ? MEMORY : MMIO;
  const list = new DmaRangeList({ owner: attach, dev, attrs, route, state, capacity: physVec.length });
  const error = fill({ list, provider, physVec, dir });
  return error === 0 ? success(list) : failure(-error as Errno);
}

function fill(job: RangeJob): number {
  const { list, provider, physVec } = job;
  if (list.route === 'iova') return linkAll(job);
  if (list.route === 'mapped') return mapEach(job);
  for (const { paddr, len } of physVec) {
    if (provider !== null) list.add(pciP2pdmaBusAddrMap(provider, paddr), len);
  }
  return 0;
}

/** One run of addresses, which is one range of the list whatever the number of pieces. */
function linkAll({ list, physVec, dir }: RangeJob): number {
  const { dev, state, attrs } = list;
  let linked = 0;
  let error = 0;
  for (const { paddr, len } of physVec) {
    error = dmaIovaLink(dev, state, paddr, linked, len, dir, attrs);
    if (error !== 0) break;
    linked += len;
  }
  if (error === 0) error = dmaIovaSync(dev, state, 0, linked);
  if (error === 0) list.add(state.addr, linked);
  else dmaIovaDestroy(dev, state, linked, dir, attrs);
  return error;
}

function mapEach({ list, physVec, dir }: RangeJob): number {
  const { dev, attrs } = list;
  for (const { paddr, len } of physVec) {
    const address = dmaMapPhys(dev, paddr, len, dir, attrs);
    if (address === -1) {
      unmapEach(list, dir);
      return -Errno.ENOMEM;
    }
    list.add(address, len);
  }
  return 0;
}

function unmapEach(list: DmaRangeList, dir: DmaDataDirection): void {
  const { dev, attrs } = list;
  for (const { address, bytes } of list.ranges()) dmaUnmapPhys(dev, address, bytes, dir, attrs);
}

/**
 * Undoes {@link dmaBufPhysVecToRangeList} with the same direction. Throws {@link @sgfree/mm#DmaApiViolation}
 * `range-list-foreign` for a list of another attachment and `range-list-twice` for one that was given back.
 * @beta
 */
export function dmaBufFreeRangeList(
  attach: DmaBufAttachment<DmaRangeList>,
  list: DmaRangeList,
  dir: DmaDataDirection,
): void {
  const { dev, state, attrs, route } = list;
  list.mustBeOf(attach);
  if (route === 'iova') dmaIovaDestroy(dev, state, state.size, dir, attrs);
  if (route === 'mapped') unmapEach(list, dir);
  list.end();
}
