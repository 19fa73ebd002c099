// The suite of request lists on recorded lists: what lies beside a list decides, and a wrong input shows.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { contextOf } from '../file-context.ts';
import { parseLine, readLines } from '../record-file.ts';
import { BrokenHeader, type FileContext, type JsonRecord, type Mismatch } from '../suite.ts';
import { nvioSuite } from './nvio.ts';

const io = fileURLToPath(new URL('../../../../vectors/kernel/io/', import.meta.url));

interface List {
  readonly records: readonly JsonRecord[];
  readonly context: FileContext;
}

function load(mode: string, name: string): List {
  const plain = `${io}${mode}/${name}.jsonl`;
  const path = existsSync(plain) ? plain : `${plain}.gz`;
  const lines = readLines(path);
  return { records: lines.map((_, index) => parseLine(lines, index + 1)), context: contextOf(path) };
}

/** The same list with other text in one of its inputs. */
function withInput({ records, context }: List, name: string, change: (text: string) => string): List {
  const readInput = (other: string): string | null => {
    const text = context.readInput(other);
    return other === name && text !== null ? change(text) : text;
  };
  return { records, context: { ...context, readInput } };
}

function replay({ records, context }: List): Mismatch[] {
  const replayer = nvioSuite.open(records[0] ?? {}, context);
  const found = records.flatMap((record) => [...replayer.replay(record)]);
  return [...found, ...(replayer.finish?.() ?? [])];
}

const replaced =
  (from: string | RegExp, to: string) =>
  (text: string): string => {
    const changed = text.replace(from, to);
    expect(changed).not.toBe(text);
    return changed;
  };

test.each([
  ['strict', 'nvio_small', 'RUN.txt', replaced('kernel_cmdline=', 'kernel_cmdline=iommu.passthrough=1 ')],
  ['strict', 'nvio_small', 'RUN.txt', replaced(/iommu\.strict=1/g, 'iommu.strict=0')],
  ['lazy', 'nvio_small', 'RUN.txt', replaced(/iommu\.strict=0/g, 'iommu.strict=1')],
  ['pt', 'nvio_huge', 'RUN.txt', replaced(/iommu\.passthrough=1/g, 'iommu.strict=1')],
  ['strict_cm', 'nvio_small', 'dmesg.txt', replaced('cap d2008c222f0686', 'cap d2008c222f0606')],
  ['strict', 'nvio_small', 'dmesg.txt', replaced('cap d2008c222f0606', 'cap d2008c222f0686')],
  ['strict', 'nvio_small', 'queue_limits.txt', replaced('max_segments=33', 'max_segments=32')],
  ['strict', 'nvio_huge', 'queue_limits.txt', replaced('max_sectors_kb=128', 'max_sectors_kb=64')],
])('%s %s: another %s gives another trace', (mode, name, input, change) => {
  expect(replay(withInput(load(mode, name), input, change))).not.toEqual([]);
});

test('the domain id follows from the IOMMU groups', () => {
  const list = load('strict', 'nvio_small');
  const shifted = replaced(/^group 22 (.*)\n/m, 'group 22\ngroup 30 $1\n');
  expect(replay(withInput(list, 'topo/iommu_groups.txt', shifted))).not.toEqual([]);
  const unlisted = replaced('devices=0000:01:00.0', 'devices=0000:01:00.1');
  expect(() => replay(withInput(list, 'topo/iommu_groups.txt', unlisted))).toThrow(BrokenHeader);
});

test('a unit with 39-bit tables leaves the same trace', () => {
  const narrow = replaced('cap d2008c222f0606', 'cap d2008c22260206');
  expect(replay(withInput(load('strict', 'nvio_small'), 'dmesg.txt', narrow))).toEqual([]);
});

test('behind an AMD unit the same memory is mapped and unmapped; its flushes leave no lines', () => {
  const amd = replaced('-device intel-iommu', '-device amd-iommu');
  const list = withInput(load('strict', 'nvio_small'), 'RUN.txt', amd);
  const readSibling = (name: string): string | null =>
    list.context
      .readSibling(name)
      ?.split('\n')
      .filter((line) => !/: (?:cache_tag_flush_range|qi_submit): /.test(line))
      .join('\n') ?? null;
  expect(replay({ records: list.records, context: { ...list.context, readSibling } })).toEqual([]);
});

test('lists tell what backs their memory: ordinary pages by their junctions, huge pages by their name', () => {
  const renamed = ({ records, context }: List, from: string, to: string): List => {
    const original = (name: string): string => name.replaceAll(to, from);
    return {
      records,
      context: {
        ...context,
        stem: to,
        readInput: (name) => context.readInput(original(name)),
        readSibling: (name) => context.readSibling(original(name)),
      },
    };
  };
  expect(replay(renamed(load('strict', 'nvio_small'), 'nvio_small', 'nvio_huge'))).toEqual([]);
  expect(replay(renamed(load('strict', 'nvio_huge'), 'nvio_huge', 'list'))).toEqual([]);
  expect(replay(renamed(load('strict', 'nvio_huge'), 'nvio_huge', 'nvio_wide'))).not.toEqual([]);
});

test('a timer that did not fire is missed', () => {
  const list = load('lazy', 'nvio_small');
  const deaf = replaced(/^.* d(?:\.|N)s\d\. .*\[0x0-0xffffffffffffffff\].*\n/gm, '');
  expect(replay(withInput(list, 'trace_nvio_small.txt', deaf))).not.toEqual([]);
});

test('a request that the block layer refuses returns EINVAL and maps nothing', () => {
  const list = load('strict', 'nvio_small');
  const [first] = list.records;
  const replayer = nvioSuite.open(first ?? {}, list.context);
  const crooked = { ...first, total: 514, iov: [[514, [['0x10000000', 514]]]] };
  const found = replayer.replay(crooked);
  expect(found.find(({ field }) => field === 'ret')).toMatchObject({ got: -1 });
  expect(found.find(({ field }) => field === 'errno')).toMatchObject({ got: 22 });
});

test('a record without markers, and markers without a record', () => {
  const { records, context } = load('strict', 'nvio_huge');
  const [first, ...others] = records;
  expect(replay({ records: [first ?? {}, { ...first, k: 999 }], context })).toContainEqual({
    field: 'trace',
    expected: null,
    got: 'nvio k=999',
  });
  expect(replay({ records: others, context })).toContainEqual({
    field: 'requests of the trace not in the list',
    expected: [],
    got: [0],
  });
});

test('without a trace, or with one that maps nothing, there is nothing to compare with', () => {
  const { records, context } = load('strict', 'nvio_huge');
  const open = (trace: string | null): unknown =>
    nvioSuite.open(records[0] ?? {}, {
      ...context,
      readSibling: () => trace,
      readInput: (name) => (name.startsWith('trace_') ? trace : context.readInput(name)),
    });
  expect(() => open(null)).toThrow(BrokenHeader);
  expect(() => open('# tracer: nop\n')).toThrow(BrokenHeader);
  expect(() => nvioSuite.open(records[0] ?? {})).toThrow(BrokenHeader);
});
