// Fuzzing the byte face: calls one by one against the oracle, and several callers at once with failing allocations.
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { fuzzedCall } from './mutate.ts';
import { SingleCalls } from './single-calls.ts';
import { storm, weather } from './storm.ts';

/** Calls of which it is known what they come upon. */
const COVERED = { numRuns: 3000, seed: 20260217 };

it('comes upon every kind of answer, and each is what the oracle says', () => {
  const calls = new SingleCalls();
  fc.assert(
    fc.property(fuzzedCall, (call) => calls.try(call)),
    COVERED,
  );
  // Wrong sizes, wrong objects, wrong fields and right calls are all tried, none by a lucky chance.
  for (const answer of [
    'success',
    'EINVAL',
    'E2BIG',
    'EFAULT',
    'ENOENT',
    'EOPNOTSUPP',
    'EOVERFLOW',
    'EEXIST',
    'EBUSY',
    'EBADF',
    'ENODEV',
  ]) {
    expect(calls.answers.get(answer) ?? 0, answer).toBeGreaterThan(10);
  }
  expect(calls.imports).toBeGreaterThan(10);
});

it('answers nearly right calls as the oracle says', () => {
  const calls = new SingleCalls();
  fc.assert(
    fc.property(fuzzedCall, (call) => calls.try(call)),
    { numRuns: 2000 },
  );
});

it('loses nothing when calls, drivers and failing allocations meet', () => {
  fc.assert(fc.property(storm, weather), { numRuns: 150 });
});
