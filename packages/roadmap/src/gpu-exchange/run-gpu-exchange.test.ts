// A card's memory between a disk and a peer on the wire: every way in every place, with and without IOMMU, while its driver moves it about,
// under a seeded order of events.
import { fc, test } from '@fast-check/vitest';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { GPU_EXCHANGE_PLACES, GPU_EXCHANGE_WAYS, type GpuExchangeInput } from './gpu-exchange-input.ts';
import type { GpuExchangeReport } from './gpu-exchange-report.ts';
import { gpuExchangeFaults, gpuExchangeVerdict } from './gpu-exchange-verdict.ts';
import { runGpuExchange } from './run-gpu-exchange.ts';

const inputs = GPU_EXCHANGE_PLACES.flatMap((place) =>
  [true, false].flatMap((iommu) =>
    GPU_EXCHANGE_WAYS.map((way): GpuExchangeInput => ({ place, iommu, way, seed: 1 })),
  ),
);
const lists = inputs.filter(({ way }) => way === 'range-list');
/** Bytes of the three objects of a run, in two rounds, each byte four times under way. */
const BYTES = (3 * 65536 + 3 * 4096) * 2 * 4;

/** What the disk and the adapter are told about an object that may lie in VRAM only. */
const refusalsOf = ({ place, way }: GpuExchangeInput): readonly [number, number] => {
  const refusal = { 'range-list': Errno.EINVAL, amdgpu: 0, xe: Errno.EOPNOTSUPP }[way];
  return [place === 'refused' || place === 'mixed' ? refusal : 0, place === 'refused' ? refusal : 0];
};

describe.each(inputs)('$place, IOMMU $iommu, $way', (input) => {
  const report = runGpuExchange(input);

  it('is right, and the same again', () => {
    expect(gpuExchangeFaults(report), JSON.stringify(report)).toEqual([]);
    expect(gpuExchangeVerdict(report).ok).toBe(true);
    expect(runGpuExchange(input)).toEqual(report);
  });

  it('compares every byte at each end', () => {
    expect(report.stage.bytesVerified).toBe(BYTES);
    expect(report.stage.bytesRead).toBe(BYTES / 2);
    expect(report.transfers.disk).toBeGreaterThan(0);
    expect(report.transfers.peer).toBeGreaterThan(0);
  });

  it('gives an object that may lie in VRAM only, or refuses it', () => {
    expect([report.vramOnly.attach, report.vramOnly.register]).toEqual(refusalsOf(input));
  });

  it('looks at pages only where there are some in the table', () => {
    const { structPagesTouched } = report.stage.total;
    expect(structPagesTouched > 0).toBe(input.way !== 'range-list');
  });
});

describe('range lists', () => {
  const reports = lists.map((input) => runGpuExchange(input));
  const at = (place: string, iommu: boolean): GpuExchangeReport => {
    const found = reports.find(({ input }) => input.place === place && input.iommu === iommu);
    if (found === undefined) throw new Error('not run');
    return found;
  };

  it('are what both importers agree on, and nothing of a scatterlist crosses', () => {
    for (const { crossed } of reports) {
      expect(Object.keys(crossed.agreed)).toEqual(['DMA Mapped Range List']);
      expect([crossed.scatterlistEntries, crossed.entries > 0]).toEqual([0, true]);
    }
  });

  it("are one run of addresses behind an IOMMU, and the card's own addresses inside a switch", () => {
    const [inside, up] = [at('switch', true), at('host-bridge', true)];
    expect(up.crossed.entries).toBeLessThan(inside.crossed.entries);
    expect(up.stage.fabric.switchLocal.bytes).toBe(0);
    expect(inside.stage.fabric.hostBridge.bytes).toBe(0);
  });

  it('use PRPs and SGLs', () => {
    const { controller } = at('host-bridge', false).stage;
    expect(controller.prpEntriesFetched).toBeGreaterThan(0);
    expect(controller.sglDescriptorsFetched).toBeGreaterThan(0);
  });

  it('cost no IOVA and no entry where nothing translates', () => {
    const { iovaAllocations, entriesWritten } = at('switch', false).stage.total;
    expect([iovaAllocations, entriesWritten]).toEqual([0, 0]);
  });

  it('let the card move objects out of VRAM, back, and to another place of VRAM', () => {
    const kinds = new Set(reports.flatMap(({ moves }) => moves.map(({ from, to }) => `${from} ${to}`)));
    expect([...kinds]).toEqual(expect.arrayContaining(['tt vram', 'vram tt', 'vram vram']));
    for (const { driver } of reports) expect(driver.evictions + driver.acted).toBeGreaterThan(6);
  });

  it('serve a peer inside the switch in VRAM and one out of reach in system memory', () => {
    const { mapTypes, stage, moves } = at('mixed', true);
    expect(mapTypes).toEqual({ adapter: 'bus-addr', disk: 'not-supported' });
    expect(stage.fabric.hostBridge.bytes).toBe(0);
    expect(moves.some(({ to }) => to === 'vram')).toBe(true);
  });

  it('fall to system memory for peers out of reach', () => {
    const { fabric } = at('refused', true).stage;
    expect([fabric.switchLocal.bytes, fabric.hostBridge.bytes]).toEqual([0, 0]);
    expect(fabric.memory.bytes).toBeGreaterThan(BYTES);
  });
});

describe('the tables of today', () => {
  it.each(['switch', 'host-bridge', 'refused'] as const)(
    'contain the abuses of the catalogue: %s',
    (place) => {
      const of = (way: 'amdgpu' | 'xe'): string[] =>
        Object.keys(runGpuExchange({ place, iommu: true, way, seed: 2 }).abuses).sort();
      const both = ['page-pointer-as-type-tag', ...(place === 'refused' ? [] : ['null-page-scatterlist'])];
      const local = place === 'switch' ? ['ignoring-p2p-bus-addressing'] : [];
      const xe = [...both, ...local, 'attribute-mismatch'].sort();
      expect(of('xe')).toEqual(xe);
      const byPlacement = 'unmap-by-current-placement';
      expect(of('amdgpu').filter((name) => name !== byPlacement)).toEqual(
        place === 'refused' ? expect.arrayContaining(xe) : xe,
      );
      expect(of('amdgpu').includes(byPlacement)).toBe(place !== 'refused');
    },
  );

  it('move the same bytes as range lists', () => {
    for (const iommu of [true, false]) {
      const reports = GPU_EXCHANGE_WAYS.map((way) =>
        runGpuExchange({ way, iommu, place: 'host-bridge', seed: 5 }),
      );
      const moved = reports.map(({ stage }) => [stage.bytesRead, stage.bytesWritten, stage.bytesVerified]);
      expect(new Set(moved.map(String)).size).toBe(1);
    }
  });
});

test.prop(
  {
    way: fc.constantFrom(...GPU_EXCHANGE_WAYS),
    place: fc.constantFrom(...GPU_EXCHANGE_PLACES),
    iommu: fc.boolean(),
    seed: fc.nat(),
    objects: fc.integer({ min: 2, max: 4 }),
  },
  { numRuns: 20 },
)('every promise is kept whatever the order of events', (input) => {
  const report = runGpuExchange(input);
  expect(gpuExchangeFaults(report), JSON.stringify(report)).toEqual([]);
});
