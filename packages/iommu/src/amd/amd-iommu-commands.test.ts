// What the driver puts into the command buffer: which commands for which call, in which order, with which words.
import { physAddr, recordedAmdFeatures } from '@sgfree/hw-model';
import { describe, expect, test } from 'vitest';
import {
  type AmdMachineOptions,
  amdMachine,
  commandsOf,
  DEVICE,
  deviceEntry,
  mapPage,
  PAGE,
  pageAddress,
} from '../../test/amd-machine.ts';
import { iommuFlushIotlbAll, iommuMap, iommuUnmap } from '../index.ts';

const OTHER = 0x0208;
const hypervisor: AmdMachineOptions = { features: recordedAmdFeatures };

/** Opcode and device or domain of each command, e.g. `inv-dte 100`. */
const shortly = (commands: readonly string[]): string[] =>
  commands.map((command) => {
    const [low, high, address] = command.split(' ').map((word) => Number.parseInt(word, 16)) as [
      number,
      number,
      number,
    ];
    if (high >>> 28 === 1) return 'wait';
    if (high >>> 28 === 2) return `inv-dte ${low.toString(16)}`;
    if (high >>> 28 === 4) return `inv-iotlb ${(low & 0xffff).toString(16)}`;
    return `inv-pages ${high & 0xffff}${(address & 2) === 0 ? '' : ' pde'}`;
  });

