// VFIO_IOMMU_GET_INFO with every size and every end of memory, against an answer that is put together by hand; and what it tells
// of page sizes and ranges.

import { DmaBufPlatform } from '@sgfree/dma-buf';
import { PhysicalMemory, physAddr, recordedVtdCapabilities, Scheduler, VtdUnit } from '@sgfree/hw-model';
import { IntelIommu } from '@sgfree/iommu';
import { Errno, FrameAllocator, PageAllocator, ProcessMemory } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import {
  bigintOfU64,
  IommufdPlatform,
  IommufdProcess,
  iommufdDeviceAttach,
  iommufdDeviceBind,
  iommufdFopsOpen,
  iommufdTestAddReserved,
  iommufdVfioCompatIoasCreate,
  iommufdVfioCompatIoasGetId,
  iommufdVfioIommuGetInfo,
  U64_MAX,
  u64,
  VfioRequest,
  VtdBoundDevice,
} from '../../src/index.ts';
import { BASE, encodeVfio, P, VfioWorld } from './vfio-world.ts';

const LAST = 2n ** 64n - 1n;
const FILLER = 0xa5;

/** A world whose device offers the aperture without one page in the middle: two ranges. */
function twoRanges(): VfioWorld {
  const world = new VfioWorld({ type: 'type1v2' });
  expect(world.run(iommufdTestAddReserved(world.ioas.iopt, u64(BASE + 5 * P), u64(P)))).toBe(0);
  return world;
}

const RANGES: readonly (readonly [bigint, bigint])[] = [
  [0x1000000n, 0x1004fffn],
  [0x1006000n, 0x7fffffffn],
];
/** Structure; 12 bytes of the one capability, filled up to 16; 16 bytes and two ranges of the other. */
const WHOLE = 24 + 16 + 16 + 2 * 16;

/** The memory after a call with `argsz` bytes of room, of which all are there. */
function expectedBytes(argsz: number, pgsizes: bigint): Uint8Array {
  const bytes = new Uint8Array(WHOLE).fill(FILLER);
  const view = new DataView(bytes.buffer);
  const fits = (end: number): boolean => argsz >= end;
  if (fits(36)) {
    view.setUint16(24, 3, true);
    view.setUint16(26, 1, true);
    view.setUint32(28, fits(40) ? 40 : 0, true);
    view.setUint32(32, 0xffffffff, true);
  }
  for (const [at, [first, last]] of RANGES.entries()) {
    const offset = 56 + at * 16;
    if (!fits(offset + 16)) continue;
    view.setBigUint64(offset, first, true);
    view.setBigUint64(offset + 8, last, true);
  }
  if (fits(WHOLE)) {
    view.setUint16(40, 1, true);
    view.setUint16(42, 1, true);
    view.setUint32(44, 0, true);
    view.setUint32(48, 2, true);
    view.setUint32(52, 0, true);
  }
  const head = new DataView(new ArrayBuffer(24));
  head.setUint32(0, WHOLE, true);
  head.setUint32(4, 3, true);
  head.setBigUint64(8, pgsizes, true);
  head.setUint32(16, fits(WHOLE) ? 24 : 0, true);
  bytes.set(new Uint8Array(head.buffer).subarray(0, Math.min(argsz, 24)));
  return bytes;
}

const withArgsz = (argsz: number, memory: number): Uint8Array => {
  const bytes = new Uint8Array(memory).fill(FILLER);
  bytes.set(
    encodeVfio('iommu_type1_info', { argsz, flags: 0xffffffff }).bytes.subarray(0, Math.min(16, memory)),
  );
  return bytes;
};

const sizesOf = (world: VfioWorld): bigint => {
  const info = world.run(iommufdVfioIommuGetInfo(world.ctx));
  if (!info.ok) throw new Error(`no information: ${info.errno}`);
  return bigintOfU64(info.value.pgsizes);
};

