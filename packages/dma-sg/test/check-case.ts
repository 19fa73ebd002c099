// A check of the kernel's checker as a driver that does it wrong, and the same driver doing it right.

import { type DmaDebugRuleCode, dmaUnmapPhys, NO_ATTRS } from '@sgfree/dma-core';
import { dmaMapSgtable, dmaSyncSgForCpu, dmaUnmapSgtable } from '../src/index.ts';
import { BUFFER, type CheckedMachine, type CheckedMachineOptions, mapChecked } from './checked-machine.ts';
import { tableOf } from './sg-machine.ts';

export interface CheckCase {
  readonly check: number;
  readonly name: string;
  /** What the kernel's checker says; findings of ours beside it are not listed here. */
  readonly rule: DmaDebugRuleCode;
  readonly options?: CheckedMachineOptions;
  readonly data: Readonly<Record<string, unknown>>;
  readonly wrong: (machine: CheckedMachine) => void;
  readonly right: (machine: CheckedMachine) => void;
}

export const PAGE = 4096;
export const FRAME = BUFFER / PAGE;

export const mapAndUnmap = ({ dev }: CheckedMachine): void => {
  const address = mapChecked(dev, BUFFER, PAGE);
  dmaUnmapPhys(dev, address, PAGE, 'from-device', NO_ATTRS);
};

export const twoEntries = () => tableOf([FRAME, 0, PAGE], [FRAME + 8, 0, PAGE]);

export const listAndBack = ({ dev }: CheckedMachine): void => {
  const table = twoEntries();
  dmaMapSgtable(dev, table, 'from-device', NO_ATTRS);
  dmaSyncSgForCpu(dev, table.list, 2, 'from-device');
  dmaUnmapSgtable(dev, table, 'from-device', NO_ATTRS);
};
