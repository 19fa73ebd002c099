// The exporter of mapping types, with importers that really read and write while the driver moves and evicts.
import { type DmaBuf, dmaBufPin, dmaBufPut, dmaBufUnpin } from '@sgfree/dma-buf';
import { dmaBufAttach } from '@sgfree/dma-buf/stage-6';
import { type ModelTask, PAGE_SIZE } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { GpuMachine, type GpuMachineOptions } from '../../test/gpu-machine.ts';
import { RangeImporter } from '../../test/range-importer.ts';
import { evictAll, evictOne } from '../objects/evict-bo.ts';
import type { GpuBo, GpuBoSpec } from '../objects/gpu-bo.ts';
import { moveBo } from '../objects/move-bo.ts';
import { createBo, destroyBo, pinBo, unpinBo } from '../objects/place-bo.ts';
import { exportBoMappings } from './export-mappings.ts';

const BYTES = 32 * PAGE_SIZE;

const pattern = (key: number): Uint8Array =>
  Uint8Array.from({ length: BYTES }, (_, at) => (at * 7 + Math.floor(at / 100) + key) & 0xff);
const differs = (found: Uint8Array, wanted: Uint8Array): number =>
  found.findIndex((byte, at) => byte !== wanted[at]);

interface Shared {
  readonly machine: GpuMachine;
  readonly bo: GpuBo;
  readonly dmabuf: DmaBuf<unknown>;
}

function shared(options: GpuMachineOptions = {}, spec: Partial<GpuBoSpec> = {}): Shared {
  const machine = new GpuMachine(options);
  const wanted = { name: 'shared', bytes: BYTES, placements: ['vram', 'tt'], ...spec } as const;
  const bo = machine.do(createBo(machine.card, wanted));
  if (!bo.ok) throw new RangeError(`errno ${bo.errno}`);
  const dmabuf = exportBoMappings(bo.value);
  if (!dmabuf.ok) throw new RangeError(`errno ${dmabuf.errno}`);
  return { machine, bo: bo.value, dmabuf: dmabuf.value };
}

function ended({ machine, bo, dmabuf }: Shared): void {
  machine.do(dmaBufPut(dmabuf));
  expect(bo.dmabuf).toBeNull();
  machine.do(destroyBo(bo));
  expect(machine.inUse).toEqual({ pages: 0, vram: 0, entries: 0, ranges: 0 });
  expect(machine.card.runtimeRefs).toBe(0);
  expect(machine.log.events.filter(({ kind }) => kind === 'violation')).toEqual([]);
}

const move = ({ machine, bo }: Shared, type: 'vram' | 'tt') =>
  machine.do(machine.held(bo, () => moveBo(bo, type)));

describe.each([false, true])('with an IOMMU: %s', (iommu) => {
  it.each([
    ['near', 'bus-address'],
    ['far', iommu ? 'iova' : 'mapped'],
  ] as const)('a peer %s works in VRAM and in system memory, and follows moves', (place, route) => {
    const all = shared({ iommu }, { mostBlockBytes: 4 * PAGE_SIZE });
    const { machine, bo } = all;
    const importer = new RangeImporter(machine, machine[place]);
    machine.fill(bo, pattern(1));
    expect(machine.do(importer.join(all.dmabuf))).toBe(0);
    const found = new Uint8Array(BYTES);
    expect(machine.do(importer.access(found, 'read'))).toBe(0);
    expect([bo.resource.kind, importer.list?.route, machine.card.runtimeRefs]).toEqual(['vram', route, 1]);
    expect(differs(found, pattern(1))).toBe(-1);
    expect(machine.do(importer.access(pattern(2), 'write'))).toBe(0);
    expect(differs(machine.bytesOf(bo), pattern(2))).toBe(-1);
    for (const [moves, type] of (['tt', 'vram', 'vram'] as const).entries()) {
      expect(move(all, type)).toBe(0);
      expect([importer.told, importer.list]).toEqual([moves + 1, null]);
      found.fill(0);
      expect(machine.do(importer.access(found, 'read'))).toBe(0);
      expect(bo.resource.kind).toBe(type);
      expect(differs(found, pattern(2))).toBe(-1);
    }
    machine.do(importer.leave());
    ended(all);
  });

  it('the driver evicts and moves while importers write: nothing lands late', () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const all = shared({ iommu, seed });
      const { machine, bo } = all;
      const [near, far] = [new RangeImporter(machine, machine.near), new RangeImporter(machine, machine.far)];
      for (const importer of [near, far]) expect(machine.do(importer.join(all.dmabuf))).toBe(0);
      const results: number[] = [];
      for (const [key, importer] of [near, far, near].entries())
        machine.scheduler.spawn(`write ${key}`, record(importer.access(pattern(key), 'write'), results));
      machine.scheduler.spawn('evict', record(evictOne(machine.card, false), results));
      machine.scheduler.spawn(
        'move',
        record(
          machine.held(bo, () => moveBo(bo, 'vram')),
          results,
        ),
      );
      machine.scheduler.run();
      expect(results.filter((result) => result !== 0 && result !== -28)).toEqual([]);
      const found = new Uint8Array(BYTES);
      expect(machine.do(near.access(found, 'read'))).toBe(0);
      expect(differs(found, machine.bytesOf(bo))).toBe(-1);
      // Each byte is one that some importer wrote there.
      const keys = [0, 1, 2].map(pattern);
      expect(found.findIndex((byte, at) => keys.every((key) => key[at] !== byte))).toBe(-1);
      for (const importer of [near, far]) machine.do(importer.leave());
      ended(all);
    }
  });
});