describe('commands', () => {
  test('attach, map, unmap, flush, move and detach, in this order', () => {
    const machine = amdMachine();
    const { iommu } = machine;
    const [domain, next] = [iommu.allocPagingDomain(), iommu.allocPagingDomain()];
    const during = (run: () => void): string[] => shortly(commandsOf(machine, run));
    expect(during(() => iommu.attachDevice(domain, DEVICE))).toEqual(['inv-dte 100', 'wait']);
    expect(during(() => iommu.attachDevice(domain, DEVICE))).toEqual([]);
    expect(during(() => mapPage(domain, 0x42, 1))).toEqual([]);
    expect(during(() => iommuUnmap(domain, pageAddress(0x42), PAGE))).toEqual(['inv-pages 2', 'wait']);
    expect(during(() => iommuUnmap(domain, pageAddress(0x42), PAGE))).toEqual([]);
    expect(during(() => iommuFlushIotlbAll(domain))).toEqual(['inv-pages 2 pde', 'wait']);
    expect(during(() => iommu.attachDevice(next, DEVICE))).toEqual([
      'inv-dte 100',
      'wait',
      'inv-pages 2 pde',
      'wait',
      'inv-dte 100',
      'wait',
    ]);
    expect(during(() => iommu.detachDevice(DEVICE))).toEqual([
      'inv-dte 100',
      'wait',
      'inv-pages 3 pde',
      'wait',
      'inv-dte 100',
      'wait',
    ]);
  });

  test('growth: each entry rewritten and flushed on its own, then all entries again', () => {
    const machine = amdMachine();
    const { iommu } = machine;
    const domain = iommu.allocPagingDomain();
    iommu.attachDevice(domain, DEVICE);
    iommu.attachDevice(domain, OTHER, { queueDepth: 4 });
    const commands = shortly(commandsOf(machine, () => mapPage(domain, 2 ** 30, 1)));
    expect(commands).toEqual([
      ...['inv-dte 208', 'inv-iotlb 208', 'wait', 'inv-pages 2 pde', 'wait'],
      ...['inv-dte 100', 'wait', 'inv-pages 2 pde', 'wait'],
      ...['inv-dte 208', 'inv-iotlb 208', 'inv-dte 100', 'wait'],
    ]);
    expect(domain.table.topChanges).toBe(1);
  });

  test('a device with a TLB of its own is told too, the newest first, until it leaves', () => {
    const machine = amdMachine();
    const { iommu } = machine;
    const domain = iommu.allocPagingDomain();
    iommu.attachDevice(domain, DEVICE, { queueDepth: 4 });
    iommu.attachDevice(domain, OTHER, { queueDepth: 5 });
    expect(deviceEntry(machine)[1]).toBe('0000000100000002');
    mapPage(domain, 0x42, 1);
    const commands = commandsOf(machine, () => iommuUnmap(domain, pageAddress(0x42), PAGE));
    expect(commands.slice(0, 3)).toEqual([
      '00000000 30000002 00042000 00000000',
      '05000208 40000208 00042000 00000000',
      '04000100 40000100 00042000 00000000',
    ]);
    expect(machine.unit.counters.deviceTlb).toBe(4);
    expect(shortly(commandsOf(machine, () => iommu.detachDevice(OTHER)))).toEqual([
      ...['inv-dte 208', 'wait', 'inv-pages 2 pde', 'inv-iotlb 100', 'wait', 'inv-dte 208', 'wait'],
    ]);
    const without = amdMachine({ features: { ...recordedAmdFeatures, capabilityHeader: 0 } });
    without.iommu.attachDevice(without.iommu.allocPagingDomain(), DEVICE, { queueDepth: 4 });
    expect(deviceEntry(without)[1]).toBe('0000000000000002');
  });

  test('one command for a range, the smallest block around it; PDE when tables were taken out', () => {
    const machine = amdMachine();
    const domain = machine.iommu.allocPagingDomain();
    machine.iommu.attachDevice(domain, DEVICE);
    iommuMap(domain, pageAddress(0x1ff), physAddr(0x5000000), 5 * PAGE, 3);
    expect(commandsOf(machine, () => iommuUnmap(domain, pageAddress(0x1ff), 5 * PAGE))[0]).toBe(
      '00000000 30000002 001ff001 00000000',
    );
    iommuMap(domain, pageAddress(0x400), physAddr(0x5001000), 512 * PAGE, 3);
    expect(commandsOf(machine, () => iommuUnmap(domain, pageAddress(0x400), 512 * PAGE))[0]).toBe(
      '00000000 30000002 004ff003 00000000',
    );
    expect(machine.iommu.counters.waits).toBe(machine.unit.counters.waits);
  });

  test('an unmap at address 0 that finds nothing flushes everything, but for the tables', () => {
    for (const options of [{}, hypervisor]) {
      const machine = amdMachine(options);
      const domain = machine.iommu.allocPagingDomain();
      machine.iommu.attachDevice(domain, DEVICE);
      const commands = commandsOf(machine, () => expect(iommuUnmap(domain, pageAddress(0), PAGE)).toBe(0));
      expect([commands[0], commands.length]).toEqual(['00000000 30000002 fffff001 7fffffff', 2]);
    }
  });

  test('under a hypervisor: exactly the range, in aligned pieces, and one wait; also after a map, then with PDE', () => {
    const machine = amdMachine(hypervisor);
    const domain = machine.iommu.allocPagingDomain();
    machine.iommu.attachDevice(domain, DEVICE);
    const map = commandsOf(machine, () =>
      iommuMap(domain, pageAddress(0x1ff), physAddr(0x5000000), 6 * PAGE, 3),
    );
    const waitless = (commands: readonly string[]): string[] => commands.slice(0, -1);
    expect(waitless(map)).toEqual([
      '00000000 30000002 001ff002 00000000',
      '00000000 30000002 00201003 00000000',
      '00000000 30000002 00204002 00000000',
    ]);
    expect(shortly(map).at(-1)).toBe('wait');
    const unmap = commandsOf(machine, () => iommuUnmap(domain, pageAddress(0x1ff), 6 * PAGE));
    expect(waitless(unmap)).toEqual([
      '00000000 30000002 001ff000 00000000',
      '00000000 30000002 00201001 00000000',
      '00000000 30000002 00204000 00000000',
    ]);
    const whole = commandsOf(machine, () => iommuFlushIotlbAll(domain));
    expect(waitless(whole)).toEqual(['00000000 30000002 fffff003 7fffffff']);
  });

  test('waits count upwards: the last one is what the unit has stored', () => {
    const machine = amdMachine();
    const domain = machine.iommu.allocPagingDomain();
    const attach = commandsOf(machine, () => machine.iommu.attachDevice(domain, DEVICE));
    const flush = commandsOf(machine, () => iommuFlushIotlbAll(domain));
    // The first wait followed INVALIDATE_IOMMU_ALL.
    expect([attach[1], flush[1]].map((wait) => wait?.split(' ').slice(2))).toEqual([
      ['00000002', '00000000'],
      ['00000003', '00000000'],
    ]);
    const [low, high] = (flush[1] as string).split(' ').map((word) => Number.parseInt(word, 16)) as [
      number,
      number,
    ];
    expect([low & 7, high]).toEqual([1, 0x10000000]);
    expect(machine.memory.frameWords(low >>> 12)[0]).toBe(3);
  });
});
