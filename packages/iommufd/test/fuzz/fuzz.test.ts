// The byte-level fuzzers, for as long as a test may take; `long-fuzz.ts` runs them for as long as wanted.
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { fuzzedCall } from './mutate.ts';
import { SingleCalls } from './single-calls.ts';
import { storm, weather } from './storm.ts';

it('answers nearly right calls as the specification says', () => {
  const calls = new SingleCalls();
  fc.assert(
    fc.property(fuzzedCall, (call) => calls.try(call)),
    { numRuns: 3000 },
  );
  // Wrong sizes, wrong objects, wrong fields and right calls have all been tried.
  for (const answer of [
    'success',
    'EINVAL',
    'E2BIG',
    'EFAULT',
    'ENOENT',
    'EOPNOTSUPP',
    'EOVERFLOW',
    'EEXIST',
  ]) {
    expect(calls.answers.get(answer) ?? 0, answer).toBeGreaterThan(0);
  }
});

it('loses nothing when calls, drivers and failing allocations meet', () => {
  fc.assert(fc.property(storm, weather), { numRuns: 150 });
});
