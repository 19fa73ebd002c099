// The kernel's tests of mock domains and of dirty tracking (M01 to M05, T01 to T06), files, who pays for pins, and a change
// of process.
import { Errno, vmMunmap } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import {
  type IommufdIoas,
  IommufdUser,
  type IoptDomain,
  iommufdTestMdCheckPa,
  ioptChangeProcess,
  ioptReadAndClearDirtyData,
  ioptSetDirtyTracking,
  ioptTableAddDomain,
  ioptTableRemoveDomain,
  u64,
  u64Number,
} from '../src/index.ts';
import { CoreMachine, numberOf } from './core-machine.ts';

const P = 4096;
const VA = 2 ** 31;
const BUF = 8 * P;
const HALF = 2048;

/** A machine with `devices` mock devices on one address space. */
class Rig {
  readonly machine: CoreMachine;
  readonly ioas: IommufdIoas;
  readonly hwpts: number[] = [];

  constructor(devices: number, options: ConstructorParameters<typeof CoreMachine>[0] = { capIpcLock: true }) {
    this.machine = new CoreMachine(options);
    this.ioas = this.machine.ioas();
    for (let device = 0; device < devices; device += 1) {
      const attached = this.machine.attach(this.ioas);
      if (attached.ok) this.hwpts.push(attached.value.hwptId);
    }
  }

  get domain(): IoptDomain {
    const domain = this.machine.hwpt(this.hwpts[0] ?? 0).domain;
    if (domain === null) throw new Error('no domain');
    return domain;
  }

  check(iova: number, length: number, va: number, domain: IoptDomain = this.domain): number {
    return iommufdTestMdCheckPa(domain, this.machine.process.mm, u64(iova), u64(length), u64(va));
  }

  /** Pins of each of the first eight pages. */
  get pins(): number[] {
    const { ptes } = this.machine.process.mm;
    return Array.from({ length: 8 }, (_, page) => ptes.get(VA / P + page)?.folio.pins ?? 0);
  }
}

