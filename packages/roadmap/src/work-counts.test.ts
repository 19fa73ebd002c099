// Booking: every unit of work lands in exactly one account.
import { expect, it } from 'vitest';
import { addWork, NO_WORK, type WorkCounts, WorkMeter, workSince } from './work-counts.ts';

function machine(): { work: (count: number) => void; sample: () => WorkCounts } {
  let done = 0;
  return {
    work: (count) => {
      done += count;
    },
    sample: () => ({ ...NO_WORK, entriesWritten: done }),
  };
}

it('books nested work to the inner account only', () => {
  const { work, sample } = machine();
  const meter = new WorkMeter<'outer' | 'inner'>(sample);
  meter.book('outer', () => {
    work(3);
    meter.book('inner', () => work(10));
    work(4);
    meter.book('inner', () => work(20));
  });
  expect(meter.booked('outer').entriesWritten).toBe(7);
  expect(meter.booked('inner').entriesWritten).toBe(30);
});

it('books work of a stretch that throws', () => {
  const { work, sample } = machine();
  const meter = new WorkMeter<'only'>(sample);
  expect(() =>
    meter.book('only', () => {
      work(5);
      throw new Error('stop');
    }),
  ).toThrow();
  expect(meter.booked('only').entriesWritten).toBe(5);
});

it('adds and takes apart', () => {
  const some = { ...NO_WORK, mapCalls: 3, unmapCalls: 1 };
  expect(workSince(some, addWork(some, some))).toEqual(some);
});
