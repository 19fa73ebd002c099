// Lines that no other test would miss: what is left of an object whose destruction failed, of an area that was to be unmapped,
// of an import that is let go while its exporter takes it back.
import { dmaBufFd } from '@sgfree/dma-buf';
import { type DmaBufOps, dmaBufExport } from '@sgfree/dma-buf/stage-6';
import { dmaAddr, type ModelTask, Scheduler } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import {
  type IommufdIoas,
  IommuHwptAllocFlag,
  IoptAccess,
  iommufdAccessAttach,
  iommufdAccessPinPages,
  iommufdAccessUnpinPages,
  iommufdDestroy,
  iommufdDeviceAttach,
  iommufdDeviceBind,
  iommufdDeviceDetach,
  iommufdDeviceReplace,
  iommufdDeviceUnbind,
  iommufdFaultAlloc,
  iommufdGetHwInfo,
  iommufdHwptAlloc,
  iommufdIoasCopy,
  ioptChangeProcess,
  ioptCutIova,
  MockDevice,
  u64,
} from '../../src/index.ts';
import { CoreMachine, numberOf } from '../core-machine.ts';
import { DoorMachine } from '../door-machine.ts';
import { type LendingExporter, lenderInterconnect } from '../lending-exporter.ts';

const P = 4096;
const AT = 0x1000000;

describe('an object', () => {
  it('that its driver gave up while it was in use can be found and destroyed afterwards', () => {
    const machine = new CoreMachine();
    const bound = iommufdDeviceBind(machine.ctx, machine.mock());
    if (!bound.ok) throw new Error('not bound');
    const idev = bound.value;
    expect(machine.run(iommufdDeviceAttach(idev, machine.ioas().id)).ok).toBe(true);
    machine.run(iommufdDeviceUnbind(idev));
    expect(machine.rules()).toEqual(['iommufd-destroy-user-busy']);
    expect(iommufdGetHwInfo(machine.ctx, 0, idev.id, 0).ok).toBe(true);
    machine.run(iommufdDeviceDetach(idev));
    expect(machine.run(iommufdDestroy(machine.ctx, idev.id))).toBe(0);
    expect(machine.close()).toEqual([0, 0, 0]);
  });

  it('is asked for its own kind of hardware data unless a kind is asked for', () => {
    const machine = new CoreMachine();
    const asked: number[] = [];
    const hardwareInfo = (wanted: number) => {
      asked.push(wanted);
      return { ok: true, value: { type: 1, data: new Uint8Array(0) } } as const;
    };
    const bound = iommufdDeviceBind(machine.ctx, Object.assign(machine.mock(), { hardwareInfo }));
    if (!bound.ok) throw new Error('not bound');
    for (const flags of [0, 1]) iommufdGetHwInfo(machine.ctx, flags, bound.value.id, 7);
    expect(asked).toEqual([0, 7]);
  });

  it('of a group that belongs to somebody else is not bound and keeps no group', () => {
    const [machine, other] = [new CoreMachine(), new CoreMachine()];
    const device = machine.mock();
    expect(iommufdDeviceBind(machine.ctx, device).ok).toBe(true);
    expect(iommufdDeviceBind(other.ctx, device)).toEqual({ ok: false, errno: Errno.EPERM });
    expect([machine.ctx.groups.size, other.ctx.groups.size]).toEqual([1, 0]);
  });
});

it('an area that was to be unmapped is not cut any more, whoever has let go of it since', () => {
  const machine = new CoreMachine();
  const ioas = machine.ioas();
  const access = new IoptAccess(machine.platform, { needsPinPages: true, *unmap() {} });
  machine.run(iommufdAccessAttach(access, ioas.iopt));
  machine.mmap(2 * P, 2 ** 31);
  expect(numberOf(machine.map(ioas, u64(2 ** 31), u64(2 * P), u64(AT)))).toBe(AT);
  const cut = () => machine.run(ioptCutIova(ioas.iopt, [u64(AT + P - 1)]));
  expect(machine.run(iommufdAccessPinPages(access, u64(AT), u64(P), false)).ok).toBe(true);
  expect(cut()).toBe(-Errno.EINVAL);
  expect(numberOf(machine.unmap(ioas, AT, 2 * P))).toBe(-Errno.EDEADLK);
  machine.run(iommufdAccessUnpinPages(access, u64(AT), u64(P)));
  expect(cut()).toBe(-Errno.EBUSY);
});

/** Takes the memory back when the last area is gone, but perhaps not yet the import. */
function* takeLate(lender: LendingExporter, { iopt }: IommufdIoas): ModelTask<void> {
  yield { at: 'test:letting-go', until: () => iopt.areas.ranges.length === 0 };
  yield* lender.take();
}

