// AbuseWatch: stands between the core and an exporter, and finds the exporter's abuses of the DMA API by what it does: by the table
// that it hands out, by what the machine's log says that it maps and unmaps, and by what it looks at while it unmaps.
// Source followed: the rules of Documentation/core-api/dma-api.rst that amdgpu's and xe's exporters bend.
// Simplified: what an exporter does in another task than that of the mapping is not seen.

import type { DmaBufAttachment } from '@sgfree/dma-buf';
import type { DmaBufOps } from '@sgfree/dma-buf/stage-3';
import type { Device, DmaDataDirection } from '@sgfree/dma-core';
import { NO_PAGE, SgTable } from '@sgfree/dma-sg';
import { type EventLog, InternalError, type ModelEvent, type ModelTask } from '@sgfree/hw-model';
import type { Outcome } from '@sgfree/mm';
import { pciP2pdmaMapType } from '@sgfree/p2p';
import type { MappingWatch } from '../mapping/mapping-watch.ts';
import type { GpuBo } from '../objects/gpu-bo.ts';
import type { GpuAbuse, GpuAbuseName } from './gpu-abuse.ts';
import { PageTrap } from './page-trap.ts';
import { ReadTrap } from './read-trap.ts';
import { recordingOf, watchedTask } from './watched-task.ts';

/** What was seen when a mapping was made. */
interface SeenMapping {
  readonly events: readonly ModelEvent[];
  readonly placement: string;
}

/**
 * Watches exporters on one machine.
 * @public
 */
export class AbuseWatch implements MappingWatch {
  /** Everything that was found, in order. */
  readonly found: GpuAbuse[] = [];
  readonly #log: EventLog;
  readonly #mappings = new WeakMap<object, SeenMapping>();

  /** `log` is that of the machine's DMA API. Throws when it is not enabled. */
  constructor(log: EventLog) {
    if (!log.enabled) throw new InternalError('nothing can be found while the log is off');
    this.#log = log;
  }

  /** How often an abuse was found. */
  count(name: GpuAbuseName): number {
    return this.found.filter((abuse) => abuse.name === name).length;
  }

  /** How often each abuse was found; those that were not are absent. */
  get counts(): Partial<Record<GpuAbuseName, number>> {
    const counts: Partial<Record<GpuAbuseName, number>> = {};
    for (const { name } of this.found) counts[name] = (counts[name] ?? 0) + 1;
    return counts;
  }

  /** The operations (an object of functions) of an exporter over `bo`, watched. Export the object with them. */
  watchedOps<Mapping extends object>(bo: GpuBo, ops: DmaBufOps<Mapping>): DmaBufOps<Mapping> {
    return {
      ...ops,
      mapDmaBuf: (attach, dir) => this.watchMap(bo, attach, () => ops.mapDmaBuf(attach, dir)),
      unmapDmaBuf: (attach, mapping, dir: DmaDataDirection) =>
        this.watchUnmap(bo, attach, mapping, () => ops.unmapDmaBuf(attach, mapping, dir)),
    };
  }

  /** Runs one mapping of an exporter, of whatever kind, and looks at what it did. */
  *watchMap<Mapping extends object>(
    bo: GpuBo,
    attach: DmaBufAttachment<Mapping>,
    map: () => ModelTask<Outcome<Mapping | null>>,
  ): ModelTask<Outcome<Mapping | null>> {
    const events: ModelEvent[] = [];
    const mapped = yield* watchedTask(map(), recordingOf(this.#log, attach.dev.name, events));
    if (!mapped.ok || mapped.value === null) return mapped;
    this.#mappings.set(mapped.value, { events, placement: bo.resource.kind });
    if (mapped.value instanceof SgTable) this.#judgeTable(bo, attach.dev, mapped.value);
    this.#judgeRoute(bo, attach.dev, events);
    return mapped;
  }

  /** Runs one unmapping of an exporter and looks at what it did and read. */
  *watchUnmap<Mapping extends object>(
    bo: GpuBo,
    attach: DmaBufAttachment<Mapping>,
    mapping: Mapping,
    unmap: () => ModelTask<void>,
  ): ModelTask<void> {
    const events: ModelEvent[] = [];
    const recording = recordingOf(this.#log, attach.dev.name, events);
    const placement = new ReadTrap(bo, 'resource');
    const page = mapping instanceof SgTable ? new PageTrap(mapping, this.#log) : null;
    yield* watchedTask(
      unmap(),
      (part) =>
        recording(() => placement.during(() => (page === null ? part() : page.during(part)))) as ReturnType<
          typeof part
        >,
    );
    if (placement.reads > 0) {
      const then = this.#mappings.get(mapping)?.placement ?? 'unknown memory';
      this.#add(
        'unmap-by-current-placement',
        bo,
        attach.dev,
        `mapped in ${then}, now in ${bo.resource.kind}`,
      );
    }
    if (page !== null && page.reads > 0)
      this.#add('page-pointer-as-type-tag', bo, attach.dev, `reads of the page: ${page.reads}`);
    this.#judgeAttributes(bo, attach.dev, this.#mappings.get(mapping)?.events ?? [], events);
    this.#mappings.delete(mapping);
  }

  #judgeTable(bo: GpuBo, dev: Device, table: SgTable): void {
    const pages = table.list.pageFrame.subarray(0, table.segmentCount);
    const without = pages.filter((frame) => frame === NO_PAGE).length;
    if (without > 0) this.#add('null-page-scatterlist', bo, dev, `${without} of ${pages.length} entries`);
  }

  /** A peer behind the same switch is to be reached by bus addresses, which no mapping through the host bridge yields. */
  #judgeRoute(bo: GpuBo, dev: Device, events: readonly ModelEvent[]): void {
    const mmio = events.filter((event) => event.kind === 'dma:dma_map_phys' && hasAttr(event, 'MMIO'));
    if (mmio.length === 0 || pciP2pdmaMapType(bo.card.provider, dev) !== 'bus-addr') return;
    this.#add('ignoring-p2p-bus-addressing', bo, dev, `${mmio.length} mappings`);
  }

  #judgeAttributes(
    bo: GpuBo,
    dev: Device,
    mapped: readonly ModelEvent[],
    unmapped: readonly ModelEvent[],
  ): void {
    for (const undone of unmapped) {
      const done = mapped.find((event) => undoes(undone, event));
      if (done === undefined || done['attrs'] === undone['attrs']) continue;
      const [before, after] = [done['attrs'], undone['attrs']].map((attrs) => String(attrs) || 'none');
      this.#add('attribute-mismatch', bo, dev, `${before} at map, ${after} at unmap`);
      return;
    }
  }

  #add(name: GpuAbuseName, bo: GpuBo, dev: Device, detail: string): void {
    this.found.push({ name, object: bo.spec.name, device: dev.name, detail });
  }
}

const hasAttr = (event: ModelEvent, name: string): boolean =>
  String(event['attrs']).split('|').includes(name);

/** True when `undone` takes back what `done` did. */
function undoes(undone: ModelEvent, done: ModelEvent): boolean {
  if (undone.kind === 'dma:dma_unmap_phys')
    return done.kind === 'dma:dma_map_phys' && done['dmaAddr'] === undone['dmaAddr'];
  return undone.kind === 'dma:dma_unmap_sg' && done.kind === 'dma:dma_map_sg';
}
