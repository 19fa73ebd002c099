// Who has to go when room is wanted, and who must not: busy objects, those that lie elsewhere, those that may lie nowhere else, and
// those that ended while another was on its way.
import {
  type DmaBufAttachOps,
  DmaFence,
  type DmaRangeList,
  DmaResvUsage,
  dmaFenceSignal,
  dmaResvAddFence,
  dmaResvReserveFences,
} from '@sgfree/dma-buf';
import type { ModelTask } from '@sgfree/hw-model';
import { expect, it } from 'vitest';
import { GpuMachine } from '../../test/gpu-machine.ts';
import { RangeImporter } from '../../test/range-importer.ts';
import { exportBoMappings } from '../mapping/export-mappings.ts';
import { evictOne } from './evict-bo.ts';
import type { GpuBo, GpuBoSpec } from './gpu-bo.ts';
import { createBo, destroyBo } from './place-bo.ts';

const KIB256: number = 2 ** 18;

function made(machine: GpuMachine, name: string, spec: Partial<GpuBoSpec> = {}): GpuBo {
  const bo = machine.do(createBo(machine.card, { name, bytes: KIB256, placements: ['vram', 'tt'], ...spec }));
  if (!bo.ok) throw new RangeError(`errno ${bo.errno}`);
  return bo.value;
}

const places = (...objects: readonly GpuBo[]): string[] => objects.map(({ resource }) => resource.kind);

it('an object that is held, and one that may lie nowhere else, are passed over', () => {
  const machine = new GpuMachine();
  const [only, held, next] = [
    made(machine, 'only', { placements: ['vram'] }),
    made(machine, 'held'),
    made(machine, 'next'),
  ];
  expect(machine.do(machine.held(held, () => evictOne(machine.card, false)))).toBe(0);
  expect(places(only, held, next)).toEqual(['vram', 'vram', 'tt']);
  expect(machine.do(machine.held(held, () => evictOne(machine.card, false)))).toBe(-28);
});

it('for memory that is to be seen only what lies there goes', () => {
  const machine = new GpuMachine({ visibleBytes: KIB256 });
  const hidden = ['a', 'b', 'c'].map((name) => made(machine, name));
  const seen = made(machine, 'seen', { visible: true });
  const more = made(machine, 'more', { visible: true, placements: ['vram'] });
  expect(places(...hidden, seen, more)).toEqual(['vram', 'vram', 'vram', 'tt', 'vram']);
  expect(machine.card.counters.evictions).toBe(1);
});

/** Unfinished work on the object, with its reservation held. */
function added({ dmaBufs }: GpuMachine, { resv }: GpuBo): DmaFence {
  expect(dmaResvReserveFences(resv, 1)).toBe(0);
  const fence = new DmaFence(dmaBufs, {}, { context: dmaBufs.takeContexts(1), seqno: 1 });
  dmaResvAddFence(resv, fence, DmaResvUsage.BOOKKEEP);
  return fence;
}

/** An importer in whose callback another object ends, and memory is short for a moment. */
class EndingImporter extends RangeImporter {
  objects: readonly GpuBo[] = [];

  override get ops(): DmaBufAttachOps<DmaRangeList> {
    return { allowPeer2peer: true, invalidateMappings: () => this.#told() };
  }

  *#told(): ModelTask<void> {
    const [shared, other] = this.objects as [GpuBo, GpuBo];
    yield* destroyBo(other);
    added(this.machine, shared);
    let allocations = 0;
    this.machine.dmaBufs.allocate = () => {
      allocations += 1;
      return allocations > 1;
    };
  }
}

it('an object that ended while another could not be moved is not looked at', () => {
  const machine = new GpuMachine();
  const [shared, other] = [made(machine, 'shared'), made(machine, 'other')];
  const dmabuf = exportBoMappings(shared);
  if (!dmabuf.ok) throw new RangeError(`errno ${dmabuf.errno}`);
  const importer = new EndingImporter(machine, machine.near);
  expect(machine.do(importer.join(dmabuf.value))).toBe(0);
  importer.objects = [shared, other];
  expect(machine.do(evictOne(machine.card, false))).toBe(-28);
  expect([machine.card.lru, places(shared), machine.inUse]).toEqual([
    [shared],
    ['vram'],
    { pages: 0, vram: KIB256, entries: 0, ranges: 0 },
  ]);
});

it('the memory of an object that ends is free when everybody is done with it', () => {
  const machine = new GpuMachine();
  const bo = made(machine, 'bo');
  const user = machine.do(
    machine.held(bo, function* () {
      yield { at: 'test' };
      return added(machine, bo);
    }),
  );
  machine.scheduler.spawn('end', destroyBo(bo));
  machine.scheduler.run();
  expect(machine.inUse.vram).toBe(KIB256);
  dmaFenceSignal(user);
  machine.scheduler.run();
  expect([machine.inUse.vram, machine.card.lru]).toEqual([0, []]);
});

it('nobody has to go while there is room in another placement', () => {
  const machine = new GpuMachine();
  const objects = ['a', 'b', 'c', 'd', 'more'].map((name) => made(machine, name));
  expect(places(...objects)).toEqual(['vram', 'vram', 'vram', 'vram', 'tt']);
  expect(machine.card.counters.evictions).toBe(0);
});
