// Whatever runs out while requests are being mapped, in whatever shape: the requests work or are reported, and what is
// left is what the pools keep; after the driver is gone nothing is. The checker of DMA API misuse finds nothing either.

import { DmaDebug, type DmaDebugFinding, dmaDebugDeviceChange } from '@sgfree/dma-core';
import { addOffset, dmaAddr, physAddr } from '@sgfree/hw-model';
import { IOMMU_READ, iommuMap, iommuUnmap } from '@sgfree/iommu';
import { describe, expect, it } from 'vitest';
import type { BioVec } from '../src/bio-vec.ts';
import {
  IovaDataMapper,
  type NvmeDataMapper,
  type NvmeIod,
  type NvmeMappingContext,
  NvmePciDriver,
  requestsOf,
} from '../src/index.ts';
import { SgDataMapper } from '../src/stage-0.ts';
import { type NvmeMachine, nvmeMachine } from './nvme-machine.ts';
import { unwrapped } from './outcome-value.ts';

const PAGE = 4096;

type MakeMapper = (context: NvmeMappingContext) => NvmeDataMapper<NvmeIod>;
type Driver = NvmePciDriver<NvmeIod>;
/** Makes something run out; `step` says how late. */
type Shortage = (machine: NvmeMachine, step: number) => void;

const mappers: readonly [string, MakeMapper][] = [
  ['scatterlist', (context) => new SgDataMapper(context) as unknown as NvmeDataMapper<NvmeIod>],
  ['two-step', (context) => new IovaDataMapper(context) as unknown as NvmeDataMapper<NvmeIod>],
];

/** `count` pieces of `bytes` bytes, each at the start of a page, `stride` bytes apart. */
const pieces = (count: number, stride: number, bytes: number): BioVec[] =>
  Array.from({ length: count }, (_, i) => ({ phys: physAddr(0x100000 + i * stride), bytes }));

/** `sgls: 0` leaves only PRPs: with gaps each piece is then a request, without them dma_vecs are kept. */
const shapes: readonly [string, 0 | 1, BioVec[]][] = [
  ['10 pages far apart', 1, pieces(10, 0x200000, PAGE)],
  ['300 pages in a row', 1, pieces(300, PAGE, PAGE)],
  ['20 gapped pieces: a large SGL block', 1, pieces(20, 3 * PAGE, 512)],
  ['99 gapped pieces: three requests', 1, pieces(99, 3 * PAGE, 512)],
  ['99 gapped pieces without SGLs', 0, pieces(99, 3 * PAGE, 512)],
  ['34 pages without SGLs: a PRP list', 0, pieces(34, 2 * PAGE, PAGE)],
];

const inTurn = Array.from({ length: 48 }, (_, step) => step);
const shortages: readonly [string, readonly number[], Shortage][] = [
  ['coherent pages', inTurn, ({ pages }, step) => Object.assign(pages, { failAfter: step })],
  [
    // Addresses far below those of the rings need page tables of their own.
    'page-table frames',
    inTurn,
    ({ frames, dev }, step) => {
      frames.failAfter = step;
      dev.dmaMask = 0x3fffffff;
    },
  ],
  [
    // The lowest `step` pages of addresses, page 0 apart, are all there is.
    'I/O addresses',
    [...inTurn.slice(0, 20), 32, 33, 48, 64, 65, 128, 300],
    ({ dev }, step) => Object.assign(dev, { dmaMask: (step + 1) * PAGE - 1 }),
  ],
];

function enough(machine: NvmeMachine): void {
  machine.pages.failAfter = -1;
  machine.frames.failAfter = -1;
}

/** Leaf entries and address ranges that exist beside the pages of the pools. */
function heldBesidePools({ dev }: NvmeMachine, { pools }: Driver): readonly [number, number] {
  const kept = pools.small.pages + pools.large.pages;
  const { cookie } = dev;
  return [(cookie?.domain.table.liveLeafEntries ?? 0) - kept, (cookie?.iovad.liveRanges ?? 0) - kept];
}

