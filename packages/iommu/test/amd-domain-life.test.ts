// Two AMD-Vi units, shared domains that come, grow, move between devices and go: after every call each device reaches what
// its domain maps and nothing else, whatever the units hold in their caches.
import { fc, test as propertyTest } from '@fast-check/vitest';
import {
  type AmdFeatureRegisters,
  AmdIommuUnit,
  type AmdIommuUnitOptions,
  bareMetalAmdFeatures,
  type DmaAddr,
  dmaAddr,
  frameOf,
  PhysicalMemory,
  physAddr,
  recordedAmdFeatures,
} from '@sgfree/hw-model';
import { FrameAllocator } from '@sgfree/mm';
import { describe, expect } from 'vitest';
import {
  AmdIommu,
  iommuDomainFree,
  iommuMap,
  iommuUnmap,
  type PagingDomain,
  ProtectionDomainIds,
} from '../src/index.ts';

const PAGE = 4096;
/** Where pieces begin: on a boundary of tables, beside one, and at the end of what three levels decode. */
const WINDOWS = [0x40000000, 0x40000000, 0x40010000, 2 ** 39 - 0x200000, 2 ** 39];
const SIZES = [1, 3, 16, 17, 512, 512, 1024];
/** Functions behind the first unit and behind the second. */
const DEVICES = ['0 256', '0 257', '1 520'];

interface Machine {
  readonly frames: FrameAllocator;
  readonly units: readonly AmdIommuUnit[];
  readonly drivers: readonly AmdIommu[];
}

function twoUnits(features: readonly AmdFeatureRegisters[], shape: Partial<AmdIommuUnitOptions>): Machine {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), 64 * 2 ** 20);
  const frames = new FrameAllocator(memory, { base: physAddr(0), bytes: 64 * 2 ** 20 });
  const domainIds = new ProtectionDomainIds();
  const units = features.map(
    (one) => new AmdIommuUnit(memory, { features: one, hostAddressWidth: 52, ...shape }),
  );
  const drivers = units.map(
    (unit, index) => new AmdIommu({ unit, memory, frames, index, domainIds, lastDeviceId: 0x3ff }),
  );
  return { frames, units, drivers };
}

/** What software believes of one domain: frame of each mapped page. */
interface Believed {
  readonly domain: PagingDomain;
  readonly pages: Map<number, number>;
  /** Where maps have succeeded. */
  readonly pieces: { readonly iova: DmaAddr; readonly count: number }[];
}

class Life {
  readonly machine: Machine;
  readonly domains: Believed[] = [];
  /** Domain of each device behind each unit; null = blocked, 'identity'. */
  readonly attached = new Map<string, Believed | 'identity' | null>();
  readonly #probes = new Set<number>();

  constructor(machine: Machine) {
    this.machine = machine;
    for (const device of DEVICES) this.attached.set(device, null);
  }

  open(): void {
    const opened = this.machine.drivers[0]?.openPagingDomain();
    if (opened?.ok === true) this.domains.push({ domain: opened.value, pages: new Map(), pieces: [] });
  }

  close({ domain }: Believed): void {
    for (const [key, held] of this.attached) {
      if (typeof held === 'object' && held?.domain === domain) this.attach(key, null);
    }
    iommuDomainFree(domain);
    this.domains.splice(
      this.domains.findIndex((one) => one.domain === domain),
      1,
    );
  }

  attach(key: string, to: Believed | 'identity' | null): void {
    const [unit, device] = key.split(' ').map(Number) as [number, number];
    const driver = this.machine.drivers[unit] as AmdIommu;
    if (to === null) driver.detachDevice(device);
    else if (to === 'identity') expect(driver.attachIdentity(device)).toBe(0);
    else expect(driver.attachDevice(to.domain, device)).toBe(0);
    this.attached.set(key, to);
  }

  map({ domain, pages, pieces }: Believed, iova: DmaAddr, frame: number, count: number): void {
    const errno = iommuMap(domain, iova, physAddr(frame * PAGE), count * PAGE, 3);
    this.#note(iova, count);
    if (errno !== 0) return;
    pieces.push({ iova, count });
    for (let page = 0; page < count; page += 1) pages.set(frameOf(iova) + page, frame + page);
  }