it.each(['pal', 'converter'] as const)('%s: what is lent is returned once, in every order', (door) => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const machine = new DoorMachine({ door, scheduler: new Scheduler({ seed }) });
    const ioas = machine.ioas();
    const lender = machine.lend([[0, 2 * P]]);
    machine.run(machine.attach(ioas, machine.vtd()));
    expect(numberOf(machine.run(machine.mapFile(ioas, lender.fd, 0, 2 * P, AT)))).toBe(AT);
    const put = lender.put.bind(lender);
    let returned = 0;
    lender.put = () => {
      returned += 1;
      put();
    };
    machine.scheduler.spawn('unmap', machine.unmap(ioas, AT, 2 * P));
    machine.scheduler.spawn('take', takeLate(lender, ioas));
    expect(machine.scheduler.run().status).toBe('idle');
    // The list, and the buffer's own reference.
    expect([seed, returned]).toEqual([seed, 2]);
    expect([lender.dmabuf.attachments.length, machine.rules()]).toEqual([0, []]);
  }
});

describe('a device that is moved', () => {
  const region = { start: dmaAddr(0x2000000), bytes: 0x1000, type: 'reserved' } as const;

  it('in vain has its regions reserved where it was, and nowhere else', () => {
    const machine = new CoreMachine();
    const [from, to] = [machine.ioas(), machine.ioas()];
    const picky = Object.assign(
      new MockDevice({ memory: machine.memory, frames: machine.tables, reservedRegions: [region] }),
      { attachGroup: () => answer },
    );
    let answer = 0;
    const bound = iommufdDeviceBind(machine.ctx, picky);
    if (!bound.ok) throw new Error('not bound');
    expect(machine.run(iommufdDeviceAttach(bound.value, from.id)).ok).toBe(true);
    answer = -Errno.EBUSY;
    const moved = machine.run(iommufdDeviceReplace(bound.value, to.id));
    expect(moved).toEqual({ ok: false, errno: Errno.EBUSY });
    // Two ranges that the table cannot address, and the region.
    expect([from.iopt.reserved.count, to.iopt.reserved.count]).toEqual([3, 0]);
  });

  it('with its group keeps nothing reserved where a region of another one is in use', () => {
    const machine = new CoreMachine();
    const [from, to] = [machine.ioas(), machine.ioas()];
    const parts = { memory: machine.memory, frames: machine.tables };
    const first = new MockDevice({ ...parts, reservedRegions: [region] });
    const later = { ...region, start: dmaAddr(0x3000000) };
    const sibling = new MockDevice({ ...parts, reservedRegions: [later] });
    const bound = [first, Object.assign(sibling, { group: first.group })].map((device) => {
      const idev = iommufdDeviceBind(machine.ctx, device);
      if (!idev.ok) throw new Error('not bound');
      expect(machine.run(iommufdDeviceAttach(idev.value, from.id)).ok).toBe(true);
      return idev.value;
    });
    machine.mmap(P, 2 ** 31);
    expect(numberOf(machine.map(to, u64(2 ** 31), u64(P), u64(later.start)))).toBe(later.start);
    const [idev] = bound;
    if (idev === undefined) throw new Error('no device');
    const moved = machine.run(iommufdDeviceReplace(idev, to.id));
    expect(moved).toEqual({ ok: false, errno: Errno.EADDRINUSE });
    expect([from.iopt.reserved.count, to.iopt.reserved.count]).toEqual([4, 0]);
  });
});

it('a copy to nowhere gives the pages back', () => {
  const machine = new CoreMachine();
  const [ioas, file] = [machine.ioas(), machine.memfd(P)];
  expect(numberOf(machine.mapFile(ioas, file.fd, 0, P, u64(AT)))).toBe(AT);
  const at = { srcIova: u64(AT), dstIova: u64(AT), length: u64(P) };
  const copy = { ...at, flags: 7, srcIoasId: ioas.id, dstIoasId: 99 };
  expect(machine.run(iommufdIoasCopy(machine.ctx, copy))).toEqual({ ok: false, errno: Errno.ENOENT });
  expect(file.file.refs).toBe(2);
  expect(numberOf(machine.unmap(ioas, AT, P))).toBe(P);
  expect(file.file.refs).toBe(1);
});

