// Walks the tables about revoking and about what importers meet. No row may break a rule of the model on its way.
import { describe, expect, it } from 'vitest';
import { birthRows, engineRows } from './engine-rows.ts';
import { attachRows, mapRows } from './exporter-rows.ts';
import { closeRows, commandRows, powerRows, resetRows } from './trigger-rows.ts';
import { transcript } from './trigger-script.ts';
import { TriggerBench, triggerSteps } from './trigger-steps.ts';

describe.each([
  ['the command register', commandRows],
  ['power', powerRows],
  ['resets', resetRows],
  ['close', closeRows],
  ['attach', attachRows],
  ['map', mapRows],
  ['birth', birthRows],
  ['the engine', engineRows],
])('%s', (_, rows) => {
  it.each(rows)('$key', (row) => {
    const b = new TriggerBench(row.machine);
    expect(transcript(row, triggerSteps(b))).toEqual(row.steps);
    expect(b.machine.rules()).toEqual([]);
  });
});