it('a range may be longer than the entry of a table', () => {
  const bytes = 2 ** 32;
  const all = shared({ vramBytes: bytes }, { bytes, placements: ['vram'] });
  const importer = new RangeImporter(all.machine, all.machine.near);
  expect(all.machine.do(importer.join(all.dmabuf))).toBe(0);
  expect(all.machine.do(importer.map())).toBe(0);
  expect([...(importer.list?.ranges() ?? [])].map((range) => range.bytes)).toEqual([bytes]);
  all.machine.do(importer.leave());
  ended(all);
});

function* record(task: ModelTask<number>, into: number[]): ModelTask<void> {
  into.push(yield* task);
}

describe('who gets what', () => {
  it('an importer without a way to VRAM, one that takes no peer, and a static one get system memory', () => {
    for (const [listed, manners] of [
      [false, {}],
      [true, { peer: false }],
      [true, { dynamic: false }],
    ] as const) {
      const all = shared({ listed });
      const { machine, bo } = all;
      machine.fill(bo, pattern(3));
      const importer = new RangeImporter(machine, machine.far, manners);
      expect(machine.do(importer.join(all.dmabuf))).toBe(0);
      const found = new Uint8Array(BYTES);
      expect(machine.do(importer.access(found, 'read'))).toBe(0);
      expect([bo.resource.kind, importer.list?.attrs.mmio]).toEqual(['tt', undefined]);
      expect(bo.pinCount).toBe('dynamic' in manners ? 1 : 0);
      expect(differs(found, pattern(3))).toBe(-1);
      machine.do(importer.leave());
      expect(bo.pinCount).toBe(0);
      ended(all);
    }
  });

  it('no offer suits: -EINVAL at attach, also for an importer that asks for tables', () => {
    const all = shared({ listed: false }, { placements: ['vram'] });
    const { machine } = all;
    expect(machine.do(new RangeImporter(machine, machine.far).join(all.dmabuf))).toBe(-22);
    expect(machine.do(new RangeImporter(machine, machine.near).join(all.dmabuf))).toBe(0);
    expect(machine.do(dmaBufAttach(all.dmabuf, machine.near))).toEqual({ ok: false, errno: 22 });
  });

  it('a compressed object is shared in system memory', () => {
    const all = shared({}, { compressed: true });
    const importer = new RangeImporter(all.machine, all.machine.near);
    expect(all.machine.do(importer.join(all.dmabuf))).toBe(0);
    expect([all.machine.do(importer.map()), all.bo.resource.kind]).toEqual([0, 'tt']);
    all.machine.do(importer.leave());
    ended(all);
  });

  it('an object that the BAR does not show moves to where it does; a pinned one is refused', () => {
    const all = shared({ visibleBytes: 2 ** 19 });
    const { machine, bo } = all;
    const importer = new RangeImporter(machine, machine.near);
    expect(machine.do(importer.join(all.dmabuf))).toBe(0);
    expect(machine.do(machine.held(bo, () => pinBo(bo, ['vram'])))).toBe(0);
    expect(machine.do(importer.map())).toBe(-95);
    machine.do(
      machine.held(bo, function* () {
        unpinBo(bo);
        yield { at: 'test' };
      }),
    );
    machine.fill(bo, pattern(6));
    const found = new Uint8Array(BYTES);
    expect(machine.do(importer.access(found, 'read'))).toBe(0);
    expect([bo.resource.kind, differs(found, pattern(6))]).toEqual(['vram', -1]);
    machine.do(importer.leave());
    ended(all);
  });
});

