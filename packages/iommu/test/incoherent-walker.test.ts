// A walker that does not snoop: it sees what was written back, and of what was not exactly the old entries.
import { CpuFrames, dmaAddr, frameOf, physAddr, recordedVtdCapabilities } from '@sgfree/hw-model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  IntelIommu,
  iommuIovaToPhys,
  iommuMap,
  iommuUnmap,
  type PagingDomain,
  type TableMemory,
} from '../src/index.ts';
import { bareUnit, DEVICE, deviceSees, mapPage, PAGE, pageAddress, type VtdMachine } from './vtd-machine.ts';

/** CPU-side frames that forget the write-backs of which `lost` says so, by their number. */
class ForgetfulFrames extends CpuFrames implements TableMemory {
  lost: (count: number) => boolean = () => false;
  #count = 0;

  override writeBack(words: Uint32Array, from: number, until: number): void {
    if (!this.lost(this.#count)) super.writeBack(words, from, until);
    this.#count += 1;
  }
}

interface Walked extends VtdMachine {
  readonly tables: ForgetfulFrames;
  readonly domain: PagingDomain;
}

/** `snooping`: the unit claims (ECAP.C) that it sees the CPU's caches; here it never does. */
function walked(snooping = false): Walked {
  const [low, high] = recordedVtdCapabilities.ecap;
  const capabilities = { ...recordedVtdCapabilities, ecap: [snooping ? low + 1 : low, high] as const };
  const machine = bareUnit({ capabilities });
  const tables = new ForgetfulFrames(machine.memory);
  const iommu = new IntelIommu({ ...machine, tableMemory: tables });
  const domain = iommu.allocPagingDomain();
  iommu.attachDevice(domain, DEVICE);
  return { ...machine, iommu, tables, domain };
}

const WINDOW = 0x40_000;
const PAGES = 2048;

describe('with every write-back', () => {
  const step = fc.record({
    map: fc.boolean(),
    at: fc.integer({ min: 0, max: PAGES - 1 }),
    pages: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.constantFrom(512, 1024)),
    target: fc.integer({ min: 0, max: 4 }),
  });

  it('the unit agrees with the software after each call, and nothing is left in the cache alone', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const machine = walked();
        const { domain, tables } = machine;
        for (const { map, at, pages, target } of steps) {
          const first = pages >= 512 ? Math.floor(at / 512) * 512 : at;
          const iova = dmaAddr((WINDOW + first) * PAGE);
          if (map)
            iommuMap(
              domain,
              iova,
              physAddr((0x100_000 + target * 1024 + (first % 512)) * PAGE),
              pages * PAGE,
              3,
            );
          else iommuUnmap(domain, iova, pages * PAGE);
          expect(tables.staleLines).toBe(0);
          for (const frame of [first, first + pages - 1, (first + 700) % PAGES]) {
            const phys = iommuIovaToPhys(domain, pageAddress(WINDOW + frame));
            expect(deviceSees(machine, WINDOW + frame)).toBe(phys === 0 ? -1 : frameOf(phys));
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('without one', () => {
  it('a new entry is not there for the unit, and arrives with the next of its line', () => {
    const machine = walked();
    mapPage(machine.domain, WINDOW, 0x500);
    machine.tables.lost = () => true;
    mapPage(machine.domain, WINDOW + 1, 0x501);
    expect([deviceSees(machine, WINDOW), deviceSees(machine, WINDOW + 1)]).toEqual([0x500, -1]);
    expect(iommuIovaToPhys(machine.domain, pageAddress(WINDOW + 1))).toBe(0x501 * PAGE);
    expect(machine.tables.staleLines).toBe(1);
    machine.tables.lost = () => false;
    mapPage(machine.domain, WINDOW + 2, 0x502);
    expect([deviceSees(machine, WINDOW + 1), machine.tables.staleLines]).toEqual([0x501, 0]);
  });

  it('a cleared entry still leads to the page that was taken away', () => {
    const machine = walked();
    mapPage(machine.domain, WINDOW, 0x500);
    machine.tables.lost = () => true;
    expect(iommuUnmap(machine.domain, pageAddress(WINDOW), PAGE)).toBe(PAGE);
    expect(iommuIovaToPhys(machine.domain, pageAddress(WINDOW))).toBe(0);
    expect(deviceSees(machine, WINDOW)).toBe(0x500);
  });

  it('a replaced entry leads to the old page', () => {
    const machine = walked();
    mapPage(machine.domain, WINDOW, 0x500);
    machine.tables.lost = () => true;
    iommuUnmap(machine.domain, pageAddress(WINDOW), PAGE);
    mapPage(machine.domain, WINDOW, 0x777);
    expect(iommuIovaToPhys(machine.domain, pageAddress(WINDOW))).toBe(0x777 * PAGE);
    expect(deviceSees(machine, WINDOW)).toBe(0x500);
  });

  it('a table whose pointer stayed behind hides all that was written below it', () => {
    const machine = walked();
    machine.tables.lost = (count) => count === 0;
    mapPage(machine.domain, WINDOW, 0x500);
    mapPage(machine.domain, WINDOW + 1, 0x501);
    expect([deviceSees(machine, WINDOW), deviceSees(machine, WINDOW + 1)]).toEqual([-1, -1]);
    expect(machine.tables.staleLines).toBe(1);
  });
});

it('a driver that believes the walker snoops writes nothing back, and the unit sees nothing', () => {
  const machine = walked(true);
  mapPage(machine.domain, WINDOW, 0x500);
  expect(iommuIovaToPhys(machine.domain, pageAddress(WINDOW))).toBe(0x500 * PAGE);
  expect(deviceSees(machine, WINDOW)).toBe(-1);
});
