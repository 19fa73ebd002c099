// Walks the tables about the core around an exporter.
import { describe, expect, it } from 'vitest';
import { Bench } from '../buffer-rig.ts';
import { BufferBench } from './buffer-steps.ts';
import { dynamicRows, exportRows, staticRows, tellRows } from './core-rows.ts';
import { coreSteps } from './core-steps.ts';
import { transcript } from './step-script.ts';

describe('export', () => {
  it.each(exportRows)('$key', (row) => {
    const b = new BufferBench();
    expect(transcript(row, coreSteps(b), b.spell)).toEqual(row.steps);
  });
});

describe.each([
  ['dynamic importers', dynamicRows],
  ['static importers', staticRows],
  ['telling', tellRows],
])('%s', (_, rows) => {
  it.each(rows)('$key', (row) => {
    const b = new BufferBench(new Bench(row.pins));
    expect(transcript(row, coreSteps(b), b.spell)).toEqual(row.steps);
  });
});
