// A page table in memory of its own and the hardware that walks it: what the page-table tests have in common.

import {
  AmdV1Walk,
  PageWalk,
  PhysicalMemory,
  physAddr,
  VtdSecondStageWalk,
  type WalkFormat,
  WalkOutcome,
  X8664Walk,
} from '@sgfree/hw-model';
import { FrameAllocator } from '@sgfree/mm';
import {
  AmdV1Format,
  PageTable,
  type PageTableFeatures,
  type PageTableFormat,
  PagingDomain,
  VtdSecondStageFormat,
  X8664Format,
} from '../src/index.ts';

/** One flush, as page frames. */
export interface Flush {
  readonly first: number;
  readonly last: number;
  readonly tables: number;
}

/** A kind of table under test. */
export interface TableKind {
  readonly title: string;
  readonly vaBits: number;
  readonly format: () => PageTableFormat;
  readonly walker: WalkFormat;
  readonly pgsizeBitmap?: number;
  readonly topLevel?: number;
  /** Frames around which addresses are chosen. */
  readonly bases: readonly number[];
}

const HOST_BITS = 52;
const vtdWalker = new VtdSecondStageWalk({
  hostAddressWidth: HOST_BITS,
  snoopControl: true,
  deviceTlb: false,
  largePages: 3,
});
const amdWalker = new AmdV1Walk(HOST_BITS);
const x86Walker = new X8664Walk({ hostAddressWidth: HOST_BITS, gigabytePages: true });

const vtd = (features: PageTableFeatures) => (): PageTableFormat => new VtdSecondStageFormat(features);
const amd = () => new AmdV1Format();
const x86 = (features: PageTableFeatures) => (): PageTableFormat => new X8664Format(features);
const MIB_2 = 512;
const GIB_1 = 512 * 512;

/** The kinds of tables that are tested. */
export const tableKinds: readonly TableKind[] = [
  {
    title: 'VT-d second stage, 39 bits, incoherent walker, forced snooping',
    vaBits: 39,
    format: vtd({ dmaIncoherent: true, forceCoherence: true }),
    walker: vtdWalker,
    bases: [0, GIB_1 - MIB_2, 2 ** 27 - 4 * MIB_2],
  },
  {
    title: 'VT-d second stage, 48 bits',
    vaBits: 48,
    format: vtd({ flushRange: true }),
    walker: vtdWalker,
    bases: [0, GIB_1 - MIB_2, 2 ** 36 - 4 * MIB_2],
  },
  {
    title: 'VT-d second stage, 57 bits, 4 KiB and 2 MiB',
    vaBits: 57,
    format: vtd({ flushRange: true }),
    walker: vtdWalker,
    pgsizeBitmap: 0x201000,
    bases: [2 ** 27 - MIB_2, 2 ** 45 - 4 * MIB_2],
  },
  {
    title: 'VT-d second stage, 48 bits, 4 KiB only',
    vaBits: 48,
    format: vtd({ flushRange: true }),
    walker: vtdWalker,
    pgsizeBitmap: 0x1000,
    bases: [0, GIB_1 - MIB_2],
  },
  {
    title: 'AMD v1, 64 bits, growing from one level',
    vaBits: 64,
    format: amd,
    walker: amdWalker,
    topLevel: 0,
    bases: [0, GIB_1 - MIB_2, 2 ** 45 - MIB_2, 2 ** 52 - 4 * MIB_2],
  },
  {
    title: 'AMD v1, 48 bits',
    vaBits: 48,
    format: amd,
    walker: amdWalker,
    bases: [0, 2 ** 27 - MIB_2, 2 ** 36 - 4 * MIB_2],
  },
  {
    title: 'x86-64, 48 bits, both halves',
    vaBits: 48,
    format: x86({ signExtend: true }),
    walker: x86Walker,
    bases: [0, GIB_1 - MIB_2, 2 ** 52 - 2 ** 35, 2 ** 52 - 4 * MIB_2],
  },
  {
    title: 'x86-64, 57 bits, both halves, incoherent walker',
    vaBits: 57,
    format: x86({ signExtend: true, dmaIncoherent: true }),
    walker: x86Walker,
    bases: [2 ** 27 - MIB_2, 2 ** 52 - 2 ** 44, 2 ** 52 - 4 * MIB_2],
  },
];

const WINDOW = { base: physAddr(2 ** 40), bytes: 2 ** 30 };

/** Memory, allocator, table and domain; every flush is written down. */
export class PageTableMachine {
  readonly memory = new PhysicalMemory();
  readonly frames: FrameAllocator;
  readonly table: PageTable;
  readonly domain: PagingDomain;
  readonly flushes: Flush[] = [];
  readonly #walker: WalkFormat;
  readonly #walk = new PageWalk();

  constructor(kind: TableKind) {
    this.memory.addRam(WINDOW.base, WINDOW.bytes);
    this.frames = new FrameAllocator(this.memory, WINDOW);
    this.#walker = kind.walker;
    this.table = new PageTable({
      format: kind.format(),
      memory: this.memory,
      frames: this.frames,
      vaBits: kind.vaBits,
      ...(kind.topLevel === undefined ? {} : { topLevel: kind.topLevel }),
      ...(kind.pgsizeBitmap === undefined ? {} : { pgsizeBitmap: kind.pgsizeBitmap }),
    });
    this.domain = new PagingDomain({
      table: this.table,
      ops: {
        iotlbSync: (_domain, gather) => {
          const { startFrame, endFrame, freelist } = gather;
          this.flushes.push({ first: startFrame, last: endFrame, tables: freelist.length });
        },
        flushIotlbAll: () => undefined,
        iotlbSyncMap: null,
      },
    });
  }

  /** The physical frame and permissions that hardware finds for an address frame; null = not present. */
  hardwareWalk(frame: number): { readonly phys: number; readonly permissions: number } | null {
    const { table, memory } = this;
    const top = table.levels - 1;
    if (table.format.name === 'amdv1' && frame >= 512 ** (top + 1)) return null;
    const walk = this.#walk;
    const outcome = this.#walker.walk(memory, table.rootFrame, top, frame, 3, 0, walk);
    if (outcome === WalkOutcome.notPresent) return null;
    if (outcome !== WalkOutcome.ok) throw new Error(`the walk of frame ${frame} ended with ${outcome}`);
    return { phys: walk.frame, permissions: walk.permissions };
  }
}
