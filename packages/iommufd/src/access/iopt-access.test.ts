// In-kernel users: pinning and moving bytes by IOVA, unmapping under their hands, moving from one address space to another.
import type { ModelTask } from '@sgfree/hw-model';
import { IOMMU_CACHE, IOMMU_READ } from '@sgfree/iommu';
import { copyFromUser, copyToUser, Errno, exitMmap } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { CoreMachine, numberOf } from '../../test/core-machine.ts';
import {
  type IommufdIoas,
  IoptAccess,
  iommufdAccessAttach,
  iommufdAccessDetach,
  iommufdAccessPinPages,
  iommufdAccessReplace,
  iommufdAccessRw,
  iommufdAccessUnpinPages,
  type U64,
  u64,
} from '../index.ts';

const P = 4096;
const VA = 2 ** 31;
const BUF = 16 * P;
const AT = 0x1000000;

class Rig {
  readonly machine = new CoreMachine();
  readonly ioas: IommufdIoas = this.machine.ioas();
  readonly access: IoptAccess;
  readonly pinned: [number, number][] = [];
  readonly told: [U64, U64][] = [];
  /** False: the user keeps its pins whatever it is told. */
  polite = true;

  constructor(needsPinPages = true) {
    this.machine.mmap(BUF, VA, true);
    const unmap = this.unmap.bind(this);
    this.access = new IoptAccess(this.machine.platform, { needsPinPages, unmap });
    expect(this.machine.run(iommufdAccessAttach(this.access, this.ioas.iopt))).toBe(0);
  }

  *unmap(iova: U64, length: U64): ModelTask<void> {
    this.told.push([iova, length]);
    for (const [at, bytes] of this.polite ? this.pinned.splice(0) : []) {
      yield* iommufdAccessUnpinPages(this.access, u64(at), u64(bytes));
    }
  }

  map(at = AT, bytes = BUF): void {
    expect(numberOf(this.machine.map(this.ioas, u64(VA), u64(bytes), u64(at)))).toBe(at);
  }

  pin(at: number, bytes: number, write = true): number {
    const frames = this.machine.run(iommufdAccessPinPages(this.access, u64(at), u64(bytes), write));
    if (frames.ok) this.pinned.push([at, bytes]);
    return frames.ok ? frames.value.length : -frames.errno;
  }

  unpin(at: number, bytes: number): void {
    this.machine.run(iommufdAccessUnpinPages(this.access, u64(at), u64(bytes)));
  }

  rw(at: number, data: Uint8Array, write: boolean): number {
    return this.machine.run(iommufdAccessRw(this.access, u64(at), data, write));
  }

  get pinnedVm(): number {
    return this.machine.process.mm.pinnedVm;
  }
}

describe('pinning', () => {
  it('pages are pinned once, by whichever of access and device needs them', () => {
    for (let pages = 1; pages < 16; pages += 1) {
      const rig = new Rig();
      rig.map();
      expect(rig.pin(AT, pages * P)).toBe(pages);
      expect(rig.pin(AT, pages * P)).toBe(pages);
      expect(rig.pinnedVm).toBe(pages);
      const attached = rig.machine.attach(rig.ioas);
      expect([attached.ok, rig.pinnedVm]).toEqual([true, 16]);
      rig.unpin(AT, pages * P);
      rig.unpin(AT, pages * P);
      expect(rig.pinnedVm).toBe(16);
      expect(rig.pin(AT, pages * P)).toBe(pages);
      expect(rig.machine.destroy(attached.ok ? attached.value.stdevId : 0)).toBe(0);
      expect(rig.pinnedVm).toBe(pages);
      rig.unpin(AT, pages * P);
      expect(rig.pinnedVm).toBe(0);
      expect(rig.machine.rules()).toEqual([]);
    }
  });

  it('gives the frames behind the IOVAs, over several areas', () => {
    const rig = new Rig();
    rig.map(AT, 2 * P);
    rig.map(AT + 2 * P, 3 * P);
    const frames = rig.machine.run(iommufdAccessPinPages(rig.access, u64(AT + P), u64(3 * P), true));
    const { ptes } = rig.machine.process.mm;
    const page = VA / P;
    expect(frames.ok && frames.value).toEqual([page + 1, page, page + 1].map((at) => ptes.get(at)?.frame));
  });

  it('unmapping makes the user let go', () => {
    const rig = new Rig();
    rig.map();
    rig.pin(AT, BUF);
    expect(numberOf(rig.machine.unmap(rig.ioas, AT, BUF))).toBe(BUF);
    expect([rig.pinnedVm, rig.told]).toEqual([0, [[u64(AT), u64(BUF)]]]);
  });

  it('a user that keeps its pins ends the unmap after a hundred rounds, and nobody pins there again', () => {
    const rig = new Rig();
    rig.map();
    rig.pin(AT, P);
    rig.polite = false;
    expect(numberOf(rig.machine.unmap(rig.ioas, AT, BUF))).toBe(-Errno.EDEADLK);
    expect([rig.told.length, rig.machine.rules()]).toEqual([101, ['iommufd-unmap-ignored']]);
    expect(rig.pin(AT + P, P)).toBe(-Errno.EINVAL);
    rig.polite = true;
    expect(numberOf(rig.machine.unmap(rig.ioas, AT, BUF))).toBe(BUF);
  });

  it('says why it does not pin, in the order of the tests', () => {
    const rig = new Rig();
    rig.map();
    const readOnly = IOMMU_CACHE | IOMMU_READ;
    rig.machine.map(rig.ioas, u64(VA), u64(P), u64(AT + BUF + P), readOnly);
    const answers = [
      rig.pin(AT, 0),
      rig.pin(AT + 1, P),
      rig.pin(AT, 17 * P),
      rig.pin(AT - P, P),
      rig.pin(AT + BUF + P, P),
      rig.pin(AT + BUF + P, P, false),
    ];
    expect(answers).toEqual([-22, -22, -2, -2, -1, 1]);
    rig.machine.run(iommufdAccessDetach(rig.access));
    expect(rig.pin(AT, P)).toBe(-Errno.ENOENT);
  });

  it('a part of the kernel locks what it pins against user space', () => {
    const { machine } = new Rig();
    const ioas = machine.ioas();
    const inner = new IoptAccess(machine.platform, { needsPinPages: true, *unmap() {} }, true);
    machine.run(iommufdAccessAttach(inner, ioas.iopt));
    machine.map(ioas, u64(VA), u64(P), u64(AT));
    expect(machine.run(iommufdAccessPinPages(inner, u64(AT), u64(P), false)).ok).toBe(true);
    expect(numberOf(machine.unmap(ioas, AT, P))).toBe(-Errno.EBUSY);
    machine.run(iommufdAccessUnpinPages(inner, u64(AT), u64(P)));
    expect(numberOf(machine.unmap(ioas, AT, P))).toBe(P);
  });

  it('moving to another address space unpins first', () => {
    const rig = new Rig();
    rig.map();
    rig.pin(AT, BUF);
    const other = rig.machine.ioas();
    expect(rig.machine.run(iommufdAccessReplace(rig.access, other.iopt))).toBe(0);
    expect([rig.pinnedVm, rig.ioas.iopt.iovaAlignment, other.iopt.iovaAlignment]).toEqual([0, 1, P]);
    expect(rig.pin(AT, P)).toBe(-Errno.ENOENT);
    expect(rig.machine.run(iommufdAccessAttach(rig.access, other.iopt))).toBe(-Errno.EINVAL);
    rig.machine.run(iommufdAccessDetach(rig.access));
    expect(rig.machine.run(iommufdAccessReplace(rig.access, other.iopt))).toBe(-Errno.ENOENT);
  });

  it('is not attached to areas in the middle of pages', () => {
    const { machine, access } = new Rig();
    const ioas = machine.ioas();
    machine.map(ioas, u64(VA), u64(100), u64(AT));
    expect(machine.run(iommufdAccessReplace(access, ioas.iopt))).toBe(-Errno.EADDRINUSE);
  });
});

