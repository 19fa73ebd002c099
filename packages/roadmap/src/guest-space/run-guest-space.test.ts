// A guest whose address space holds RAM and a lent BAR: every door against every trigger, below the same switch and below another root
// port, under a seeded order of events.
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { REVOKE_TRIGGERS } from '../revoke/revoke-input.ts';
import { GUEST_SPACE_DOORS, type GuestSpaceInput } from './guest-space-input.ts';
import { guestSpaceFaults, guestSpaceVerdict } from './guest-space-verdict.ts';
import { runGuestSpace } from './run-guest-space.ts';

const PLACES = ['switch', 'host-bridge'] as const;
const inputs = GUEST_SPACE_DOORS.flatMap((door) =>
  REVOKE_TRIGGERS.flatMap((trigger) =>
    PLACES.map((place): GuestSpaceInput => ({ door, trigger, place, seed: 1 })),
  ),
);

describe('a guest', () => {
  it.each(inputs)('by $door, $trigger, $place', (input) => {
    const report = runGuestSpace(input);
    expect(guestSpaceFaults(report), JSON.stringify(report)).toEqual([]);
    expect(guestSpaceVerdict(report).ok).toBe(true);
    expect(runGuestSpace(input)).toEqual(report);
  });

  test.prop(
    {
      door: fc.constantFrom(...GUEST_SPACE_DOORS),
      trigger: fc.constantFrom(...REVOKE_TRIGGERS),
      place: fc.constantFrom(...PLACES),
      seed: fc.nat(),
      jobBytes: fc.constantFrom(64, 1024, 1500, 5000),
    },
    { numRuns: 25 },
  )('keeps every promise whatever the order of events', (input) => {
    const report = runGuestSpace({ ...input, jobs: 12 });
    expect(guestSpaceFaults(report), JSON.stringify(report)).toEqual([]);
  });
});
