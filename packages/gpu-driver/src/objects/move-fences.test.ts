// What the copy of a move waits for, whoever adds it and when; and what is said of a copy that failed.
import {
  type DmaBufAttachOps,
  DmaFence,
  type DmaRangeList,
  DmaResvUsage,
  dmaFencePut,
  dmaFenceSignal,
  dmaResvAddFence,
  dmaResvGetFences,
  dmaResvReserveFences,
} from '@sgfree/dma-buf';
import type { ModelTask } from '@sgfree/hw-model';
import { expect, it } from 'vitest';
import { GpuMachine } from '../../test/gpu-machine.ts';
import { RangeImporter } from '../../test/range-importer.ts';
import { exportBoMappings } from '../mapping/export-mappings.ts';
import type { GpuBo, GpuBoSpec } from './gpu-bo.ts';
import { moveBo } from './move-bo.ts';
import { createBo } from './place-bo.ts';

const BYTES = 16384;
/** As many fences as the first list has slots: the fence of the copy makes it grow. */
const MANY = 5;

function made(machine: GpuMachine, spec: Partial<GpuBoSpec> = {}): GpuBo {
  const bo = machine.do(
    createBo(machine.card, { name: 'bo', bytes: BYTES, placements: ['vram', 'tt'], ...spec }),
  );
  if (!bo.ok) throw new RangeError(`errno ${bo.errno}`);
  return bo.value;
}

/** Unfinished work on the object, with its reservation held. */
function added({ dmaBufs }: GpuMachine, { resv }: GpuBo): DmaFence {
  expect(dmaResvReserveFences(resv, 1)).toBe(0);
  const fence = new DmaFence(dmaBufs, {}, { context: dmaBufs.takeContexts(1), seqno: 1 });
  dmaResvAddFence(resv, fence, DmaResvUsage.BOOKKEEP);
  return fence;
}

/** Moves the object out of VRAM while somebody works on it; the fence of that work. */
const movedBusy = (machine: GpuMachine, bo: GpuBo): DmaFence =>
  machine.do(
    machine.held(bo, function* () {
      const fence = added(machine, bo);
      expect(yield* moveBo(bo, 'tt')).toBe(0);
      return fence;
    }),
  );

/** An importer that has more to do when it is told, and leaves memory for a copy of the list alone if it is asked to. */
class LateImporter extends RangeImporter {
  readonly fences: DmaFence[] = [];
  bo: GpuBo | null = null;
  takesMemory = false;

  override get ops(): DmaBufAttachOps<DmaRangeList> {
    return { allowPeer2peer: true, invalidateMappings: () => this.#told() };
  }

  *#told(): ModelTask<void> {
    for (let count = 0; count < MANY; count += 1) this.fences.push(added(this.machine, this.bo as GpuBo));
    if (this.takesMemory) this.machine.allowed = 1;
    yield { at: 'test:told' };
  }
}

function sharedLate(): { readonly machine: GpuMachine; readonly bo: GpuBo; readonly importer: LateImporter } {
  const machine = new GpuMachine();
  const bo = made(machine);
  const dmabuf = exportBoMappings(bo);
  if (!dmabuf.ok) throw new RangeError(`errno ${dmabuf.errno}`);
  const importer = new LateImporter(machine, machine.near);
  importer.bo = bo;
  expect(machine.do(importer.join(dmabuf.value))).toBe(0);
  return { machine, bo, importer };
}

it('the copy waits for what importers add while they are told, however much that is', () => {
  const { machine, bo, importer } = sharedLate();
  const { counters } = machine.gpu.copies;
  expect(machine.do(machine.held(bo, () => moveBo(bo, 'tt')))).toBe(0);
  expect(importer.fences).toHaveLength(MANY);
  for (const fence of importer.fences) {
    expect(counters.copies).toBe(0);
    dmaFenceSignal(fence);
    machine.scheduler.run();
  }
  expect([counters.bytes, machine.inUse.vram]).toEqual([BYTES, 0]);
});

it('without memory after importers have been told nothing moves, and no reference to their fences stays', () => {
  const { machine, bo, importer } = sharedLate();
  importer.takesMemory = true;
  expect(machine.do(machine.held(bo, () => moveBo(bo, 'tt')))).toBe(-12);
  expect([bo.resource.kind, machine.inUse.pages, machine.gpu.copies.counters.copies]).toEqual(['vram', 0, 0]);
  expect(importer.fences.map(({ refs }) => refs)).toEqual(Array.from({ length: MANY }, () => 2));
});

it('copies of different objects run one after the other, in the order of their moves', () => {
  const machine = new GpuMachine();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => made(machine, { name })) as [GpuBo, GpuBo, GpuBo];
  const bytes = (): number => machine.gpu.copies.counters.bytes;
  const first = movedBusy(machine, a);
  const second = movedBusy(machine, b);
  dmaFenceSignal(second);
  machine.scheduler.run();
  expect(bytes()).toBe(0);
  dmaFenceSignal(first);
  machine.scheduler.run();
  expect(bytes()).toBe(2 * BYTES);
  // The first of two ends: whoever comes then goes behind the second.
  const third = movedBusy(machine, c);
  const fourth = machine.do(
    machine.held(a, function* () {
      const fence = added(machine, a);
      expect(yield* moveBo(a, 'vram')).toBe(0);
      return fence;
    }),
  );
  dmaFenceSignal(third);
  machine.scheduler.run();
  expect(bytes()).toBe(3 * BYTES);
  expect(machine.do(machine.held(b, () => moveBo(b, 'vram')))).toBe(0);
  expect(bytes()).toBe(3 * BYTES);
  dmaFenceSignal(fourth);
  machine.scheduler.run();
  expect(bytes()).toBe(5 * BYTES);
});

it('the fence of a copy of which one piece failed has an error, and the old memory is free', () => {
  const machine = new GpuMachine();
  const bo = made(machine, { mostBlockBytes: 4096 });
  const { gpu, scheduler } = machine;
  const user = movedBusy(machine, bo);
  const waits = dmaResvGetFences(bo.resv, DmaResvUsage.KERNEL);
  const [fence] = waits.ok ? waits.value : [];
  if (fence === undefined) throw new RangeError('no fence');
  dmaFenceSignal(user);
  gpu.endpoint.setCommand({ memory: true, busMaster: false });
  while (gpu.copies.counters.failed === 0) scheduler.step();
  gpu.endpoint.setCommand({ memory: true, busMaster: true });
  scheduler.run();
  expect(gpu.copies.counters).toMatchObject({ copies: 4, failed: 1 });
  expect([fence.signaled, fence.error, machine.card.counters.bytesMoved]).toEqual([true, -5, 0]);
  expect(machine.inUse.vram).toBe(0);
  dmaFencePut(fence);
});
