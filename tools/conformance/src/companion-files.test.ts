// Which files beside records are dumps and traces, which of them a run has compared, and which nobody used.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { byFolder, companionKind, unusedCompanions, WatchedContext } from './companion-files.ts';
import { contextOf } from './file-context.ts';
import { findRecordFiles } from './find-record-files.ts';
import { temporaryFolder } from './temporary-folder.ts';

test.each([
  ['debugfs/map_06_domain_translation_struct.txt', 'dump'],
  ['debugfs/map_06_domain_translation_struct.txt.gz', 'dump'],
  ['iommu_at_boot/intel__0000:00:00.0__domain_translation_struct', 'dump'],
  ['pt_0/pt_059.txt.gz', 'dump'],
  ['inv_0_trace.txt', 'trace'],
  ['trace_nvio_small.txt.gz', 'trace'],
  ['debugfs/dmar_translation_struct.txt', null],
  ['debugfs/iommu_regset.txt', null],
  ['topo/pci.txt', null],
  ['RUN.txt', null],
])('%s is a %s', (name, kind) => {
  expect(companionKind(name)).toBe(kind);
});

const files = {
  'm/one.jsonl': '',
  'm/one_trace.txt.gz': '',
  'm/two_trace.txt': '',
  'm/deep/pt_0/pt_001.txt': '',
  'm/own/three.jsonl': '',
  'm/own/three_trace.txt': '',
  'm/own/trace_boot.txt': '',
  'm/own/iommu_at_boot/intel__0000:00:00.0__domain_translation_struct': '',
  'above_trace.txt': '',
};

test('unused are traces and dumps in the folder of a record file and in those that hold none', () => {
  const chosen = findRecordFiles(temporaryFolder(files));
  expect(unusedCompanions(chosen, new Set(['m/one_trace.txt']))).toEqual([
    'm/deep/pt_0/pt_001.txt',
    'm/own/iommu_at_boot/intel__0000:00:00.0__domain_translation_struct',
    'm/own/three_trace.txt',
    'm/two_trace.txt',
  ]);
});

test('a folder of which a record file is left out is not judged', () => {
  const chosen = findRecordFiles(temporaryFolder(files)).filter(({ name }) => name !== 'm/own/three.jsonl');
  expect(unusedCompanions(chosen, new Set())).toEqual([
    'm/deep/pt_0/pt_001.txt',
    'm/one_trace.txt',
    'm/two_trace.txt',
  ]);
});

test('what is found through a context is remembered, what is not there is not', () => {
  const folder = temporaryFolder({ 'a.jsonl': '', 'a_trace.txt': 'x', 'RUN.txt': 'y' });
  const watched = new WatchedContext(contextOf(join(folder, 'a.jsonl')));
  expect(watched.readSibling('a_trace.txt')).toBe('x');
  expect(watched.readInput('RUN.txt')).toBe('y');
  expect(watched.readSibling('b_trace.txt')).toBeNull();
  expect(watched.stem).toBe('a');
  expect([[...watched.compared], [...watched.inputs]]).toEqual([['a_trace.txt'], ['RUN.txt']]);
});

test('many names of a folder are cut', () => {
  const names = ['a/1', 'a/2', 'a/3', 'a/4', 'b/1'];
  expect(byFolder(names)).toEqual(['a/: 1, 2, 3 and 1 more', 'b/: 1']);
});
