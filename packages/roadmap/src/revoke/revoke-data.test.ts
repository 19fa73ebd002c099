// What bytes of a run may be where: a request that was refused may have begun, one that was flushed behind it may not.
import { IbWcStatus } from '@sgfree/rdma/stage-6';
import { expect, it } from 'vitest';
import { compareRevokeData } from './revoke-data.ts';
import { RevokeRun } from './revoke-run.ts';

/** A finished run of which work is refused and flushed, its data and a writer of the peer's bytes. */
function finishedRun() {
  const run = new RevokeRun({
    trigger: 'close',
    importers: ['pinned-revocable'],
    place: 'switch',
    iommu: false,
    seed: 1,
  });
  run.run();
  const { cast } = run;
  const [role] = cast.roles;
  if (role === undefined) throw new Error('nobody takes part');
  const { traffic } = role;
  const { slots, memory } = cast;
  const endingAs = (status: IbWcStatus) => traffic.jobs.filter((job) => job.write && job.status === status);
  const begin = (slot: number, bytes: number): void =>
    memory.poke(slots.offset(slot), slots.sent(slot).subarray(0, bytes));
  const wrong = (): number => compareRevokeData(cast, [traffic, ...run.later]).wrong;
  return { endingAs, begin, wrong };
}

it('bytes of flushed work in the memory are wrong bytes', () => {
  const { endingAs, begin, wrong } = finishedRun();
  const [flushed] = endingAs(IbWcStatus.WR_FLUSH_ERR);
  if (flushed === undefined) throw new Error('no write was flushed');
  expect(wrong()).toBe(0);
  begin(flushed.slot, 8);
  expect(wrong()).toBeGreaterThan(0);
});

it('work that was refused may leave its beginning, and one that ended well leaves all', () => {
  const { endingAs, begin, wrong } = finishedRun();
  const [done] = endingAs(IbWcStatus.SUCCESS);
  if (done === undefined) throw new Error('no write ended well');
  for (const { slot } of endingAs(IbWcStatus.REM_ACCESS_ERR)) begin(slot, 8);
  begin(done.slot, 8);
  expect(wrong()).toBe(0);
});
