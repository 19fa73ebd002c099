// The two-step API on a lazy domain: it flushes at once and never queues, while dma_unmap_phys beside it waits.

import {
  dmaMapPhys,
  dmaUnmapPhys,
  type FlushQueue,
  iommuDmaInitFq,
  iommuDmaInitOptions,
  iommuGetDmaCookie,
  NO_ATTRS,
} from '@sgfree/dma-core';
import { type DmaAddr, physAddr } from '@sgfree/hw-model';
import { expect, it } from 'vitest';
import { leftovers, type TwoStepMachine, takeTrace, twoStepMachine } from '../test/two-step-machine.ts';
import {
  DmaIovaState,
  dmaIovaDestroy,
  dmaIovaFree,
  dmaIovaLink,
  dmaIovaTryAlloc,
  dmaIovaUnlink,
} from './index.ts';

const PAGE = 4096;

function lazyMachine(): TwoStepMachine & { readonly queue: FlushQueue } {
  const machine = twoStepMachine();
  const cookie = iommuGetDmaCookie(machine.domain);
  iommuDmaInitFq(cookie, machine.dev.platform, iommuDmaInitOptions(false));
  if (cookie.flushQueue === null) throw new Error('the domain is strict');
  return { ...machine, queue: cookie.flushQueue };
}

function linked({ dev }: TwoStepMachine): DmaIovaState {
  const state = new DmaIovaState();
  dmaIovaTryAlloc(dev, state, physAddr(0), PAGE);
  dmaIovaLink(dev, state, physAddr(0x1000000), 0, PAGE, 'to-device', NO_ATTRS);
  return state;
}

it.each<[string, (machine: TwoStepMachine, state: DmaIovaState) => void]>([
  ['destroy', ({ dev }, state) => dmaIovaDestroy(dev, state, PAGE, 'to-device', NO_ATTRS)],
  [
    'unlink and free',
    ({ dev }, state) => {
      dmaIovaUnlink(dev, state, 0, PAGE, 'to-device', NO_ATTRS);
      dmaIovaFree(dev, state);
    },
  ],
])('%s: one flush of the range, and the address is free', (_name, undo) => {
  const machine = lazyMachine();
  const state = linked(machine);
  takeTrace(machine);
  undo(machine, state);
  expect(takeTrace(machine)).toEqual(['unmap fffff000 1000 1000', 'sync fffff000 ffffffff']);
  expect(machine.queue.pending).toBe(0);
  expect(leftovers(machine)).toEqual([0, 0, 0]);
  expect(linked(machine).addr).toBe(state.addr);
});

it('a flush between two queued unmaps is still one range, also when the gather was queued last', () => {
  const machine = lazyMachine();
  const { dev } = machine;
  const first = dmaMapPhys(dev, physAddr(0x2000000), PAGE, 'to-device', NO_ATTRS) as DmaAddr;
  const state = linked(machine);
  dmaUnmapPhys(dev, first, PAGE, 'to-device', NO_ATTRS);
  takeTrace(machine);
  dmaIovaDestroy(dev, state, PAGE, 'to-device', NO_ATTRS);
  expect(takeTrace(machine)).toEqual(['unmap ffffe000 1000 1000', 'sync ffffe000 ffffefff']);
  expect([machine.queue.pending, machine.queue.startCount]).toEqual([1, 0]);
});
