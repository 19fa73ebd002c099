// RdmaKeyUse: work through a key ends when the key, or the region behind a window, is no longer what the work found.
import { describe, expect, it } from 'vitest';
import { ALL_ACCESS, RdmaRig } from '../../../test/rdma-rig.ts';
import { RDMA_ACCESS } from './rdma-access.ts';
import type { RdmaKeyEntry } from './rdma-key-entry.ts';
import { RdmaKeyUse } from './rdma-key-use.ts';
import { RDMA_STATUS } from './rdma-status.ts';

const IOVA = 0x7000_0000;

/** A window over four pages of `b`, and a write of `a` through it on its way. */
function windowed(seed = 1) {
  const rig = new RdmaRig({ seed });
  const { a, b } = rig;
  const pages = [0x9000, 0xb000, 0xd000, 0xf000];
  const region = b.region(pages, { access: ALL_ACCESS + RDMA_ACCESS.windowBind });
  const window = b.nic.keys.allocate('window', 1);
  if (window === null) throw new Error('no key');
  window.state = 'free';
  const access = RDMA_ACCESS.remoteWrite;
  b.post('bind-mw', { binding: { window, region, key: window.lkey, access, iova: IOVA, length: 4 * 4096 } });
  rig.settle();
  const source = a.region([0x10_0000, 0x10_1000, 0x10_2000, 0x10_3000]);
  a.store(0x10_0000, new Uint8Array(4 * 4096).fill(7));
  const sges = [{ address: IOVA, length: 4 * 4096, lkey: source.lkey }];
  a.post('rdma-write', { sges, remoteAddress: IOVA, rkey: window.rkey });
  const landed = (): number =>
    pages.flatMap((page) => [...b.bytesAt(page, 4096)]).filter((byte) => byte === 7).length;
  return { rig, b, region, window, landed };
}

const again = ({ access, iova, length, translation }: RdmaKeyEntry) => ({
  access,
  iova,
  length,
  translation,
});

describe('work through a window', () => {
  it.each(['region', 'window'] as const)('ends when its %s is taken back, at the next request', (what) => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const { rig, landed, ...rest } = windowed(seed);
      while (!rest.region.inUse) rig.scheduler.step();
      rest[what].invalidate('invalid');
      const quiet = rig.scheduler.spawn('quiet', rest[what].quiesce());
      while (!quiet.done) rig.scheduler.step();
      const then = landed();
      expect(then).toBeLessThan(4 * 4096);
      expect(rig.statuses()).toEqual([RDMA_STATUS.REM_ACCESS_ERR]);
      expect(landed()).toBe(then);
    }
  });

  it('ends also when the region is given out anew at once under the same number', () => {
    const { rig, region, landed } = windowed();
    while (!region.inUse) rig.scheduler.step();
    region.invalidate('invalid');
    region.validate(again(region));
    expect(rig.statuses()).toEqual([RDMA_STATUS.REM_ACCESS_ERR]);
    expect(landed()).toBeLessThan(4 * 4096);
  });
});

describe('a use', () => {
  it('is good for as long as neither row changes, and never good again', () => {
    const { region, window } = windowed();
    const [through, direct] = [new RdmaKeyUse(window), new RdmaKeyUse(region)];
    expect([through.region, direct.region]).toEqual([region, region]);
    expect([through.good, direct.good]).toEqual([true, true]);
    region.translate(region.translation);
    expect([through.good, direct.good]).toEqual([true, true]);
    region.validate(again(region));
    expect([through.good, direct.good]).toEqual([false, false]);
    expect([new RdmaKeyUse(window).good, new RdmaKeyUse(region).good]).toEqual([true, true]);
  });
});
