// Published sources that tell little, where they lie beside the workspace: topology files without ACS and without bridges,
// drawings, and reports with a few listings. No verdict on a pair may be definite unless what it rests on was shown.

import { readTopologyText } from '@sgfree/topology';
import { describe, expect, test } from 'vitest';
import { calcMapTypeAndDist, dumpRouteView, HostRules } from '../src/index.ts';
import { readOrRefused, requireSound } from './fuzz/dump-invariants.ts';
import { hasPublished, publishedDumps } from './fuzz/known-dumps.ts';
import { intel, zen } from './peer-tree.ts';

const dumps = publishedDumps();
const topologies = dumps.filter(({ name }) => name.endsWith('.xml') && !name.includes('graph'));
const reports = dumps.filter(({ name }) => name.endsWith('.md'));
const listings = dumps.filter(({ name }) => name.startsWith('pciutils/'));
const describeHere: (name: string, tests: () => void) => void = hasPublished ? describe : () => {};
const rules = [zen, intel, 'unknown' as const].map((cpu) => new HostRules('7.3.4', cpu));

test('published sources', ({ annotate }) => {
  if (!hasPublished)
    void annotate('the published machines (../shared/data) are not here: these tests need them');
  expect([topologies, reports, listings].every((found) => found.length > 1)).toBe(hasPublished);
});

describeHere('topology files', () => {
  test.each(topologies)('$name: no verdict without ACS, no distance without bridges', ({ lines }) => {
    const dump = readTopologyText(lines.join('\n'));
    const view = dumpRouteView(dump);
    expect(dump.functions.length).toBeGreaterThan(1);
    for (const provider of dump.functions) {
      for (const client of dump.functions.slice(0, 40)) {
        for (const rule of rules) {
          const { mapType, distance, missing } = calcMapTypeAndDist(view, provider, client, rule);
          const isSelf = provider === client;
          expect([provider.name, client.name, mapType, distance]).toEqual([
            provider.name,
            client.name,
            'unknown',
            isSelf ? 0 : 'unknown',
          ]);
          expect(missing).not.toEqual([]);
        }
      }
    }
  });
});

describeHere('reports and listings', () => {
  test.each([...reports, ...listings])('$name is read soundly, or refused with a line', ({ lines }) => {
    const dump = readOrRefused(() => readTopologyText(lines.join('\n')));
    if (dump === undefined) return;
    expect(dump.functions.length).toBeGreaterThan(0);
    for (let pick = 0; pick < 9; pick += 1) requireSound(dump, undefined, pick);
  });
});