describe('the answer', () => {
  it('has what there is room for, for each size from the smallest on', () => {
    const world = twoRanges();
    const pgsizes = sizesOf(world);
    for (let argsz = 16; argsz <= WHOLE + 9; argsz += 1) {
      const bytes = withArgsz(argsz, WHOLE);
      expect(world.call(VfioRequest.IOMMU_GET_INFO, bytes), `argsz ${argsz}`).toBe(0);
      expect([argsz, ...bytes]).toEqual([argsz, ...expectedBytes(argsz, pgsizes)]);
    }
    const bytes = withArgsz(0xffffffff, WHOLE);
    expect(world.call(VfioRequest.IOMMU_GET_INFO, bytes)).toBe(0);
    expect(bytes).toEqual(expectedBytes(WHOLE, pgsizes));
  });

  it('is a fault where memory ends before what would be written', () => {
    const world = twoRanges();
    for (let memory = 0; memory < WHOLE; memory += 1) {
      const written = [16, 24, 36, 40, 72, WHOLE];
      for (const argsz of [16, 24, 36, 40, 72, WHOLE]) {
        // What is written of an answer with so much room ends at `end`.
        const end = Math.max(...written.filter((size) => size <= argsz && size !== 40), 16);
        const got = world.call(VfioRequest.IOMMU_GET_INFO, withArgsz(argsz, memory));
        expect([argsz, memory, got]).toEqual([argsz, memory, memory >= end ? 0 : -Errno.EFAULT]);
      }
    }
  });

  it('is given from and to memory of the process', () => {
    const world = twoRanges();
    const at = world.machine.mmap(P, 0x20000000);
    expect(world.call(VfioRequest.IOMMU_GET_INFO, at)).toBe(-Errno.EINVAL);
    expect(world.call(VfioRequest.IOMMU_GET_INFO, at + P - 15)).toBe(-Errno.EFAULT);
    expect(world.call(VfioRequest.IOMMU_GET_INFO, 2 ** 47)).toBe(-Errno.EFAULT);
    expect(world.call(VfioRequest.IOMMU_GET_INFO, null)).toBe(-Errno.EFAULT);
  });
});

describe('the ranges', () => {
  it('are everything without a page table', () => {
    const world = new VfioWorld({ type: null, attached: false });
    const info = world.run(iommufdVfioIommuGetInfo(world.ctx));
    expect(info.ok && info.value.iovaRanges.map(({ first, last }) => [first, last].map(bigintOfU64))).toEqual(
      [[0n, LAST]],
    );
    expect(info.ok && info.value.dmaAvail).toBe(2 ** 32 - 1);
  });

  it('may be none', () => {
    const world = new VfioWorld({ type: null, attached: false });
    world.ioas.iopt.reserved.add({ first: u64(0), last: U64_MAX }, null);
    const bytes = withArgsz(56, 56);
    expect(world.call(VfioRequest.IOMMU_GET_INFO, bytes)).toBe(0);
    const view = new DataView(bytes.buffer);
    expect([view.getUint32(0, true), view.getUint16(40, true), view.getUint32(48, true)]).toEqual([56, 1, 0]);
  });
});

describe('the page sizes', () => {
  it('are all from a page on without a page table, in both kinds', () => {
    for (const type of ['type1', 'type1v2'] as const) {
      expect(sizesOf(new VfioWorld({ type, attached: false }))).toBe(LAST - 4095n);
    }
  });

  it('are those of the mock device, its half pages told as a page', () => {
    const world = new VfioWorld();
    const domain = world.device.domain;
    if (domain === null) throw new Error('not attached');
    let expected = 0n;
    for (let bit = 0; bit < 64; bit += 1) {
      const inUnits = 2 ** bit * domain.unitsPerPage;
      const offered = Math.floor(domain.domain.pgsizeBitmap / inUnits) % 2 === 1;
      if (offered) expected |= 2n ** BigInt(Math.max(bit, 12));
    }
    expect(domain.smallestPage).toBe(2048);
    expect(sizesOf(world)).toBe(expected);
    expect(sizesOf(world) & 0x1fffn).toBe(0x1000n);
  });

  it('are those of the table of a VT-d unit', () => {
    const memory = new PhysicalMemory();
    memory.addRam(physAddr(0), 2 ** 25);
    const frames = new FrameAllocator(memory, { base: physAddr(2 ** 24), bytes: 2 ** 23 });
    const unit = new VtdUnit(memory, { capabilities: recordedVtdCapabilities });
    const iommu = new IntelIommu({ unit, memory, frames });
    const scheduler = new Scheduler();
    const pages = new PageAllocator(memory, { base: physAddr(2 ** 20), bytes: 2 ** 20 });
    const process = new IommufdProcess(new ProcessMemory({ memory, pages, scheduler }));
    const platform = new IommufdPlatform({ dmaBufs: new DmaBufPlatform({ scheduler }) });
    const ctx = iommufdFopsOpen({ platform, process });
    expect(iommufdVfioCompatIoasCreate(ctx)).toBe(0);
    const ioas = iommufdVfioCompatIoasGetId(ctx);
    const bound = iommufdDeviceBind(ctx, new VtdBoundDevice({ name: 'nic', iommu, requesterId: 0x100 }));
    if (!ioas.ok || !bound.ok) throw new Error('nothing to begin with');
    expect(scheduler.runTask('attach', iommufdDeviceAttach(bound.value, ioas.value)).ok).toBe(true);
    const info = scheduler.runTask('info', iommufdVfioIommuGetInfo(ctx));
    expect(info.ok && bigintOfU64(info.value.pgsizes)).toBe(0x201000n | 0x40000000n);
    expect(info.ok && info.value.iovaRanges.length).toBeGreaterThan(0);
  });
});
