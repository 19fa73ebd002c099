// The two-step API against the appendix vectors of the kernel notes, every errno of a link, and every misuse Linux warns
// about.

import type { DmaAttrs } from '@sgfree/dma-core';
import { iommuSetupDmaOps, NO_ATTRS } from '@sgfree/dma-core';
import { addOffset, physAddr } from '@sgfree/hw-model';
import { iommuIovaToPhys } from '@sgfree/iommu';
import { describe, expect, it } from 'vitest';
import {
  hexOf,
  leftovers,
  type TwoStepMachine,
  takeTrace,
  twoStepMachine,
} from '../test/two-step-machine.ts';
import {
  DmaIovaState,
  dmaIovaDestroy,
  dmaIovaFree,
  dmaIovaLink,
  dmaIovaSize,
  dmaIovaSync,
  dmaIovaTryAlloc,
  dmaIovaUnlink,
  dmaUseIova,
} from './index.ts';

const PAGE = 4096;

/** The calls of one machine on one state, in the short words of the appendix. */
function calls(machine: TwoStepMachine, state: DmaIovaState = new DmaIovaState()) {
  const { dev } = machine;
  return {
    state,
    t: (phys: number, size: number): string => {
      const taken = dmaIovaTryAlloc(dev, state, physAddr(phys), size);
      return taken ? `${hexOf(state.addr)} ${hexOf(dmaIovaSize(state))}` : 'none';
    },
    l: (phys: number, offset: number, size: number, attrs: DmaAttrs = NO_ATTRS): number =>
      dmaIovaLink(dev, state, physAddr(phys), offset, size, 'bidirectional', attrs),
    y: (offset: number, size: number): number => dmaIovaSync(dev, state, offset, size),
    u: (offset: number, size: number): void =>
      dmaIovaUnlink(dev, state, offset, size, 'bidirectional', NO_ATTRS),
    x: (mapped: number): void => dmaIovaDestroy(dev, state, mapped, 'bidirectional', NO_ATTRS),
  };
}

