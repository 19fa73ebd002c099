import { describe, expect, test } from 'vitest';
import { findAddressArithmetic } from './address-arithmetic.ts';
import { findBannedText } from './banned-text.ts';
import { findLogicInEntries } from './entry-exports.ts';
import { findLongFiles, findMissingOpenings, findVagueNames, lineCeiling } from './file-shape.ts';
import { findKernelTagMismatches, nameOfKernelSymbol } from './kernel-tag.ts';
import { findExceededMeasures } from './measures.ts';
import { plantedSources } from './planted-sources.ts';
import type { SourceTree, StyleFinding } from './source-tree.ts';

const messages = (findings: StyleFinding[]): string[] => findings.map(({ message }) => message);

function found(find: (tree: SourceTree) => StyleFinding[], path: string, text: string): string[] {
  return messages(find(plantedSources({ [path]: text })));
}

describe('addresses are computed in one file', () => {
  const addresses = `
    export type AddressIn<Space extends string> = number & { readonly __addressSpace: Space };
    export type DmaAddr = AddressIn<'dma'>;
    export const add = (a: DmaAddr, bytes: number): DmaAddr => (a + bytes) as DmaAddr;
  `;
  const inUse = (line: string): string[] =>
    messages(
      findAddressArithmetic(
        plantedSources({
          'packages/hw-model/src/addresses.ts': addresses,
          'packages/mm/src/use.ts': `
            import { add, type AddressIn, type DmaAddr } from '../../hw-model/src/addresses.ts';
            export function use<A extends AddressIn<string>>(a: DmaAddr, b: DmaAddr, n: number, g: A, u: DmaAddr | -1): unknown {
              let v: DmaAddr = a; void [add, b, n, g, u, v];
              ${line}
            }
          `,
        }),
      ),
    );

  test.each([
    'return a - b;',
    'return a + n;',
    'return n * a;',
    'return a / 4096;',
    'return a % 4096;',
    'return a & 0xfff;',
    'return a | 1;',
    'return a ^ 1;',
    'return a << 1;',
    'return a >> 12;',
    'return a >>> 12;',
    'return a ** 2;',
    'return -a;',
    'return ~a;',
    'v++; return v;',
    'n += a; return n;',
    'n -= a; return n;',
    'return g + 1;',
    'return u === -1 ? 0 : u + 1;',
    'return u + 1;',
    "return '' + a;",
    'return Math.floor(a / 4096);',
  ])('%s is banned', (line) => {
    expect(inUse(line)[0]).toContain('arithmetic on an address');
  });

  test('a cast to a plain number is banned', () => {
    expect(inUse('return (a as number) + 1;')).toEqual(['an address loses its space: a as number']);
    expect(inUse('return (n as number) + 1;')).toEqual([]);
  });

  test.each([
    'return a < b && a >= b && a !== b;',
    'return add(a, n + 1);',
    'return n * 2 + 1;',
    'return a.toString() + `x`;',
    'return u === -1;',
    'return a.toString(16);',
  ])('%s is fine', (line) => {
    expect(inUse(line)).toEqual([]);
  });
});

describe('@kernel names its declaration', () => {
  const kernel = (tag: string, declaration: string): string[] =>
    found(
      findKernelTagMismatches,
      'packages/mm/src/a.ts',
      `/**\n * Summary.\n * @public\n * @kernel ${tag}\n */\n${declaration}\n`,
    );

  test.each([
    ['dma_iova_link', 'export function dmaIovaLink(): void {}'],
    ['struct dma_iova_state', 'export interface DmaIovaState { a: 1 }'],
    ['struct sg_table', 'export class SgTable {}'],
    ['enum dma_data_direction', "export type DmaDataDirection = 'none';"],
    ['DMA_MAPPING_ERROR', 'export const DMA_MAPPING_ERROR = -1;'],
    ['__sg_alloc_table', 'export function __sgAllocTable(): void {}'],
    ['__sg_alloc_table', 'export function sgAllocTable(): void {}'],
    ['sg_next', 'export const sgNext = (): void => {};'],
    ['dma_map_sg, dma_map_sg_attrs', 'export function dmaMapSgAttrs(): void {}'],
  ])('%s on %s is fine', (tag, declaration) => {
    expect(kernel(tag, declaration)).toEqual([]);
  });

  test.each([
    ['dma_iova_link', 'export function dmaIovaUnlink(): void {}'],
    ['dma_iova_link', 'export function dma_iova_link(): void {}'],
    ['struct dma_iova_state', 'export interface IovaState { a: 1 }'],
    ['', 'export function dmaIovaLink(): void {}'],
    ['the link function', 'export function dmaIovaLink(): void {}'],
    ['dma_iova_link', "export { a } from './b.ts';"],
  ])('%s on %s is not', (tag, declaration) => {
    expect(kernel(tag, declaration)).toHaveLength(1);
  });

  test('a symbol has one name here', () => {
    expect(nameOfKernelSymbol('dma_map_sg()', 'function')).toBe('dmaMapSg');
    expect(nameOfKernelSymbol('blk_rq_dma_map_iter_start', 'function')).toBe('blkRqDmaMapIterStart');
    expect(nameOfKernelSymbol('two words', 'function')).toBeUndefined();
  });
});

