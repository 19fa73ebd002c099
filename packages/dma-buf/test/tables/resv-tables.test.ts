// Walks the tables about reservations as the ones about fences are walked.
import { describe, expect, it } from 'vitest';
import { FenceBench } from './fence-bench.ts';
import { resvRoom, resvWalks } from './resv-room-rows.ts';
import { resvAccess, resvQueries, resvSlots, resvSuite } from './resv-rows.ts';
import { resvSteps } from './resv-steps.ts';
import { transcript } from './step-script.ts';

describe.each([
  ['the suite', resvSuite],
  ['queries', resvQueries],
  ['accesses', resvAccess],
  ['slots', resvSlots],
  ['room', resvRoom],
  ['walks, waits and snapshots', resvWalks],
])('%s', (_, rows) => {
  it.each(rows)('$key', (row) => {
    const b = new FenceBench();
    expect(transcript(row, resvSteps(b), b.spell)).toEqual(row.steps);
    expect(b.warned()).toBe(0);
    expect(b.leftovers()).toEqual([]);
  });
});
