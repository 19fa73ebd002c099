// The whole way on an AMD machine: dma_map_phys, page tables, commands, the unit, the fabric, bytes.
import { fc, test as propertyTest } from '@fast-check/vitest';
import {
  addOffset,
  byteDistance,
  type DmaAddr,
  hex,
  liesWithin,
  type PhysAddr,
  physAddr,
  physOfFrame,
  recordedAmdFeatures,
} from '@sgfree/hw-model';
import { amdEventText } from '@sgfree/iommu';
import { describe, expect, it } from 'vitest';
import {
  type BridgeWindow,
  cookieOf,
  type DmaDataDirection,
  dmaAllocCoherent,
  dmaFreeCoherent,
  dmaMapPhys,
  dmaUnmapPhys,
  fqFlushTimeout,
  iommuGetDmaCookie,
  NO_ATTRS,
} from '../src/index.ts';
import { type AmdDevice, AmdMachine } from './amd-machine.ts';
import { mapped } from './vtd-machine.ts';

const PAGE = 4096;
const BUFFER = physAddr(0x1234000);
const OTHER = physAddr(0x3210000);
const pattern = (bytes: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, at) => at * 11 + (at >> 8) + seed);
const same = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;

const map = (
  device: AmdDevice,
  phys = BUFFER,
  bytes = PAGE,
  dir: DmaDataDirection = 'bidirectional',
): DmaAddr => mapped(dmaMapPhys(device.dev, phys, bytes, dir, NO_ATTRS));
const unmap = (
  device: AmdDevice,
  address: DmaAddr,
  bytes = PAGE,
  dir: DmaDataDirection = 'bidirectional',
): void => dmaUnmapPhys(device.dev, address, bytes, dir, NO_ATTRS);

describe('strict mode', () => {
  it('a device moves bytes through a mapping and none after it is gone', () => {
    const machine = new AmdMachine();
    const { narrow } = machine;
    const address = map(narrow, BUFFER, 3 * PAGE);
    const data = pattern(3 * PAGE, 1);
    expect(machine.write(narrow, address, data)).toBe('success');
    expect(same(machine.bytesAt(BUFFER, 3 * PAGE), data)).toBe(true);
    const { commands, waits } = machine.iommu.counters;
    unmap(narrow, address, 3 * PAGE);
    expect(machine.iommu.counters).toMatchObject({ commands: commands + 1, waits: waits + 1 });
    expect(machine.write(narrow, address, pattern(3 * PAGE, 2))).not.toBe('success');
    expect(same(machine.bytesAt(BUFFER, 3 * PAGE), data)).toBe(true);
    const [event] = machine.iommu.processEventLog();
    if (event === undefined) throw new Error('no event');
    expect(amdEventText(event, null)).toContain(`domain=0x0002 address=${hex(address)} flags=0x0020`);
  });

  it.each<[DmaDataDirection, number, number]>([
    ['to-device', 0x0070, 1],
    ['from-device', 0x0050, 0],
  ])('%s grants one direction; the other is refused, logged and traced', (dir, flags, traced) => {
    const machine = new AmdMachine();
    const { narrow } = machine;
    const address = map(narrow, BUFFER, PAGE, dir);
    machine.log.enabled = true;
    const wrote = machine.write(narrow, address, pattern(64, 3)) === 'success';
    const read = machine.read(narrow, address, new Uint8Array(64)) === 'success';
    expect([wrote, read]).toEqual(dir === 'to-device' ? [false, true] : [true, false]);
    expect(machine.iommu.processEventLog().map((event) => event.flags)).toEqual([flags]);
    expect(machine.log.events.filter(({ kind }) => kind === 'iommu:io_page_fault')).toEqual([
      { kind: 'iommu:io_page_fault', driver: 'pci', device: narrow.dev.name, iova: address, flags: traced },
    ]);
  });

  it('reserves what the recorded machine reserves: bridge windows, interrupts, HyperTransport', () => {
    const window = (start: number, end: number): BridgeWindow => ({
      start: physAddr(start),
      end: physAddr(end),
    });
    const windows = [
      window(0xa0000, 0xbffff),
      window(0x80000000, 0xafffffff),
      window(0xc0000000, 0xfebfffff),
      window(0x140000000, 0x93fffffff),
    ];
    const { domain } = new AmdMachine({ features: recordedAmdFeatures, hostBridge: { windows } });
    const { iovad } = iommuGetDmaCookie(domain);
    expect(iovad.ranges().map(([lo, hi]) => `${lo.toString(16)}-${hi.toString(16)}`)).toEqual([
      'a0-bf',
      '80000-affff',
      'c0000-febff',
      'fee00-feeff',
      '140000-93ffff',
      'fd00000-fffffff',
    ]);
  });

  it('coherent memory is reached by both sides, until it is freed', () => {
    const machine = new AmdMachine();
    const { narrow } = machine;
    const block = dmaAllocCoherent(narrow.dev, 2 * PAGE);
    if (block === null) throw new Error('no coherent memory');
    expect(machine.write(narrow, block.dma, pattern(2 * PAGE, 5))).toBe('success');
    dmaFreeCoherent(narrow.dev, block);
    expect(machine.write(narrow, block.dma, pattern(4, 6))).not.toBe('success');
  });
});

