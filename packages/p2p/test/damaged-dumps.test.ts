// A bounded run of the fuzzer over the recorded machines, and whether it would find what it looks for.
// The longer run, over published machines too, is `npm run -s fuzz:topology`.

import { fc, test as property } from '@fast-check/vitest';
import { readTopologyText } from '@sgfree/topology';
import { describe, expect, test } from 'vitest';
import { requireSound } from './fuzz/dump-invariants.ts';
import { mutatedLines, mutationSteps } from './fuzz/dump-mutation.ts';
import { fewerLines } from './fuzz/fewer-lines.ts';
import { caseText, failureOf, fuzzCases } from './fuzz/fuzz-case.ts';
import { ownDumps } from './fuzz/known-dumps.ts';

const known = ownDumps();

describe('damaged dumps', () => {
  property.prop([fuzzCases(known)], { numRuns: 400, seed: 4 })('are refused, or read soundly', (fuzzed) => {
    expect(failureOf(fuzzed, caseText(known, fuzzed))).toBeUndefined();
  });

  property.prop([fc.array(fc.string({ unit: 'binary', maxLength: 200 }), { maxLength: 20 })], {
    numRuns: 200,
  })('of garbage only are refused, or read soundly', (lines) => {
    const text = lines.join('\n');
    expect(failureOf({ dump: 0, steps: [], ends: '\n', pick: 1 }, text)).toBeUndefined();
  });

  property.prop([mutationSteps], { numRuns: 100 })('leave the lines they were made of alone', (steps) => {
    const lines = ['one', 'two 2', 'three'];
    mutatedLines(lines, steps, [['other']]);
    expect(lines).toEqual(['one', 'two 2', 'three']);
  });
});

describe('the invariants', () => {
  const text = known.find(({ name }) => name.startsWith('A_'))?.lines.join('\n') ?? '';

  test('hold of a whole dump', () => {
    const dump = readTopologyText(text);
    for (let pick = 0; pick < 60; pick += 1) expect(() => requireSound(dump, text, pick)).not.toThrow();
  });

  test('break when a register is another one than the text prints', () => {
    const dump = readTopologyText(text);
    const functions = dump.functions.map((fn) =>
      typeof fn.acs.control === 'number' ? { ...fn, acs: { ...fn.acs, control: 0x2c } } : fn,
    );
    expect(() => requireSound({ ...dump, functions }, text, 0)).toThrow();
  });

  test('break when a bridge is another one than bus numbers say, or a function stands below itself', () => {
    const dump = readTopologyText(text);
    const copies = dump.functions.map((fn) => ({ ...fn }));
    for (const copy of copies)
      copy.upstream =
        copies.find(({ name }) => typeof copy.upstream !== 'string' && name === copy.upstream.name) ??
        copy.upstream;
    expect(() => requireSound({ ...dump, functions: copies }, text, 0)).not.toThrow();
    const below = copies.filter(({ upstream }) => typeof upstream !== 'string');
    const [first, last] = [below[0], below.at(-1)];
    if (first === undefined || last === undefined) throw new RangeError('nothing below a bridge');
    first.upstream = first;
    expect(() => requireSound({ ...dump, functions: copies }, text, 0)).toThrow('below itself');
    first.upstream = last;
    expect(() => requireSound({ ...dump, functions: copies }, text, 0)).toThrow();
  });

  test('shrink to the lines that matter', () => {
    const lines = ['a', 'b', '00:01.0 0604: 1234:0001', 'c'];
    const found = { dump: 0, steps: [], ends: '\n' as const, pick: 0 };
    const kept = fewerLines([{ name: 'four lines', lines }], found, (tried) =>
      tried.includes('0604') ? 'it has a bridge' : undefined,
    );
    expect(kept).toEqual({ lines: ['00:01.0 0604: 1234:0001'], message: 'it has a bridge' });
  });
});