function* runShort(machine: NvmeMachine, driver: Driver, buffer: BioVec[], shorten: () => void) {
  expect(yield* driver.probe()).toBe(0);
  const before = heldBesidePools(machine, driver);
  const io = { operation: 'write', position: 0, iovecs: [buffer] } as const;
  const requests = unwrapped(requestsOf(io, 'base-pages', driver.limits));
  shorten();
  const results = yield* driver.execute(requests);
  enough(machine);
  expect(results).toHaveLength(requests.length);
  expect(heldBesidePools(machine, driver)).toEqual(before);
  expect(driver.tracking.held).toBe(0);
  yield* driver.remove();
  return results.map(({ status }) => status);
}

function expectNothingLeft(machine: NvmeMachine): void {
  const { dev, pages, unit, controller } = machine;
  expect(pages.liveFrames).toBe(0);
  expect(dev.cookie?.domain.table.liveLeafEntries).toBe(0);
  expect(dev.cookie?.iovad.liveRanges).toBe(0);
  expect(unit?.iotlb.live).toBe(0);
  expect(unit?.counters.faults).toBe(0);
  expect(controller.counters.errors).toBe(0);
}

describe.each(mappers)('%s', (_mapper, makeMapper) => {
  describe.each(shapes)('%s', (_shape, sgls, buffer) => {
    it.each(shortages)('%s run out', (what, steps, shorten) => {
      const seen = new Set<string>();
      for (const step of steps) {
        const machine = nvmeMachine({ sgls });
        const findings: DmaDebugFinding[] = [];
        machine.dev.platform.debug = new DmaDebug({ onFinding: (finding) => findings.push(finding) });
        const driver = new NvmePciDriver({ dev: machine.dev, registers: machine.registers, makeMapper });
        const run = runShort(machine, driver, buffer, () => shorten(machine, step));
        const statuses = machine.scheduler.runTask('test', run);
        expectNothingLeft(machine);
        dmaDebugDeviceChange(machine.dev);
        expect(findings).toEqual([]);
        for (const status of statuses) seen.add(status);
        if (!statuses.includes('resource')) break;
      }
      expect([...seen].every((status) => status === 'ok' || status === 'resource')).toBe(true);
      expect(seen.has('ok')).toBe(true);
      // A request that is one SGL data block needs no coherent page; an address and a table every request needs.
      expect(what === 'coherent pages' || seen.has('resource')).toBe(true);
    });
  });
});

describe.each(mappers)('an address in use half-way, %s', (mapper, makeMapper) => {
  it('fails the request and undoes what was mapped before it, and no more', () => {
    const machine = nvmeMachine();
    const driver = new NvmePciDriver({ dev: machine.dev, registers: machine.registers, makeMapper });
    const { domain } = machine.dev.cookie as NonNullable<typeof machine.dev.cookie>;
    function* all() {
      expect(yield* driver.probe()).toBe(0);
      const io = { operation: 'read', position: 0, iovecs: [pieces(8, 2 * PAGE, PAGE)] } as const;
      const requests = unwrapped(requestsOf(io, 'base-pages', driver.limits));
      const [first] = yield* driver.execute(requests);
      expect(first?.status).toBe('ok');
      // The address that was given back last is handed out next: its fifth page is taken behind the driver's back.
      const taken = addOffset(dmaAddr(first?.iod.entry.prp1 as number), 4 * PAGE);
      expect(iommuMap(domain, taken, physAddr(0), PAGE, IOMMU_READ)).toBe(0);
      const before = heldBesidePools(machine, driver);
      const [second] = yield* driver.execute(requests);
      expect(second?.status).toBe(mapper === 'scatterlist' ? 'resource' : 'io-error');
      expect(heldBesidePools(machine, driver)).toEqual(before);
      expect(driver.tracking.held).toBe(0);
      expect(iommuUnmap(domain, taken, PAGE)).toBe(PAGE);
      yield* driver.remove();
    }
    machine.scheduler.runTask('test', all());
    expectNothingLeft(machine);
  });
});
