// Checks 1 to 15: taking back what was mapped, and syncing it.

import {
  debugDmaAllocPages,
  debugDmaFreePages,
  dmaFreeCoherent,
  dmaMapPhys,
  dmaMappingError,
  dmaSyncSingleForCpu,
  dmaSyncSingleForDevice,
  dmaUnmapPhys,
  NO_ATTRS,
} from '@sgfree/dma-core';
import { addOffset, dmaAddr, physAddr } from '@sgfree/hw-model';
import { expect } from 'vitest';
import { dmaMapSg, dmaMapSgtable, dmaSyncSgForCpu, dmaUnmapSg, dmaUnmapSgtable } from '../src/index.ts';
import { type CheckCase, FRAME, listAndBack, mapAndUnmap, PAGE, twoEntries } from './check-case.ts';
import { allocBlock, BUFFER, type CheckedMachine, mapChecked } from './checked-machine.ts';
import { tableOf } from './sg-machine.ts';

/** Maps for one direction, syncs for another, unmaps. */
const syncOnce =
  (
    mapped: 'to-device' | 'from-device' | 'bidirectional',
    sync: typeof dmaSyncSingleForCpu,
    synced = mapped,
  ) =>
  ({ dev }: CheckedMachine): void => {
    const address = mapChecked(dev, BUFFER, PAGE, mapped);
    sync(dev, addOffset(address, 64), 128, synced);
    dmaUnmapPhys(dev, address, PAGE, mapped, NO_ATTRS);
  };

