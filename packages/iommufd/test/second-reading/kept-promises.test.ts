// Promises that only somebody who looks in between can check: areas undone after a later one failed, pages that stay pinned while
// a device reaches them, a table that another error than -EINVAL does not pass over, a revoke that waits for the pages.
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import {
  type IommufdDevice,
  type IommufdIoas,
  type IoptArea,
  type IoptDomain,
  type IoptPages,
  iommufdDeviceAttach,
  iommufdDeviceBind,
  ioptDisableLargePages,
  type MockDevice,
  u64,
} from '../../src/index.ts';
import { CoreMachine, numberOf } from '../core-machine.ts';

const P = 4096;
const VA = 2 ** 31;
const AT = 0x1000000;

const onlyArea = ({ iopt }: IommufdIoas): { area: IoptArea; pages: IoptPages } => {
  const [area] = iopt.areas.ranges;
  if (area?.pages == null) throw new Error('no area');
  return { area, pages: area.pages };
};

function tableOf(machine: CoreMachine, ioas: IommufdIoas): IoptDomain {
  const attached = machine.attach(ioas);
  const domain = attached.ok ? machine.hwpt(attached.value.hwptId).domain : null;
  if (domain === null) throw new Error('no table');
  return domain;
}

describe('a copy of two areas', () => {
  it('whose second one fails leaves nothing of the first in the table', () => {
    const machine = new CoreMachine();
    machine.mmap(8 * P, VA, true);
    const [from, to] = [machine.ioas(), machine.ioas()];
    for (const half of [0, 1]) machine.map(from, u64(VA + half * 4 * P), u64(4 * P), u64(AT + half * 4 * P));
    const domain = tableOf(machine, to);
    const map = domain.map.bind(domain);
    domain.map = (iova, ...rest) => {
      const first = numberOf({ ok: true, value: iova }) < AT + 4 * P;
      return first ? map(iova, ...rest) : -Errno.ENOMEM;
    };
    expect(numberOf(machine.copy(from, u64(AT), u64(8 * P), to, u64(AT)))).toBe(-Errno.ENOMEM);
    expect(domain.domain.table.liveLeafEntries).toBe(0);
    expect(machine.process.mm.pinnedVm).toBe(0);
    domain.map = map;
    expect(numberOf(machine.copy(from, u64(AT), u64(8 * P), to, u64(AT)))).toBe(AT);
    expect(machine.process.mm.pinnedVm).toBe(8);
    expect(machine.close()).toEqual([0, 0, 0]);
  });
});

it('areas that meet inside a page are not copied to where pages are mapped one by one', () => {
  const machine = new CoreMachine();
  machine.mmap(2 * P, VA, true);
  const [from, to] = [machine.ioas(), machine.ioas()];
  for (const half of [0, 1]) machine.map(from, u64(VA + half * P), u64(P / 2), u64(AT + (half * P) / 2));
  expect(machine.run(ioptDisableLargePages(to.iopt))).toBe(0);
  const domain = tableOf(machine, to);
  expect(numberOf(machine.copy(from, u64(AT), u64(P), to, u64(AT)))).toBe(-Errno.EINVAL);
  expect(machine.rules()).toEqual(['iommufd-map-small-unaligned']);
  expect(domain.domain.table.liveLeafEntries).toBe(0);
  expect(machine.close()).toEqual([0, 0, 0]);
});

describe('an unmap', () => {
  it('lets no page go that the table still shows', () => {
    const machine = new CoreMachine();
    machine.mmap(8 * P, VA, true);
    const ioas = machine.ioas();
    const domain = tableOf(machine, ioas);
    machine.map(ioas, u64(VA), u64(8 * P), u64(AT));
    const { area, pages } = onlyArea(ioas);
    const unpin = pages.unpin.bind(pages);
    const shown: number[] = [];
    pages.unpin = (index, frame) => {
      shown.push(domain.frameAt(u64(AT + (index - area.firstIndex) * P)));
      unpin(index, frame);
    };
    expect(numberOf(machine.unmap(ioas, AT, 8 * P))).toBe(8 * P);
    expect(shown).toEqual(new Array(8).fill(-1));
    expect(machine.close()).toEqual([0, 0, 0]);
  });
});

/** A mock device that answers the next attach with an error, and no other. */
function refusesOnce(machine: CoreMachine, errno: Errno): MockDevice {
  const device = machine.mock();
  const attachGroup = device.attachGroup.bind(device);
  device.attachGroup = () => {
    device.attachGroup = attachGroup;
    return -errno;
  };
  return device;
}

function boundTo(machine: CoreMachine, device: MockDevice): IommufdDevice {
  const bound = iommufdDeviceBind(machine.ctx, device);
  if (!bound.ok) throw new Error('not bound');
  return bound.value;
}

describe('a table of the address space that refuses a device', () => {
  it('is passed over for -EINVAL, and ends the attach with any other error', () => {
    const machine = new CoreMachine();
    const ioas = machine.ioas();
    tableOf(machine, ioas);
    const tables = () => ioas.hwpts.length;
    const attach = (errno: Errno) =>
      machine.run(iommufdDeviceAttach(boundTo(machine, refusesOnce(machine, errno)), ioas.id));
    expect(attach(Errno.EBUSY)).toEqual({ ok: false, errno: Errno.EBUSY });
    expect(tables()).toBe(1);
    expect(attach(Errno.EINVAL).ok).toBe(true);
    expect(tables()).toBe(2);
  });
});

describe('a revoke', () => {
  it('waits for whoever is busy with the pages', () => {
    const machine = new CoreMachine();
    const ioas = machine.ioas();
    const domain = tableOf(machine, ioas);
    const buffer = machine.buffer(4 * P);
    expect(numberOf(machine.mapFile(ioas, buffer.fd, 0, 4 * P, u64(AT)))).toBe(AT);
    const { pages } = onlyArea(ioas);
    const seen: number[] = [];
    const leaves = () => domain.domain.table.liveLeafEntries;
    machine.scheduler.spawn(
      'busy',
      (function* () {
        yield* pages.mutex.lock();
        machine.scheduler.spawn('revoke', machine.revoking(buffer));
        for (let step = 0; step < 20; step += 1) {
          yield { at: 'test:busy' };
          seen.push(leaves());
        }
        pages.mutex.unlock();
      })(),
    );
    const before = leaves();
    expect(machine.scheduler.run().status).toBe('idle');
    expect(seen).toEqual(new Array(20).fill(before));
    expect([before > 0, leaves()]).toEqual([true, 0]);
    expect(machine.close()).toEqual([0, 0, 0]);
  });
});
