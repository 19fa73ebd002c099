// The bytes in memory, worked out by hand from the AMD I/O Virtualization Technology specification: device table entries,
// page-table entries, commands and events, each as a whole, as a unit of another make would read them.
import { AmdRegister, dmaAddr, physAddr, recordedAmdFeatures } from '@sgfree/hw-model';
import { describe, expect, test } from 'vitest';
import {
  type AmdMachine,
  amdMachine,
  commandsOf,
  DEVICE,
  deviceEntry,
  deviceSees,
  pageAddress,
} from '../../test/amd-machine.ts';
import {
  IOMMU_READ,
  IOMMU_WRITE,
  iommuFlushIotlbAll,
  iommuMap,
  iommuUnmap,
  type PagingDomain,
} from '../index.ts';

const PAGE = 4096n;
const VALID = 1n;
const TRANSLATION_VALID = 2n;
const READ = 1n << 61n;
const WRITE = 1n << 62n;
const FORCE_COHERENT = 1n << 60n;
const PRESENT = 1n;
const RW = IOMMU_READ | IOMMU_WRITE;

const hex = (value: bigint): string => value.toString(16).padStart(16, '0');

/** The entry of `table` for a page at `level`, and the page frame it leads to. */
function entryAt({ memory }: AmdMachine, table: number, page: bigint, level: number): bigint {
  const words = memory.frameWords(table);
  const slot = Number((page >> BigInt(9 * level)) & 511n) * 2;
  return (BigInt(words[slot + 1] as number) << 32n) | BigInt(words[slot] as number);
}

const frameIn = (entry: bigint): number => Number((entry >> 12n) & ((1n << 40n) - 1n));

/** The entries on the way to a page, the top first, down to the level of the leaf. */
function wayTo(machine: AmdMachine, domain: PagingDomain, page: bigint, leafLevel = 0): bigint[] {
  const way: bigint[] = [];
  let table = domain.table.rootFrame;
  for (let level = domain.table.levels - 1; level >= leafLevel; level -= 1) {
    const entry = entryAt(machine, table, page, level);
    way.push(entry);
    table = frameIn(entry);
  }
  return way;
}

function attached(machine: AmdMachine): PagingDomain {
  const domain = machine.iommu.allocPagingDomain();
  machine.iommu.attachDevice(domain, DEVICE);
  return domain;
}

describe('device table entries', () => {
  const translated = (root: number, mode: bigint): string =>
    hex(VALID | TRANSLATION_VALID | (mode << 9n) | (BigInt(root) * PAGE) | READ | WRITE);
  const none = hex(0n);

  test('unattached: V and TV without a permission; domain 0', () => {
    expect(deviceEntry(amdMachine())).toEqual([hex(VALID | TRANSLATION_VALID), none, none, none]);
  });

  test('three levels, then four when an address needs them', () => {
    const machine = amdMachine();
    const domain = attached(machine);
    expect(deviceEntry(machine)).toEqual([translated(domain.table.rootFrame, 3n), hex(2n), none, none]);
    const before = domain.table.rootFrame;
    expect(iommuMap(domain, dmaAddr(2 ** 39), physAddr(0x1000), 4096, RW)).toBe(0);
    expect(domain.table.rootFrame).not.toBe(before);
    expect(deviceEntry(machine)).toEqual([translated(domain.table.rootFrame, 4n), hex(2n), none, none]);
  });

  test('identity: Mode 0 with both permissions; with a TLB of its own bit I', () => {
    const machine = amdMachine();
    machine.iommu.attachIdentity(DEVICE);
    expect(deviceEntry(machine)).toEqual([translated(0, 0n), hex(1n), none, none]);
    machine.iommu.attachDevice(machine.iommu.allocPagingDomain(), DEVICE, { queueDepth: 8 });
    expect(deviceEntry(machine)[1]).toBe(hex((1n << 32n) | 2n));
  });

  test('blocked: V alone', () => {
    const machine = amdMachine();
    attached(machine);
    machine.iommu.detachDevice(DEVICE);
    expect(deviceEntry(machine)).toEqual([hex(VALID), none, none, none]);
  });
});