it('a pin serves all importers or is refused, and a pinned object stays', () => {
  const all = shared();
  const { machine, bo } = all;
  const [near, far] = [
    new RangeImporter(machine, machine.near),
    new RangeImporter(machine, machine.far, { peer: false }),
  ];
  expect(machine.do(near.join(all.dmabuf))).toBe(0);
  const attach = near.attach;
  if (attach === null) throw new RangeError('not attached');
  const pin = () => machine.do(machine.held(bo, () => dmaBufPin(attach)));
  const unpin = () => machine.do(machine.held(bo, () => dmaBufUnpin(attach)));
  expect([pin(), bo.resource.kind, move(all, 'tt')]).toEqual([0, 'vram', -22]);
  expect(machine.do(far.join(all.dmabuf))).toBe(0);
  // Pinned where the newcomer may not have it.
  expect([pin(), machine.do(far.map())]).toEqual([-22, -22]);
  unpin();
  expect([pin(), bo.resource.kind, machine.do(far.map())]).toEqual([0, 'tt', 0]);
  unpin();
  for (const importer of [near, far]) machine.do(importer.leave());
  ended(all);
});

it('VRAM is taken back while importers use it: all are told, nothing stays but what is pinned', () => {
  const all = shared({ iommu: true }, { mostBlockBytes: 4 * PAGE_SIZE });
  const { machine, bo } = all;
  const importers = [machine.near, machine.far].map((dev) => new RangeImporter(machine, dev));
  for (const importer of importers) expect(machine.do(importer.join(all.dmabuf))).toBe(0);
  const results: number[] = [];
  for (const [key, importer] of importers.entries())
    machine.scheduler.spawn(`write ${key}`, record(importer.access(pattern(key), 'write'), results));
  machine.scheduler.run();
  const other = machine.do(
    createBo(machine.card, { name: 'kept', bytes: BYTES, placements: ['vram', 'tt'] }),
  );
  if (!other.ok) throw new RangeError('no object');
  expect(machine.do(machine.held(other.value, () => pinBo(other.value, ['vram'])))).toBe(0);
  expect(machine.do(evictAll(machine.card))).toBe(-16);
  expect([results, bo.resource.kind, other.value.resource.kind]).toEqual([[0, 0], 'tt', 'vram']);
  expect(importers.map(({ told, list }) => [told, list])).toEqual([
    [1, null],
    [1, null],
  ]);
  expect(machine.inUse.vram).toBe(BYTES);
  machine.do(
    machine.held(other.value, function* () {
      unpinBo(other.value);
      yield { at: 'test' };
    }),
  );
  expect([machine.do(evictAll(machine.card)), machine.inUse.vram]).toEqual([0, 0]);
  for (const importer of importers) {
    const found = new Uint8Array(BYTES);
    expect(machine.do(importer.access(found, 'read'))).toBe(0);
    expect(differs(found, machine.bytesOf(bo))).toBe(-1);
    machine.do(importer.leave());
  }
  machine.do(destroyBo(other.value));
  ended(all);
});

it('unpinning what nobody pinned is a violation, and an object in use cannot end', () => {
  const { machine, bo } = shared();
  machine.do(
    machine.held(bo, function* () {
      unpinBo(bo);
      yield { at: 'test' };
    }),
  );
  expect([bo.pinCount, machine.log.events.some((event) => event['rule'] === 'gpu-bo-not-pinned')]).toEqual([
    0,
    true,
  ]);
  expect(() => machine.do(destroyBo(bo))).toThrow(expect.objectContaining({ rule: 'gpu-bo-in-use' }));
});
