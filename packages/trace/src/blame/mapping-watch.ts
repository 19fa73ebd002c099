// MappingWatch: feeds the history from a reconstruction, with what only the lines themselves say.
// Source followed: dma_free is traced before the table entries go, so a buffer has two ends.
// Simplified: an unmapping of something that the trace never mapped becomes a mapping from before its beginning.

import type { MappingSink, TraceFinding } from '../reconstruct/trace-finding.ts';
import type { TraceEvent } from '../trace-event.ts';
import type { TracedMapping, TracedUnmapping } from '../traced-mapping.ts';
import type { MappingHistory } from './mapping-history.ts';
import { TableEnds } from './table-ends.ts';

/** A free and its unmap line are at most this many lines apart when they tell of one orphan. */
const SAME_ORPHAN_LINES = 8;

/**
 * What the watch tells its owner.
 * @internal
 */
export interface MappingWatcher {
  /** A slot was filled, or its mapping ended. */
  changed(slot: number): void;
  /** The reconstruction has come this far. */
  reached(line: number, time: number): void;
}

/**
 * The watch.
 * @internal
 */
export class MappingWatch implements MappingSink {
  readonly #history: MappingHistory;
  readonly #watcher: MappingWatcher;
  readonly #tableEnds = new TableEnds();
  #orphans = 0;
  #lastOrphan = { slot: -1, dmaAddr: -1, line: -1 };

  constructor(history: MappingHistory, watcher: MappingWatcher) {
    this.#history = history;
    this.#watcher = watcher;
  }

  /** Takes an iommu:unmap line: it may be the second end of a mapping that a call has ended. */
  unmapLine(event: TraceEvent): void {
    const found = this.#tableEnds.unmapLine(event);
    if (found !== undefined) this.#history.gone(found.id, found.point);
  }

  mapped(mapping: TracedMapping): void {
    const slot = this.#history.mapped(mapping);
    this.#watcher.changed(slot);
    this.#watcher.reached(mapping.mappedLine, mapping.mappedAt);
  }

  unmapped(mapping: TracedMapping, end: TracedUnmapping): void {
    const slot = this.#history.unmapped(mapping.id, end);
    if (slot < 0) return;
    if (mapping.kind === 'coherent' || mapping.kind === 'sg') {
      this.#history.released(slot, end);
      const gone = this.#tableEnds.callLine(mapping.id, mapping.dmaAddr, end);
      if (gone !== undefined) this.#history.gone(mapping.id, gone);
    }
    this.#watcher.changed(slot);
    this.#watcher.reached(end.line, end.at);
  }

  finding(finding: TraceFinding): void {
    if (finding.mapping !== null || finding.dmaAddr < 0) return;
    if (finding.code !== 'unmap-without-map' && finding.code !== 'free-without-alloc') return;
    if (!this.#joinedLastOrphan(finding)) this.#orphan(finding);
  }

  /** A free and its unmap line tell of one orphan: the one that names the device counts. */
  #joinedLastOrphan({ dmaAddr, line, device, code }: TraceFinding): boolean {
    const { slot, ...last } = this.#lastOrphan;
    const { columns } = this.#history;
    if (slot < 0 || last.dmaAddr !== dmaAddr || line - last.line > SAME_ORPHAN_LINES) return false;
    if (columns.id[slot] !== -this.#orphans) return false;
    if (columns.device[slot] === '') {
      columns.device[slot] = device;
      columns.deviceFrom[slot] = device === '' ? 'unknown' : 'recorded';
      columns.kind[slot] = orphanKind(device, code);
    }
    return true;
  }

  #orphan(finding: TraceFinding): void {
    this.#orphans += 1;
    const { device, dmaAddr, bytes, line, at, cpu, task } = finding;
    const mapping = { ...orphanMapping(finding), id: -this.#orphans, device, dmaAddr, bytes };
    const slot = this.#history.mapped(mapping);
    this.#history.unmapped(mapping.id, { line, at, cpu, task, rules: [] });
    this.#lastOrphan = { slot, dmaAddr, line };
    this.#watcher.changed(slot);
    this.#watcher.reached(line, at);
  }
}

const orphanKind = (device: string, code: TraceFinding['code']): TracedMapping['kind'] => {
  if (code === 'free-without-alloc') return 'coherent';
  return device === '' ? 'iommu-api' : 'phys';
};

const orphanMapping = ({
  device,
  code,
}: TraceFinding): Omit<TracedMapping, 'id' | 'device' | 'dmaAddr' | 'bytes'> => ({
  kind: orphanKind(device, code),
  deviceFrom: device === '' ? 'unknown' : 'recorded',
  direction: '',
  directionFrom: 'unknown',
  attrs: '',
  bytesFrom: 'recorded',
  pieceDma: [],
  piecePhys: [],
  pieceBytes: [],
  mappedLine: -1,
  mappedAt: -1,
  mappedCpu: -1,
  mappedTask: '',
  rules: [],
});