describe('page-table entries', () => {
  test.each<[string, number, bigint]>([
    ['read and write', RW, READ | WRITE],
    ['read', IOMMU_READ, READ],
    ['write', IOMMU_WRITE, WRITE],
  ])('a page of 4 KiB, %s: the tables above allow everything', (_title, prot, rights) => {
    const machine = amdMachine();
    const domain = attached(machine);
    const page = (5n << 18n) | (6n << 9n) | 7n;
    iommuMap(domain, dmaAddr(Number(page * PAGE)), physAddr(0x123456000), 4096, prot);
    const [top, middle, leaf] = wayTo(machine, domain, page) as [bigint, bigint, bigint];
    const table = (entry: bigint, level: bigint): bigint =>
      PRESENT | (level << 9n) | (BigInt(frameIn(entry)) * PAGE) | READ | WRITE;
    expect([top, middle, leaf].map(hex)).toEqual(
      [table(top, 2n), table(middle, 1n), PRESENT | 0x123456000n | FORCE_COHERENT | rights].map(hex),
    );
  });

  // IOVA and physical address of a leaf, its size, the level it lies at, its low 52 bits and how many equal entries.
  test.each<[string, number, number, number, number, string, number]>([
    ['8 KiB: a zero and nothing else', 0x2000, 0x4000, 2 ** 13, 0, '4e01', 2],
    ['16 KiB', 0x4000, 0x40000, 2 ** 14, 0, '41e01', 4],
    ['64 KiB', 0x10000, 0x30000, 2 ** 16, 0, '37e01', 16],
    ['1 MiB', 0x100000, 0x300000, 2 ** 20, 0, '37fe01', 256],
    ['2 MiB: natural', 0x200000, 0x600000, 2 ** 21, 1, '600001', 1],
    ['4 MiB', 0x400000, 0x800000, 2 ** 22, 1, '9ffe01', 2],
    ['512 MiB', 0x20000000, 0x60000000, 2 ** 29, 1, '6ffffe01', 256],
    ['1 GiB: natural', 0x40000000, 0xc0000000, 2 ** 30, 2, 'c0000001', 1],
    ['256 GiB', 0x4000000000, 0xc000000000, 2 ** 38, 2, 'dffffffe01', 256],
  ])('a leaf of %s', (_title, iova, phys, bytes, level, low, entries) => {
    const machine = amdMachine({ hostAddressWidth: 52 });
    const domain = attached(machine);
    expect(iommuMap(domain, dmaAddr(iova), physAddr(phys), bytes, RW)).toBe(0);
    const leaf = hex(FORCE_COHERENT | READ | WRITE | BigInt(`0x${low}`));
    const step = 1n << BigInt(9 * level);
    const seen = Array.from({ length: entries }, (_, at) =>
      hex(wayTo(machine, domain, BigInt(iova) / PAGE + BigInt(at) * step, level).at(-1) as bigint),
    );
    expect(new Set(seen)).toEqual(new Set([leaf]));
    expect(domain.table.liveLeafEntries).toBe(entries);
    for (const offset of [0, bytes / 2, bytes - 4096]) {
      expect(deviceSees(machine, (iova + offset) / 4096)).toBe((phys + offset) / 4096);
    }
  });

  test('growth puts one entry into the new top: the old one, one level lower', () => {
    const machine = amdMachine();
    const domain = attached(machine);
    iommuMap(domain, dmaAddr(0x1000), physAddr(0x5000), 4096, RW);
    const old = BigInt(domain.table.rootFrame);
    iommuMap(domain, dmaAddr(2 ** 39), physAddr(0x6000), 4096, RW);
    expect(hex(entryAt(machine, domain.table.rootFrame, 0n, 3))).toBe(
      hex(PRESENT | (3n << 9n) | (old * PAGE) | READ | WRITE),
    );
    expect([deviceSees(machine, 1), deviceSees(machine, 2 ** 27)]).toEqual([5, 6]);
  });
});

