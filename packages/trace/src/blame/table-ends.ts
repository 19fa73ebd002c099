// TableEnds: brings the two ends of a mapping together: the driver's call and the page-table entries gone.
// Source followed: dma_free and dma_unmap_sg are traced before their iommu:unmap line, which the same task writes next.
// Simplified: the two lines are at most 64 lines apart; the last 65,536 of either are remembered.

import type { TraceEvent } from '../trace-event.ts';
import type { TracedUnmapping } from '../traced-mapping.ts';
import { pageStart } from './mapping-sighting.ts';
import type { TracePoint } from './trace-position.ts';

const MOST = 65536;
const MOST_APART = 64;

interface WaitingEnd {
  readonly id: number;
  readonly end: TracedUnmapping;
}

/**
 * Pairs of ends. Whichever comes first waits for the other.
 * @internal
 */
export class TableEnds {
  readonly #lines = new Map<number, TracePoint>();
  readonly #waiting = new Map<number, WaitingEnd>();

  /** An iommu:unmap line: the id of the mapping whose end waited for it, or undefined. */
  unmapLine({ dmaAddr, line, time, task }: TraceEvent): { id: number; point: TracePoint } | undefined {
    const point = { line, time, task };
    const waiting = this.#waiting.get(dmaAddr);
    if (waiting !== undefined && belongs(point, waiting.end)) {
      this.#waiting.delete(dmaAddr);
      return { id: waiting.id, point };
    }
    put(this.#lines, dmaAddr, point);
    return undefined;
  }

  /** A call that ended a mapping: its iommu:unmap line when that is another one and known, else it waits. */
  callLine(id: number, dmaAddr: number, end: TracedUnmapping): TracePoint | undefined {
    const start = pageStart(dmaAddr);
    const point = this.#lines.get(start);
    if (point !== undefined && point.line === end.line) return undefined;
    if (point !== undefined && belongs(point, end)) return point;
    put(this.#waiting, start, { id, end });
    return undefined;
  }
}

const belongs = (point: TracePoint, end: TracedUnmapping): boolean =>
  point.line > end.line && point.line <= end.line + MOST_APART && point.task === end.task;

function put<T>(map: Map<number, T>, key: number, value: T): void {
  map.delete(key);
  if (map.size >= MOST) {
    const [oldest] = map.keys();
    if (oldest !== undefined) map.delete(oldest);
  }
  map.set(key, value);
}
