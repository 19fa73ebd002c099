// Planted faults: one thing broken on purpose, to prove that the checks of a run notice it.
// Source followed: what a wrong driver or a wrong IOMMU does: an entry lost, an invalidation forgotten, two pages
// exchanged, a byte changed on the way.
// Simplified: each fault is planted once, at the first request it fits.

import { addOffset, PAGE_SIZE } from '@sgfree/hw-model';
import type { NvmeMachine } from './nvme-machine.ts';
import { SkippedInvalidation } from './skipped-invalidation.ts';
import type { StackCommand } from './storage-stack.ts';
import type { WorkLedger } from './work-ledger.ts';

/**
 * A fault to plant. `cleared-entry`: a page-table entry of a mapped request is zeroed; `skipped-invalidation`: one
 * invalidation has no effect; `swapped-links`: two pages of a request change places; `flipped-byte`: one payload byte
 * changes.
 * @public
 */
export type PlantedFault = 'cleared-entry' | 'skipped-invalidation' | 'swapped-links' | 'flipped-byte';

/**
 * All of them.
 * @public
 */
export const PLANTED_FAULTS: readonly PlantedFault[] = [
  'cleared-entry',
  'skipped-invalidation',
  'swapped-links',
  'flipped-byte',
];

/**
 * A fault on its way into a run.
 * @internal
 */
export interface Plant {
  /** True once the fault is in; a run in which it stays false has shown nothing. */
  readonly planted: boolean;
}

/** Arms `fault` for the run. @internal */
export function plantFault(fault: PlantedFault, machine: NvmeMachine, ledger: WorkLedger): Plant {
  if (fault === 'skipped-invalidation') return new SkippedInvalidation(machine, ledger);
  const plant = { planted: false };
  const once = (tamper: (machine: NvmeMachine, command: StackCommand) => boolean) => {
    return (_kind: unknown, command: StackCommand): void => {
      if (!plant.planted) plant.planted = tamper(machine, command);
    };
  };
  if (fault === 'cleared-entry') ledger.onMapped = once(clearEntry);
  if (fault === 'swapped-links') ledger.onMapped = once(swapEntries);
  if (fault === 'flipped-byte') ledger.onCompleted = once(flipByte);
  return plant;
}

function clearEntry(machine: NvmeMachine, command: StackCommand): boolean {
  const slot = machine.leafSlot(machine.firstDataAddress(command));
  slot?.words.fill(0, slot.at, slot.at + 2);
  return slot !== null;
}

/** Exchanges the first two pages of a request that is one range of DMA addresses. */
function swapEntries(machine: NvmeMachine, command: StackCommand): boolean {
  if (command.dmaRangesOut !== 1 || command.request.vecs.length < 2) return false;
  const address = machine.firstDataAddress(command);
  const first = machine.leafSlot(address);
  const second = machine.leafSlot(addOffset(address, PAGE_SIZE));
  if (first === null || second === null) return false;
  const kept = first.words.slice(first.at, first.at + 2);
  const other = second.words.slice(second.at, second.at + 2);
  first.words.set(other, first.at);
  second.words.set(kept, second.at);
  return kept[0] !== other[0] || kept[1] !== other[1];
}

function flipByte(machine: NvmeMachine, command: StackCommand): boolean {
  const [vec] = command.request.vecs;
  const byte = new Uint8Array(1);
  if (vec === undefined || !machine.memory.read(vec.phys, byte)) return false;
  byte[0] = (byte[0] as number) ^ 0x10;
  return machine.memory.write(vec.phys, byte);
}
