// A revocable region after the revoke: its key, what can still be asked of it, and how often the hardware is taken off.
import { sgtRangeSource } from '@sgfree/dma-buf/sgt';
import { PAGE_SIZE } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { expect, it } from 'vitest';
import { UmemMachine } from '../../test/umem-machine.ts';
import { outcomeValue } from '../../test/verbs-rig.ts';
import { IbAccess } from '../verbs/ib-access.ts';
import { ibUmemCheckRereg } from './ib-umem.ts';
import { rangeImport } from './range-import.ts';
import { ibDeregDmabufMr } from './reg-dmabuf-mr.ts';
import { ibRegDmabufMrRevocable } from './reg-dmabuf-mr-revocable.ts';

const ACCESS = IbAccess.LOCAL_WRITE | IbAccess.REMOTE_READ | IbAccess.REMOTE_WRITE;

function rig() {
  const machine = new UmemMachine();
  const frames = Float64Array.from([1, 2], (count) => machine.pages.allocRun(count));
  const { fd, dmabuf, maps } = machine.export(frames, {
    *pin() {
      yield { at: 'exporter:pin' };
      return 0;
    },
    *unpin() {
      yield { at: 'exporter:unpin' };
    },
  });
  const register = () =>
    outcomeValue(
      machine.do(
        ibRegDmabufMrRevocable(
          machine.pd,
          {
            platform: machine.dmaBufs,
            fd,
            offset: 0,
            size: 2 * PAGE_SIZE,
            access: ACCESS,
            via: rangeImport(sgtRangeSource),
          },
          0,
        ),
      ),
    );
  return { machine, dmabuf, maps, register };
}

it('after the revoke the key opens nothing, and no other region gets it before the deregistration', () => {
  const { machine, dmabuf, register } = rig();
  const reg = register();
  const { keys } = machine.device.nic;
  const { lkey, rkey } = reg.mr;
  expect(keys.remote(rkey, machine.pd.pdn, IbAccess.REMOTE_WRITE)).toBe(reg.mr.entry);
  machine.do(machine.invalidate(dmabuf));
  expect(keys.remote(rkey, machine.pd.pdn, IbAccess.REMOTE_WRITE)).toBe(null);
  const other = register();
  expect(other.mr.entry).not.toBe(reg.mr.entry);
  expect(other.mr.lkey).not.toBe(lkey);
  expect(keys.remote(other.mr.rkey, machine.pd.pdn, IbAccess.REMOTE_WRITE)).toBe(other.mr.entry);
  expect(machine.do(ibDeregDmabufMr(other))).toBe(0);
  expect(machine.do(ibDeregDmabufMr(reg))).toBe(0);
});

it('the revoke takes the key back once, and the deregistration does not again', () => {
  const { machine, dmabuf, maps, register } = rig();
  const reg = register();
  const before = reg.mr.entry.generation;
  machine.do(machine.invalidate(dmabuf));
  const revoked = reg.mr.entry.generation;
  expect(revoked).toBeGreaterThan(before);
  machine.do(machine.invalidate(dmabuf));
  expect(reg.mr.entry.generation).toBe(revoked);
  expect([maps(), reg.umem.mapped, reg.umem.pinned]).toEqual([0, false, false]);
  expect(machine.do(ibDeregDmabufMr(reg))).toBe(0);
  expect([maps(), dmabuf.refs, dmabuf.attachments.length]).toEqual([0, 1, 0]);
});

it('a revoked region is not registered again, and goes without a trace', () => {
  const { machine, dmabuf, register } = rig();
  const before = machine.leftovers;
  const reg = register();
  machine.do(machine.invalidate(dmabuf));
  for (const translation of [true, false]) {
    expect(ibUmemCheckRereg(reg.umem, { translation }, ACCESS)).toBe(-Errno.EOPNOTSUPP);
  }
  expect(machine.do(ibDeregDmabufMr(reg))).toBe(0);
  expect(machine.leftovers).toEqual(before);
  expect(machine.device.nic.keys.remote(reg.mr.rkey, machine.pd.pdn, IbAccess.REMOTE_READ)).toBe(null);
});