/** A loop, because thousands of arrays are compared. */
const differs = (read: Uint8Array, bytes: Uint8Array, from: number): boolean =>
  read.some((byte, at) => byte !== bytes[from + at]);

describe.each([0, 1])('moving bytes with %d devices', (devices) => {
  it.each([AT, AT + 2048])('every start and length around a page border, mapped at %d', (at) => {
    const rig = new Rig(false);
    const { machine } = rig;
    if (devices === 1) machine.attach(rig.ioas);
    const { mm } = machine.process;
    const bytes = Uint8Array.from({ length: BUF }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
    machine.run(copyToUser(mm, VA, bytes));
    const from = at - AT;
    machine.map(rig.ioas, u64(VA + from), u64(BUF - from), u64(at));
    const user = new Uint8Array(BUF);
    let wrong = 0;
    for (let start = P - 50; start < P + 50; start += 1) {
      for (let length = 1; length < 64; length += 1) {
        const read = new Uint8Array(length);
        if (rig.rw(at + start, read, false) !== 0 || differs(read, bytes, from + start)) wrong += 1;
        const written = read.map((byte) => byte ^ 0x5a);
        if (rig.rw(at + start, written, true) !== 0) wrong += 1;
        bytes.set(written, from + start);
      }
    }
    expect(wrong).toBe(0);
    machine.run(copyFromUser(mm, VA, user));
    expect(user).toEqual(bytes);
    expect(rig.pinnedVm).toBe(devices * 16);
  });

  it('stops at a gap after moving what lies before it', () => {
    const rig = new Rig(false);
    if (devices === 1) rig.machine.attach(rig.ioas);
    rig.map(AT, P);
    rig.machine.run(copyToUser(rig.machine.process.mm, VA, Uint8Array.of(1, 2, 3, 4)));
    const data = new Uint8Array(P + 4);
    expect(rig.rw(AT, data, false)).toBe(-Errno.ENOENT);
    expect([...data.subarray(0, 5)]).toEqual([1, 2, 3, 4, 0]);
    expect(rig.rw(AT, new Uint8Array(0), false)).toBe(-Errno.EINVAL);
  });
});

describe('a process that has exited', () => {
  it('a device that comes afterwards finds no memory', () => {
    const { machine, ioas } = new Rig();
    machine.map(ioas, u64(VA), u64(BUF), u64(AT));
    machine.run(exitMmap(machine.process.mm));
    expect(machine.attach(ioas)).toEqual({ ok: false, errno: Errno.EFAULT });
    expect(machine.process.mm.pinnedVm).toBe(0);
  });

  it('what a device had before stays readable', () => {
    const rig = new Rig(false);
    rig.machine.attach(rig.ioas);
    rig.machine.run(copyToUser(rig.machine.process.mm, VA, Uint8Array.of(9)));
    rig.map();
    rig.machine.run(exitMmap(rig.machine.process.mm));
    const data = new Uint8Array(1);
    expect([rig.rw(AT, data, false), data[0]]).toEqual([0, 9]);
  });
});