describe('lazy mode', () => {
  it('a device reaches what was unmapped until the queue is flushed: one command for all', () => {
    const machine = new AmdMachine({ type: 'dma-fq' });
    const { narrow } = machine;
    const addresses = [BUFFER, OTHER].map((phys) => map(narrow, phys));
    for (const address of addresses) machine.write(narrow, address, pattern(PAGE, 1));
    const { commands } = machine.iommu.counters;
    for (const address of addresses) unmap(narrow, address);
    expect(machine.iommu.counters.commands).toBe(commands);
    const [first, second] = addresses as [DmaAddr, DmaAddr];
    expect(machine.write(narrow, first, pattern(PAGE, 2))).toBe('success');
    expect(same(machine.bytesAt(BUFFER, PAGE), pattern(PAGE, 2))).toBe(true);
    fqFlushTimeout(cookieOf(narrow.dev), 0);
    expect(machine.iommu.counters.commands).toBe(commands + 1);
    expect(machine.unit.counters.pagesAll).toBe(1);
    expect([first, second].map((address) => machine.write(narrow, address, pattern(PAGE, 3)))).not.toContain(
      'success',
    );
    expect(same(machine.bytesAt(BUFFER, PAGE), pattern(PAGE, 2))).toBe(true);
  });

  it('the unmap that finds the ring full flushes once', () => {
    const machine = new AmdMachine({ type: 'dma-fq' });
    const { narrow } = machine;
    const { commands } = machine.iommu.counters;
    for (let done = 0; done < 255; done += 1) unmap(narrow, map(narrow));
    expect(machine.iommu.counters.commands).toBe(commands);
    unmap(narrow, map(narrow));
    expect(machine.iommu.counters.commands).toBe(commands + 1);
  });

  it('is off under a hypervisor: every unmap flushes, and so does every map', () => {
    const machine = new AmdMachine({ type: 'dma-fq', features: recordedAmdFeatures });
    const { narrow } = machine;
    expect(machine.domain.type).toBe('dma');
    const { commands } = machine.iommu.counters;
    const address = map(narrow);
    machine.write(narrow, address, pattern(PAGE, 1));
    unmap(narrow, address);
    expect(machine.iommu.counters.commands).toBe(commands + 2);
    expect(machine.write(narrow, address, pattern(PAGE, 2))).not.toBe('success');
    // The refusal is remembered; mapping the address again tells the unit.
    expect(map(narrow, OTHER)).toBe(address);
    expect(machine.write(narrow, address, pattern(PAGE, 3))).toBe('success');
    expect(same(machine.bytesAt(OTHER, PAGE), pattern(PAGE, 3))).toBe(true);
  });
});

describe('growth of the page table', () => {
  it('does not disturb a transfer in flight, and the new addresses work at once', () => {
    const machine = new AmdMachine();
    const { narrow, wide, scheduler, domain } = machine;
    const bytes = 16 * PAGE;
    const address = map(narrow, BUFFER, bytes);
    const data = pattern(bytes, 7);
    const transfer = scheduler.spawn('transfer', narrow.engine.write(address, data));
    while (narrow.engine.counters.requests < 100) scheduler.step();
    expect(domain.table.levels).toBe(3);
    // All of the 32-bit space is taken, so that the other device gets an address far above 512 GiB.
    wide.dev.pci32BitWorkaround = false;
    const high = map(wide, OTHER);
    expect([domain.table.levels, domain.table.topChanges]).toEqual([4, 1]);
    expect(high).toBeGreaterThan(2 ** 47);
    expect(machine.write(wide, high, pattern(PAGE, 8))).toBe('success');
    scheduler.run();
    expect(transfer.result).toBe('success');
    expect(same(machine.bytesAt(BUFFER, bytes), data)).toBe(true);
    expect(same(machine.bytesAt(OTHER, PAGE), pattern(PAGE, 8))).toBe(true);
    unmap(wide, high);
    expect(machine.write(wide, high, pattern(PAGE, 9))).not.toBe('success');
    expect(machine.unit.counters.faults).toBe(1);
  });

  it('that the unit is not told of leaves the device with the old table', () => {
    const machine = new AmdMachine();
    const { narrow, wide } = machine;
    const address = map(narrow, BUFFER);
    machine.write(narrow, address, pattern(PAGE, 1));
    machine.write(wide, address, pattern(PAGE, 1));
    wide.dev.pci32BitWorkaround = false;
    machine.unit.dropNextInvalidations(100);
    const high = map(wide, OTHER);
    expect(machine.write(wide, high, pattern(PAGE, 2))).not.toBe('success');
    expect(machine.write(narrow, address, pattern(PAGE, 3))).toBe('success');
  });
});

