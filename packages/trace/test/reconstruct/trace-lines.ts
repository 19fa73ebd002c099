// Trace lines for tests, as the kernel prints them, and what a reconstruction makes of them.
// Source followed: the formats of the trace events; the reader of this package takes them apart.
// Simplified: prefixes are made up from the place of a line; time goes a millisecond a line.

import { expect } from 'vitest';
import { TraceReader } from '../../src/reader/trace-reader.ts';
import { IoReconstruction, type ReconstructionOptions } from '../../src/reconstruct/io-reconstruction.ts';
import type { MappingSink, TraceFinding } from '../../src/reconstruct/trace-finding.ts';
import type { TracedMapping, TracedUnmapping } from '../../src/traced-mapping.ts';

export class Log implements MappingSink {
  readonly order: string[] = [];
  readonly mappings: TracedMapping[] = [];
  readonly ends: (TracedUnmapping & { readonly id: number })[] = [];
  readonly findings: TraceFinding[] = [];

  mapped(mapping: TracedMapping): void {
    this.order.push(`map ${mapping.id}`);
    this.mappings.push(mapping);
  }

  unmapped(mapping: TracedMapping, end: TracedUnmapping): void {
    this.order.push(`unmap ${mapping.id}`);
    this.ends.push({ id: mapping.id, ...end });
  }

  finding(finding: TraceFinding): void {
    this.order.push(finding.code);
    this.findings.push(finding);
  }

  get codes(): string[] {
    return this.findings.map(({ code }) => code);
  }
}

/** Reconstructs lines of tasks: `task: event: payload`, or `task@cpu: ...`. */
export function reconstruct(lines: readonly string[], options: ReconstructionOptions = {}): Log {
  const log = new Log();
  const reconstruction = new IoReconstruction(log, {
    lostSoFar: () => reader.tally.lostEvents,
    ...options,
  });
  const reader = new TraceReader((event) => reconstruction.accept(event));
  const text = lines.map((line, at) => {
    const [, task, cpu, rest] = /^(\S+?)(?:@(\d+))?: (.*)$/.exec(line) ?? [];
    if (task === undefined || rest === undefined || task === 'CPU') return line;
    const time = `${Math.floor(at / 1000)}.${String(at % 1000).padStart(3, '0')}000`;
    return `${task} [00${cpu ?? 0}] ..... ${time}: ${rest}`;
  });
  reader.push(new TextEncoder().encode(`${text.join('\n')}\n`));
  reader.end();
  expect(reader.tally.problemLines).toBe(text.filter((line) => line.includes('LOST')).length);
  reconstruction.end();
  return log;
}

const wide = (value: number): string => `0x${value.toString(16).padStart(16, '0')}`;
export const hex = (value: number): string => value.toString(16);
export const map = (task: string, iova: number, phys: number, size: number): string =>
  `${task}: map: IOMMU: iova=${wide(iova)} - ${wide(iova + size)} paddr=${wide(phys)} size=${size}`;
export const unmap = (task: string, iova: number, size: number, done = size): string =>
  `${task}: unmap: IOMMU: iova=${wide(iova)} - ${wide(iova + size)} size=${size} unmapped_size=${done}`;
export const flush = (task: string, iova: number, size: number, did: number, np = ''): string =>
  `${task}: cache_tag_flush_range${np}: dmar0 dmar0[0] type iotlb did ${did} [0x${hex(iova)}-0x${hex(iova + size - 1)}] addr 0x${hex(iova)} mask 0x0`;
export const mapPhys = (
  task: string,
  dev: string,
  dma: number,
  phys: number,
  size: number,
  dir = 'TO_DEVICE',
): string =>
  `${task}: dma_map_phys: ${dev} dir=${dir} dma_addr=${hex(dma)} size=${size} phys_addr=${hex(phys)} attrs=`;
export const unmapPhys = (task: string, dev: string, dma: number, size: number, dir = 'TO_DEVICE'): string =>
  `${task}: dma_unmap_phys: ${dev} dir=${dir} dma_addr=${hex(dma)} size=${size} attrs=`;
export const alloc = (task: string, dev: string, dma: number, size: number): string =>
  `${task}: dma_alloc: ${dev} dir=BIDIRECTIONAL dma_addr=${hex(dma)} size=${size} virt_addr=00000000deadbeef flags=GFP_KERNEL attrs=`;
export const free = (task: string, dev: string, dma: number, size: number): string =>
  `${task}: dma_free: ${dev} dir=BIDIRECTIONAL dma_addr=${hex(dma)} size=${size} virt_addr=00000000deadbeef attrs=`;
const list = (values: readonly number[]): string => `{${values.map((value) => `0x${hex(value)}`).join(',')}}`;
export const mapSg = (task: string, dev: string, dma: number[], sizes: number[], phys: number[]): string =>
  `${task}: dma_map_sg: ${dev} dir=FROM_DEVICE nents=${phys.length}/${phys.length} ents=${dma.length}/${dma.length} dma_addrs=${list(dma)} sizes=${list(sizes)} phys_addrs=${list(phys)} attrs=`;
export const unmapSg = (task: string, dev: string, phys: number[]): string =>
  `${task}: dma_unmap_sg: ${dev} dir=FROM_DEVICE phys_addrs=${list(phys)} attrs=`;

export const A = '0000:01:00.0';
export const B = '0000:02:00.0';

export const pieces = ({ pieceDma, piecePhys, pieceBytes }: TracedMapping): number[][] =>
  pieceDma.map((dma, at) => [dma, piecePhys[at] ?? NaN, pieceBytes[at] ?? NaN]);
