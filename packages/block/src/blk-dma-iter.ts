// BlkDmaIter: maps a request for DMA without a scatterlist: one IOVA range by the two-step API where the shape allows
// it, otherwise one dma_map_phys per physically contiguous run.
// Source followed: block/blk-mq-dma.c, include/linux/blk-mq-dma.h (struct blk_dma_iter).
// Simplified: data only, no integrity metadata.

import {
  type Device,
  DMA_MAPPING_ERROR,
  type DmaAttrs,
  dmaGetMergeBoundary,
  dmaMapPhys,
  dmaMappingError,
  dmaNeedUnmap,
  NO_ATTRS,
  P2pdmaMapState,
  type P2pMapType,
  pciP2pdmaState,
} from '@sgfree/dma-core';
import {
  type DmaIovaState,
  dmaIovaDestroy,
  dmaIovaLink,
  dmaIovaSync,
  dmaIovaTryAlloc,
  dmaUseIova,
} from '@sgfree/dma-iova';
import { type DmaAddr, dmaAddr, frameOf, type PhysAddr } from '@sgfree/hw-model';
import type { BioVec } from './bio-vec.ts';
import { type BlkStatus, errnoToBlkStatus } from './blk-status.ts';
import { type BlockRequest, reqPhysGapMask } from './block-request.ts';
import { rqDmaDir } from './request-direction.ts';
import { SegmentIterator } from './segment-iterator.ts';

/**
 * Position in the mapped form of a request (`struct blk_dma_iter`): the DMA range to use next.
 * @public
 */
export class BlkDmaIter {
  addr: DmaAddr = dmaAddr(0);
  /** Bytes of the current range (`len`). */
  bytes = 0;
  status: BlkStatus = 'ok';
  /** How the request's memory is reached; decided once for all of it. */
  mapType: P2pMapType = 'none';
  /** @internal */
  readonly p2p: P2pdmaMapState = new P2pdmaMapState();
  /** What the request's memory answers to on the bus; set where {@link BlkDmaIter.mapType} is 'bus-addr'. @internal */
  busAddress: ((phys: PhysAddr) => DmaAddr) | null = null;
  /** @internal */
  segments: SegmentIterator | null = null;
  /** @internal */
  attrs: DmaAttrs = NO_ATTRS;
}

function busRange(iter: BlkDmaIter, vec: BioVec): boolean {
  if (iter.busAddress === null) return false;
  iter.addr = iter.busAddress(vec.phys);
  iter.bytes = vec.bytes;
  return true;
}

function mapDirect(request: BlockRequest, dev: Device, iter: BlkDmaIter, vec: BioVec): boolean {
  const addr = dmaMapPhys(dev, vec.phys, vec.bytes, rqDmaDir(request), iter.attrs);
  if (dmaMappingError(dev, addr) !== 0 || addr === DMA_MAPPING_ERROR) {
    iter.status = 'resource';
    return false;
  }
  iter.addr = addr;
  iter.bytes = vec.bytes;
  return true;
}

function linkAll(
  request: BlockRequest,
  dev: Device,
  state: DmaIovaState,
  iter: BlkDmaIter,
  first: BioVec,
): boolean {
  const dir = rqDmaDir(request);
  let mapped = 0;
  let error = 0;
  iter.addr = state.addr;
  iter.bytes = request.bytes;
  for (let vec: BioVec | null = first; vec !== null; vec = iter.segments?.next() ?? null) {
    error = dmaIovaLink(dev, state, vec.phys, mapped, vec.bytes, dir, iter.attrs);
    if (error !== 0) break;
    mapped += vec.bytes;
  }
  if (error === 0) error = dmaIovaSync(dev, state, 0, mapped);
  if (error === 0) return true;
  dmaIovaDestroy(dev, state, mapped, dir, iter.attrs);
  iter.status = errnoToBlkStatus(error);
  return false;
}

/** Starts over on `request`: its first run, or null without data. @internal */
export function firstRun(request: BlockRequest, iter: BlkDmaIter): BioVec | null {
  iter.segments = new SegmentIterator(request);
  iter.status = 'ok';
  iter.attrs = NO_ATTRS;
  return iter.segments.next();
}

/** Maps `first`, or all of `request` as one range, the way `iter.mapType` says. @internal */
export function mapFirstRun(
  request: BlockRequest,
  dev: Device,
  state: DmaIovaState,
  iter: BlkDmaIter,
  first: BioVec,
): boolean {
  if (iter.mapType === 'bus-addr') return busRange(iter, first);
  if (iter.mapType === 'thru-host-bridge') iter.attrs = { mmio: true };
  const gaps = reqPhysGapMask(request, dmaGetMergeBoundary(dev));
  if (gaps === 0 && dmaIovaTryAlloc(dev, state, first.phys, request.bytes)) {
    return linkAll(request, dev, state, iter, first);
  }
  return mapDirect(request, dev, iter, first);
}

function pageBusAddress(dev: Device, { pagemap }: P2pdmaMapState): ((phys: PhysAddr) => DmaAddr) | null {
  const { p2p } = dev.platform;
  return pagemap === null || p2p === null ? null : (phys) => p2p.busAddress(pagemap, phys);
}

/**
 * Maps the first DMA range of `request` into `iter`; the whole request when {@link blkRqDmaMapCoalesce} says so.
 * False: nothing mapped, `iter.status` says why ('ok' for a request without data).
 * @public
 * @kernel blk_rq_dma_map_iter_start
 */
export function blkRqDmaMapIterStart(
  request: BlockRequest,
  dev: Device,
  state: DmaIovaState,
  iter: BlkDmaIter,
): boolean {
  const first = firstRun(request, iter);
  if (first === null) return false;
  // Asking where a page belongs means looking at its struct page; the first one speaks for all.
  dev.platform.frames.touched += 1;
  iter.mapType = pciP2pdmaState(iter.p2p, dev, frameOf(first.phys));
  if (iter.mapType === 'not-supported') {
    iter.status = 'invalid';
    return false;
  }
  iter.busAddress = iter.mapType === 'bus-addr' ? pageBusAddress(dev, iter.p2p) : null;
  return mapFirstRun(request, dev, state, iter, first);
}

/**
 * Maps the next DMA range; false at the end or on failure (`iter.status`). Never called for a coalesced request.
 * @public
 * @kernel blk_rq_dma_map_iter_next
 */
export function blkRqDmaMapIterNext(request: BlockRequest, dev: Device, iter: BlkDmaIter): boolean {
  const vec = iter.segments?.next() ?? null;
  if (vec === null) return false;
  return iter.mapType === 'bus-addr' ? busRange(iter, vec) : mapDirect(request, dev, iter, vec);
}

/**
 * True when the request was mapped as one IOVA range.
 * @public
 * @kernel blk_rq_dma_map_coalesce
 */
export const blkRqDmaMapCoalesce = (state: DmaIovaState): boolean => dmaUseIova(state);

/**
 * Unmaps what needs no per-range knowledge. False: the caller unmaps each range it mapped.
 * @public
 * @kernel blk_rq_dma_unmap
 */
export function blkRqDmaUnmap(
  request: BlockRequest,
  dev: Device,
  state: DmaIovaState,
  mappedBytes: number,
  mapType: P2pMapType,
): boolean {
  if (mapType === 'bus-addr') return true;
  if (!dmaUseIova(state)) return !dmaNeedUnmap(dev);
  const attrs: DmaAttrs = mapType === 'thru-host-bridge' ? { mmio: true } : NO_ATTRS;
  dmaIovaDestroy(dev, state, mappedBytes, rqDmaDir(request), attrs);
  return true;
}
