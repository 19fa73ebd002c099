// CacheTags: which hardware caches may hold translations of a domain, and the flush of a range in all of them.
// Source followed: drivers/iommu/intel/cache.c (cache_tag_assign, cache_tag_unassign, cache_tag_flush_range and _np).
// One tag per unit and domain id stands for the unit's IOTLB, one per device with a device-TLB for that.
// Simplified: no nesting tags and no PASID but 0; the quirk that flushes a device-TLB twice is left out.

import { VtdGranularity } from '@sgfree/hw-model';
import { flushBlockBase, flushBlockOrder } from './flush-block.ts';
import { type FlushedRange, postFlushEvent } from './flush-event.ts';
import type { FlushTarget } from './flush-target.ts';
import { iommuFlushWriteBuffer } from './global-command.ts';
import { encodeDeviceTlb, encodeIotlbPages, encodeIotlbWide, encodePasidIotlb } from './qi-descriptor.ts';

/**
 * The device-TLB of a function (ATS), as invalidations address it.
 * @public
 */
export interface DeviceTlb {
  /** Name in trace lines. */
  readonly name: string;
  /** Source id of the physical function that counts the invalidations. */
  readonly pfsid: number;
  /** Invalidations the function can queue, 0 to 31. */
  readonly queueDepth: number;
}

/**
 * One cache that may hold translations of a domain.
 * @internal
 */
export interface CacheTag {
  readonly type: 'iotlb' | 'devtlb';
  readonly target: FlushTarget;
  readonly domainId: number;
  /** The function whose device-TLB this is; -1 in the tag of a unit's IOTLB. */
  readonly sourceId: number;
  readonly deviceTlb: DeviceTlb | null;
  users: number;
}

/** An order that stands for the whole space: 2^52 pages. */
const WHOLE_SPACE = 52;
const LAST_FRAME = 2 ** 52 - 1;
const LAST_OFFSET = 4095;

/**
 * The cache tags of one domain.
 * @internal
 */
export class CacheTags {
  readonly #tags: CacheTag[] = [];
  readonly #firstStage: boolean;
  /** The range being flushed; one object, because a flush runs for every unmap. */
  readonly #range: FlushedRange = {
    startFrame: 0,
    startOffset: 0,
    endFrame: 0,
    endOffset: 0,
    blockFrame: 0,
    order: 0,
  };

  constructor(firstStage: boolean) {
    this.#firstStage = firstStage;
  }

  get tags(): readonly CacheTag[] {
    return this.#tags;
  }

  /** Notes that `sourceId` uses the domain through `target` under `domainId` (cache_tag_assign_domain). */
  assign(target: FlushTarget, domainId: number, sourceId: number, deviceTlb: DeviceTlb | null): void {
    this.#assignOne({ type: 'iotlb', target, domainId, sourceId: -1, deviceTlb: null, users: 1 });
    if (deviceTlb === null) return;
    this.#assignOne({ type: 'devtlb', target, domainId, sourceId, deviceTlb, users: 1 });
  }

  /** Takes back one {@link CacheTags.assign} (cache_tag_unassign_domain). */
  unassign(target: FlushTarget, domainId: number, sourceId: number): void {
    this.#unassignOne(target, domainId, -1);
    this.#unassignOne(target, domainId, sourceId);
  }

  /** Flushes what caches hold of any address from start to end, both inclusive (cache_tag_flush_range). */
  flushRange(
    startFrame: number,
    startOffset: number,
    endFrame: number,
    endOffset: number,
    leafOnly: boolean,
  ): void {
    this.#setRange(startFrame, startOffset, endFrame, endOffset);
    let target: FlushTarget | null = null;
    for (const tag of this.#tags) {
      if (target !== null && target !== tag.target) target.batch.flush();
      target = tag.target;
      if (tag.type === 'iotlb') this.#flushIotlb(tag, leafOnly);
      else this.#flushDeviceTlb(tag);
      if (target.log.enabled) postFlushEvent('cache_tag_flush_range', tag, this.#range);
    }
    target?.batch.flush();
  }

  /** Flushes the whole address space. */
  flushAll(): void {
    this.flushRange(0, 0, LAST_FRAME, LAST_OFFSET, false);
  }

  /** After mapping: drops what caches keep about pages that were not there (cache_tag_flush_range_np). */
  flushRangeNp(firstFrame: number, frames: number): void {
    const last = firstFrame + frames - 1;
    this.#setRange(firstFrame, 0, last < 0 ? LAST_FRAME : last, LAST_OFFSET);
    let target: FlushTarget | null = null;
    for (const tag of this.#tags) {
      if (target !== null && target !== tag.target) target.batch.flush();
      target = tag.target;
      if (!target.unit.capabilities.cachingMode || this.#firstStage) {
        iommuFlushWriteBuffer(target.unit);
        continue;
      }
      if (tag.type !== 'iotlb') continue;
      this.#flushIotlb(tag, false);
      if (target.log.enabled) postFlushEvent('cache_tag_flush_range_np', tag, this.#range);
    }
    target?.batch.flush();
  }

  #setRange(startFrame: number, startOffset: number, endFrame: number, endOffset: number): void {
    const range = this.#range;
    const order = flushBlockOrder(startFrame, endFrame);
    range.startFrame = startFrame;
    range.startOffset = startOffset;
    range.endFrame = endFrame;
    range.endOffset = endOffset;
    range.order = order;
    range.blockFrame = flushBlockBase(startFrame, order);
  }

  #flushIotlb(tag: CacheTag, leafOnly: boolean): void {
    const { batch, unit } = tag.target;
    const { capabilities } = unit;
    const { blockFrame, order } = this.#range;
    const { words, next } = batch;
    if (this.#firstStage) {
      const pages = order >= WHOLE_SPACE ? -1 : order;
      encodePasidIotlb(words, next, tag.domainId, 0, blockFrame, pages, leafOnly);
    } else if (capabilities.pageSelective && order <= capabilities.maxAddressMask) {
      encodeIotlbPages(words, next, capabilities, tag.domainId, blockFrame, order, leafOnly);
    } else {
      encodeIotlbWide(words, next, capabilities, VtdGranularity.domain, tag.domainId);
    }
    batch.added();
  }

  #flushDeviceTlb(tag: CacheTag): void {
    const { batch } = tag.target;
    const { blockFrame, order } = this.#range;
    const { pfsid, queueDepth } = tag.deviceTlb as DeviceTlb;
    encodeDeviceTlb(batch.words, batch.next, tag.sourceId, pfsid, queueDepth, blockFrame, order);
    batch.added();
  }

  /** Tags of one unit stand next to each other, so that a flush submits to each unit once. */
  #assignOne(tag: CacheTag): void {
    const same = this.#find(tag.target, tag.domainId, tag.sourceId);
    if (same !== undefined) {
      same.users += 1;
      return;
    }
    const neighbour = this.#tags.findLastIndex((held) => held.target === tag.target);
    this.#tags.splice(neighbour < 0 ? this.#tags.length : neighbour + 1, 0, tag);
  }

  #unassignOne(target: FlushTarget, domainId: number, sourceId: number): void {
    const tag = this.#find(target, domainId, sourceId);
    if (tag === undefined) return;
    tag.users -= 1;
    if (tag.users === 0) this.#tags.splice(this.#tags.indexOf(tag), 1);
  }

  #find(target: FlushTarget, domainId: number, sourceId: number): CacheTag | undefined {
    return this.#tags.find(
      (tag) => tag.target === target && tag.domainId === domainId && tag.sourceId === sourceId,
    );
  }
}
