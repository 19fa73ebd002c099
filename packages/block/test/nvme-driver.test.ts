// The driver on the real layers: it comes up, moves data in every form, goes away, and survives any failing allocation.

import { physAddr } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import type { BioVec } from '../src/bio-vec.ts';
import {
  type DirectIo,
  IovaDataMapper,
  type NvmeDataMapper,
  type NvmeIod,
  type NvmeMappingContext,
  NvmePciDriver,
  requestsOf,
} from '../src/index.ts';
import { SgDataMapper } from '../src/stage-0.ts';
import { type NvmeMachine, type NvmeMachineOptions, nvmeMachine } from './nvme-machine.ts';
import { unwrapped } from './outcome-value.ts';

const PAGE = 4096;

type MakeMapper = (context: NvmeMappingContext) => NvmeDataMapper<NvmeIod>;
const mappers: readonly [string, MakeMapper][] = [
  ['scatterlist', (context) => new SgDataMapper(context) as unknown as NvmeDataMapper<NvmeIod>],
  ['two-step', (context) => new IovaDataMapper(context) as unknown as NvmeDataMapper<NvmeIod>],
];

function driverOn(machine: NvmeMachine, makeMapper: MakeMapper): NvmePciDriver<NvmeIod> {
  return new NvmePciDriver({ dev: machine.dev, registers: machine.registers, makeMapper });
}

/** What must be gone when the driver is. */
function expectNothingLeft(machine: NvmeMachine, driver: NvmePciDriver<NvmeIod>): void {
  expect(machine.pages.liveFrames).toBe(0);
  expect(driver.tracking.held).toBe(0);
  expect(driver.pools.small.liveBlocks + driver.pools.large.liveBlocks).toBe(0);
  const { cookie } = machine.dev;
  if (cookie === null) return;
  expect(cookie.domain.table.liveLeafEntries).toBe(0);
  expect(cookie.iovad.liveRanges).toBe(0);
  expect(machine.unit?.iotlb.live).toBe(0);
}

const pieces = (...list: readonly (readonly [number, number])[]): BioVec[] =>
  list.map(([phys, bytes]) => ({ phys: physAddr(phys), bytes }));
const pages = (count: number, stride: number, at = 0x100000): BioVec[] =>
  Array.from({ length: count }, (_, i) => ({ phys: physAddr(at + i * stride), bytes: PAGE }));

const shapes: readonly [string, BioVec[]][] = [
  ['part of a page', pieces([0x100200, 512])],
  ['two pages by PRP2', pieces([0x100200, 3584], [0x300000, 512])],
  ['eight scattered pages', pages(8, 2 * PAGE)],
  ['32 scattered pages: SGL by size or a PRP list', pages(32, 2 * PAGE)],
  ['300 pages, several commands', pages(300, PAGE)],
  ['gaps', pieces([0x100204, 508], [0x200000, 4], [0x300ffc, 4], [0x400008, 508])],
  [
    'twenty gapped pieces: a large SGL segment',
    pages(20, 3 * PAGE).map(({ phys }) => ({ phys, bytes: 512 })),
  ],
];

/** Index of the first byte that differs, -1 = none: a comparison that stays fast on megabytes. */
const firstDifference = (found: Uint8Array, wanted: Uint8Array): number =>
  found.length === wanted.length ? found.findIndex((byte, at) => byte !== wanted[at]) : found.length;

function* roundTrip(machine: NvmeMachine, driver: NvmePciDriver<NvmeIod>, buffer: BioVec[]) {
  const bytes = buffer.reduce((sum, piece) => sum + piece.bytes, 0);
  const content = Uint8Array.from({ length: bytes }, (_, i) => (i * 7 + (i >> 8) * 13) & 0xff);
  let at = 0;
  for (const piece of buffer) {
    machine.memory.write(piece.phys, content.subarray(at, at + piece.bytes));
    at += piece.bytes;
  }
  const io = (operation: 'read' | 'write'): DirectIo => ({ operation, position: 1 << 20, iovecs: [buffer] });
  const wrote = yield* driver.execute(unwrapped(requestsOf(io('write'), 'base-pages', driver.limits)));
  for (const piece of buffer) machine.memory.write(piece.phys, new Uint8Array(piece.bytes).fill(0xee));
  const read = yield* driver.execute(unwrapped(requestsOf(io('read'), 'base-pages', driver.limits)));
  const back = new Uint8Array(bytes);
  at = 0;
  for (const piece of buffer) {
    machine.memory.read(piece.phys, back.subarray(at, at + piece.bytes));
    at += piece.bytes;
  }
  return { statuses: new Set([...wrote, ...read].map(({ status }) => status)), content, back };
}

