// GpuScenario: a driver that moves an object against importers that attach, map, write and leave, for the explorer.
// Source followed: the contract of invalidation: who has written under a fence finds the bytes where the object has gone.
// Simplified: each write covers the whole object, which is one page.

import { dmaBufPut } from '@sgfree/dma-buf';
import {
  type ChoicePolicy,
  type ExploredRun,
  type ModelTask,
  PAGE_SIZE,
  type ScheduleFault,
} from '@sgfree/hw-model';
import { createBo, destroyBo, evictOne, type GpuBo, moveBo } from '../../src/index.ts';
import { GpuMachine } from '../gpu-machine.ts';
import type { ImporterManners } from '../peer-importer.ts';
import { type AnyImporter, type SharingWay, shareObject } from '../shared-object.ts';
import { StrayWrites } from '../stray-writes.ts';

/** What the driver does, in order. */
export type DriverStep = 'to tt' | 'to vram' | 'evict';

/** A scenario by name. */
export interface GpuScenario {
  readonly name: string;
  readonly way: SharingWay;
  readonly importers: readonly ('near' | 'far')[];
  readonly driver: readonly DriverStep[];
  readonly iommu?: boolean;
  readonly manners?: ImporterManners;
  /** Writes of each importer; default 1. */
  readonly writes?: number;
}

interface Cast {
  readonly machine: GpuMachine;
  readonly bo: GpuBo;
  readonly strays: StrayWrites;
  readonly results: (number | null)[];
  readonly importers: readonly AnyImporter[];
  readonly writes: number;
  readonly moves: number[];
  /** The object's bytes before it ended; empty as long as it has not. */
  last: Uint8Array;
}

/** A fresh run of a scenario. */
export function gpuRun(scenario: GpuScenario, policy: ChoicePolicy): ExploredRun {
  const { way, importers: places, iommu = false, manners = {}, writes = 1 } = scenario;
  const machine = new GpuMachine({ iommu, policy });
  const spec = { name: 'shared', bytes: PAGE_SIZE, placements: ['vram', 'tt'] } as const;
  const made = machine.do(createBo(machine.card, spec));
  if (!made.ok) throw new RangeError('no object');
  const bo = made.value;
  const shares = places.map((place) => {
    const shared = shareObject(machine, bo, way, machine[place], manners);
    if (!shared.ok) throw new RangeError('not shared');
    return shared.value;
  });
  const importers = shares.map(({ importer }) => importer);
  const strays = new StrayWrites(machine, spec.name);
  const results = places.map((): number | null => null);
  const last = new Uint8Array(0);
  const cast: Cast = { machine, bo, strays, results, importers, writes, moves: [], last };
  for (const [index, importer] of importers.entries())
    machine.scheduler.spawn(`importer ${index}`, importerTask(cast, importer, index));
  machine.scheduler.spawn('driver', driverTask(cast, scenario.driver));
  machine.scheduler.spawn(
    'end',
    endTask(
      cast,
      shares.map(({ dmabuf }) => dmabuf),
    ),
  );
  return {
    scheduler: machine.scheduler,
    check: () => checkState(cast),
    finish: () => checkEnd(cast),
    state: () => stateText(cast),
    outcome: () => `${results.join()} of importers, ${cast.moves.join()} of the driver, ${cast.last[0]}`,
  };
}

/** Attaches, writes, each time other bytes, and leaves. */
function* importerTask(cast: Cast, importer: AnyImporter, index: number): ModelTask<void> {
  const { importers, results, writes } = cast;
  let error = yield* importer.join();
  for (let write = 0; error === 0 && write < writes; write += 1) {
    const bytes = new Uint8Array(PAGE_SIZE).fill(1 + index + write * importers.length);
    error = yield* importer.access(bytes, 'write');
  }
  if (error === 0) yield* importer.leave();
  results[index] = error;
}

function* driverTask({ machine, bo, moves }: Cast, steps: readonly DriverStep[]): ModelTask<void> {
  for (const step of steps) {
    if (step === 'evict') moves.push(yield* evictOne(machine.card, false));
    else moves.push(yield* machine.held(bo, () => moveBo(bo, step === 'to tt' ? 'tt' : 'vram')));
  }
  moves.push(1);
}

/** When everybody is done: the bytes, and the end of the object. */
function* endTask(cast: Cast, dmabufs: readonly Parameters<typeof dmaBufPut>[0][]): ModelTask<void> {
  const { machine, bo, results, moves } = cast;
  const allDone = { at: 'test:end', until: () => moves.at(-1) === 1 && !results.includes(null) };
  yield allDone;
  yield* machine.held(bo, () => machine.settled(bo));
  cast.last = machine.bytesOf(bo);
  for (const dmabuf of dmabufs) yield* dmaBufPut(dmabuf);
  yield* destroyBo(bo);
}

function checkState({ machine, strays, results }: Cast): ScheduleFault | null {
  const violation = machine.log.events.find(({ kind }) => kind === 'violation');
  if (violation !== undefined) return { rule: String(violation['rule']), detail: 'a rule is broken' };
  const [stray] = strays.found;
  if (stray !== undefined)
    return { rule: 'stray-write', detail: `written to ${stray.owner ?? 'free memory'}` };
  const failed = results.find((result) => result !== null && result !== 0);
  return failed === undefined ? null : { rule: 'access-failed', detail: `errno ${failed}` };
}

/** The last bytes are the last ones of an importer, all of them, and nothing is left. */
function checkEnd({ machine, last, importers, writes }: Cast): ScheduleFault | null {
  const [first = 0] = last;
  const whole = last.length === PAGE_SIZE && last.every((byte) => byte === first);
  const before = (writes - 1) * importers.length;
  if (!whole || first <= before || first > before + importers.length)
    return { rule: 'bytes-lost', detail: `the object ends with ${first}` };
  const left = [...Object.values(machine.inUse), machine.dmaBufs.buffers.size, machine.card.runtimeRefs];
  if (left.every((count) => count === 0) && machine.dmaBufs.order.allFree) return null;
  return { rule: 'left-over', detail: left.join() };
}

/** Everything that the rest of a run can depend on. */
function stateText({ machine, bo, importers, results, moves, last, strays }: Cast): string {
  const { resource, pinCount, resv, dmabuf, visible } = bo;
  const place =
    resource.kind === 'vram'
      ? resource.blocks.map(({ offset }) => offset)
      : resource.kind === 'tt' && resource.frames;
  const fences = resv.list?.entries.map(
    ({ fence, usage }) =>
      `${fence.context}.${fence.seqno}.${fence.signaled}.${fence.refs}.${fence.callbacks.length}.${usage}`,
  );
  const [byte] = moves.length > 0 && last.length > 0 ? last : machine.bytesOf(bo);
  const { inUse, card, gpu, dmaBufs } = machine;
  return [
    [resource.kind, place, pinCount, visible, byte, last.length, dmabuf === null, fences?.join(' ')],
    [resv.mutex.locked, dmabuf === null ? '' : (dmabuf as { refs: number }).refs, attachedTo(dmabuf)],
    [
      Object.values(inUse),
      card.counters.moves,
      card.counters.evictions,
      card.runtimeRefs,
      dmaBufs.buffers.size,
    ],
    [gpu.copies.pending, gpu.copies.counters.copies, gpu.copies.counters.bytes, machine.log.events.length],
    [results, moves, strays.found.length, importers.map(({ state }) => state)],
  ].join(' / ');
}

const attachedTo = (dmabuf: GpuBo['dmabuf']): string =>
  dmabuf === null ? '' : dmabuf.attachments.map(({ dev }) => dev.name).join();
