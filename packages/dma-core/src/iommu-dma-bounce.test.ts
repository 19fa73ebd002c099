// Bouncing behind an IOMMU: what bounces, where the address keeps its offset, what an untrusted device may see, and
// that a failure gives the slots back.

import { dmaAddr, physAddr } from '@sgfree/hw-model';
import { iommuIovaToPhys } from '@sgfree/iommu';
import { expect, it } from 'vitest';
import { BumpPool } from '../test/bump-pool.ts';
import {
  hexOf,
  leftovers,
  mapped,
  rulesOf,
  type TestMachine,
  takeTrace,
  testMachine,
} from '../test/vtd-machine.ts';
import {
  DMA_MAPPING_ERROR,
  type DmaAttrs,
  dmaMapPhys,
  dmaSyncSingleForCpu,
  dmaSyncSingleForDevice,
  dmaUnmapPhys,
  NO_ATTRS,
} from './index.ts';

const POOL = 0x400_0000;

function untrusted(minAlignMask: number): { machine: TestMachine; pool: BumpPool } {
  const pool = new BumpPool(POOL, 0x10_0000);
  const platform = { swiotlb: { active: true, pool } };
  const machine = testMachine({ device: { untrusted: true }, platform });
  machine.dev.minAlignMask = minAlignMask;
  return { machine, pool };
}

const fill = ({ memory }: TestMachine, at: number, bytes: number, value: number): boolean =>
  memory.write(physAddr(at), new Uint8Array(bytes).fill(value));

function bytesAt({ memory }: TestMachine, at: number, bytes: number): number[] {
  const into = new Uint8Array(bytes);
  memory.read(physAddr(at), into);
  return [...into];
}

it('C3: without an alignment mask the page offset is lost', () => {
  const { machine } = untrusted(0);
  expect(hexOf(dmaMapPhys(machine.dev, physAddr(0x1000200), 0x100, 'to-device', NO_ATTRS))).toBe('fffff000');
  expect(takeTrace(machine)).toEqual(['map fffff000 4000000 1000']);
});

it('a buffer of whole pages never bounces', () => {
  const { machine, pool } = untrusted(0);
  dmaMapPhys(machine.dev, physAddr(0x1000000), 0x1000, 'to-device', NO_ATTRS);
  expect(takeTrace(machine)).toEqual(['map fffff000 1000000 1000']);
  expect(pool.live.size).toBe(0);
});

it('with an alignment mask the offset is kept, the data copied and what lies beside it cleared', () => {
  const { machine, pool } = untrusted(0xfff);
  fill(machine, POOL, 0x1000, 0xee);
  fill(machine, 0x1000200, 4, 0x77);
  const address = mapped(dmaMapPhys(machine.dev, physAddr(0x1000200), 4, 'bidirectional', NO_ATTRS));
  expect(hexOf(address)).toBe('fffff200');
  expect(hexOf(iommuIovaToPhys(machine.domain, address))).toBe('4000200');
  const seen = bytesAt(machine, POOL, 0x1000);
  expect(seen.slice(0x200, 0x204)).toEqual([0x77, 0x77, 0x77, 0x77]);
  expect(seen.filter((byte) => byte !== 0)).toHaveLength(4);

  fill(machine, POOL + 0x200, 4, 0x55);
  dmaSyncSingleForCpu(machine.dev, address, 4, 'bidirectional');
  expect(bytesAt(machine, 0x1000200, 4)).toEqual([0x55, 0x55, 0x55, 0x55]);
  fill(machine, 0x1000200, 4, 0x66);
  dmaSyncSingleForDevice(machine.dev, address, 4, 'bidirectional');
  expect(bytesAt(machine, POOL + 0x200, 4)).toEqual([0x66, 0x66, 0x66, 0x66]);
  dmaUnmapPhys(machine.dev, address, 4, 'bidirectional', NO_ATTRS);
  expect(pool.live.size).toBe(0);
  expect(leftovers(machine)).toEqual({ entries: 0, ranges: 0 });
});

