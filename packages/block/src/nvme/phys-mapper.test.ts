// The data path without struct page on the real DMA layers: which way a request is mapped, that nothing stays, and that a
// shortage of anything is a failed request and no more.
import type { P2pMapType } from '@sgfree/dma-core';
import { addOffset, type DmaAddr, dmaAddr, type PhysAddr, physAddr, rawOffset } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { type NvmeMachine, nvmeMachine } from '../../test/nvme-machine.ts';
import type { BioVec } from '../bio-vec.ts';
import { type PhysRequest, physRequestsOf } from '../phys-request.ts';
import { NvmePciDriver } from './nvme-pci-driver.ts';
import { PhysDataMapper, type PhysIod } from './phys-mapper.ts';

const PAGE = 4096;
/** Inside the host bridge's window: no RAM there. */
const BAR: PhysAddr = physAddr(0xc8000000);
const BUS_OFFSET = 0x10000000;

interface Owner {
  readonly type: Exclude<P2pMapType, 'none'>;
}
type Request = PhysRequest<Owner>;

/** A driver that is up, its mapper, and how often a route was asked for. */
function bench(options: { readonly iommu?: boolean } = {}) {
  const machine = nvmeMachine(options);
  const asked: Owner[] = [];
  let mapper: PhysDataMapper<Owner> | null = null;
  const driver = new NvmePciDriver<PhysIod<Owner>, Request>({
    dev: machine.dev,
    registers: machine.registers,
    makeMapper: (context) => {
      mapper = new PhysDataMapper<Owner>(context, {
        mapType: (owner) => {
          asked.push(owner);
          return owner.type;
        },
        busAddress: (_owner, phys) => dmaAddr(rawOffset(phys, BUS_OFFSET)),
      });
      return mapper;
    },
  });
  machine.scheduler.runTask('probe', driver.probe());
  if (mapper === null) throw new Error('the driver did not come up');
  const requestsOn = (provider: Owner | null, ranges: readonly BioVec[]): Request[] => {
    const made = physRequestsOf(
      { operation: 'read', position: 0, runs: [{ provider, ranges }] },
      'base-pages',
      driver.limits,
    );
    if (!made.ok) throw new Error(`errno ${made.errno}`);
    return made.value;
  };
  return { machine, driver, asked, mapper: mapper as PhysDataMapper<Owner>, requestsOn };
}

const held = ({ dev }: NvmeMachine) => [
  dev.cookie?.domain.table.liveLeafEntries ?? 0,
  dev.cookie?.iovad.liveRanges ?? 0,
];
const pages = (count: number, stride: number): BioVec[] =>
  Array.from({ length: count }, (_, i) => ({ phys: addOffset(BAR, i * stride), bytes: PAGE }));
const gaps: BioVec[] = [0, 1, 2].map((i) => ({ phys: addOffset(BAR, i * 2 * PAGE + 512), bytes: 1024 }));
const firstAddress = ({ entry }: PhysIod<Owner>): DmaAddr => dmaAddr(entry.prp1);

const shapes: readonly [string, BioVec[]][] = [
  ['one page', pages(1, PAGE)],
  ['eight pages in a row', pages(8, PAGE)],
  ['eight pages apart', pages(8, 2 * PAGE)],
  ['pieces with gaps', gaps],
];

describe.each([true, false])('IOMMU on: %s', (iommu) => {
  it.each(shapes)(
    '%s inside the switch: bus addresses, no IOVA, no entry, nothing to undo',
    (_name, ranges) => {
      const { machine, mapper, driver, asked, requestsOn } = bench({ iommu });
      const before = held(machine);
      const touched = machine.dev.platform.frames.touched;
      const [request] = requestsOn({ type: 'bus-addr' }, ranges) as [Request];
      const iod = mapper.newIod(request);
      expect(mapper.mapData(iod)).toBe('ok');
      expect(asked).toHaveLength(1);
      expect(iod.coalesced).toBe(false);
      expect(iod.totalBytes).toBe(request.bytes);
      if (iod.descriptors.length === 0) {
        expect(firstAddress(iod)).toBe(rawOffset((ranges[0] as BioVec).phys, BUS_OFFSET));
      }
      mapper.unmapData(iod);
      // A descriptor pool may have grown by pages of its own; data is not mapped.
      const grown = iommu ? driver.pools.small.pages + driver.pools.large.pages : 0;
      expect(held(machine)).toEqual(before.map((count) => count + grown));
      expect(machine.dev.platform.frames.touched).toBe(touched);
    },
  );

  it.each(shapes)('%s through the host bridge: mapped as MMIO, given back whole', (name, ranges) => {
    const { machine, mapper, driver, asked, requestsOn } = bench({ iommu });
    const [request] = requestsOn({ type: 'thru-host-bridge' }, ranges) as [Request];
    const iod = mapper.newIod(request);
    const before = held(machine);
    expect(mapper.mapData(iod)).toBe('ok');
    expect(asked).toHaveLength(1);
    expect(iod.iter.attrs).toEqual({ mmio: true });
    expect(iod.coalesced).toBe(iommu && name !== 'pieces with gaps');
    if (!iommu && iod.descriptors.length === 0) expect(firstAddress(iod)).toBe((ranges[0] as BioVec).phys);
    if (iommu)
      expect((held(machine)[0] as number) - (before[0] as number)).toBeGreaterThanOrEqual(
        request.vecs.length,
      );
    mapper.unmapData(iod);
    expect(driver.tracking.held).toBe(0);
    machine.scheduler.runTask('remove', driver.remove());
    expect(held(machine)).toEqual([0, 0]);
    expect(machine.pages.liveFrames).toBe(0);
  });

  it('out of reach: the status of -EREMOTEIO, and nothing was mapped or kept', () => {
    const { machine, mapper, driver, requestsOn } = bench({ iommu });
    const before = held(machine);
    for (const [, ranges] of shapes) {
      const [request] = requestsOn({ type: 'not-supported' }, ranges) as [Request];
      expect(mapper.mapData(mapper.newIod(request))).toBe('invalid');
    }
    expect(held(machine)).toEqual(before);
    expect([driver.tracking.held, driver.tracking.takenBytes]).toEqual([0, 0]);
  });

  it('ordinary memory: no provider is asked, no page is looked at', () => {
    const { machine, mapper, asked, requestsOn } = bench({ iommu });
    const ranges = [{ phys: physAddr(0x100000), bytes: PAGE }];
    const [request] = requestsOn(null, ranges) as [Request];
    const iod = mapper.newIod(request);
    expect(mapper.mapData(iod)).toBe('ok');
    expect(iod.singleSegment).toBe(true);
    expect([asked.length, machine.dev.platform.frames.touched]).toEqual([0, 0]);
    mapper.unmapData(iod);
  });
});