describe('a buffer that a door cannot express', () => {
  it('is not pinned any more', () => {
    const machine = new CoreMachine();
    const pins: string[] = [];
    const ops: DmaBufOps<never> = {
      *pin() {
        yield* [];
        pins.push('pin');
        return 0;
      },
      *unpin() {
        yield* [];
        pins.push('unpin');
      },
      *release() {},
      *mapDmaBuf() {
        yield* [];
        return { ok: false, errno: Errno.EOPNOTSUPP };
      },
      *unmapDmaBuf() {},
    };
    const priv = { test: true, revoked: false, ranges: 2 };
    const dmabuf = dmaBufExport<never>(machine.dmaBufs, { expName: 'two ranges', size: P, priv, ops });
    if (!dmabuf.ok) throw new Error('no buffer');
    const ioas = machine.ioas();
    const mapped = machine.mapFile(ioas, dmaBufFd(dmabuf.value, 0), 0, P);
    expect([numberOf(mapped), pins]).toEqual([-Errno.EOPNOTSUPP, ['pin', 'unpin']]);
  });

  it('is not supported, although the doors that are left have nothing in common with its exporter', () => {
    const machine = new DoorMachine({ door: ['pal', 'interconnect'] });
    const ranges = [
      [0, P],
      [2 * P, P],
    ] as const;
    const { fd } = machine.lend(ranges, ['interconnect']);
    expect(numberOf(machine.run(machine.mapFile(machine.ioas(), fd, 0, P)))).toBe(-Errno.EOPNOTSUPP);
  });
});

it('less than 2^32 - 1 pages of a buffer are mapped at a time', () => {
  const machine = new CoreMachine();
  const ioas = machine.ioas();
  const { fd } = machine.buffer(2 ** 45);
  const map = (pages: number) => numberOf(machine.mapFile(ioas, fd, 0, pages * P, u64(AT)));
  expect([map(2 ** 32 - 1), map(2 ** 32 - 2)]).toEqual([-Errno.EINVAL, AT]);
});

it('an interconnect that is wired needs no mapping type, and leaves a buffer that it does not know to the next one', () => {
  const unknown = () => ({ ok: false, errno: Errno.EOPNOTSUPP }) as const;
  const machine = new DoorMachine({ door: 'interconnect', interconnects: [unknown, lenderInterconnect] });
  const lender = machine.lend([[0, P]], []);
  lender.acceptOldImporters();
  expect(numberOf(machine.run(machine.mapFile(machine.ioas(), lender.fd, 0, P, AT)))).toBe(AT);
});

describe('a table with a queue of page requests', () => {
  it('is answered once the queue is known, and its driver hears nothing of the queue', () => {
    const machine = new CoreMachine();
    const { ctx } = machine;
    const heard: number[] = [];
    const answers: number[] = [];
    const device = Object.assign(machine.mock(), {
      *allocNestedDomain(_parent: object, flags: number) {
        yield* [];
        heard.push(flags);
        return { ok: true, value: {} } as const;
      },
    });
    const bound = iommufdDeviceBind(ctx, device);
    const queue = machine.run(iommufdFaultAlloc(ctx, noError));
    if (!bound.ok || !queue.ok) throw new Error('nothing to begin with');
    const make = (flags: number, ptId: number, faultId: number, length: number) => {
      const data = { type: length, length, read: noError };
      const answer = function* (id: number) {
        yield* [];
        answers.push(id);
        return 0;
      };
      const call = { flags, devId: bound.value.id, ptId, data, faultId };
      return machine.run(iommufdHwptAlloc(ctx, call, answer));
    };
    const { NEST_PARENT, FAULT_ID_VALID } = IommuHwptAllocFlag;
    const parent = make(NEST_PARENT, machine.ioas().id, 0, 0);
    if (!parent.ok) throw new Error('no parent');
    expect(make(FAULT_ID_VALID, parent.value, 99, 1)).toEqual({ ok: false, errno: Errno.ENOENT });
    expect(answers).toEqual([parent.value]);
    expect(make(FAULT_ID_VALID, parent.value, queue.value.id, 1).ok).toBe(true);
    expect([heard, answers.length]).toEqual([[0, 0], 2]);
  });
});

function* noError(): ModelTask<number> {
  yield* [];
  return 0;
}

it('a list goes back when no page table shows its memory any more', () => {
  const machine = new DoorMachine({ door: 'pal' });
  const ioas = machine.ioas();
  machine.run(machine.attach(ioas, machine.vtd()));
  const lender = machine.lend([[0, 2 * P]]);
  machine.run(machine.mapFile(ioas, lender.fd, 0, 2 * P, AT));
  const put = lender.put.bind(lender);
  const shown = [machine.leaves];
  lender.put = () => {
    shown.push(machine.leaves);
    put();
  };
  machine.run(lender.take());
  expect(shown).toEqual([2, 0, 0]);
});

it('a process takes over from itself at its limit', () => {
  const machine = new CoreMachine({ rlimitMemlock: P });
  const ioas = machine.ioas();
  machine.attach(ioas);
  expect(numberOf(machine.mapFile(ioas, machine.memfd(P).fd, 0, P, u64(AT)))).toBe(AT);
  expect(machine.run(ioptChangeProcess([ioas.iopt], machine.process))).toBe(0);
});
