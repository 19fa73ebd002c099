// Walks the tables about one buffer: polling, processor access and ioctls.
import { describe, expect, it } from 'vitest';
import { BufferBench, bufferSteps } from './buffer-steps.ts';
import { exportRows, importRows, nameRows, requestRows, syncRows } from './ioctl-rows.ts';
import { accessRows, pollRows } from './poll-rows.ts';
import { transcript } from './step-script.ts';

describe.each([
  ['polling', pollRows],
  ['access', accessRows],
  ['requests', requestRows],
  ['sync', syncRows],
  ['names', nameRows],
  ['exported sync files', exportRows],
  ['imported sync files', importRows],
])('%s', (_, rows) => {
  it.each(rows)('$key', (row) => {
    const b = new BufferBench();
    expect(transcript(row, bufferSteps(b), b.spell)).toEqual(row.steps);
    expect(b.warned()).toBe(0);
  });
});