it('an I/O over memory of several owners: each request goes the way of its own, whatever the neighbours do', () => {
  const { machine, mapper, driver } = bench();
  const own = [{ phys: physAddr(0x100000), bytes: PAGE }];
  const runs = [
    { provider: { type: 'bus-addr' } as Owner, ranges: pages(4, PAGE) },
    { provider: null, ranges: own },
    { provider: { type: 'not-supported' } as Owner, ranges: pages(1, PAGE) },
    { provider: { type: 'thru-host-bridge' } as Owner, ranges: pages(3, 2 * PAGE) },
  ];
  const made = physRequestsOf({ operation: 'write', position: 0, runs }, 'base-pages', driver.limits);
  if (!made.ok) throw new Error(`errno ${made.errno}`);
  expect(made.value.map(({ position, bytes }) => [position / PAGE, bytes / PAGE])).toEqual([
    [0, 4],
    [4, 1],
    [5, 1],
    [6, 3],
  ]);
  const iods = made.value.map((request) => mapper.newIod(request));
  expect(iods.map((iod) => mapper.mapData(iod))).toEqual(['ok', 'ok', 'invalid', 'ok']);
  expect(iods.map(({ iter, singleSegment }) => (singleSegment ? 'single' : iter.mapType))).toEqual([
    'bus-addr',
    'single',
    'not-supported',
    'thru-host-bridge',
  ]);
  for (const iod of iods.filter((_iod, at) => at !== 2)) mapper.unmapData(iod);
  machine.scheduler.runTask('remove', driver.remove());
  expect(held(machine)).toEqual([0, 0]);
});

describe('whatever runs out while a peer is mapped through the host bridge', () => {
  const shortages: readonly [string, (machine: NvmeMachine, step: number) => void][] = [
    ['coherent pages', ({ pages: coherent }, step) => Object.assign(coherent, { failAfter: step })],
    [
      'page-table frames',
      ({ frames, dev }, step) => {
        frames.failAfter = step;
        // Addresses far below those of the rings need page tables of their own.
        dev.dmaMask = 0x3fffffff;
      },
    ],
    ['I/O addresses', ({ dev }, step) => Object.assign(dev, { dmaMask: (step + 1) * PAGE - 1 })],
  ];

  it.each(shortages)('%s: the request fails, or all of it is mapped; nothing stays', (_name, shorten) => {
    let failed = 0;
    for (const [, ranges] of [
      ...shapes,
      ['33 gaps', pages(33, 3 * PAGE).map(({ phys }) => ({ phys, bytes: 512 }))] as const,
    ]) {
      for (let step = 0, ended = false; !ended && step < 64; step += 1) {
        const { machine, mapper, driver, requestsOn } = bench();
        const [request] = requestsOn({ type: 'thru-host-bridge' }, ranges) as [Request];
        shorten(machine, step);
        const iod = mapper.newIod(request);
        const status = mapper.mapData(iod);
        if (status === 'ok') mapper.unmapData(iod);
        else failed += 1;
        ended = status === 'ok';
        machine.pages.failAfter = -1;
        machine.frames.failAfter = -1;
        expect(driver.tracking.held).toBe(0);
        machine.scheduler.runTask('remove', driver.remove());
        expect(held(machine)).toEqual([0, 0]);
        expect(machine.pages.liveFrames).toBe(0);
        if (step === 63) expect(ended).toBe(true);
      }
    }
    expect(failed).toBeGreaterThan(0);
  });
});