export const freeAndSyncCases: readonly CheckCase[] = [
  {
    check: 1,
    name: 'unmapping what a failed mapping returned',
    rule: 'dma-debug-free-invalid',
    data: { size: PAGE },
    wrong: ({ dev }) => {
      const failed = dmaMapPhys(dev, physAddr(BUFFER), PAGE, 'to-device', { ccShared: true });
      dmaUnmapPhys(dev, failed as never, PAGE, 'to-device', NO_ATTRS);
    },
    right: ({ dev }) => {
      const failed = dmaMapPhys(dev, physAddr(BUFFER), PAGE, 'to-device', { ccShared: true });
      expect(dmaMappingError(dev, failed)).toBe(-12);
    },
  },
  {
    check: 2,
    name: 'unmapping twice',
    rule: 'dma-debug-free-unknown',
    data: { size: PAGE, candidates: 0 },
    wrong: ({ dev }) => {
      const address = mapChecked(dev, BUFFER, PAGE);
      dmaUnmapPhys(dev, address, PAGE, 'from-device', NO_ATTRS);
      dmaUnmapPhys(dev, address, PAGE, 'from-device', NO_ATTRS);
    },
    right: mapAndUnmap,
  },
  {
    check: 2,
    name: 'unmapping from another device',
    rule: 'dma-debug-free-unknown',
    data: { device: '0000:02:00.0' },
    wrong: ({ dev, other }) => {
      const address = mapChecked(dev, BUFFER, PAGE);
      dmaUnmapPhys(other, address, PAGE, 'from-device', NO_ATTRS);
    },
    right: mapAndUnmap,
  },
  {
    check: 3,
    name: 'unmapping less than was mapped',
    rule: 'dma-debug-free-size',
    data: { size: 2048, mappedSize: PAGE, unmappedSize: 2048 },
    wrong: ({ dev }) => {
      const address = mapChecked(dev, BUFFER, PAGE);
      dmaUnmapPhys(dev, address, 2048, 'from-device', NO_ATTRS);
    },
    right: mapAndUnmap,
  },
  {
    check: 4,
    name: 'unmapping a list segment as a single mapping',
    rule: 'dma-debug-free-function',
    data: { mappedAs: 'scatter-gather', unmappedAs: 'phy' },
    wrong: ({ dev }) => {
      const { list } = tableOf([FRAME, 0, PAGE]);
      dmaMapSg(dev, list, 1, 'from-device');
      dmaUnmapPhys(dev, dmaAddr(list.dmaAddress[0] as number), PAGE, 'from-device', NO_ATTRS);
    },
    right: listAndBack,
  },
  {
    check: 5,
    name: 'freeing coherent memory under another CPU address',
    rule: 'dma-debug-free-cpu-address',
    data: { size: 100 },
    wrong: ({ dev }) => {
      const block = allocBlock(dev, 100);
      dmaFreeCoherent(dev, { ...block, phys: allocBlock(dev, 100).phys });
    },
    right: ({ dev }) => dmaFreeCoherent(dev, allocBlock(dev, 100)),
  },
  {
    check: 5,
    name: 'freeing non-coherent pages under another CPU address',
    rule: 'dma-debug-free-cpu-address',
    data: { cpuAllocAddress: BUFFER, cpuFreeAddress: BUFFER + PAGE },
    wrong: ({ dev }) => {
      debugDmaAllocPages(dev, physAddr(BUFFER), PAGE, 'from-device', dmaAddr(0x1000));
      debugDmaFreePages(dev, physAddr(BUFFER + PAGE), PAGE, 'from-device', dmaAddr(0x1000));
    },
    right: ({ dev }) => {
      debugDmaAllocPages(dev, physAddr(BUFFER), PAGE, 'from-device', dmaAddr(0x1000));
      debugDmaFreePages(dev, physAddr(BUFFER), PAGE, 'from-device', dmaAddr(0x1000));
    },
  },
  {
    check: 6,
    name: 'unmapping a list by its segments instead of its entries',
    rule: 'dma-debug-free-entry-count',
    data: { mappedEntries: 2, unmappedEntries: 1 },
    wrong: ({ dev }) => {
      const { list } = tableOf([FRAME, 0, PAGE], [FRAME + 1, 0, PAGE]);
      const segments = dmaMapSg(dev, list, 2, 'from-device');
      expect(segments).toBe(1);
      dmaUnmapSg(dev, list, segments, 'from-device');
    },
    right: listAndBack,
  },
  {
    check: 7,
    name: 'unmapping in another direction',
    rule: 'dma-debug-free-direction',
    data: { mappedWith: 'from-device', unmappedWith: 'to-device' },
    wrong: ({ dev }) => {
      const address = mapChecked(dev, BUFFER, PAGE);
      dmaUnmapPhys(dev, address, PAGE, 'to-device', NO_ATTRS);
    },
    right: mapAndUnmap,
  },
  {
    check: 8,
    name: 'never asking whether a mapping failed',
    rule: 'dma-debug-unchecked-map-error',
    data: { mappedAs: 'phy' },
    wrong: ({ dev }) => {
      const address = dmaMapPhys(dev, physAddr(BUFFER), PAGE, 'from-device', NO_ATTRS);
      dmaUnmapPhys(dev, dmaAddr(address), PAGE, 'from-device', NO_ATTRS);
    },
    right: mapAndUnmap,
  },
  {
    check: 9,
    name: 'unmapping with other attributes',
    rule: 'dma-debug-free-attrs',
    data: { mappedAttrs: 'PRIVILEGED', unmappedAttrs: '' },
    wrong: ({ dev }) => {
      const address = mapChecked(dev, BUFFER, PAGE, 'from-device', { privileged: true });
      dmaUnmapPhys(dev, address, PAGE, 'from-device', NO_ATTRS);
    },
    right: ({ dev }) => {
      const address = mapChecked(dev, BUFFER, PAGE, 'from-device', { privileged: true });
      dmaUnmapPhys(dev, address, PAGE, 'from-device', { privileged: true, noWarn: true });
    },
  },
  {
    check: 10,
    name: 'syncing after unmapping',
    rule: 'dma-debug-sync-unknown',
    data: { size: 64, toCpu: true, candidates: 0 },
    wrong: ({ dev }) => {
      const address = mapChecked(dev, BUFFER, PAGE);
      dmaUnmapPhys(dev, address, PAGE, 'from-device', NO_ATTRS);
      dmaSyncSingleForCpu(dev, address, 64, 'from-device');
    },
    right: syncOnce('from-device', dmaSyncSingleForCpu),
  },
  {
    check: 11,
    name: 'syncing a size that wraps around 2^64',
    rule: 'dma-debug-sync-outside',
    data: { mappedSize: PAGE },
    wrong: ({ dev }) => {
      const address = mapChecked(dev, BUFFER, PAGE);
      dmaSyncSingleForCpu(dev, addOffset(address, 2048), 2 ** 64 - 2048, 'from-device');
      dmaUnmapPhys(dev, address, PAGE, 'from-device', NO_ATTRS);
    },
    right: syncOnce('from-device', dmaSyncSingleForCpu),
  },
  {
    check: 12,
    name: 'syncing in another direction',
    rule: 'dma-debug-sync-direction',
    data: { mappedWith: 'from-device', syncedWith: 'bidirectional' },
    wrong: syncOnce('from-device', dmaSyncSingleForCpu, 'bidirectional'),
    right: syncOnce('bidirectional', dmaSyncSingleForCpu, 'from-device'),
  },
  {
    check: 13,
    name: 'syncing for the CPU what the device only reads',
    rule: 'dma-debug-sync-read-only',
    data: { mappedWith: 'to-device', syncedWith: 'from-device', toCpu: true },
    wrong: syncOnce('to-device', dmaSyncSingleForCpu, 'from-device'),
    right: syncOnce('to-device', dmaSyncSingleForCpu),
  },
  {
    check: 14,
    name: 'syncing to the device what it only writes',
    rule: 'dma-debug-sync-write-only',
    data: { mappedWith: 'from-device', syncedWith: 'to-device', toCpu: false },
    wrong: syncOnce('from-device', dmaSyncSingleForDevice, 'to-device'),
    right: syncOnce('from-device', dmaSyncSingleForDevice),
  },
  {
    check: 15,
    name: 'syncing a list with another entry count',
    rule: 'dma-debug-sync-entry-count',
    data: { mappedEntries: 2, syncedEntries: 1 },
    wrong: ({ dev }) => {
      const table = twoEntries();
      dmaMapSgtable(dev, table, 'from-device', NO_ATTRS);
      dmaSyncSgForCpu(dev, table.list, 1, 'from-device');
      dmaUnmapSgtable(dev, table, 'from-device', NO_ATTRS);
    },
    right: listAndBack,
  },
];