describe('appendix C', () => {
  it('C1: a trusted device', () => {
    const machine = twoStepMachine();
    const { t, l, x } = calls(machine);
    expect(t(0, 0x3000)).toBe('ffffc000 3000');
    expect(l(0x1000000, 0, 0x1000)).toBe(0);
    takeTrace(machine);
    expect(l(0x2000000, 0, 0x1000)).toBe(-98);
    expect(takeTrace(machine)).toEqual(['map ffffc000 2000000 0', 'unmap ffffc000 0 0']);
    expect(l(0x2000000, 0x1000, 0x1000)).toBe(0);
    takeTrace(machine);
    x(0x2000);
    expect(takeTrace(machine)).toEqual(['unmap ffffc000 2000 2000', 'sync ffffc000 ffffdfff']);
    expect(leftovers(machine)).toEqual([0, 0, 0]);
  });

  it('C2: an untrusted device whose bounce slots keep the page offset', () => {
    const machine = twoStepMachine({ device: { untrusted: true } });
    machine.dev.minAlignMask = 0xfff;
    machine.memory.write(physAddr(0x50_0000_0000), new Uint8Array(PAGE).fill(0xee));
    const { t, l, x, state } = calls(machine);
    expect(t(0x1000200, 0x2e00)).toBe('ffffc200 2e00');
    expect(l(0x1000200, 0, 0xe00)).toBe(0);
    expect([dmaIovaSize(state), state.usesSwiotlb]).toEqual([0x2e00, true]);
    expect(takeTrace(machine)).toEqual(['bounce 1000200 e00 at 5000000200', 'map ffffc000 5000000000 1000']);
    const padding = new Uint8Array(0x200);
    machine.memory.read(physAddr(0x50_0000_0000), padding);
    expect(padding.every((byte) => byte === 0)).toBe(true);
    expect([l(0x2000000, 0xe00, 0x1000), l(0x3000000, 0x1e00, 0x1000)]).toEqual([0, 0]);
    expect(takeTrace(machine)).toEqual(['map ffffd000 2000000 1000', 'map ffffe000 3000000 1000']);
    x(0x2e00);
    expect(takeTrace(machine)).toEqual([
      'release 5000000200 e00',
      'unmap ffffc000 3000 3000',
      'sync ffffc000 ffffefff',
    ]);
    expect(t(0x1000200, 0x100)).toBe('ffffb200 100');
    expect(l(0x1000200, 0, 0x100)).toBe(0);
    expect(takeTrace(machine)).toEqual(['bounce 1000200 100 at 5000001200', 'map ffffb000 5000001000 1000']);
    x(0x100);
    expect(t(0x1000000, 0x1234)).toBe('ffff8000 1234');
    takeTrace(machine);
    expect(l(0x1000000, 0, 0x1234)).toBe(0);
    expect(takeTrace(machine)).toEqual([
      'map ffff8000 1000000 1000',
      'bounce 1001000 234 at 5000002000',
      'map ffff9000 5000002000 1000',
    ]);
    x(0x1234);
    expect(leftovers(machine)).toEqual([0, 0, 0]);
  });

  it('C3: an untrusted device whose slots do not keep it', () => {
    const machine = twoStepMachine({ device: { untrusted: true } });
    const { t, l, state } = calls(machine);
    expect(t(0x1000200, 0x100)).toBe('fffff200 100');
    expect(l(0x1000200, 0, 0x100)).toBe(-6);
    expect(l(0x1000200, 0, 0x100, { mmio: true })).toBe(-1);
    expect(l(0x1000200, 0, 0x100, { requireCoherent: true })).toBe(-1);
    expect(l(0x1000200, 0x10, 0x100)).toBe(-5);
    expect(state.usesSwiotlb).toBe(false);
    dmaIovaFree(machine.dev, state);
    expect(leftovers(machine)).toEqual([0, 0, 0]);
  });

  it('C4: a non-coherent device flushes its caches once per sync, not per link', () => {
    const machine = twoStepMachine({ device: { dmaCoherent: false }, withSyncMap: true });
    const { t, l, y, x } = calls(machine);
    t(0, 0x2000);
    l(0x1000000, 0, 0x1000);
    l(0x2000000, 0x1000, 0x1000);
    expect(takeTrace(machine)).toEqual([
      'to-device 1000000 1000',
      'map ffffe000 1000000 1000',
      'to-device 2000000 1000',
      'map fffff000 2000000 1000',
    ]);
    expect(y(0, 0x2000)).toBe(0);
    expect(takeTrace(machine)).toEqual(['cache-flush', 'sync-map ffffe000 2000']);
    x(0x2000);
    expect(takeTrace(machine)).toEqual([
      'to-cpu 1000000 1000',
      'to-cpu 2000000 1000',
      'cache-flush',
      'unmap ffffe000 2000 2000',
      'sync ffffe000 ffffffff',
    ]);
  });
});

describe('try_alloc', () => {
  it.each([0, 2 ** 63, 2 ** 64, Number.NaN])('refuses a size of %d with a report', (size) => {
    const machine = twoStepMachine();
    const { t, state } = calls(machine);
    t(0, PAGE);
    machine.log.clear();
    expect(t(0x123, size)).toBe('none');
    expect(takeTrace(machine)).toEqual(['violation dma-iova-size']);
    expect([dmaUseIova(state), state.addr, state.usesSwiotlb]).toEqual([false, 0, false]);
  });

  it('refuses without an IOMMU, silently', () => {
    const machine = twoStepMachine();
    iommuSetupDmaOps(machine.dev, null);
    const { t, l } = calls(machine);
    expect([t(0, PAGE), t(0, 0)]).toEqual(['none', 'none']);
    expect(takeTrace(machine)).toEqual([]);
    expect(() => l(0x1000000, 0, PAGE)).toThrow(expect.objectContaining({ rule: 'dma-no-iommu' }));
  });

  it('refuses when no address is left', () => {
    const machine = twoStepMachine({ device: { dmaMask: 0xffff } });
    const { t } = calls(machine);
    expect(t(0, 0x10000)).toBe('none');
    expect(t(0, 0x8000)).toBe('8000 8000');
    expect(t(1, 0x8000)).toBe('none');
    expect(leftovers(machine)).toEqual([0, 1, 0]);
  });

  it.each([
    [0, 1, 'fffff000'],
    [0xfff, 2, 'ffffefff'],
    [0x1234567, 0x1000, 'ffffe567'],
    [0x200000, 0x200000, 'ffe00000'],
  ])('the offset of %d in its page is kept for %d bytes: %s', (phys, size, addr) => {
    const { t } = calls(twoStepMachine());
    expect(t(phys, size)).toBe(`${addr} ${hexOf(size)}`);
  });
});

