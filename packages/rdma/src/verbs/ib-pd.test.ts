// Protection domains: how many there may be.
import { Errno } from '@sgfree/mm';
import { expect, it } from 'vitest';
import { VerbsRig } from '../../test/verbs-rig.ts';
import { ibAllocPd } from './ib-pd.ts';

it('there are as many as the device has, and one more is refused', () => {
  const { device } = new VerbsRig().a;
  device.pdCount = device.attrs.maxPd - 1;
  expect(ibAllocPd(device).ok).toBe(true);
  expect(ibAllocPd(device)).toEqual({ ok: false, errno: Errno.ENOMEM });
});
