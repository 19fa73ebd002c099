// Bad input gets one clear error with file, line, what stands there and what was expected; good input is taken as it is.
import { machineShape } from '@sgfree/roadmap';
import { describe, expect, it } from 'vitest';
import { InputError } from './input-error.ts';
import { parseRequestList } from './request-list.ts';

const machine = machineShape(16 * 2 ** 30);
const good =
  '{"op":"read","pos":4096,"total":8192,"iov":[[8192,[["0x100000000",4096],["0x100001000",4096]]]]}';

const parse = (text: string, name = 'list.jsonl') => parseRequestList(name, text, machine);

function errorOf(text: string): InputError {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error('the text was accepted');
}

const line = (changes: Record<string, unknown>): string =>
  JSON.stringify({ ...(JSON.parse(good) as Record<string, unknown>), ...changes });

describe('a request list', () => {
  it('is one JSON object a line', () => {
    const list = parse(`${good}\n${good}\n`);
    expect(list.ios).toHaveLength(2);
    expect(list.bytes).toBe(16384);
    expect(list.ios[0]).toEqual({
      operation: 'read',
      position: 4096,
      iovecs: [
        [
          { phys: 0x100000000, bytes: 4096 },
          { phys: 0x100001000, bytes: 4096 },
        ],
      ],
    });
  });

  it.each([
    ['carriage returns', `${good}\r\n${good}\r\n`],
    ['a byte order mark', `\ufeff${good}\n${good}`],
    ['empty lines', `\n${good}\n\n   \n${good}\n\n`],
  ])('may have %s', (_what, text) => {
    expect(parse(text).ios).toHaveLength(2);
  });

  it('may let ranges of different iovecs overlap, as the kernel does', () => {
    const shared = line({
      iov: [
        [4096, [['0x100000000', 4096]]],
        [4096, [['0x100000800', 4096]]],
      ],
    });
    expect(parse(shared).ios).toHaveLength(1);
  });

  it('leaves out calls that failed when they were recorded, and says how many', () => {
    const failed = line({ ret: -1, errno: 22 });
    expect(parse(`${good}\n${failed}\n${line({ ret: 8192 })}`)).toMatchObject({ skipped: 1 });
    expect(errorOf(failed).line).toBe(0);
  });
});

const bad: readonly [string, string][] = [
  ['a truncated line', good.slice(0, 40)],
  ['garbage', '\u0000\u0001\u0002 \u001b[31m'],
  ['a bare word', 'hello'],
  ['a number', '17'],
  ['null', 'null'],
  ['a list', '[]'],
  ['an unknown operation', line({ op: 'trim' })],
  ['no operation', line({ op: undefined })],
  ['a position that is text', line({ pos: '4096' })],
  ['a negative position', line({ pos: -512 })],
  ['a fractional position', line({ pos: 0.5 })],
  ['a huge position', line({ pos: 1e300 })],
  ['a position beyond every number', good.replace('4096', '1e400')],
  ['a position that is no number', good.replace('4096', 'NaN')],
  ['a position that no double holds', good.replace('4096', '9007199254740993')],
  ['a negative position beyond every number', good.replace('4096', '-1e400')],
  ['a nested position', good.replace('4096', `${'['.repeat(100_000)}${']'.repeat(100_000)}`)],
  ['a nested piece', good.replace('"0x100000000"', `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`)],
  ['a total beyond every number', good.replace('8192', '1e999')],
  [
    'pieces too small for a block',
    line({
      total: 512,
      iov: Array.from({ length: 128 }, (_, i) => [4, [[`0x${(0x100000000 + i * 4096).toString(16)}`, 4]]]),
    }),
  ],
  ['an empty object', '{}'],
  ['a record in a record', `{"__proto__":${good}}`],
  ['a negative address', good.replace('0x100000000', '-0x100000000')],
  ['an address of 17 digits', good.replace('0x100000000', '0x10000000000000000')],
  ['an end above 2^52', good.replace('0x100000000', '0xffffffffffffc')],
  ['a return value that is text', `${good.slice(0, -1)},"ret":"8192"}`],
  ['two records on a line', `${good} ${good}`],
  ['a position beyond the disk', line({ pos: 2 ** 45 })],
  ['a position inside a block', line({ pos: 100 })],
  ['no bytes', line({ total: 0, iov: [] })],
  ['a total that does not add up', line({ total: 4096 })],
  ['an iovec that does not add up', line({ iov: [[8192, [['0x100000000', 4096]]]] })],
  ['an iovec that is no pair', line({ iov: [[8192]] })],
  ['a piece that is no pair', line({ iov: [[8192, [['0x100000000', 8192, 1]]]] })],
  ['an iovec without pieces', line({ iov: [[8192, []]] })],
  [
    'a piece of no bytes',
    line({
      iov: [
        [
          8192,
          [
            ['0x100000000', 8192],
            ['0x100002000', 0],
          ],
        ],
      ],
    }),
  ],
  ['a negative length', line({ iov: [[-8192, [['0x100000000', -8192]]]] })],
  ['an address that is a number', line({ iov: [[8192, [[4294967296, 8192]]]] })],
  ['an address without 0x', line({ iov: [[8192, [['100000000', 8192]]]] })],
  ['an address above 2^52', line({ iov: [[8192, [['0xfffffffffffff000', 8192]]]] })],
  ['memory behind the end of RAM', line({ iov: [[8192, [['0x500000000', 8192]]]] })],
  ['memory across the end of low RAM', line({ iov: [[8192, [['0x7ffff000', 8192]]]] })],
  [
    'memory of the modelled kernel',
    line({
      iov: [
        [
          8192,
          [
            ['0x47ffff000', 4096],
            ['0x47fffe000', 4096],
          ],
        ],
      ],
    }),
  ],
  ['memory below 1 MiB', line({ iov: [[8192, [['0x0', 8192]]]] })],
  ['an odd address', line({ iov: [[8192, [['0x100000001', 8192]]]] })],
  [
    'overlapping pieces of one iovec',
    line({
      iov: [
        [
          8192,
          [
            ['0x100000000', 4096],
            ['0x100000800', 4096],
          ],
        ],
      ],
    }),
  ],
  ['a total inside a block', line({ total: 100, iov: [[100, [['0x100000000', 100]]]] })],
  ['more than one call moves', line({ total: 2 ** 31, iov: [[2 ** 31, [['0x100000000', 2 ** 31]]]] })],
];

