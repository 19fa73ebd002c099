// The books of tracking memory: by structure, now, and at most.
import { expect, it } from 'vitest';
import { TRACKING_BYTES, TrackingMemory } from './tracking-memory.ts';

it('counts what is held and what was ever taken', () => {
  const memory = new TrackingMemory();
  memory.take('scatterlist', TRACKING_BYTES.scatterlistArray);
  memory.take('sg-table', TRACKING_BYTES.sgTable);
  memory.give(TRACKING_BYTES.scatterlistArray);
  memory.take('iova-state', TRACKING_BYTES.iovaState);
  expect(memory).toMatchObject({ held: 40, peak: 4112, takenBytes: 4136 });
  expect(memory.taken).toEqual({
    scatterlist: 4096,
    'sg-table': 16,
    'iova-state': 24,
    'dma-vecs': 0,
    descriptor: 0,
  });
});