describe('entries hold named re-exports', () => {
  const path = 'packages/mm/src/stage-1.ts';
  test('names and types are fine', () => {
    expect(found(findLogicInEntries, path, "export { a, type B } from './a.ts';\nexport {};\n")).toEqual([]);
  });
  test.each([
    "export * from './a.ts';",
    "export * as a from './a.ts';",
    'export const a = 1;',
    'export default 1;',
    "export { a as default } from './a.ts';",
    "import './a.ts';",
    'console.log(1);',
  ])('%s is not', (text) => {
    expect(found(findLogicInEntries, path, text)).toHaveLength(1);
  });
  test('other files may hold logic', () => {
    expect(found(findLogicInEntries, 'packages/mm/src/a.ts', 'export const a = 1;')).toEqual([]);
  });
});

describe('files open by saying what they stand for', () => {
  const full = '// A thing.\n// Source followed: a document.\n// Simplified: nothing.\n\nexport {};\n';
  test.each([
    ['packages/mm/src/a.ts', full],
    ['packages/mm/src/index.ts', '// The surface.\nexport {};\n'],
    ['packages/mm/src/a.test.ts', 'export {};\n'],
    ['tools/bench/src/a.ts', '// A tool.\nexport {};\n'],
  ])('%s is fine', (path, text) => {
    expect(found(findMissingOpenings, path, text)).toEqual([]);
  });
  test.each([
    ['packages/mm/src/a.ts', 'export {};\n'],
    ['packages/mm/src/a.ts', '// A thing.\n// Simplified: nothing.\nexport {};\n'],
    ['packages/mm/src/a.ts', full.replace('Simplified:', 'Simple:')],
    ['packages/mm/src/index.ts', 'export {};\n'],
    ['tools/bench/src/a.ts', '\n// Too late.\nexport {};\n'],
  ])('%s with %j is not', (path, text) => {
    expect(found(findMissingOpenings, path, text)).toHaveLength(1);
  });
});

test('files named after no concept are found', () => {
  for (const name of ['utils', 'helpers', 'types', 'common', 'misc', 'utils.test']) {
    expect(found(findVagueNames, `packages/mm/src/${name}.ts`, 'export {};\n')).toHaveLength(1);
  }
  expect(found(findVagueNames, 'packages/mm/src/utils/frame.ts', 'export {};\n')).toHaveLength(1);
  expect(found(findVagueNames, 'packages/mm/src/request-types.ts', 'export {};\n')).toEqual([]);
});

test('a file may have as many lines as the ceiling says and not one more', () => {
  const lines = (count: number): string => '// line\n'.repeat(count);
  expect(found(findLongFiles, 'packages/mm/src/a.ts', lines(lineCeiling))).toEqual([]);
  expect(found(findLongFiles, 'packages/mm/src/a.ts', lines(lineCeiling + 1))).toHaveLength(1);
});

test('the measures of the house are those of its files and functions together', () => {
  const functions = (count: number, lines: number): string =>
    Array.from({ length: count }, (_, at) => `function f${lines}x${at}() {${'\n'.repeat(lines - 1)}}\n`).join(
      '',
    );
  const measured = (text: string): string[] => found(findExceededMeasures, 'packages/mm/src/a.ts', text);
  expect(measured(functions(9, 10) + functions(1, 60))).toEqual([]);
  expect(measured(functions(8, 5) + functions(2, 36))).toEqual([
    'the function at 90 of 100 has 36 lines; the ceiling is 35',
  ]);
  expect(measured(functions(2, 11))).toEqual(['the median function has 11 lines; the ceiling is 10']);
  expect(measured(`class A {\n${'m(): void {\n\n}\n'.repeat(50)}}\n`)).toEqual([
    'the median file has 152 lines; the ceiling is 150',
  ]);
  expect(found(findExceededMeasures, 'packages/mm/src/a.test.ts', functions(2, 36))).toEqual([]);
});

describe('nothing is left open or silenced', () => {
  const planted = (...parts: string[]): string[] =>
    found(findBannedText, 'packages/mm/src/a.ts', `${parts.join('')}\nexport {};\n`);
  test.each([
    [['// TO', 'DO: later']],
    [['// FIX', 'ME']],
    [['// XX', 'X']],
    [['// Not ', 'implemented yet']],
    [['test.sk', "ip('x', () => {});"]],
    [['test.on', "ly('x', () => {});"]],
    [['it.to', "do('x');"]],
    [['// @ts-', 'ignore']],
    [['// biome-', 'ignore lint: why']],
    [['// oxlint-', 'disable']],
    [['const a = 1 as a', 'ny;']],
    [['const a = [] as a', 'ny[];']],
    [["const p = '/wo", "rk/main';"]],
  ])('%j is found', (parts) => {
    expect(planted(...parts)).toHaveLength(1);
  });
  test.each([
    ['// as many as there are'],
    ['// @ts-expect-error stage-8 drops it'],
    ['// skips the header'],
    ['const p = ./wo', 'rk/main'],
  ])('%j is fine', (...parts) => {
    expect(planted(...parts)).toEqual([]);
  });
});
