// Reads the recorded NVMe I/O of the strict boot: a request list, and what the kernel traced while it ran.
// Source followed: vectors/kernel/README.md, section io/. Nothing of the trace reaches a run; tests compare with it.
// Simplified: the lines that the tests of this package compare.

import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { physAddr } from '@sgfree/hw-model';
import type { IoRecord, PageBacking } from '../src/index.ts';

export const RECORDED_LISTS = ['nvio_small', 'nvio_huge', 'nvio_wide'] as const;
export type RecordedList = (typeof RECORDED_LISTS)[number];

const root = new URL('../../../vectors/kernel/io/strict/', import.meta.url);

function text(name: string): string {
  const plain = new URL(name, root);
  if (existsSync(plain)) return readFileSync(plain, 'utf8');
  return gunzipSync(readFileSync(new URL(`${name}.gz`, root))).toString('utf8');
}

interface Line {
  readonly op: 'read' | 'write';
  readonly pos: number;
  readonly iov: readonly (readonly [number, readonly (readonly [string, number])[]])[];
}

export function recordedIos(name: RecordedList): IoRecord[] {
  return text(`${name}.jsonl`)
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { op, pos, iov } = JSON.parse(line) as Line;
      const iovecs = iov.map(([, pieces]) =>
        pieces.map(([phys, bytes]) => ({ phys: physAddr(Number(phys)), bytes })),
      );
      return { operation: op, position: pos, iovecs };
    });
}

export const recordedBacking = (name: RecordedList): PageBacking =>
  name === 'nvio_huge' ? 'huge-pages' : 'base-pages';

export interface RecordedTrace {
  /** Physical address and bytes of each `map` line of a request, in order; pool pages left out. */
  readonly maps: readonly (readonly [number, number])[];
  /** Physical address and bytes of each `dma_map_phys` line. */
  readonly mapPhys: readonly (readonly [number, number])[];
  readonly unmaps: number;
  readonly invalidations: number;
  /** Invalidations by log2 of their pages. */
  readonly invalidationOrders: Readonly<Record<number, number>>;
  readonly poolPages: number;
}

/** Counts the lines between the first and the last nvio marker. */
export function recordedTrace(name: RecordedList): RecordedTrace {
  const lines = text(`trace_${name}.txt`).split('\n');
  const isMarker = (line: string): boolean => line.includes('tracing_mark_write: nvio ');
  const between = lines.slice(lines.findIndex(isMarker), lines.findLastIndex(isMarker) + 1);
  const maps: (readonly [number, number])[] = [];
  const mapPhys: (readonly [number, number])[] = [];
  const invalidationOrders: Record<number, number> = {};
  let [unmaps, invalidations, poolPages] = [0, 0, 0];
  for (const line of between) {
    const map = / map: .*paddr=(0x[0-9a-f]+) size=(\d+)/.exec(line);
    if (map !== null) maps.push([Number(map[1]), Number(map[2])]);
    const phys = / dma_map_phys: .*size=(\d+) phys_addr=([0-9a-f]+)/.exec(line);
    if (phys !== null) mapPhys.push([Number(`0x${phys[2]}`), Number(phys[1])]);
    if (line.includes(' dma_alloc: ')) {
      poolPages += 1;
      maps.pop();
    }
    if (line.includes(' unmap: ')) unmaps += 1;
    const flush = / cache_tag_flush_range: .* mask (0x[0-9a-f]+)/.exec(line);
    if (flush !== null) {
      invalidations += 1;
      const order = Number(flush[1]);
      invalidationOrders[order] = (invalidationOrders[order] ?? 0) + 1;
    }
  }
  return { maps, mapPhys, unmaps, invalidations, invalidationOrders, poolPages };
}