describe('commands of a mapped range', () => {
  /** Where the waits store is the driver's choice; everything else is not. */
  const sent = (machine: AmdMachine, run: () => void): string[] =>
    commandsOf(machine, run).map((command) =>
      /^.{9}1/.test(command) ? command.replace(/^\S+/, 'SEM') : command,
    );
  const wait = (count: number): string => `SEM 10000000 ${count.toString(16).padStart(8, '0')} 00000000`;

  // IOVA, bytes, third and fourth word of the one command.
  test.each<[string, number, number, string]>([
    ['4 KiB', 0x5000, 0x1000, '00005000 00000000'],
    ['8 KiB', 0x6000, 0x2000, '00006001 00000000'],
    ['8 KiB unaligned: 16 KiB around it', 0x1000, 0x2000, '00001001 00000000'],
    ['12 KiB', 0x4000, 0x3000, '00005001 00000000'],
    ['across 1 MiB: 2 MiB around it', 0xff000, 0x2000, '000ff001 00000000'],
    ['64 KiB high up', 0x7f00000000 + 0x10000, 0x10000, '00017001 0000007f'],
    ['across 4 GiB', 0xfffff000, 0x2000, 'fffff001 00000000'],
    ['across 256 GiB', 0x3ffffff000, 0x2000, 'fffff001 0000003f'],
  ])('%s', (_title, iova, bytes, address) => {
    const machine = amdMachine();
    const domain = attached(machine);
    iommuMap(domain, dmaAddr(iova), physAddr(0x1000000), bytes, RW);
    const commands = sent(machine, () => iommuUnmap(domain, dmaAddr(iova), bytes));
    expect(commands).toEqual([`00000000 30000002 ${address}`, wait(3)]);
  });

  test('2 MiB of small pages take a table with them: PDE', () => {
    const machine = amdMachine();
    const domain = attached(machine);
    for (let page = 0; page < 512; page += 1) {
      iommuMap(domain, dmaAddr(0x600000 + page * 4096), physAddr(0x1000000 + (page ^ 1) * 4096), 4096, RW);
    }
    const commands = sent(machine, () => iommuUnmap(domain, dmaAddr(0x600000), 0x200000));
    expect(commands).toEqual(['00000000 30000002 006ff003 00000000', wait(3)]);
  });

  test('everything', () => {
    const machine = amdMachine();
    const domain = attached(machine);
    expect(sent(machine, () => iommuFlushIotlbAll(domain))).toEqual([
      '00000000 30000002 fffff003 7fffffff',
      wait(3),
    ]);
  });

  test('under a hypervisor, 4 KiB at 0x1000 to 28 KiB: three pieces; then the same with PDE at the map', () => {
    const machine = amdMachine({ features: recordedAmdFeatures });
    const domain = attached(machine);
    const pieces = (pde: number): string[] =>
      ['00001000', '00002001', '00005001'].map(
        (low) =>
          `00000000 30000002 ${(Number.parseInt(low, 16) + pde).toString(16).padStart(8, '0')} 00000000`,
      );
    const mapping = sent(machine, () => iommuMap(domain, dmaAddr(0x1000), physAddr(0x9000), 0x7000, RW));
    expect(mapping).toEqual([...pieces(2), wait(3)]);
    const unmapping = sent(machine, () => iommuUnmap(domain, dmaAddr(0x1000), 0x7000));
    expect(unmapping).toEqual([...pieces(0), wait(4)]);
  });
});

describe('events', () => {
  const eventWords = ({ memory, unit }: AmdMachine, at: number): string[] => {
    const base = Math.floor((unit.readRegister64(AmdRegister.EVENT_BASE)[0] as number) / 4096);
    const words = memory.frameWords(base).subarray(at * 4, at * 4 + 4);
    return Array.from(words, (word) => word.toString(16).padStart(8, '0'));
  };

  // What is mapped there, whether the device writes, flags and domain of the second word.
  test.each<[string, number, boolean, string]>([
    ['read of nothing', 0, false, '20000002'],
    ['write of nothing', 0, true, '20200002'],
    ['read refused', IOMMU_WRITE, false, '20500002'],
    ['write refused', IOMMU_READ, true, '20700002'],
  ])('%s', (_title, prot, write, second) => {
    const machine = amdMachine();
    const domain = attached(machine);
    if (prot !== 0) iommuMap(domain, pageAddress(0x12345678), physAddr(0x7000), 4096, prot);
    expect(deviceSees(machine, 0x12345678, DEVICE, write)).toBe(-1);
    expect(eventWords(machine, 0)).toEqual(['00000100', second, '45678000', '00000123']);
  });

  test('a blocked device: domain 0', () => {
    const machine = amdMachine();
    attached(machine);
    machine.iommu.detachDevice(DEVICE);
    for (const write of [false, true]) deviceSees(machine, 1, DEVICE, write);
    expect([0, 1].map((at) => eventWords(machine, at)[1])).toEqual(['20000000', '20200000']);
  });
});
