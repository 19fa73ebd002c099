import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseLine, readLines, readText } from '../record-file.ts';
import type { JsonRecord } from '../suite.ts';
import { compareReconstruction } from './nvio-reconstruction.ts';

const io = fileURLToPath(new URL('../../../../vectors/kernel/io/', import.meta.url));
const withIommu = ['strict', 'lazy', 'strict_cm', 'forcedac', 'scalable'];
const modes = [...withIommu, 'pt', 'off'];
const lists = ['nvio_small', 'nvio_huge', 'nvio_wide'];

const existing = (path: string): string => (existsSync(path) ? path : `${path}.gz`);

function load(mode: string, list: string): { trace: string; records: JsonRecord[] } {
  const lines = readLines(existing(`${io}${mode}/${list}.jsonl`));
  return {
    trace: readText(existing(`${io}${mode}/trace_${list}.txt`)),
    records: lines.map((_, index) => parseLine(lines, index + 1)),
  };
}

describe.each(modes)('%s', (mode) => {
  test.each(lists)('%s: the trace alone gives the memory of every request', (list) => {
    const { trace, records } = load(mode, list);
    expect(records.length).toBeGreaterThan(10);
    expect(compareReconstruction(trace, records)).toEqual([]);
  });
});

describe('a trace or a list that is another is noticed', () => {
  const { trace, records } = load('strict', 'nvio_small');
  const lines = trace.split('\n');
  const lineOf = (pattern: RegExp): number => lines.findIndex((line) => pattern.test(line));
  const withLine = (at: number, ...by: string[]): string =>
    [...lines.slice(0, at), ...by, ...lines.slice(at + 1)].join('\n');
  const mapAt = lineOf(/ dma_map_phys: .* dir=TO_DEVICE/);
  const mapLine = lines[mapAt] ?? '';
  const transferAt = lines.findIndex(
    (line, at) => line.includes(': map: IOMMU') && (lines[at + 1] ?? '').includes(': map: IOMMU'),
  );
  const transferLine = lines[transferAt] ?? '';

  const moved = (text: string): string =>
    text.replace(/phys_addr=([0-9a-f]+)/, (_, hex) => `phys_addr=${move(hex)}`);
  const move = (hex: string): string => (Number.parseInt(hex, 16) + 512).toString(16);
  const nextPage = (text: string): string =>
    text.replace(/paddr=0x([0-9a-f]{16})/, (_, hex: string) => {
      const page = (Number.parseInt(hex, 16) + 4096).toString(16).padStart(16, '0');
      return `paddr=0x${page}`;
    });

  test.each([
    ['a buffer elsewhere', withLine(mapAt, moved(mapLine))],
    ['another direction', withLine(mapAt, mapLine.replace('TO_DEVICE', 'FROM_DEVICE'))],
    ['another device', withLine(mapAt, mapLine.replace(/0000:\S+/, '0000:0f:00.0'))],
    ['a missing call', withLine(mapAt)],
    ['a run elsewhere', withLine(transferAt, nextPage(transferLine))],
    ['a missing run', withLine(transferAt)],
    ['runs in another order', withLine(transferAt, lines[transferAt + 1] ?? '', transferLine)],
    ['missing markers', withLine(lineOf(/nvio k=0 read|nvio k=0 write/))],
  ])('%s', (_, altered) => {
    expect(altered).not.toBe(trace);
    expect(compareReconstruction(altered, records)).not.toEqual([]);
  });

  test('another memory in the list', () => {
    const [first, ...others] = records;
    const text = JSON.stringify(first).replace(/"0x([0-9a-f]+)"/, (_, hex: string) => `"0x${move(hex)}"`);
    expect(compareReconstruction(trace, [JSON.parse(text) as JsonRecord, ...others])).toHaveLength(1);
  });
});