it('the event of a bounce shows the physical address', () => {
  const { machine } = untrusted(0);
  dmaMapPhys(machine.dev, physAddr(0x1000200), 4, 'to-device', NO_ATTRS);
  expect(machine.log.events[0]).toMatchObject({
    kind: 'swiotlb:swiotlb_bounced',
    devAddr: 0x1000200,
    size: 4,
    forced: false,
  });
});

it.each<[string, DmaAttrs, boolean]>([
  ['MMIO is mapped as it is', { mmio: true }, true],
  ['demanded coherence fails rather than bounce', { requireCoherent: true }, false],
])('%s', (_name, attrs, works) => {
  const { machine, pool } = untrusted(0);
  const address = dmaMapPhys(machine.dev, physAddr(0x1000200), 4, 'to-device', attrs);
  expect(address !== DMA_MAPPING_ERROR).toBe(works);
  expect(pool.live.size).toBe(0);
});

it('the first bounce makes syncs meaningful again', () => {
  const { machine, pool } = untrusted(0);
  pool.failAfter = 0;
  expect(dmaMapPhys(machine.dev, physAddr(0x1000200), 4, 'to-device', NO_ATTRS)).toBe(DMA_MAPPING_ERROR);
  expect(machine.dev.dmaSkipSync).toBe(true);
  pool.failAfter = -1;
  dmaMapPhys(machine.dev, physAddr(0x1000200), 4, 'to-device', NO_ATTRS);
  expect(machine.dev.dmaSkipSync).toBe(false);
});

it.each<[string, { active: boolean; pool: null } | null, string]>([
  ['no bounce memory at all', null, 'swiotlb-inactive'],
  ['a pool that is not active', { active: false, pool: null }, 'swiotlb-inactive'],
  ['an active pool without slots', { active: true, pool: null }, 'swiotlb-no-slots'],
])('%s: the mapping fails', (_name, swiotlb, rule) => {
  const machine = testMachine({ device: { untrusted: true }, platform: { swiotlb } });
  expect(dmaMapPhys(machine.dev, physAddr(0x1000200), 4, 'to-device', NO_ATTRS)).toBe(DMA_MAPPING_ERROR);
  expect(rulesOf(machine)).toEqual([rule]);
  expect(leftovers(machine)).toEqual({ entries: 0, ranges: 0 });
});

it('a full pool fails with a report, or without one when asked', () => {
  const { machine, pool } = untrusted(0);
  pool.failAfter = 0;
  expect(dmaMapPhys(machine.dev, physAddr(0x1000200), 4, 'to-device', { noWarn: true })).toBe(
    DMA_MAPPING_ERROR,
  );
  expect(rulesOf(machine)).toEqual([]);
  expect(dmaMapPhys(machine.dev, physAddr(0x1000200), 4, 'to-device', NO_ATTRS)).toBe(DMA_MAPPING_ERROR);
  expect(rulesOf(machine)).toEqual(['swiotlb-full']);
});

it('slots go back when no address or no table page is left', () => {
  const exhausted = untrusted(0);
  exhausted.machine.dev.dmaMask = 0xfff;
  expect(dmaMapPhys(exhausted.machine.dev, physAddr(0x1000200), 4, 'to-device', NO_ATTRS)).toBe(-1);
  expect(exhausted.pool.live.size).toBe(0);
  const pageless = untrusted(0);
  pageless.machine.frames.failAfter = 0;
  expect(dmaMapPhys(pageless.machine.dev, physAddr(0x1000200), 4, 'to-device', NO_ATTRS)).toBe(-1);
  expect(pageless.pool.live.size).toBe(0);
  expect(leftovers(pageless.machine)).toEqual({ entries: 0, ranges: 0 });
});

it('syncing an address behind which nothing is changes nothing', () => {
  const { machine } = untrusted(0);
  machine.dev.dmaSkipSync = false;
  dmaSyncSingleForCpu(machine.dev, dmaAddr(0x5000), 4, 'from-device');
  dmaSyncSingleForDevice(machine.dev, dmaAddr(0x5000), 4, 'from-device');
  expect(machine.log.events.map(({ kind }) => kind)).toEqual([
    'dma:dma_sync_single_for_cpu',
    'dma:dma_sync_single_for_device',
  ]);
});
