// Reads the recorded I/O between two NVMe disks: O_DIRECT calls on one with buffers in the memory of the other, and what
// the kernel traced while they ran.
// Source followed: vectors/kernel/README.md, p2pio. Nothing of the trace reaches a run; tests compare with it.
// Simplified: calls with one buffer; the kernel finishes the others through the page cache, whose pages are not logged.

import { readFileSync } from 'node:fs';
import { physAddr } from '@sgfree/hw-model';
import type { IoRecord } from '../src/index.ts';

/** Disks as the records name them: 01:00.0 and 02:00.0 below root ports, 07:00.0 below a switch. */
export const RECORDED_PAIRS = [
  '0000-02-00-0_to_0000-01-00-0',
  '0000-02-00-0_to_0000-07-00-0',
  '0000-07-00-0_to_0000-01-00-0',
  '0000-07-00-0_to_0000-02-00-0',
] as const;
/** Provider and client are one disk. */
export const RECORDED_SELF_PAIRS = ['0000-02-00-0_to_0000-02-00-0', '0000-07-00-0_to_0000-07-00-0'] as const;

export type RecordedMode = 'strict' | 'off';

interface Line {
  readonly k: number;
  readonly op: 'read' | 'write';
  readonly pos: number;
  readonly iov: readonly { readonly p2p: 0 | 1; readonly off: number; readonly len: number }[];
}

/** What the kernel did for one call, by the lines of its trace. */
export interface RecordedCall {
  readonly io: IoRecord;
  /** Bytes of each mapping and of each unmapping; pool pages of the driver left out. */
  readonly maps: readonly number[];
  readonly unmaps: readonly number[];
  /** Pages of each range flush as a power of two. */
  readonly flushOrders: readonly number[];
}

const file = (mode: RecordedMode, name: string): string =>
  readFileSync(new URL(`../../../vectors/kernel/inv/${mode}/${name}`, import.meta.url), 'utf8');

/** The calls of a pair whose one buffer lies in the provider's memory. */
export function recordedCalls(mode: RecordedMode, pair: string): RecordedCall[] {
  const sections = sectionsOf(file(mode, `p2pio_${pair}_trace.txt`));
  const lines = file(mode, `p2pio_${pair}.jsonl`)
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as Line);
  return lines
    .filter(({ iov }) => iov.length === 1 && iov[0]?.p2p === 1)
    .map(({ k, op, pos, iov }) => {
      const [{ off, len }] = iov as [Line['iov'][number]];
      const io: IoRecord = {
        operation: op,
        position: pos,
        iovecs: [[{ phys: physAddr(0x10000000 + off), bytes: len }]],
      };
      return { io, ...callOf(sections.get(k) ?? []) };
    });
}

function sectionsOf(trace: string): Map<number, string[]> {
  const sections = new Map<number, string[]>();
  let current: string[] = [];
  for (const line of trace.split('\n')) {
    const marker = /p2pio k=(\d+) (\w+)/.exec(line);
    if (marker === null) current.push(line);
    else if (marker[2] !== 'done') {
      current = [];
      sections.set(Number(marker[1]), current);
    } else current = [];
  }
  return sections;
}

function callOf(lines: readonly string[]): Omit<RecordedCall, 'io'> {
  const pools = new Set(lines.flatMap((line) => /dma_alloc: .* dma_addr=(\w+)/.exec(line)?.[1] ?? []));
  const found = (pattern: RegExp): RegExpExecArray[] =>
    lines.map((line) => pattern.exec(line)).filter((match) => match !== null);
  const ofPool = (iova: string): boolean => pools.has(iova.replace(/^0+/, ''));
  return {
    maps: found(/ map: IOMMU: iova=0x(\w+) .* size=(\d+)/)
      .filter((match) => !ofPool(match[1] as string))
      .map((match) => Number(match[2])),
    unmaps: found(/unmap: IOMMU: .* size=(\d+) unmapped_size/).map((match) => Number(match[1])),
    flushOrders: found(/cache_tag_flush_range: .* mask 0x(\w+)/).map((match) => Number(`0x${match[1]}`)),
  };
}
