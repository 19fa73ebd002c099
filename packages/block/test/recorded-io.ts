// Reads the recorded NVMe I/O of one boot: the request list, the trace of the same run, and the limits in force.
// Source followed: vectors/kernel/README.md, section io/.
// Simplified: only what the tests of this package compare.

import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { physAddr } from '@sgfree/hw-model';
import type { BioVec } from '../src/bio-vec.ts';
import type { DirectIo } from '../src/direct-io.ts';
import type { QueueLimits } from '../src/queue-limits.ts';

const root = new URL('../../../vectors/kernel/io/', import.meta.url);

function text(path: string): string {
  const plain = new URL(path, root);
  if (existsSync(plain)) return readFileSync(plain, 'utf8');
  return gunzipSync(readFileSync(new URL(`${path}.gz`, root))).toString('utf8');
}

export interface RecordedIo {
  readonly k: number;
  readonly io: DirectIo;
}

interface Line {
  readonly k: number;
  readonly op: 'read' | 'write';
  readonly pos: number;
  readonly iov: readonly (readonly [number, readonly (readonly [string, number])[]])[];
}

export function recordedIos(mode: string, name: string): RecordedIo[] {
  const lines = text(`${mode}/${name}.jsonl`).trimEnd().split('\n');
  return lines.map((line) => {
    const { k, op, pos, iov } = JSON.parse(line) as Line;
    const iovecs = iov.map(([, pieces]) =>
      pieces.map(([phys, bytes]): BioVec => ({ phys: physAddr(Number(phys)), bytes })),
    );
    return { k, io: { operation: op, position: pos, iovecs } };
  });
}

export function recordedLimits(mode: string): QueueLimits {
  const values = new Map(
    text(`${mode}/queue_limits.txt`)
      .trimEnd()
      .split('\n')
      .map((line) => line.split('=', 2) as [string, string]),
  );
  const value = (name: string): number => Number(values.get(name));
  return {
    logicalBlockBytes: value('logical_block_size'),
    maxBytes: value('max_sectors_kb') * 1024,
    maxSegments: value('max_segments'),
    maxSegmentBytes: value('max_segment_size'),
    segmentBoundaryMask: 0xffffffff,
    virtBoundaryMask: value('virt_boundary_mask'),
    dmaAlignmentMask: value('dma_alignment'),
  };
}

/** What one recorded I/O left in the trace. Pairs are [physical address, bytes]. */
export interface TracedIo {
  /** `iommu:map` lines, those of descriptor pool pages (dma_alloc) left out. */
  readonly maps: [number, number][];
  /** `dma_map_phys` lines. */
  readonly mapPhys: [number, number][];
}

export interface RecordedTrace {
  readonly ios: Map<number, TracedIo>;
  readonly unmaps: number;
  readonly invalidations: number;
  readonly timerFlushes: number;
  readonly poolAllocations: number;
}

export function recordedTrace(mode: string, name: string): RecordedTrace {
  const ios = new Map<number, TracedIo>();
  let now: TracedIo | undefined;
  let [unmaps, invalidations, timerFlushes, poolAllocations] = [0, 0, 0, 0];
  for (const line of text(`${mode}/trace_${name}.txt`).split('\n')) {
    const marker = /nvio k=(\d+) (?:read|write) /.exec(line);
    if (marker !== null) {
      now = { maps: [], mapPhys: [] };
      ios.set(Number(marker[1]), now);
    }
    const map = / map: .*paddr=0x([0-9a-f]+) size=(\d+)/.exec(line);
    if (map !== null) now?.maps.push([Number(`0x${map[1]}`), Number(map[2])]);
    const phys = / dma_map_phys: .*size=(\d+) phys_addr=([0-9a-f]+)/.exec(line);
    if (phys !== null) now?.mapPhys.push([Number(`0x${phys[2]}`), Number(phys[1])]);
    if (line.includes(' dma_alloc: ')) {
      poolAllocations += 1;
      now?.maps.pop();
    }
    if (line.includes(' unmap: ')) unmaps += 1;
    if (line.includes('cache_tag_flush_range: ')) {
      if (line.includes('[0x0-0xffffffffffffffff]')) timerFlushes += 1;
      else invalidations += 1;
    }
  }
  return { ios, unmaps, invalidations, timerFlushes, poolAllocations };
}