const step = fc.record({
  unmap: fc.boolean(),
  pick: fc.nat(100),
  pages: fc.integer({ min: 1, max: 40 }),
  frame: fc.integer({ min: 0, max: 4000 }),
});

propertyTest.prop([fc.array(step, { maxLength: 40 })], { numRuns: 30 })(
  'lazy mode: until a flush the device may reach what an address was mapped to last, and nothing else; after it, nothing',
  (steps) => {
    const machine = new AmdMachine({ type: 'dma-fq' });
    const { narrow, unit } = machine;
    const live: { address: DmaAddr; phys: PhysAddr }[] = [];
    let pending: typeof live = [];
    const seen = ({ address }: { address: DmaAddr }): number =>
      unit.translate(narrow.requesterId, address, true);
    for (const { unmap: wantsUnmap, pick, frame } of steps) {
      if (wantsUnmap && live.length > 0) {
        const [gone] = live.splice(pick % live.length, 1) as [(typeof live)[number]];
        unmap(narrow, gone.address);
        pending.push(gone);
      } else if (wantsUnmap) {
        fqFlushTimeout(cookieOf(narrow.dev), 0);
        for (const each of pending) expect(seen(each)).toBe(-1);
        pending = [];
      } else {
        const phys = physOfFrame(0x1000 + frame);
        live.push({ address: map(narrow, phys), phys });
      }
      for (const each of live) expect(seen(each)).toBe(each.phys);
      for (const each of pending) expect([-1, each.phys]).toContain(seen(each));
    }
  },
);

const LARGE = 512 * PAGE;

propertyTest.prop([fc.array(step, { maxLength: 60 })], { numRuns: 30 })(
  'lazy mode with pieces that take their page table with them: a walk over a table that is gone leads nowhere else',
  (steps) => {
    const machine = new AmdMachine({ type: 'dma-fq' });
    const { narrow, unit, frames } = machine;
    const live: { address: DmaAddr; phys: PhysAddr }[] = [];
    let pending: typeof live = [];
    const seen = (address: DmaAddr, page: number): number =>
      unit.translate(narrow.requesterId, addOffset(address, page * PAGE), true);
    for (const { unmap: wantsUnmap, pick, frame } of steps) {
      if (wantsUnmap && live.length > 0) {
        const [gone] = live.splice(pick % live.length, 1) as [(typeof live)[number]];
        const { liveFrames } = frames;
        const { liveTables } = machine.domain.table;
        unmap(narrow, gone.address, LARGE);
        // The table is out of the tree, but waits in the queue.
        expect([machine.domain.table.liveTables, frames.liveFrames]).toEqual([liveTables - 1, liveFrames]);
        pending.push(gone);
      } else if (wantsUnmap) {
        fqFlushTimeout(cookieOf(narrow.dev), 0);
        for (const { address } of pending) expect([seen(address, 0), seen(address, 300)]).toEqual([-1, -1]);
        pending = [];
      } else {
        // Never as aligned as a large leaf needs.
        const phys = physOfFrame(0x1001 + Math.floor(frame / 512) * 512);
        live.push({ address: map(narrow, phys, LARGE), phys });
      }
      for (const { address, phys } of live) {
        expect([seen(address, 0), seen(address, 300)]).toEqual([phys, addOffset(phys, 300 * PAGE)]);
      }
      for (const { address, phys } of pending) expect([-1, phys]).toContain(seen(address, 0));
    }
  },
);

describe.each([
  ['bare metal', {}],
  ['hypervisor', { features: recordedAmdFeatures }],
])('%s', (_title, options) => {
  propertyTest.prop([fc.array(step, { maxLength: 30 })], { numRuns: 30 })(
    'after every call the device reaches exactly what is mapped',
    (steps) => {
      const machine = new AmdMachine(options);
      const { narrow, unit } = machine;
      const live: { address: DmaAddr; phys: PhysAddr; bytes: number }[] = [];
      const everMapped = new Map<DmaAddr, number>();
      const oracle = (at: DmaAddr): number => {
        const found = live.find(({ address, bytes }) => liesWithin(at, 1, address, bytes));
        return found === undefined ? -1 : addOffset(found.phys, byteDistance(found.address, at));
      };
      for (const { unmap: wantsUnmap, pick, pages, frame } of steps) {
        if (wantsUnmap && live.length > 0) {
          const [gone] = live.splice(pick % live.length, 1) as [(typeof live)[number]];
          unmap(narrow, gone.address, gone.bytes);
        } else {
          const phys = physOfFrame(0x1000 + frame);
          const address = map(narrow, phys, pages * PAGE);
          live.push({ address, phys, bytes: pages * PAGE });
          everMapped.set(address, Math.max(pages, everMapped.get(address) ?? 0));
        }
        for (const [address, most] of everMapped) {
          for (let page = -1; page <= most; page += 1) {
            const at = addOffset(address, page * PAGE);
            expect(unit.translate(narrow.requesterId, at, true)).toBe(oracle(at));
          }
        }
      }
      expect(machine.iommu.counters.errors).toBe(0);
    },
  );
});