describe('mock domains', () => {
  it('memory that is partly or wholly gone', () => {
    const rig = new Rig(1);
    const { machine, ioas } = rig;
    machine.mmap(BUF, VA);
    const iova = numberOf(machine.map(ioas, u64(VA), u64(BUF)));
    expect([iova, rig.check(iova, BUF, VA)]).toEqual([0x1000000, 0]);
    expect(rig.check(iova, BUF, VA + P)).toBe(-Errno.EINVAL);
    const { mm } = machine.process;
    machine.mmap(BUF, VA + 2 * BUF);
    machine.run(vmMunmap(mm, VA + 2 * BUF + 4 * P, 4 * P));
    expect(numberOf(machine.map(ioas, u64(VA + 2 * BUF), u64(BUF)))).toBe(-Errno.EFAULT);
    machine.run(vmMunmap(mm, VA + 2 * BUF, 4 * P));
    expect(numberOf(machine.map(ioas, u64(VA + 2 * BUF), u64(BUF)))).toBe(-Errno.EFAULT);
    expect(mm.pinnedVm).toBe(8);
    expect(machine.close()).toEqual([0, 0, 0]);
  });

  it.each([1, 2])('every alignment, %d domains', (devices) => {
    const rig = new Rig(devices);
    const { machine, ioas } = rig;
    machine.mmap(BUF, VA, true);
    let combinations = 0;
    for (let start = 0; start < BUF; start += HALF) {
      for (let end = start + HALF; end < BUF; end += HALF) {
        combinations += 1;
        const iova = numberOf(machine.map(ioas, u64(VA + start), u64(end - start)));
        expect(rig.check(iova, end - start, VA + start)).toBe(0);
        const inside = (page: number): boolean => page >= Math.floor(start / P) && page < Math.ceil(end / P);
        expect(rig.pins).toEqual(rig.pins.map((_, page) => Number(inside(page))));
        expect(numberOf(machine.unmap(ioas, iova, end - start))).toBe(end - start);
      }
    }
    expect(combinations).toBe(120);
    expect(rig.pins).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('a second table shows the same pages and pins none again', () => {
    const rig = new Rig(1);
    const { machine, ioas } = rig;
    machine.mmap(BUF, VA, true);
    for (let start = 0; start < BUF; start += HALF) {
      for (let length = HALF; start + length < BUF; length += HALF) {
        const iova = numberOf(machine.map(ioas, u64(VA + start), u64(length)));
        const before = rig.pins;
        const second = machine.run(machine.mock().allocPagingDomain(0, null));
        if (!second.ok) throw new Error('no second table');
        expect(machine.run(ioptTableAddDomain(ioas.iopt, second.value))).toBe(0);
        expect(rig.check(iova, length, VA + start, second.value)).toBe(0);
        expect(rig.pins).toEqual(before);
        // The first one goes: the second remembers the frames from then on.
        machine.run(ioptTableRemoveDomain(ioas.iopt, rig.domain));
        expect([rig.pins, rig.domain.frameAt(u64(iova))]).toEqual([before, -1]);
        expect(machine.run(ioptTableAddDomain(ioas.iopt, rig.domain))).toBe(0);
        expect(rig.check(iova, length, VA + start)).toBe(0);
        machine.run(ioptTableRemoveDomain(ioas.iopt, second.value));
        machine.mock().freeDomain(second.value);
        expect(numberOf(machine.unmap(ioas, iova, length))).toBe(length);
      }
    }
    expect(machine.close()).toEqual([0, 0, 0]);
    expect(machine.rules()).toEqual([]);
  });

  it('neighbouring frames become one large entry unless large pages are off', () => {
    const sizes = [false, true].map((small) => {
      const rig = new Rig(1);
      rig.ioas.iopt.disableLargePages = small;
      rig.machine.mmap(2 ** 21, VA, true);
      rig.machine.map(rig.ioas, u64(VA), u64(2 ** 20), u64(0x1000000));
      const items: number[] = [];
      rig.domain.domain.table.visitLeaves((_frame, _low, _high, level, count) =>
        items.push(count * 512 ** level),
      );
      return items;
    });
    expect(sizes[1]).toEqual(new Array(256).fill(2));
    expect(sizes[0]?.reduce((sum, units) => sum + units, 0)).toBe(512);
    expect(sizes[0]?.length).toBeLessThan(20);
  });
});

describe('files', () => {
  it('shown page by page, and gone after a truncation', () => {
    const rig = new Rig(1);
    const { machine, ioas } = rig;
    const { fd, file } = machine.memfd(BUF);
    const iova = numberOf(machine.mapFile(ioas, fd, 0, BUF));
    expect(iova).toBe(0x1000000);
    const frames = [0, 1, 7].map((page) => rig.domain.frameAt(u64(iova + page * P)));
    expect(frames).toEqual([0, 1, 7].map((page) => file.frameOfPage(page)));
    expect(numberOf(machine.mapFile(ioas, fd, 0, BUF + 1))).toBe(-Errno.EINVAL);
    file.truncate(0);
    expect(numberOf(machine.mapFile(ioas, fd, 0, BUF))).toBe(-Errno.EINVAL);
    expect(rig.domain.frameAt(u64(iova))).toBe(frames[0]);
    expect(machine.pages.liveFrames).toBe(8);
    machine.run(machine.dmaBufs.files.close(fd));
    expect(machine.close()).toEqual([0, 0, 0]);
    expect([machine.pages.liveFrames, file.refs]).toEqual([0, 0]);
  });

  it('a descriptor that is no file, and a file that is no memfd', () => {
    const rig = new Rig(0);
    const { machine, ioas } = rig;
    expect(numberOf(machine.mapFile(ioas, 77, 0, P))).toBe(-Errno.EBADF);
    const fd = machine.dmaBufs.files.reserve();
    if (!fd.ok) throw new Error('no descriptor');
    machine.dmaBufs.files.install(fd.value, machine.ctx);
    expect(numberOf(machine.mapFile(ioas, fd.value, 0, P, u64(0x1000000)))).toBe(0x1000000);
    expect(machine.attach(ioas)).toEqual({ ok: false, errno: Errno.EINVAL });
  });
});

describe('who pays', () => {
  const limited = { rlimitMemlock: 4 * P };

  it('the user, once for pages however often they are shown; a fifth page is too many', () => {
    const rig = new Rig(1, limited);
    const { machine, ioas } = rig;
    machine.mmap(BUF, VA);
    const iova = numberOf(machine.map(ioas, u64(VA), u64(4 * P)));
    expect(numberOf(machine.copy(ioas, u64(iova), u64(4 * P), ioas, null))).toBeGreaterThan(0);
    expect(numberOf(machine.map(ioas, u64(VA), u64(P)))).toBe(-Errno.ENOMEM);
    expect([machine.process.user.lockedVm, machine.process.lockedVm, machine.process.mm.pinnedVm]).toEqual([
      4, 0, 4,
    ]);
    machine.unmap(ioas, iova, 4 * P);
    expect(machine.process.user.lockedVm).toBe(4);
    expect(machine.close()).toEqual([0, 0, 0]);
    expect(machine.process.user.lockedVm).toBe(0);
  });

  it('the address space, when the context says so', () => {
    const rig = new Rig(1, limited);
    const { machine, ioas } = rig;
    machine.ctx.accountMode = 'mm';
    machine.mmap(BUF, VA);
    expect(numberOf(machine.map(ioas, u64(VA), u64(5 * P)))).toBe(-Errno.ENOMEM);
    expect(numberOf(machine.map(ioas, u64(VA), u64(4 * P)))).toBeGreaterThan(0);
    expect([machine.process.user.lockedVm, machine.process.lockedVm]).toEqual([0, 4]);
  });

  it('nobody without devices, and nobody who may lock as much as it likes', () => {
    const rig = new Rig(0, limited);
    rig.machine.mmap(BUF, VA);
    expect(numberOf(rig.machine.map(rig.ioas, u64(VA), u64(BUF), u64(0x1000000)))).toBe(0x1000000);
    expect(rig.machine.attach(rig.ioas)).toEqual({ ok: false, errno: Errno.ENOMEM });
    expect(rig.machine.process.mm.pinnedVm).toBe(0);
    const free = new Rig(1, { ...limited, capIpcLock: true });
    free.machine.mmap(BUF, VA);
    expect(numberOf(free.machine.map(free.ioas, u64(VA), u64(BUF)))).toBeGreaterThan(0);
    expect([free.machine.process.user.lockedVm, free.machine.process.mm.pinnedVm]).toEqual([0, 8]);
  });

  it('another process takes over files, but not memory', () => {
    const rig = new Rig(1, limited);
    const { machine, ioas } = rig;
    machine.ctx.accountMode = 'mm';
    const { iopt } = ioas;
    const heir = machine.newProcess(limited, new IommufdUser());
    const poor = machine.newProcess({ rlimitMemlock: P });
    machine.mmap(BUF, VA);
    const iova = numberOf(machine.map(ioas, u64(VA), u64(P)));
    expect(machine.run(ioptChangeProcess([iopt], heir))).toBe(-Errno.EINVAL);
    machine.unmap(ioas, iova, P);
    const { fd } = machine.memfd(BUF);
    expect(numberOf(machine.mapFile(ioas, fd, 0, 2 * P))).toBeGreaterThan(0);
    expect(machine.run(ioptChangeProcess([iopt], poor))).toBe(-Errno.ENOMEM);
    expect([machine.process.lockedVm, poor.lockedVm]).toEqual([2, 0]);
    expect(machine.run(ioptChangeProcess([iopt], heir))).toBe(0);
    expect([machine.process.lockedVm, heir.lockedVm, machine.process.mm.pinnedVm, heir.mm.pinnedVm]).toEqual([
      0, 2, 0, 2,
    ]);
    machine.close();
    expect([heir.lockedVm, heir.mm.pinnedVm]).toEqual([0, 0]);
  });
});

describe('dirty tracking', () => {
  /** A table that records writes, over 64 KiB of memory. */
  function recording(small: boolean): { rig: Rig; domain: IoptDomain; iova: number; bytes: number } {
    const rig = new Rig(0);
    const bytes = 2 ** 16;
    rig.machine.mmap(bytes, VA, true);
    rig.ioas.iopt.disableLargePages = small;
    const made = rig.machine.run(rig.machine.mock().allocPagingDomain(2, null));
    if (!made.ok) throw new Error('no table');
    expect(rig.machine.run(ioptTableAddDomain(rig.ioas.iopt, made.value))).toBe(0);
    return { rig, domain: made.value, iova: numberOf(rig.machine.map(rig.ioas, u64(VA), u64(bytes))), bytes };
  }

  /** Units of 2 KiB that are dirty. */
  function dirtyUnits(
    { rig, domain, iova, bytes }: ReturnType<typeof recording>,
    noClear: boolean,
  ): number[] {
    const units: number[] = [];
    const range = { first: u64(iova), last: u64(iova + bytes - 1) };
    const record = (dirty: { first: ReturnType<typeof u64>; last: ReturnType<typeof u64> }): void => {
      const from = (u64Number(dirty.first) - iova) / HALF;
      for (let unit = from; unit < (u64Number(dirty.last) + 1 - iova) / HALF; unit += 1) units.push(unit);
    };
    const { iopt } = rig.ioas;
    expect(rig.machine.run(ioptReadAndClearDirtyData(iopt, domain, range, noClear, record))).toBe(0);
    return units;
  }

  it('a page that was written shows once, or as often as it is not cleared', () => {
    const table = recording(true);
    for (let page = 0; page < 16; page += 2)
      expect(table.domain.markDirty(u64(table.iova + page * P))).toBe(true);
    const expected = [0, 4, 8, 12, 16, 20, 24, 28].flatMap((unit) => [unit, unit + 1]);
    expect(dirtyUnits(table, true)).toEqual(expected);
    expect(dirtyUnits(table, false)).toEqual(expected);
    expect(dirtyUnits(table, false)).toEqual([]);
    expect(table.rig.check(table.iova, table.bytes, VA, table.domain)).toBe(0);
  });

  it('a large page is dirty as a whole, and starting to record makes all clean', () => {
    const table = recording(false);
    const { rig, domain, iova } = table;
    domain.markDirty(u64(iova + 3 * P + HALF));
    expect(dirtyUnits(table, true).length).toBeGreaterThan(2);
    expect(rig.machine.run(ioptSetDirtyTracking(rig.ioas.iopt, domain, true))).toBe(0);
    expect(dirtyUnits(table, false)).toEqual([]);
    expect(domain.markDirty(u64(iova + table.bytes))).toBe(false);
  });

  it('a table that records fits only devices that can', () => {
    const { machine } = new Rig(0);
    const recorder = machine.run(machine.mock().allocPagingDomain(2, null));
    const plain = machine.mock(false);
    if (!recorder.ok) throw new Error('no table');
    expect([plain.attachGroup(recorder.value), machine.mock().attachGroup(recorder.value)]).toEqual([-22, 0]);
    const ordinary = machine.run(plain.allocPagingDomain(0, null));
    const { iopt } = machine.ioas();
    if (ordinary.ok)
      expect(machine.run(ioptSetDirtyTracking(iopt, ordinary.value, true))).toBe(-Errno.EOPNOTSUPP);
  });
});