describe('bad input', () => {
  it.each(bad)('%s: names file and line, what was found and what was expected', (_what, text) => {
    const error = errorOf(`${good}\n${text}\n${good}`);
    expect(error.file).toBe('list.jsonl');
    expect(error.line).toBe(2);
    expect(error.found).not.toBe('');
    expect(error.expected).not.toBe('');
    expect(error.message.split(/[\r\n]/)).toHaveLength(1);
  });

  it('300,000 wrong pieces do not exhaust the stack', () => {
    const text = `{"op":"read","pos":0,"total":512,"iov":[[512,[${'"a",'.repeat(300_000)}"a"]]]}`;
    expect(errorOf(text).message).toBe('list.jsonl:1: found iov.0.1.0 = "a", expected a pair');
  });

  it('more pieces than the longest call has pages do not exhaust the memory', () => {
    const text = `{"op":"read","pos":0,"total":512,"iov":[[512,[${'0,'.repeat(600_000)}0]]]}`;
    expect(errorOf(text).message).toBe('list.jsonl:1: found 600001 pieces, expected at most 525312');
  });

  it('more I/O than the memory of this process can hold is refused before anything runs', () => {
    const half = line({ total: 2 ** 28, iov: [[2 ** 28, [['0x100000000', 2 ** 28]]]] });
    expect(errorOf(`${half}\n${half}\n${good}`)).toMatchObject({ line: 3 });
  });

  it('says what stands there', () => {
    expect(errorOf(good.replace('4096', '1e400')).message).toBe(
      'list.jsonl:1: found pos = a number beyond all bounds, expected a number',
    );
    expect(errorOf('\u001b[31m').found).toBe('text that is not JSON: \\x1b[31m');
    expect(errorOf(good.replace('"0x100000000"', '"0xg"')).message).toBe(
      'list.jsonl:1: found iov.0.1.0.0 = "0xg", expected a hex string such as "0x10ac28000"',
    );
  });

  it.each(['', '\n\n', ' \r\n'])('an empty list is an error of the whole file', (text) => {
    expect(errorOf(text)).toMatchObject({ line: 0 });
  });
});

describe('pages behind the buffers', () => {
  const pages = (count: number, step: number, at = 0x100000000): [string, number][] =>
    Array.from({ length: count }, (_, i) => [`0x${(at + i * step).toString(16)}`, 4096]);
  const record = (pieces: [string, number][]): string =>
    JSON.stringify({
      op: 'read',
      pos: 0,
      total: pieces.length * 4096,
      iov: [[pieces.length * 4096, pieces]],
    });

  it('are 4 KiB where a junction inside a 2 MiB frame is not contiguous', () => {
    expect(parse(record(pages(600, 8192)), 'nvio_huge.jsonl').backing).toBe('base-pages');
  });

  it('are what the name of a recorded list says', () => {
    expect(parse(record(pages(8, 4096)), 'a/nvio_huge.jsonl').backing).toBe('huge-pages');
    expect(parse(record(pages(600, 4096)), 'a/nvio_small.jsonl.gz').backing).toBe('base-pages');
  });

  it('are 2 MiB where more than a huge page of neighbours is contiguous', () => {
    expect(parse(record(pages(513, 4096))).backing).toBe('huge-pages');
    expect(parse(record(pages(512, 4096))).backing).toBe('base-pages');
  });

  it('may jump at multiples of 2 MiB', () => {
    const jump = [...pages(512, 4096, 0x100000000), ...pages(512, 4096, 0x180000000)];
    expect(parse(record(jump)).backing).toBe('huge-pages');
  });

  it('can be said', () => {
    expect(parseRequestList('x', record(pages(600, 4096)), machine, 'base-pages').backing).toBe('base-pages');
  });
});
