// An AMD-Vi unit with its driver, in memory of its own: what the tests of the driver have in common.

import {
  AmdIommuUnit,
  type AmdIommuUnitOptions,
  AmdRegister,
  bareMetalAmdFeatures,
  type DmaAddr,
  dmaAddr,
  EventLog,
  frameOf,
  PhysicalMemory,
  physAddr,
} from '@sgfree/hw-model';
import { FrameAllocator } from '@sgfree/mm';
import { AmdIommu, type AmdIommuOptions, iommuMap, type PagingDomain } from '../src/index.ts';

export const PAGE = 4096;
export const DEVICE = 0x0100;

/** What can differ from a unit on bare metal with 1024 device ids. */
export interface AmdMachineOptions extends Partial<Omit<AmdIommuUnitOptions, 'log'>> {
  readonly driver?: Partial<AmdIommuOptions>;
  readonly ramBytes?: number;
}

export interface AmdMachine {
  readonly memory: PhysicalMemory;
  readonly frames: FrameAllocator;
  readonly unit: AmdIommuUnit;
  readonly iommu: AmdIommu;
  readonly log: EventLog;
}

/** The unit as firmware leaves it: nobody drives it yet. */
export function bareAmdUnit(options: AmdMachineOptions = {}): Omit<AmdMachine, 'iommu'> {
  const memory = new PhysicalMemory();
  const ram = { base: physAddr(0), bytes: options.ramBytes ?? 64 * 2 ** 20 };
  memory.addRam(ram.base, ram.bytes);
  const frames = new FrameAllocator(memory, ram);
  const log = new EventLog();
  const unit = new AmdIommuUnit(memory, { features: bareMetalAmdFeatures, ...options });
  return { memory, frames, unit, log };
}

export function amdMachine(options: AmdMachineOptions = {}): AmdMachine {
  const machine = bareAmdUnit(options);
  return { ...machine, iommu: new AmdIommu({ ...machine, lastDeviceId: 0x3ff, ...options.driver }) };
}

/** Maps one page for reading and writing. */
export const mapPage = (domain: PagingDomain, iovaFrame: number, frame: number): number =>
  iommuMap(domain, dmaAddr(iovaFrame * PAGE), physAddr(frame * PAGE), PAGE, 3);

export const pageAddress = (iovaFrame: number): DmaAddr => dmaAddr(iovaFrame * PAGE);

/** The page frame that an access of `deviceId` to a page ends in, or -1. */
export function deviceSees(machine: AmdMachine, iovaFrame: number, deviceId = DEVICE, write = true): number {
  const phys = machine.unit.translate(deviceId, pageAddress(iovaFrame), write);
  return phys < 0 ? -1 : frameOf(physAddr(phys));
}

const hexWord = (word: number): string => word.toString(16).padStart(8, '0');

/** The commands that `run` puts into the ring of a unit, four words each, as hex. */
export function commandsOf(machine: Pick<AmdMachine, 'memory' | 'unit'>, run: () => void): string[] {
  const { memory, unit } = machine;
  const before = unit.readRegister32(AmdRegister.COMMAND_TAIL);
  run();
  const after = unit.readRegister32(AmdRegister.COMMAND_TAIL);
  const base = Math.floor((unit.readRegister64(AmdRegister.COMMAND_BASE)[0] as number) / PAGE);
  const commands: string[] = [];
  for (let at = before; at !== after; at = (at + 16) % 8192) {
    const words = memory
      .frameWords(base + Math.floor(at / PAGE))
      .subarray((at % PAGE) / 4, (at % PAGE) / 4 + 4);
    commands.push(Array.from(words, hexWord).join(' '));
  }
  return commands;
}

/** The four 64-bit words of a device table entry, as hex. */
export function deviceEntry({ memory, iommu }: AmdMachine, deviceId = DEVICE): string[] {
  const words = memory.frameWords(iommu.deviceTableFrame + Math.floor(deviceId / 128));
  const at = (deviceId % 128) * 8;
  return [0, 2, 4, 6].map(
    (word) => hexWord(words[at + word + 1] as number) + hexWord(words[at + word] as number),
  );
}
