// Every check of the kernel's checker: a driver that does it wrong gets that finding and no other, with the data of the
// kernel's message; the same driver doing it right gets none.

import { readFileSync } from 'node:fs';
import { dmaDebugRules } from '@sgfree/dma-core';
import { expect, it } from 'vitest';
import { checkedMachine } from '../test/checked-machine.ts';
import { freeAndSyncCases } from '../test/free-and-sync-cases.ts';
import { mappingCases } from '../test/mapping-cases.ts';

const cases = [...freeAndSyncCases, ...mappingCases];

it.each(cases)('check $check: $name', ({ rule, options, data, wrong, right }) => {
  const machine = checkedMachine(options);
  wrong(machine);
  const found = machine.findings.filter((finding) => finding.rule.startsWith('dma-debug-'));
  const others = found.filter((finding) => finding.rule !== rule).map((finding) => finding.rule);
  const allowed = rule === 'dma-debug-sync-read-only' || rule === 'dma-debug-sync-write-only';
  expect(others).toEqual(allowed ? ['dma-debug-sync-direction'] : []);
  const [finding] = found.filter((each) => each.rule === rule);
  expect(finding).toMatchObject(data);

  const clean = checkedMachine(options);
  right(clean);
  expect(clean.findings).toEqual([]);
});

it('the table has every check of the kernel and every code of its rules', () => {
  const codes = Object.entries(dmaDebugRules).filter(([, { check }]) => check !== null);
  expect(new Set(cases.map(({ check }) => check))).toEqual(
    new Set(Array.from({ length: 27 }, (_, at) => at + 1)),
  );
  expect(new Set(cases.map(({ rule }) => rule))).toEqual(new Set(codes.map(([code]) => code)));
  for (const { check, rule } of cases) expect(dmaDebugRules[rule].check).toBe(check);
});

it('the documentation names every rule, and no other', () => {
  const text = readFileSync(new URL('../../../docs/dma-debug.md', import.meta.url), 'utf8');
  const named = new Set(text.match(/dma-(?:debug|shadow)-[a-z0-9-]*[a-z0-9]/g));
  expect(named).toEqual(new Set(Object.keys(dmaDebugRules)));
});
