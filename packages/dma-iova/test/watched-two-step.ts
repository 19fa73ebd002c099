// A two-step machine with the checker on, its calls in short words on one state, and every finding in order.

import { type Device, DmaDebug, type DmaDebugFinding, iommuSetupDmaOps, pciDevice } from '@sgfree/dma-core';
import { physAddr } from '@sgfree/hw-model';
import {
  DmaIovaState,
  dmaIovaDestroy,
  dmaIovaFree,
  dmaIovaLink,
  dmaIovaSync,
  dmaIovaTryAlloc,
  dmaIovaUnlink,
} from '../src/index.ts';
import { type TwoStepOptions, twoStepMachine } from './two-step-machine.ts';

export const PAGE = 4096;
export const BUFFER = 0x100_0000;
export const BAR = 2 ** 32;
export const MMIO = { mmio: true };

export function watched(options: TwoStepOptions = {}) {
  const machine = twoStepMachine(options);
  const findings: DmaDebugFinding[] = [];
  const debug = new DmaDebug({ onFinding: (finding) => findings.push(finding) });
  machine.dev.platform.debug = debug;
  const other = pciDevice({ name: '0000:00:0e.0', platform: machine.dev.platform });
  iommuSetupDmaOps(other, machine.domain);
  const { dev } = machine;
  return {
    ...machine,
    debug,
    other,
    findings,
    rules: (): string[] => findings.map(({ rule }) => rule),
    ...callsOf(dev),
  };
}

function callsOf(dev: Device) {
  const state = new DmaIovaState();
  return {
    state,
    alloc: (size: number, phys = BUFFER) => dmaIovaTryAlloc(dev, state, physAddr(phys), size),
    link: (offset: number, size: number, phys = BUFFER + offset, attrs = {}) =>
      dmaIovaLink(dev, state, physAddr(phys), offset, size, 'from-device', attrs),
    sync: (offset: number, size: number) => dmaIovaSync(dev, state, offset, size),
    unlink: (offset: number, size: number, attrs = {}) =>
      dmaIovaUnlink(dev, state, offset, size, 'from-device', attrs),
    free: () => dmaIovaFree(dev, state),
    destroy: (mapped: number, attrs = {}) => dmaIovaDestroy(dev, state, mapped, 'from-device', attrs),
  };
}

export type Watched = ReturnType<typeof watched>;

/** Addresses for `pages` pages, all linked and visible. */
export function ready({ alloc, link, sync }: Watched, pages = 4): void {
  alloc(pages * PAGE);
  for (let page = 0; page < pages; page += 1) link(page * PAGE, PAGE);
  sync(0, pages * PAGE);
}
