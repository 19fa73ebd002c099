// Recorded files with a trace beside them, replayed on machines that no record here shows: what has to be the same is.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { contextOf } from '../file-context.ts';
import { readText } from '../record-file.ts';
import { type FileResult, replayFile } from '../replay-file.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { suites } from './index.ts';

const vectors = fileURLToPath(new URL('../../../../vectors/kernel/inv/', import.meta.url));

interface Changes {
  readonly records?: (text: string) => string;
  readonly trace?: (text: string) => string;
  readonly run?: (text: string) => string;
}

const same = (text: string): string => text;

/** Replays `mode`/`stem` with its texts changed. */
function replayed(mode: string, stem: string, changes: Changes): FileResult {
  const context = contextOf(join(vectors, mode, `${stem}.jsonl`));
  const beside = (name: string): string => context.readInput(name) ?? '';
  const folder = temporaryFolder({
    [`${stem}.jsonl`]: (changes.records ?? same)(readText(join(vectors, mode, `${stem}.jsonl`))),
    [`${stem}_trace.txt`]: (changes.trace ?? same)(beside(`${stem}_trace.txt`)),
    'RUN.txt': (changes.run ?? same)(beside('RUN.txt')),
    'topo/iommu_groups.txt': beside('topo/iommu_groups.txt'),
  });
  return replayFile({ path: join(folder, `${stem}.jsonl`), name: `${stem}.jsonl` }, suites);
}

test('tables of 39 bits: nothing of the records or the trace is different', () => {
  const { mismatches, alsoCompared } = replayed('strict', 'inv_2', {
    records: (text) =>
      text.replace('"aperture":["0x0","0xffffffffffff"]', '"aperture":["0x0","0x7fffffffff"]'),
    run: (text) => text.replace('aw-bits=48', 'aw-bits=39'),
  });
  expect(mismatches).toEqual([]);
  expect(alsoCompared).toBe('492 of 492 trace lines');
});

test('caching mode is read from the command line: without it the lines after maps are missing', () => {
  const { mismatches } = replayed('strict_cm', 'inv_2', {
    run: (text) => text.replace('caching-mode=on', 'caching-mode=off'),
  });
  expect(new Set(mismatches.map(({ got }) => got))).toEqual(new Set([null]));
  expect(mismatches).toHaveLength(2 * 82);
});

test('scalable mode with second-stage tables flushes as legacy mode does', () => {
  const { mismatches, alsoCompared } = replayed('strict_cm', 'inv_1', {
    run: (text) =>
      text
        .replace('intel-iommu,', 'intel-iommu,x-scalable-mode=on,')
        .replaceAll('intel_iommu=on', 'intel_iommu=on,sm_on'),
  });
  expect(mismatches).toEqual([]);
  expect(alsoCompared).toBe('505 of 505 trace lines');
});

test('an unattached domain with a unit of its own: maps and unmaps, no flushes', () => {
  const { mismatches, alsoCompared } = replayed('strict_cm', 'inv_4', {});
  expect(mismatches).toEqual([]);
  expect(alsoCompared).toBe('202 of 202 trace lines');
});

test('lines of others do not disturb: devices, domains, tasks, interrupts', () => {
  const foreign = [
    '     kworker/0:1-44      [000] .....    18.508289: map: IOMMU: iova=0x00000000ffff0000 - 0x00000000ffff1000 paddr=0x0000000069fc2000 size=4096',
    '              sh-832     [000] d.h1.    18.508289: unmap: IOMMU: iova=0x00000000ffff0000 - 0x00000000ffff1000 size=4096 unmapped_size=4096',
    '              sh-832     [000] d.h1.    18.508289: dma_unmap_phys: 0000:01:00.0 dir=FROM_DEVICE dma_addr=ffff0000 size=4096 attrs=',
    '          <idle>-0       [001] d.s1.    18.508289: cache_tag_flush_range: dmar0 dmar0[0] type iotlb did 24 [0x0-0xffffffffffffffff] addr 0x0 mask 0x34',
    '          <idle>-0       [001] d.s2.    18.508289: qi_submit: iotlb_inv dmar0: 0x1800e2 0x0 0x0 0x0',
  ];
  const { mismatches, alsoCompared } = replayed('lazy', 'inv_2', {
    trace: (text) =>
      text
        .split('\n')
        .flatMap((line, at) => [line, foreign[at % foreign.length] ?? ''])
        .join('\n'),
  });
  expect(mismatches).toEqual([]);
  expect(alsoCompared).toMatch(/^334 of 334 trace lines, \d{3} lines of others left out$/);
});

test('a trace that ends early, or is not a trace, fails the last record', () => {
  const half = replayed('strict', 'inv_2', { trace: (text) => text.slice(0, text.length / 2) });
  expect(half.failed).toBeGreaterThan(0);
  const none = replayed('strict', 'inv_2', { trace: () => 'nothing\n' });
  expect(none.failed).toBeGreaterThan(0);
  const more = replayed('strict', 'inv_2', { trace: (text) => `${text}${text.split('\n').at(-2)}\n` });
  expect(more.mismatches.map(({ field, line }) => [field, line])).toEqual([
    ['trace line 505', 169],
    ['trace lines not reached', 169],
  ]);
  expect(more.failed).toBe(1);
});
