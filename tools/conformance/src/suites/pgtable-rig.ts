// PageTableRig: a page table in memory of its own, with a driver that only writes down what it is asked to flush.
// Shared by the page-table suites; the recorded harnesses looked at the same calls.
// Simplified: table pages come from a window that no recorded run uses up.

import { PhysicalMemory, physAddr } from '@sgfree/hw-model';
import {
  AmdV1Format,
  PageTable,
  type PageTableFeatures,
  type PageTableFormat,
  type PageTableOptions,
  PagingDomain,
  VtdSecondStageFormat,
  X8664Format,
} from '@sgfree/iommu';
import { FrameAllocator } from '@sgfree/mm';
import { type Reader, within } from '../recorded-value.ts';
import { BrokenHeader } from '../suite.ts';

/** One flush as the driver saw it: frame and offset of the first and of the last byte, and whether tables were freed. */
export interface SeenSync {
  readonly startFrame: number;
  readonly startOffset: number;
  readonly endFrame: number;
  readonly endOffset: number;
  readonly pgsize: number;
  readonly freedTables: boolean;
}

/** A width of addresses. */
export const addressBits: Reader<number> = within(12, 64);

/** The level of a top table; level 0 is a table of 4 KiB leaves. */
export const tableLevel: Reader<number> = within(0, 5);

const TABLE_WINDOW = { base: physAddr(2 ** 36), bytes: 2 ** 36 };

/** The format named in a header, with its features; throws {@link BrokenHeader}. */
export function formatNamed(name: unknown, features: PageTableFeatures): PageTableFormat {
  if (name === 'vtdss') return new VtdSecondStageFormat(features);
  if (name === 'amdv1') return new AmdV1Format(features);
  if (name === 'x86_64') return new X8664Format(features);
  throw new BrokenHeader(`unknown page-table format ${String(name)}`);
}

/** A domain over a fresh page table; {@link PageTableRig.syncs} collects its flushes. */
export class PageTableRig {
  readonly frames: FrameAllocator;
  readonly table: PageTable;
  readonly domain: PagingDomain;
  syncs: SeenSync[] = [];

  constructor(options: Omit<PageTableOptions, 'memory' | 'frames'>) {
    const memory = new PhysicalMemory();
    memory.addRam(TABLE_WINDOW.base, TABLE_WINDOW.bytes);
    this.frames = new FrameAllocator(memory, TABLE_WINDOW);
    this.table = new PageTable({ ...options, memory, frames: this.frames });
    this.domain = new PagingDomain({
      table: this.table,
      ops: {
        iotlbSync: (_domain, gather) => {
          const { startFrame, startOffset, endFrame, endOffset, pgsize, freelist } = gather;
          this.syncs.push({
            startFrame,
            startOffset,
            endFrame,
            endOffset,
            pgsize,
            freedTables: freelist.length > 0,
          });
        },
        flushIotlbAll: () => undefined,
        iotlbSyncMap: null,
      },
    });
  }

  /** The flushes since the last call. */
  takeSyncs(): SeenSync[] {
    const seen = this.syncs;
    this.syncs = [];
    return seen;
  }

  /** Table pages still held after the domain is gone: 0 unless some were lost. */
  framesLeftAfterDestroy(): number {
    this.table.destroy();
    return this.frames.liveFrames;
  }
}