const machines: readonly [string, NvmeMachineOptions][] = [
  ['behind VT-d', {}],
  ['behind VT-d, no SGLs', { sgls: 0 }],
  ['without an IOMMU', { iommu: false }],
  ['without an IOMMU and SGLs', { iommu: false, sgls: 0 }],
  ['without an IOMMU and a transfer limit', { iommu: false, mdts: 0 }],
];

describe.each(machines)('%s', (_machine, options) => {
  describe.each(mappers)('%s', (_mapper, makeMapper) => {
    it.each(shapes)('%s: there and back', (shape, buffer) => {
      // Without SGLs a gap inside a block cannot be described: the block layer refuses such an I/O.
      if (shape === 'gaps' && options.sgls === 0) return;
      const machine = nvmeMachine(options);
      const driver = driverOn(machine, makeMapper);
      function* all() {
        expect(yield* driver.probe()).toBe(0);
        expect(machine.dev.driver).toBe('nvme');
        const { statuses, content, back } = yield* roundTrip(machine, driver, buffer);
        expect([...statuses]).toEqual(['ok']);
        expect(firstDifference(back, content)).toBe(-1);
        yield* driver.remove();
        expect(machine.dev.driver).toBeNull();
      }
      machine.scheduler.runTask('test', all());
      expect(machine.controller.counters.errors).toBe(0);
      expectNothingLeft(machine, driver);
    });
  });
});

it('derives the limits from the controller and the DMA layer', () => {
  const limitsOf = (options: NvmeMachineOptions) => {
    const machine = nvmeMachine(options);
    const driver = driverOn(
      machine,
      (context) => new IovaDataMapper(context) as unknown as NvmeDataMapper<NvmeIod>,
    );
    machine.scheduler.runTask('probe', driver.probe());
    return driver.limits;
  };
  expect(limitsOf({})).toMatchObject({ maxBytes: 131072, maxSegments: 33, virtBoundaryMask: 0 });
  expect(limitsOf({ iommu: false })).toMatchObject({ maxBytes: 524288, maxSegments: 129 });
  expect(limitsOf({ iommu: false, mdts: 0 })).toMatchObject({ maxBytes: 8388608, maxSegments: 256 });
  expect(limitsOf({ sgls: 0 })).toMatchObject({ virtBoundaryMask: 4095 });
});

describe.each(mappers)('every failing allocation, %s', (_mapper, makeMapper) => {
  it.each(['pages', 'frames'] as const)(
    'of %s: nothing stays, and the I/O works or is reported',
    (source) => {
      for (let failAfter = 0; ; failAfter += 1) {
        const machine = nvmeMachine();
        const driver = driverOn(machine, makeMapper);
        machine[source].failAfter = failAfter;
        function* all() {
          const errno = yield* driver.probe();
          if (errno !== 0) return errno;
          const { statuses, content, back } = yield* roundTrip(machine, driver, pages(32, 2 * PAGE));
          if (statuses.size === 1 && statuses.has('ok')) expect(firstDifference(back, content)).toBe(-1);
          else expect(statuses.has('resource')).toBe(true);
          yield* driver.remove();
          return statuses.has('resource') ? 'resource' : 'done';
        }
        const outcome = machine.scheduler.runTask('test', all());
        expectNothingLeft(machine, driver);
        expect(machine.dev.driver).toBeNull();
        if (outcome === 'done') break;
        expect(['resource', -Errno.ENOMEM]).toContain(outcome);
        expect(failAfter).toBeLessThan(100);
      }
    },
  );
});

describe.each(mappers)('no more addresses, %s', (_mapper, makeMapper) => {
  it.each(shapes)('%s: reported as a lack of resources, nothing mapped', (_shape, buffer) => {
    const machine = nvmeMachine();
    const driver = driverOn(machine, makeMapper);
    machine.scheduler.runTask('probe', driver.probe());
    const before = machine.dev.cookie?.domain.table.liveLeafEntries;
    // A mask of 12 bits: no address is low enough.
    machine.dev.dmaMask = 0xfff;
    const requests = unwrapped(
      requestsOf({ operation: 'read', position: 0, iovecs: [buffer] }, 'base-pages', driver.limits),
    );
    const results = machine.scheduler.runTask('run', driver.execute(requests));
    expect(results.map(({ status }) => status)).toEqual(requests.map(() => 'resource'));
    expect(machine.dev.cookie?.domain.table.liveLeafEntries).toBe(before);
    expect(driver.tracking.held).toBe(0);
    machine.scheduler.runTask('remove', driver.remove());
    expectNothingLeft(machine, driver);
  });
});
