// Bad usage and bad input: one line and 2.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { inventedMachine } from '../../test/invented-machine.ts';
import { p2p } from '../../test/run-p2p.ts';

const folder = mkdtempSync(join(tmpdir(), 'sgfree-p2p-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('bad usage and bad input', () => {
  it.each([
    [
      ['--from', '77:00.0'],
      'found no function at "77:00.0", expected one of 0000:03:00.0, 0000:04:00.0, 0000:05:00.0, 0000:81:00.0',
    ],
    [
      ['--to', 'eth0'],
      'found no PCI address: "eth0", expected domain:bus:device.function, such as 0000:19:00.0',
    ],
    [['--class', 'accelerator'], 'expected a device of the class; --all takes every endpoint'],
  ])('%j ends with one line and 2', async (argv, words) => {
    const { code, out, err } = await p2p(['-', ...argv], inventedMachine());
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^sgfree: <stdin>: [^\n]*\n$/);
    expect(err).toContain(words);
  });

  it('an address in several domains is ambiguous without one', async () => {
    const other = inventedMachine().replaceAll('0000:', '0001:');
    const both = inventedMachine() + other;
    const { code, err } = await p2p(['-', '--from', '03:00.0'], both);
    expect(code).toBe(2);
    expect(err).toContain('found 2 functions at "03:00.0", expected one of 0000:03:00.0, 0001:03:00.0');
    expect((await p2p(['-', '--from', '0001:03:00.0', '--to', '0001:04:00.0'], both)).code).toBe(0);
  });

  it('a machine without such devices is told what it has', async () => {
    const bridges = inventedMachine().split('\n\n').slice(0, 5).join('\n\n');
    const { code, err } = await p2p(['-'], `${bridges}\n\n`);
    expect(code).toBe(2);
    expect(err).toContain('found no such device among 5 functions (4 PCI bridge, 1 Host bridge)');
  });

  it.each([
    [['--kernel', 'latest'], '--kernel: found "latest"'],
    [['--class', 'gpus'], '--class: found "gpus"'],
    [['--cpu', 'vax'], '--cpu: found "vax"'],
    [['--cpu', '--json'], '--cpu: found the argument missing'],
    [['--kernel', '6.12', '--kernel', '6.1'], '--kernel: found the option twice'],
    [['--json', '--dot'], '--json: found --dot beside it'],
  ])('%j is refused', async (argv, words) => {
    const { code, err } = await p2p(['-', ...argv], inventedMachine());
    expect(code).toBe(2);
    expect(err).toContain(`sgfree: ${words}`);
  });

  it('neither a dump nor this machine, and both', async () => {
    for (const argv of [[], ['machine.txt', '--live']]) {
      const { code, err } = await p2p(argv, '');
      expect(code).toBe(2);
      expect(err).toMatch(/^sgfree: p2p: found [^\n]+\n$/);
    }
  });

  it.each([
    ['', 'an empty text'],
    ['hello\n', '"hello"'],
  ])('a text that is no dump: %j', async (text, words) => {
    const { code, err } = await p2p(['-'], text);
    expect(code).toBe(2);
    expect(err).toMatch(/^sgfree: <stdin>/);
    expect(err).toContain(words);
  });

  it('a file that is not there', async () => {
    const { code, err } = await p2p([join(folder, 'none.txt')], '');
    expect(code).toBe(2);
    expect(err).toContain('found no such file, expected lspci -vvv');
  });

  it('names in another encoding do no harm', async () => {
    const path = join(folder, 'latin.txt');
    writeFileSync(path, inventedMachine().replace('Example Inc', 'Ex\u00e4mple Inc'), 'latin1');
    const { code, out } = await p2p([path], '');
    expect(code).toBe(0);
    expect(out).toContain('Ex\ufffdmple Inc');
  });

  it('reads files as it reads standard input', async () => {
    const path = join(folder, 'machine.txt');
    writeFileSync(path, inventedMachine());
    const { out } = await p2p([path], '');
    expect(out.replaceAll(path, '<stdin>')).toBe((await p2p(['-'], inventedMachine())).out);
  });
});
