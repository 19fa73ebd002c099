// What the checker sees of the two-step API: each misuse gets its rule and no other.

import {
  checkDmaAccess,
  dmaDebugDeviceChange,
  dmaMapPhys,
  dmaMappingError,
  dmaSyncSingleForCpu,
  dmaUnmapPhys,
  NO_ATTRS,
} from '@sgfree/dma-core';
import { addOffset, dmaAddr, physAddr } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { BAR, BUFFER, MMIO, PAGE, ready, type Watched, watched } from '../test/watched-two-step.ts';
import { dmaIovaDestroy, dmaIovaSync } from './index.ts';

const destroyInsteadOf = (direction: 'to-device' | 'bidirectional', attrs = {}) =>
  function destroy(m: Watched): void {
    ready(m);
    dmaIovaDestroy(m.dev, m.state, 4 * PAGE, direction, attrs);
  };

it.each<[rule: string, data: Readonly<Record<string, unknown>>, drive: (m: Watched) => void]>([
  ['dma-shadow-state-unallocated', { call: 'link' }, ({ link }) => void link(0, PAGE)],
  ['dma-shadow-state-unallocated', { call: 'free', size: 0 }, ({ free }) => free()],
  [
    'dma-shadow-state-freed',
    { call: 'destroy', callsAgo: 1 },
    (m) => {
      ready(m);
      m.destroy(4 * PAGE);
      m.destroy(0);
    },
  ],
  [
    'dma-shadow-state-freed',
    { call: 'link', callsAgo: 1 },
    (m) => {
      m.alloc(PAGE);
      m.free();
      m.link(0, PAGE);
    },
  ],
  [
    'dma-shadow-state-altered',
    { allocatedSize: PAGE },
    (m) => {
      m.alloc(PAGE);
      m.state.size = 2 * PAGE;
      m.link(0, PAGE);
    },
  ],
  [
    'dma-shadow-state-wrong-device',
    { call: 'sync', owner: '0000:00:0d.0', device: '0000:00:0e.0' },
    (m) => {
      m.alloc(PAGE);
      m.link(0, PAGE);
      dmaIovaSync(m.other, m.state, 0, PAGE);
    },
  ],
  [
    'dma-shadow-state-reused',
    { size: PAGE },
    (m) => {
      m.alloc(PAGE);
      m.alloc(PAGE);
    },
  ],
  [
    'dma-shadow-outside-range',
    { call: 'link', offset: PAGE, rangeSize: PAGE },
    (m) => {
      m.alloc(PAGE);
      m.link(PAGE, PAGE);
    },
  ],
  [
    'dma-shadow-link-overlap',
    { offset: 0, size: PAGE, overlapped: PAGE },
    (m) => {
      m.alloc(2 * PAGE);
      m.link(0, PAGE);
      expect(m.link(0, PAGE, BUFFER + 0x8000)).toBe(-98);
    },
  ],
  [
    'dma-shadow-sync-unlinked',
    { offset: 0, size: 3 * PAGE, linked: 2 * PAGE },
    (m) => {
      m.alloc(3 * PAGE);
      m.link(0, PAGE);
      m.link(2 * PAGE, PAGE);
      m.sync(0, 3 * PAGE);
    },
  ],
  [
    'dma-shadow-never-synced',
    { grade: 'advice', size: 2 * PAGE },
    (m) => {
      m.alloc(2 * PAGE);
      m.link(0, PAGE);
      m.sync(0, PAGE);
      m.link(PAGE, PAGE);
      m.destroy(2 * PAGE);
    },
  ],
  [
    'dma-shadow-unlink-unlinked',
    { offset: PAGE, size: PAGE, linked: 0 },
    (m) => {
      ready(m);
      m.unlink(PAGE, PAGE);
      m.unlink(PAGE, PAGE);
    },
  ],
  [
    'dma-shadow-unlink-unlinked',
    { offset: 0, size: 4 * PAGE, linked: 3 * PAGE },
    (m) => {
      ready(m);
      m.unlink(PAGE, PAGE);
      m.destroy(4 * PAGE);
    },
  ],
  [
    'dma-shadow-unlink-overreach',
    { offset: 0, size: 0x800, others: 0x800 },
    (m) => {
      ready(m);
      m.unlink(0, 0x800);
    },
  ],
  [
    'dma-shadow-unlink-direction',
    { linkedWith: 'from-device', unlinkedWith: 'to-device' },
    destroyInsteadOf('to-device'),
  ],
  [
    'dma-shadow-unlink-attrs',
    { mappedAttrs: '', unmappedAttrs: 'PRIVILEGED' },
    (m) => {
      ready(m);
      m.destroy(4 * PAGE, { privileged: true });
    },
  ],
  [
    'dma-shadow-attrs-differ',
    { api: 'two-step', grade: 'advice' },
    (m) => {
      ready(m);
      m.unlink(0, 4 * PAGE, { weakOrdering: true });
    },
  ],
  [
    'dma-shadow-destroy-short',
    { mappedLen: 3 * PAGE, linkedEnd: 4 * PAGE },
    (m) => {
      ready(m);
      m.destroy(3 * PAGE);
    },
  ],
  [
    'dma-shadow-destroy-long',
    { mappedLen: 4 * PAGE, linkedEnd: 3 * PAGE },
    (m) => {
      m.alloc(4 * PAGE);
      for (const page of [0, 1, 2]) m.link(page * PAGE, PAGE);
      m.sync(0, 3 * PAGE);
      m.destroy(4 * PAGE);
    },
  ],
  [
    'dma-shadow-free-linked',
    { linked: 4 * PAGE },
    (m) => {
      ready(m);
      m.free();
    },
  ],
  [
    'dma-shadow-states-leaked',
    { count: 1, size: 4 * PAGE, linked: 4 * PAGE },
    (m) => {
      ready(m);
      dmaDebugDeviceChange(m.dev);
    },
  ],
  [
    'dma-shadow-mmio-unmarked',
    { phys: BAR, size: PAGE },
    (m) => {
      m.alloc(PAGE, 0);
      m.link(0, PAGE, BAR);
    },
  ],
  [
    'dma-shadow-mmio-ram',
    { phys: BUFFER },
    (m) => {
      m.alloc(PAGE);
      m.link(0, PAGE, BUFFER, MMIO);
    },
  ],
  [
    'dma-shadow-p2p-unmarked',
    { phys: BAR },
    (m) => {
      m.dev.platform.frames.addZoneDevice('pci-p2pdma', BAR / PAGE, 1);
      m.alloc(PAGE, 0);
      m.link(0, PAGE, BAR);
    },
  ],
  [
    'dma-shadow-access-unlinked',
    { access: 'write' },
    (m) => {
      m.alloc(PAGE);
      checkDmaAccess(m.dev, m.state.addr, 64, 'write');
    },
  ],
  [
    'dma-shadow-access-unsynced',
    { access: 'write' },
    (m) => {
      m.alloc(PAGE);
      m.link(0, PAGE);
      checkDmaAccess(m.dev, m.state.addr, 64, 'write');
    },
  ],
  [
    'dma-shadow-access-direction',
    { access: 'read', offset: 0 },
    (m) => {
      ready(m);
      checkDmaAccess(m.dev, m.state.addr, 64, 'read');
    },
  ],
  [
    'dma-shadow-outside-mapping',
    { use: 'access' },
    (m) => {
      m.alloc(64);
      m.link(0, 64);
      m.sync(0, 64);
      expect(checkDmaAccess(m.dev, m.state.addr, 64, 'write')).toBeNull();
      checkDmaAccess(m.dev, m.state.addr, 65, 'write');
    },
  ],
  [
    'dma-shadow-use-after-unmap',
    { use: 'access', api: 'two-step', callsAgo: 1 },
    (m) => {
      ready(m);
      m.destroy(4 * PAGE);
      checkDmaAccess(m.dev, addOffset(m.state.addr, PAGE), 64, 'write');
    },
  ],
])('%s %o', (rule, data, drive) => {
  const machine = watched();
  drive(machine);
  expect(machine.rules()).toEqual([rule]);
  expect(machine.findings[0]).toMatchObject(data);
  const posted = machine.log.events.filter((event) => event.kind === 'violation' && event['rule'] === rule);
  expect(posted).toEqual([{ kind: 'violation', ...machine.findings[0] }]);
});

