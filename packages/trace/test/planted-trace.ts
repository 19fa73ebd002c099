// Planted traces: lines of trace text with chosen numbers, and what Blame makes of them.
// Source followed: the layout of the trace file (include/trace/events/dma.h, iommu.h).
// Simplified: one CPU, one task; for tests only.

import { Blame, type BlameOptions, type BlameReport } from '../src/blame/blame.ts';
import type { BlameStory } from '../src/blame/blame-story.ts';
import { TraceReader } from '../src/reader/trace-reader.ts';

export const NIC = '0000:41:00.0';
export const DISK = '0000:42:00.0';

/** A line at `seconds`, in the form of the trace file. */
export const at = (seconds: number, text: string, task = 'drv-77'): string =>
  `${task.padStart(20)}      [001] ..... ${seconds.toFixed(6).padStart(12)}: ${text}`;

export const hex16 = (value: number): string => `0x${value.toString(16).padStart(16, '0')}`;

export const tableMap = (seconds: number, iova: number, paddr: number, size: number, task?: string): string =>
  at(
    seconds,
    `map: IOMMU: iova=${hex16(iova)} - ${hex16(iova + size)} paddr=${hex16(paddr)} size=${size}`,
    task,
  );

export const tableUnmap = (seconds: number, iova: number, size: number, task?: string): string =>
  at(
    seconds,
    `unmap: IOMMU: iova=${hex16(iova)} - ${hex16(iova + size)} size=${size} unmapped_size=${size}`,
    task,
  );

export const mapPhys = (
  seconds: number,
  dev: string,
  dir: string,
  iova: number,
  size: number,
  paddr: number,
): string[] => [
  tableMap(
    seconds,
    Math.floor(iova / 4096) * 4096,
    Math.floor(paddr / 4096) * 4096,
    Math.ceil(((iova % 4096) + size) / 4096) * 4096,
  ),
  at(
    seconds + 2e-6,
    `dma_map_phys: ${dev} dir=${dir} dma_addr=${iova.toString(16)} size=${size} phys_addr=${paddr.toString(16)} attrs=`,
  ),
];

export const unmapPhys = (
  seconds: number,
  dev: string,
  dir: string,
  iova: number,
  size: number,
): string[] => [
  tableUnmap(seconds, Math.floor(iova / 4096) * 4096, Math.ceil(((iova % 4096) + size) / 4096) * 4096),
  at(seconds + 2e-6, `dma_unmap_phys: ${dev} dir=${dir} dma_addr=${iova.toString(16)} size=${size} attrs=`),
];

export const pageFault = (seconds: number, dev: string, iova: number, flags: number): string =>
  at(
    seconds,
    `io_page_fault: IOMMU:drv ${dev} iova=${hex16(iova)} flags=0x${flags.toString(16).padStart(4, '0')}`,
    'irq/31-x-9',
  );

export function blamed(lines: readonly string[], options: BlameOptions = {}): BlameReport {
  const blame = new Blame(options);
  const reader = new TraceReader((event) => blame.accept(event));
  reader.push(new TextEncoder().encode(`${lines.join('\n')}\n`));
  reader.end();
  blame.follow(reader.tally);
  return blame.end();
}

/** A page-aligned IOVA, and the memory behind it. */
export const BUFFER = 0xfd40_0000;
export const PHYS = 0x2_3456_0000;

/** A buffer of the NIC at BUFFER + 0x80, mapped from second 5 to second 6. */
export const streamed: readonly string[] = [
  ...mapPhys(5, NIC, 'FROM_DEVICE', BUFFER + 0x80, 0x1f00, PHYS + 0x80),
  ...unmapPhys(6, NIC, 'FROM_DEVICE', BUFFER + 0x80, 0x1f00),
];

/** The story of a report that has just one. */
export function only({ stories }: BlameReport): BlameStory {
  if (stories.length !== 1) throw new Error(`${stories.length} stories, expected 1`);
  return stories[0] as BlameStory;
}
