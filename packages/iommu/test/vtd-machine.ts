// A VT-d unit with its driver, in memory of its own: what the tests of the driver have in common.

import {
  type DmaAddr,
  dmaAddr,
  EventLog,
  frameOf,
  PhysicalMemory,
  physAddr,
  type RegisterPair,
  recordedVtdCapabilities,
  VtdUnit,
  type VtdUnitOptions,
} from '@sgfree/hw-model';
import { FrameAllocator } from '@sgfree/mm';
import { IntelIommu, type IntelIommuOptions, iommuMap, type PagingDomain } from '../src/index.ts';

export const PAGE = 4096;
export const DEVICE = 0x0100;

/** What can differ from the recorded machine. */
export interface VtdMachineOptions extends Partial<Omit<VtdUnitOptions, 'log'>> {
  readonly driver?: Partial<IntelIommuOptions>;
}

export interface VtdMachine {
  readonly memory: PhysicalMemory;
  readonly frames: FrameAllocator;
  readonly unit: VtdUnit;
  readonly iommu: IntelIommu;
  readonly log: EventLog;
}

/** The unit as firmware leaves it: nobody drives it yet. */
export function bareUnit(options: VtdMachineOptions = {}): Omit<VtdMachine, 'iommu'> {
  const memory = new PhysicalMemory();
  const ram = { base: physAddr(0), bytes: 64 * 2 ** 20 };
  memory.addRam(ram.base, ram.bytes);
  const frames = new FrameAllocator(memory, ram);
  const log = new EventLog();
  const unit = new VtdUnit(memory, { capabilities: recordedVtdCapabilities, ...options });
  return { memory, frames, unit, log };
}

export function vtdMachine(options: VtdMachineOptions = {}): VtdMachine {
  const machine = bareUnit(options);
  return { ...machine, iommu: new IntelIommu({ ...machine, ...options.driver }) };
}

/** Maps one page for reading and writing. */
export const mapPage = (domain: PagingDomain, iovaFrame: number, frame: number): number =>
  iommuMap(domain, dmaAddr(iovaFrame * PAGE), physAddr(frame * PAGE), PAGE, 3);

export const pageAddress = (iovaFrame: number): DmaAddr => dmaAddr(iovaFrame * PAGE);

/** The page frame that a write of `sourceId` to a page ends in, or -1. */
export function deviceSees(machine: VtdMachine, iovaFrame: number, sourceId = DEVICE): number {
  const phys = machine.unit.translate(sourceId, pageAddress(iovaFrame), true);
  return phys < 0 ? -1 : frameOf(physAddr(phys));
}

/** The 64-bit words that the ring of a unit holds, two or four a descriptor, as hex. */
export function ringEntry(machine: VtdMachine, index: number): string[] {
  const [low] = machine.unit.readRegister64(0x90);
  const words = (low & 0x800) === 0 ? 4 : 8;
  const start = index * words;
  const page = machine.memory.frameWords(Math.floor(low / PAGE) + Math.floor(start / 1024));
  const quads: string[] = [];
  for (let at = 0; at < words; at += 2) {
    const slot = (start % 1024) + at;
    quads.push(hex64([page[slot] as number, page[slot + 1] as number]));
  }
  return quads;
}

export const hex64 = ([low, high]: RegisterPair): string =>
  high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
