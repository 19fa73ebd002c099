// Usage: every wrong command line ends with 2 and a hint, help and version with 0, and nothing throws.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { theRoad } from '@sgfree/roadmap';
import { afterAll, describe, expect, it } from 'vitest';
import { type Ended, runCommand } from '../test/run-command.ts';
import { PLANTS, plantsOf } from './plant-choice.ts';
import type { World } from './world.ts';

const requestsFolder = fileURLToPath(new URL('../requests/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'sgfree-compare-'));
afterAll(() => rmSync(folder, { recursive: true }));

const run = (argv: readonly string[], stdin = '', changes: Partial<World> = {}): Promise<Ended> =>
  runCommand(argv, stdin, { requestsFolder, ...changes });

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('usage', () => {
  it.each([
    [['--frobnicate']],
    [['compare', '--frobnicate']],
    [['stages', '--frobnicate']],
    [['compere']],
    [['compare', 'extra']],
    [['compare', '--seed', '-1']],
    [['compare', '--seed', 'one']],
    [['compare', '--seed', '4294967296']],
    [['compare', '--seed']],
    [['compare', '--memory', '1']],
    [['compare', '--memory', '17PB']],
    [['compare', '--memory', '1000001K']],
    [['compare', '--pages', '8k']],
    [['compare', '--plant', 'nothing']],
    [['compare', '--html', '--json']],
    [['compare', '--html=--json']],
    [['compare', '--perfetto', '--json']],
    [['compare', '--html', '-r']],
    [['compare', '-r', '--json']],
    [['compare', '--stage', '3', '--stage', '7']],
    [['compare', '--html', 'x', '--html', 'y']],
    [['compare', '-r', '-', '-r', '-']],
    [['compare', '--stage', '6', '--memory', '1G']],
    [['compare', '--stage', '7', '--pages', '4k']],
    [['compare', '--stage', '8', '-r', '-']],
    [['compare', '--plant', 'deaf']],
    [[]],
  ])('%j ends with 2 and a hint on stderr', async (argv) => {
    const ended = await run(argv);
    expect(ended.code).toBe(2);
    expect(ended.out).toBe('');
    expect(ended.err).not.toBe('');
  });

  it.each([
    [['compare', '--stage', '9'], '--stage'],
    [['compare', '--pages', '8k'], '--pages'],
    [['compare', '--html', '--json'], '--html'],
    [['compare', '--seed'], '--seed'],
    [['compare', '--jsn'], '--jsn'],
    [['compare', 'extra'], 'compare'],
    [['compere'], 'compere'],
    [['replay'], 'replay'],
    [['stages', 'extra', 'more'], 'stages'],
  ])('%j is told of in the one style, at %s', async (argv, where) => {
    const [line = ''] = (await run(argv)).err.split('\n');
    expect(line.startsWith(`sgfree: ${where}: found `)).toBe(true);
    expect(line).toContain(', expected ');
  });

  it('names the faults of each stage, in the help and where one does not fit', async () => {
    const help = (await run(['compare', '--help'])).out;
    for (const { stage } of theRoad) {
      expect(help).toMatch(new RegExp(`^  stage (?:\\d, )*${stage}(?:, \\d)*: `, 'm'));
      const wrong = PLANTS.find((plant) => !plantsOf(stage).includes(plant)) ?? '';
      const { code, err } = await run(['compare', '--stage', String(stage), '--plant', wrong]);
      expect(code).toBe(2);
      for (const plant of plantsOf(stage)) expect(err.split(', expected ')[1]).toContain(plant);
    }
    expect([6, 7].flatMap(plantsOf)).toEqual([]);
  });

  it('suggests the command that was meant', async () => {
    expect((await run(['compere'])).err).toContain('compare');
    expect((await run(['compare', '--jsn'])).err).toContain('--json');
  });

  it.each([[['--help']], [['-h']], [['compare', '--help']], [['stages', '--help']], [['--version']]])(
    '%j ends with 0',
    async (argv) => {
      const ended = await run(argv);
      expect(ended.code).toBe(0);
      expect(ended.out).not.toBe('');
      expect(ended.err).toBe('');
    },
  );

  it.each([[['--help']], [['compare', '--help']], [['stages', '--help']]])(
    '%j shows examples',
    async (argv) => {
      expect((await run(argv)).out).toContain('Examples:');
    },
  );
});

describe('stages', () => {
  it('prints nine stages', async () => {
    const { code, out } = await run(['stages']);
    expect(code).toBe(0);
    expect(out.split('\n').filter((line) => /^\d /.test(line))).toHaveLength(9);
  });

  it('prints them as JSON', async () => {
    const parsed = JSON.parse((await run(['stages', '--json'])).out) as { schema: string; stages: unknown[] };
    expect(parsed.schema).toBe('sgfree/stages/v1');
    expect(parsed.stages).toHaveLength(9);
  });

  it('colours only a terminal, and not with NO_COLOR', async () => {
    const colour = '\u001b[';
    expect((await run(['stages'])).out).not.toContain(colour);
    expect((await run(['stages'], '', { stdoutIsTerminal: true })).out).toContain(colour);
    expect((await run(['stages'], '', { stdoutIsTerminal: true, env: { NO_COLOR: '1' } })).out).not.toContain(
      colour,
    );
  });
});

describe('bad input files end with 2 and one line', () => {
  const oneLine = /^sgfree: [^\n]+\n$/;

  it.each([
    ['a missing file', () => join(folder, 'missing')],
    ['a directory', () => folder],
    ['no name', () => ''],
    ['an empty file', () => file('empty', '')],
    ['binary data', () => file('binary', new Uint8Array([0xff, 0xfe, 0x00, 0x80]))],
    ['gzip data cut short', () => file('cut.gz', gzipSync('{"op":"read"}\n'.repeat(1000)).subarray(0, 30))],
    ['a truncated line', () => file('truncated', '{"op":"read","pos":0,')],
    ['a name with a zero byte', () => 'a\u0000b'],
    ['a name of two lines', () => join(folder, 'a\nb')],
    ['a name that is too long', () => 'x'.repeat(5000)],
    ['a file as a folder', () => join(file('plain', ''), 'inside')],
    ['gzip data of nothing', () => file('nothing.gz', gzipSync(''))],
    ['gzip data of garbage', () => file('garbage.gz', gzipSync(Uint8Array.of(0xff, 0x00, 0xff)))],
    ['a gzip head alone', () => file('head.gz', Uint8Array.of(0x1f, 0x8b))],
    ['a nesting without end', () => file('deep', '['.repeat(1_000_000))],
    ['a nesting that closes', () => file('nested', `${'['.repeat(200_000)}${']'.repeat(200_000)}`)],
  ])('%s', async (_what, path) => {
    const ended = await run(['compare', '--requests', path()]);
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toMatch(oneLine);
  });

  it('a file without end', async () => {
    const ended = await run(['compare', '--requests', '/dev/zero']);
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toContain('more than 256 MiB');
  });

  it('a standard input without end', async () => {
    const ended = await run(['compare', '--requests', '-'], '', { readStdin: () => null });
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toContain('<stdin>: found more than 256 MiB');
  });

  it('the second of two files', async () => {
    const good = join(requestsFolder, 'nvio_small.jsonl.gz');
    const ended = await run(['compare', '-r', good, '-r', file('second', '{}')]);
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toContain('second:1:');
  });

  it('an empty standard input', async () => {
    const ended = await run(['compare', '--requests', '-']);
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toContain('<stdin>');
  });

  it('names the line', async () => {
    expect((await run(['compare', '-r', '-'], '\n\n{"op":"eat"}\n')).err).toContain('<stdin>:3:');
  });
});
