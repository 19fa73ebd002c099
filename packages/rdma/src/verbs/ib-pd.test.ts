// Protection domains: how many there may be, and until when one is in use.
import { Errno } from '@sgfree/mm';
import { expect, it } from 'vitest';
import { outcomeValue, VerbsRig } from '../../test/verbs-rig.ts';
import { allocMw, deallocMw } from './ib-mw.ts';
import { ibAllocPd, ibDeallocPd } from './ib-pd.ts';

it('there are as many as the device has, and one more is refused', () => {
  const { device } = new VerbsRig().a;
  device.pdCount = device.attrs.maxPd - 1;
  expect(ibAllocPd(device).ok).toBe(true);
  expect(ibAllocPd(device)).toEqual({ ok: false, errno: Errno.ENOMEM });
});

it.each([
  [true, false],
  [true, true],
  [false, false],
  [false, true],
])('one user keeps it, with keys of the device %s and for peers %s', (localDmaLkey, unsafeGlobalRkey) => {
  const rig = new VerbsRig({ attrs: { localDmaLkey } });
  const { device } = rig.a;
  const [count, keys] = [device.pdCount, device.nic.keys.size];
  const pd = outcomeValue(ibAllocPd(device, { unsafeGlobalRkey }));
  const mw = outcomeValue(allocMw(pd));
  expect([rig.do(ibDeallocPd(pd)), device.pdCount]).toEqual([-Errno.EBUSY, count + 1]);
  expect(rig.do(deallocMw(mw))).toBe(0);
  expect([rig.do(ibDeallocPd(pd)), device.pdCount, device.nic.keys.size]).toEqual([0, count, keys]);
});