describe('link: every errno', () => {
  it.each<[string, number, number, DmaAttrs, number, string[]]>([
    [
      'a start within a page at an offset',
      0x1000100,
      0x1000,
      NO_ATTRS,
      -5,
      ['violation dma-iova-unaligned-link'],
    ],
    ['the same as MMIO', 0x1000100, 0x1000, { mmio: true }, -5, ['violation dma-iova-unaligned-link']],
    [
      'a target within a page',
      0x1000000,
      0x800,
      NO_ATTRS,
      -6,
      ['map ffffc800 1000000 0', 'unmap ffffc800 0 0'],
    ],
    ['a target that is taken', 0x1000000, 0, NO_ATTRS, -98, ['map ffffc000 1000000 0', 'unmap ffffc000 0 0']],
    [
      'a target outside the aperture',
      0x1000000,
      2 ** 48,
      NO_ATTRS,
      -34,
      ['map 10000ffffc000 1000000 0', 'unmap 10000ffffc000 0 0'],
    ],
  ])('%s', (_name, phys, offset, attrs, errno, trace) => {
    const machine = twoStepMachine();
    const { t, l, x } = calls(machine);
    t(0, 0x3000);
    l(0x2000000, 0, 0x1000);
    takeTrace(machine);
    expect(l(phys, offset, 0x1000, attrs)).toBe(errno);
    expect(takeTrace(machine)).toEqual(trace);
    x(0x1000);
    expect(leftovers(machine)).toEqual([0, 0, 0]);
  });

  it('coherence that the device or the state cannot give', () => {
    const machine = twoStepMachine({ device: { dmaCoherent: false } });
    const { t, l, state } = calls(machine);
    t(0, 0x3000);
    expect(l(0x1000000, 0, 0x1000, { requireCoherent: true })).toBe(-95);
    expect(takeTrace(machine)).toEqual([]);
    state.usesSwiotlb = true;
    expect(l(0x1000000, 0, 0x1000, { requireCoherent: true })).toBe(-95);
    expect(takeTrace(machine)).toEqual(['violation dma-iova-bounced-coherent']);
  });

  it('the unaligned start is looked at before anything else', () => {
    const machine = twoStepMachine({ device: { dmaCoherent: false } });
    const { t, l } = calls(machine);
    t(0, 0x3000);
    expect(l(0x1000100, 0x1000, 0x1000, { requireCoherent: true })).toBe(-5);
  });

  it('bounce space that runs out', () => {
    const machine = twoStepMachine({ device: { untrusted: true } });
    machine.dev.minAlignMask = 0xfff;
    machine.pool.failAfter = 0;
    const { t, l } = calls(machine);
    t(0x200, 0x3000);
    expect(l(0x1000200, 0, 0x1000)).toBe(-12);
  });

  it('nothing checks that a link lies in its state', () => {
    const machine = twoStepMachine();
    const { t, l, state } = calls(machine);
    t(0, 0x1000);
    expect(l(0x1000000, 0, 0x3000)).toBe(0);
    expect(hexOf(iommuIovaToPhys(machine.domain, addOffset(state.addr, 0xfff)))).toBe('1000fff');
  });
});