  /** Unmaps; as much goes as the call says, which may be more than asked. */
  unmap({ domain, pages }: Believed, iova: DmaAddr, count: number): void {
    const gone = iommuUnmap(domain, iova, count * PAGE) / PAGE;
    this.#note(iova, Math.max(count, gone));
    for (let page = 0; page < gone; page += 1) pages.delete(frameOf(iova) + page);
  }

  check(): void {
    for (const [key, held] of this.attached) {
      const [unit, device] = key.split(' ').map(Number) as [number, number];
      for (const page of this.#probes) {
        const at = page * PAGE;
        const expected = held === null ? -1 : held === 'identity' ? at : this.#physical(held.pages.get(page));
        const seen = this.machine.units[unit]?.translate(device, dmaAddr(at), true);
        if (seen !== expected)
          expect([key, page.toString(16), seen]).toEqual([key, page.toString(16), expected]);
      }
    }
  }

  #physical(frame: number | undefined): number {
    return frame === undefined ? -1 : frame * PAGE;
  }

  #note(iova: DmaAddr, count: number): void {
    const first = frameOf(iova);
    for (const page of [first - 1, first, first + (count >> 1), first + count - 1, first + count]) {
      this.#probes.add(page);
    }
  }
}

const step = fc.record({
  what: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('map', 'unmap', 'unmap-piece') },
    { weight: 3, arbitrary: fc.constantFrom('attach', 'attach', 'detach', 'open', 'close', 'identity') },
  ),
  domain: fc.nat(2),
  device: fc.nat(DEVICES.length - 1),
  window: fc.nat(WINDOWS.length - 1),
  place: fc.nat(1),
  size: fc.nat(SIZES.length - 1),
  misalign: fc.nat(1),
  /** Table pages that may still be allocated; -1 = any number. */
  memory: fc.constantFrom(-1, -1, -1, 0, 1, 2),
});

type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

function live(life: Life, { what, domain, device, window, place, size, misalign, memory }: Step): void {
  const chosen = life.domains[domain % Math.max(1, life.domains.length)];
  const key = DEVICES[device] as string;
  const iova = dmaAddr((WINDOWS[window] as number) + place * 0x200000);
  const count = SIZES[size] as number;
  life.machine.frames.failAfter = memory;
  if (what === 'open') life.open();
  else if (what === 'detach') life.attach(key, null);
  else if (what === 'identity') life.attach(key, 'identity');
  else if (chosen === undefined) return;
  else if (what === 'close') life.close(chosen);
  else if (what === 'attach') life.attach(key, chosen);
  else if (what === 'unmap') life.unmap(chosen, iova, count);
  else if (what === 'unmap-piece') {
    const [piece] = chosen.pieces.splice(place % Math.max(1, chosen.pieces.length), 1);
    if (piece !== undefined) life.unmap(chosen, piece.iova, piece.count);
  } else life.map(chosen, iova, 0x100000 + place * 0x100 + misalign, count);
  life.machine.frames.failAfter = -1;
}

/** Entries are evicted all the time. */
const small = { iotlb: { sets: 4, ways: 2 }, pagingCacheEntries: 4 };

describe.each([
  ['bare metal', [bareMetalAmdFeatures, bareMetalAmdFeatures], {}],
  ['bare metal, small caches', [bareMetalAmdFeatures, bareMetalAmdFeatures], small],
  ['hypervisor', [recordedAmdFeatures, recordedAmdFeatures], {}],
  ['hypervisor, small caches', [recordedAmdFeatures, recordedAmdFeatures], small],
  ['only the second unit caches what is not present', [bareMetalAmdFeatures, recordedAmdFeatures], {}],
])('%s', (_title, features, shape) => {
  propertyTest.prop([fc.array(step, { minLength: 20, maxLength: 90 })], { numRuns: 60 })(
    'devices reach what their domains map, and when all is gone no table page is left',
    (steps) => {
      const machine = twoUnits(features, shape);
      const idle = machine.frames.liveFrames;
      const life = new Life(machine);
      life.open();
      life.open();
      for (const [at, key] of [...life.attached.keys()].entries()) {
        life.attach(key, life.domains[at % 2] as Believed);
      }
      for (const each of steps) {
        live(life, each);
        life.check();
      }
      for (const held of [...life.domains]) life.close(held);
      life.check();
      expect(machine.frames.liveFrames).toBe(idle);
      expect(machine.drivers[0]?.liveDomainIds).toBe(0);
      expect(machine.drivers.map(({ counters }) => counters.errors)).toEqual([0, 0]);
    },
  );
});
