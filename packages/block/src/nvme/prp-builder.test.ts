// PRP construction against the table of the kernel's behaviour: one contiguous mapping at 0x1_0000_0000 + offset.
import { addOffset, type DmaAddr, dmaAddr, PhysicalMemory, physAddr } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import type { BlockRequest } from '../block-request.ts';
import { DescriptorPools } from './descriptor-pools.ts';
import type { CoherentSource } from './dma-pool.ts';
import type { DmaRangeSource } from './dma-range-source.ts';
import { type DmaRange, NvmeIod } from './nvme-iod.ts';
import { setupPrps } from './prp-builder.ts';
import { le64At } from './submission-entry.ts';
import { TrackingMemory } from './tracking-memory.ts';

const BASE = 0x100000000;
const POOL = 0x10000;

function pools(pages = 64): { pools: DescriptorPools; tracking: TrackingMemory } {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), 0x200000);
  let next = 0;
  const source: CoherentSource = {
    alloc: (bytes) => {
      if (next === pages) return null;
      next += 1;
      return { phys: physAddr(POOL + next * 4096), dma: dmaAddr(0xf0000000 + next * 4096), bytes };
    },
    free: () => undefined,
  };
  const tracking = new TrackingMemory();
  return { pools: new DescriptorPools(source, memory, tracking), tracking };
}

class Ranges implements DmaRangeSource {
  readonly status = 'ok';
  readonly #ranges: readonly DmaRange[];
  #at = 0;
  constructor(ranges: readonly DmaRange[]) {
    this.#ranges = ranges;
  }
  get addr(): DmaAddr {
    return (this.#ranges[this.#at] as DmaRange).addr;
  }
  get bytes(): number {
    return (this.#ranges[this.#at] as DmaRange).bytes;
  }
  next(): boolean {
    this.#at += 1;
    return this.#at < this.#ranges.length;
  }
}

const iodOf = (bytes: number): NvmeIod => new NvmeIod({ bytes } as BlockRequest);
const whole = (offset: number, bytes: number): Ranges =>
  new Ranges([{ addr: dmaAddr(BASE + offset), bytes }]);

const KIB = 1024;
const MIB = 1024 * KIB;
const table: readonly [number, number, 'none' | 'page' | 'list', ...number[]][] = [
  [0, 4096, 'none'],
  [0, 8192, 'page'],
  [512, 4096, 'page'],
  [512, 8192, 'list', 2],
  [0, 12288, 'list', 2],
  [512, 12288, 'list', 3],
  [0, 33 * 4096, 'list', 32],
  [0, 34 * 4096, 'list', 33],
  [512, 33 * 4096, 'list', 33],
  [0, MIB, 'list', 255],
  [512, MIB, 'list', 256],
  [0, 2 * MIB, 'list', 511],
  [4, 2 * MIB, 'list', 512],
  [0, 2 * MIB + 4 * KIB, 'list', 512],
  [0, 2 * MIB + 8 * KIB, 'list', 512, 2],
  [0, 8 * MIB, 'list', 512, 512, 512, 512, 3],
];

describe('PRP lists', () => {
  it.each(table)('offset %i, %i bytes: %s %j', (offset, bytes, kind, ...sizes) => {
    const { pools: own } = pools();
    const iod = iodOf(bytes);
    expect(setupPrps(iod, whole(offset, bytes), own)).toBe('ok');
    expect(iod.totalBytes).toBe(bytes);
    expect(iod.entry.prp1).toBe(BASE + offset);
    expect(iod.descriptors).toHaveLength(sizes.length);
    if (kind === 'none') expect(iod.entry.prp2).toBe(0);
    if (kind === 'page') expect(iod.entry.prp2).toBe(BASE + 4096);
    if (kind === 'list') expect(iod.entry.prp2).toBe(iod.descriptors[0]?.dma);
    expect(iod.smallDescriptor).toBe(sizes.length > 0 && (sizes[0] as number) <= 32);
    let page = BASE + 4096;
    for (const [index, size] of sizes.entries()) {
      const block = iod.descriptors[index];
      if (block === undefined) throw new Error('a list is missing');
      const view = own.viewOf(block);
      const chained = index + 1 < sizes.length;
      for (let entry = 0; entry < size - (chained ? 1 : 0); entry += 1, page += 4096) {
        expect(le64At(view, 8 * entry)).toBe(page);
      }
      if (chained) expect(le64At(view, 8 * (size - 1))).toBe(iod.descriptors[index + 1]?.dma);
    }
    if (kind === 'list') expect(page).toBeGreaterThanOrEqual(BASE + offset + bytes);
  });

  it('gives the same pointers whether a mapping is one range or one range per page', () => {
    const pages = Array.from({ length: 40 }, (_, i) => ({ addr: dmaAddr(BASE + i * 4096), bytes: 4096 }));
    const one = iodOf(40 * 4096);
    const many = iodOf(40 * 4096);
    const first = pools();
    const second = pools();
    setupPrps(one, whole(0, 40 * 4096), first.pools);
    setupPrps(many, new Ranges(pages), second.pools);
    const view = (of: NvmeIod, at: ReturnType<typeof pools>): Uint8Array => {
      const dataView = at.pools.viewOf(of.descriptors[0] as NonNullable<(typeof of.descriptors)[0]>);
      return new Uint8Array(dataView.buffer, dataView.byteOffset, dataView.byteLength);
    };
    expect(view(many, second)).toEqual(view(one, first));
    expect(many.entry.bytes).toEqual(one.entry.bytes);
  });

  it('refuses ranges that end inside a page', () => {
    const gapped = [
      { addr: dmaAddr(BASE), bytes: 4096 },
      { addr: dmaAddr(BASE + 0x10000), bytes: 512 },
      { addr: dmaAddr(BASE + 0x20000), bytes: 8192 },
    ];
    expect(setupPrps(iodOf(4096 + 512 + 8192), new Ranges(gapped), pools().pools)).toBe('io-error');
    const short = [
      { addr: dmaAddr(BASE), bytes: 512 },
      { addr: addOffset(dmaAddr(BASE), 4096), bytes: 3584 },
    ];
    expect(setupPrps(iodOf(4096), new Ranges(short), pools().pools)).toBe('io-error');
  });

  it('reports a missing descriptor block and still leaves PRP1 behind', () => {
    const iod = iodOf(8 * MIB);
    const { pools: own, tracking } = pools(2);
    expect(setupPrps(iod, whole(0, 8 * MIB), own)).toBe('resource');
    expect(iod.entry.prp1).toBe(BASE);
    expect(tracking.held).toBe(2 * 4096);
    own.free(iod);
    expect(tracking.held).toBe(0);
    expect(own.large.liveBlocks).toBe(0);
  });
});