describe('unlink, destroy and free', () => {
  it('unlinking a part flushes that part at once; free alone unmaps nothing', () => {
    const machine = twoStepMachine();
    const { t, l, u, state } = calls(machine);
    t(0x234, 0x2000);
    l(0x1000234, 0, 0xdcc);
    l(0x2000000, 0xdcc, 0x1000);
    takeTrace(machine);
    u(0xdcc, 0x1000);
    expect(takeTrace(machine)).toEqual(['unmap ffffd000 1000 1000', 'sync ffffd000 ffffdfff']);
    u(0, 0xdcc);
    expect(takeTrace(machine)).toEqual(['unmap ffffc000 1000 1000', 'sync ffffc000 ffffcfff']);
    dmaIovaFree(machine.dev, state);
    expect(takeTrace(machine)).toEqual([]);
    expect(leftovers(machine)).toEqual([0, 0, 0]);
    expect([dmaUseIova(state), dmaIovaSize(state)]).toEqual([true, 0x2000]);
  });

  it('destroying nothing only gives the address back', () => {
    const machine = twoStepMachine();
    const { t, x } = calls(machine);
    t(0, 0x2000);
    x(0);
    expect(takeTrace(machine)).toEqual([]);
    expect(leftovers(machine)).toEqual([0, 0, 0]);
  });

  it('freeing what was never filled puts frame 0 into the cache, where the next allocation throws it away', () => {
    const machine = twoStepMachine();
    const { t, x, state } = calls(machine);
    const { iovad } = machine;
    dmaIovaFree(machine.dev, state);
    x(0);
    expect([takeTrace(machine), iovad.magazineFills(0)[0]]).toEqual([[], [2, -1]]);
    expect(t(0, PAGE)).toBe('fffff000 1000');
    expect([iovad.magazineFills(0)[0], iovad.cacheHits]).toEqual([[1, -1], 0]);
    x(0);
    expect([iovad.rangeCount, iovad.cachedRanges]).toEqual([1, 2]);
  });

  it('destroy-short-mapped-leak: the next user of the address gets -EADDRINUSE', () => {
    const machine = twoStepMachine();
    const { t, l, x } = calls(machine);
    const first = t(0, 0x2000);
    l(0x1000000, 0, 0x2000);
    x(0x1000);
    expect(leftovers(machine)).toEqual([1, 0, 0]);
    expect(t(0, 0x2000)).toBe(first);
    expect(l(0x2000000, 0x1000, 0x1000)).toBe(-98);
  });

  it('unlinking what is not linked is reported', () => {
    const machine = twoStepMachine();
    const { t, u, state } = calls(machine);
    t(0, 0x2000);
    u(0, 0x2000);
    expect(takeTrace(machine)).toEqual(['unmap ffffe000 2000 0', 'violation dma-iova-unlink-short']);
    state.usesSwiotlb = true;
    u(0, 0x2000);
    expect(takeTrace(machine).slice(0, 1)).toEqual(['violation dma-iova-unlink-hole']);
  });
});

it('the direction of a link is its permission, MMIO or not', () => {
  const machine = twoStepMachine();
  const state = new DmaIovaState();
  dmaIovaTryAlloc(machine.dev, state, physAddr(0), 3 * PAGE);
  dmaIovaLink(machine.dev, state, physAddr(0x1000000), 0, PAGE, 'to-device', NO_ATTRS);
  dmaIovaLink(machine.dev, state, physAddr(0x3000000), PAGE, PAGE, 'from-device', NO_ATTRS);
  dmaIovaLink(machine.dev, state, physAddr(0x5000000), 2 * PAGE, PAGE, 'bidirectional', { mmio: true });
  const rights: number[] = [];
  machine.domain.table.visitLeaves((_frame, low) => rights.push(low & 3));
  expect(rights).toEqual([1, 2, 3]);
});