describe('addresses of one API given to the other', () => {
  it('a two-step address unmapped and synced as a mapping', () => {
    const machine = watched();
    ready(machine);
    dmaSyncSingleForCpu(machine.dev, machine.state.addr, 64, 'from-device');
    dmaUnmapPhys(machine.dev, addOffset(machine.state.addr, PAGE), PAGE, 'from-device', NO_ATTRS);
    expect(machine.rules()).toEqual([
      'dma-debug-sync-unknown',
      'dma-shadow-wrong-api',
      'dma-debug-free-unknown',
      'dma-shadow-wrong-api',
    ]);
    expect(machine.findings[3]).toMatchObject({ use: 'unmap', api: 'two-step', mappingSize: 4 * PAGE });
  });

  it('a mapped address destroyed as a state', () => {
    const { dev, state, rules } = watched();
    const address = dmaMapPhys(dev, physAddr(BUFFER), PAGE, 'from-device', NO_ATTRS);
    expect(dmaMappingError(dev, address)).toBe(0);
    state.addr = dmaAddr(address);
    state.size = PAGE;
    dmaIovaDestroy(dev, state, PAGE, 'from-device', NO_ATTRS);
    expect(rules()).toEqual(['dma-shadow-state-unallocated']);
  });
});

it('destroy-short-mapped-leak: the rule comes before the harm, which hits the next user of the address', () => {
  const machine = watched();
  ready(machine);
  const { addr } = machine.state;
  machine.destroy(3 * PAGE);
  expect(machine.rules()).toEqual(['dma-shadow-destroy-short']);
  machine.alloc(4 * PAGE);
  expect(machine.state.addr).toBe(addr);
  expect(machine.link(3 * PAGE, PAGE)).toBe(-98);
});
