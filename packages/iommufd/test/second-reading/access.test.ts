// In-kernel users, read anew from device.c and pages.c of iommufd: what reading and writing needs and what it does not, how
// far it comes, how often a user is asked to let go.
import { IOMMU_CACHE, IOMMU_READ, IOMMU_WRITE } from '@sgfree/iommu';
import { copyToUser, Errno, exitMmap, type ProcessMemoryOptions, vmMunmap } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import {
  type IommufdIoas,
  IoptAccess,
  iommufdAccessAttach,
  iommufdAccessDetach,
  iommufdAccessPinPages,
  iommufdAccessRw,
  iommufdAccessUnpinPages,
  u64,
} from '../../src/index.ts';
import { CoreMachine, numberOf } from '../core-machine.ts';

const P = 4096;
const VA = 2 ** 31;
const AT = 0x1000000;
const READ_ONLY = IOMMU_CACHE | IOMMU_READ;
const WRITE_ONLY = IOMMU_CACHE | IOMMU_WRITE;

/** A machine, an address space and a user that lets go of its pins when it has been asked `patience` times. */
class Bench {
  readonly machine: CoreMachine;
  readonly ioas: IommufdIoas;
  readonly access: IoptAccess;
  readonly pins: { readonly at: number; readonly bytes: number; left: number }[] = [];
  told = 0;

  constructor(options: Partial<ProcessMemoryOptions> = {}, needsPinPages = true) {
    this.machine = new CoreMachine(options);
    this.ioas = this.machine.ioas();
    this.access = new IoptAccess(this.machine.platform, { needsPinPages, unmap: this.unmap.bind(this) });
    expect(this.machine.run(iommufdAccessAttach(this.access, this.ioas.iopt))).toBe(0);
  }

  *unmap() {
    this.told += 1;
    for (const pin of [...this.pins]) {
      pin.left -= 1;
      if (pin.left > 0) return;
      this.pins.splice(this.pins.indexOf(pin), 1);
      yield* iommufdAccessUnpinPages(this.access, u64(pin.at), u64(pin.bytes));
      return;
    }
  }

  map(bytes: number, at = AT, va = VA, prot?: number): void {
    expect(numberOf(this.machine.map(this.ioas, u64(va), u64(bytes), u64(at), prot))).toBe(at);
  }

  pin(at: number, bytes: number, write = true, patience = 1): number {
    const frames = this.machine.run(iommufdAccessPinPages(this.access, u64(at), u64(bytes), write));
    if (frames.ok) this.pins.push({ at, bytes, left: patience });
    return frames.ok ? frames.value.length : -frames.errno;
  }

  release(): void {
    for (const { at, bytes } of this.pins.splice(0)) {
      this.machine.run(iommufdAccessUnpinPages(this.access, u64(at), u64(bytes)));
    }
  }

  read(at: number, bytes: number): readonly [errno: number, data: number[]] {
    const data = new Uint8Array(bytes);
    const errno = this.machine.run(iommufdAccessRw(this.access, u64(at), data, false));
    return [errno, [...data]];
  }

  write(at: number, ...data: number[]): number {
    return this.machine.run(iommufdAccessRw(this.access, u64(at), Uint8Array.from(data), true));
  }

  poke(va: number, ...data: number[]): void {
    expect(this.machine.run(copyToUser(this.machine.process.mm, va, Uint8Array.from(data)))).toBe(0);
  }

  get charged(): number[] {
    const { process } = this.machine;
    return [process.user.lockedVm, process.lockedVm, process.mm.pinnedVm];
  }
}

describe('reading and writing', () => {
  it('charges nobody, so that no limit stops it; pinning does', () => {
    const bench = new Bench({ rlimitMemlock: 0 });
    bench.machine.mmap(2 * P, VA);
    bench.map(2 * P);
    bench.poke(VA + P - 1, 7, 8);
    expect(bench.read(AT + P - 1, 2)).toEqual([0, [7, 8]]);
    expect(bench.write(AT, 9)).toBe(0);
    expect(bench.pin(AT, P)).toBe(-Errno.ENOMEM);
    expect(bench.charged).toEqual([0, 0, 0]);
  });

  it('of a file neither, and only as far as the file goes', () => {
    const bench = new Bench({ rlimitMemlock: 0 });
    const { fd, file } = bench.machine.memfd(P);
    expect(numberOf(bench.machine.mapFile(bench.ioas, fd, 0, 2 * P, u64(AT)))).toBe(AT);
    expect(file.write(P - 2, Uint8Array.of(3, 4))).toBe(true);
    expect(bench.read(AT + P - 2, 2)).toEqual([0, [3, 4]]);
    expect(bench.read(AT + P - 1, 2)[0]).toBe(-Errno.EINVAL);
    expect(bench.read(AT + P, 1)[0]).toBe(-Errno.EINVAL);
    expect(bench.pin(AT, P)).toBe(-Errno.ENOMEM);
    expect(bench.charged).toEqual([0, 0, 0]);
  });

  it('needs of memory what it does to it', () => {
    const bench = new Bench();
    bench.machine.process.mm.mmap(P, { at: VA, writable: false });
    bench.map(P);
    expect(bench.read(AT, 4)).toEqual([0, [0, 0, 0, 0]]);
    expect(bench.write(AT, 1)).toBe(-Errno.EFAULT);
    // Pages that a mapping may write are pinned for writing, whatever the user wants.
    expect(bench.pin(AT, P, false)).toBe(-Errno.EFAULT);
    bench.map(P, AT + P, 0x5000);
    expect([bench.read(AT + P, 1)[0], bench.write(AT + P, 1)]).toEqual([-Errno.EFAULT, -Errno.EFAULT]);
  });

  it('sees the memory of today, and what was pinned stays apart', () => {
    const bench = new Bench();
    bench.machine.mmap(P, VA);
    bench.poke(VA, 1);
    bench.map(P);
    expect(bench.pin(AT, P)).toBe(1);
    bench.machine.run(vmMunmap(bench.machine.process.mm, VA, P));
    expect(bench.read(AT, 1)[0]).toBe(-Errno.EFAULT);
    bench.machine.mmap(P, VA);
    bench.poke(VA, 2);
    expect(bench.read(AT, 1)).toEqual([0, [2]]);
    // Without the process there is only what was pinned.
    bench.machine.run(exitMmap(bench.machine.process.mm));
    expect(bench.read(AT, 1)).toEqual([0, [1]]);
    expect(bench.write(AT, 5)).toBe(0);
    expect(bench.read(AT, 1)).toEqual([0, [5]]);
    bench.release();
    expect(bench.read(AT, 1)[0]).toBe(-Errno.EFAULT);
  });

  it('asks each area, and leaves what it has done before', () => {
    const bench = new Bench();
    bench.machine.mmap(4 * P, VA);
    bench.map(P, AT, VA);
    bench.map(P, AT + P, VA + P, READ_ONLY);
    bench.map(P, AT + 3 * P, VA + 3 * P, WRITE_ONLY);
    expect(bench.write(AT + P - 2, 1, 2, 3, 4)).toBe(-Errno.EPERM);
    expect(bench.read(AT + P - 2, 4)).toEqual([0, [1, 2, 0, 0]]);
    bench.poke(VA + 2 * P - 1, 9);
    expect(bench.read(AT + 2 * P - 1, 2)).toEqual([-Errno.ENOENT, [9, 0]]);
    expect(bench.read(AT + 2 * P, P + 1)[0]).toBe(-Errno.ENOENT);
    expect(bench.read(AT + 3 * P, 1)[0]).toBe(-Errno.EPERM);
    expect(bench.write(AT + 3 * P, 1)).toBe(0);
  });

  it('needs no alignment where it never pins', () => {
    const bench = new Bench({}, false);
    bench.machine.mmap(P, VA);
    bench.map(3, AT + 1, VA + 0x123);
    bench.poke(VA + 0x123, 1, 2, 3);
    expect(bench.ioas.iopt.iovaAlignment).toBe(1);
    expect(bench.read(AT + 1, 3)).toEqual([0, [1, 2, 3]]);
    expect(bench.read(AT, 3)[0]).toBe(-Errno.ENOENT);
    expect(bench.pin(AT + 1, 3)).toBe(-Errno.EINVAL);
    expect(bench.machine.rules()).toEqual(['iommufd-access-cannot-pin']);
  });
});

describe('pinning', () => {
  it('takes whole pages from their start, of which the last may be used in part', () => {
    const bench = new Bench();
    bench.machine.mmap(4 * P, VA);
    bench.map(4 * P);
    expect([bench.pin(AT, 1), bench.pin(AT + P, P + 1), bench.pin(AT + 1, 1)]).toEqual([1, 2, -Errno.EINVAL]);
    expect(bench.charged[2]).toBe(3);
    bench.release();
    expect(bench.charged).toEqual([0, 0, 0]);
  });

  it('undoes all of it at a gap, at a permission and at a limit', () => {
    const bench = new Bench({ rlimitMemlock: 3 * P });
    bench.machine.mmap(8 * P, VA);
    bench.map(2 * P, AT, VA);
    bench.map(P, AT + 2 * P, VA + 2 * P, READ_ONLY);
    bench.map(4 * P, AT + 4 * P, VA + 4 * P);
    expect(bench.pin(AT, 4 * P, false)).toBe(-Errno.ENOENT);
    expect(bench.pin(AT, 3 * P, true)).toBe(-Errno.EPERM);
    expect(bench.pin(AT + 4 * P, 4 * P)).toBe(-Errno.ENOMEM);
    expect([bench.charged, bench.ioas.iopt.areas.ranges.map(({ numAccesses }) => numAccesses)]).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(bench.pin(AT, 3 * P, false)).toBe(3);
    expect(bench.pin(AT + 4 * P, P)).toBe(-Errno.ENOMEM);
    expect(bench.charged).toEqual([3, 0, 3]);
    bench.release();
    expect(numberOf(bench.machine.unmap(bench.ioas, AT, 3 * P))).toBe(3 * P);
  });

  it('overlapping pins hold their pages until the last one goes', () => {
    const bench = new Bench();
    bench.machine.mmap(8 * P, VA);
    bench.map(8 * P);
    const pieces = [
      [0, 4],
      [2, 4],
      [3, 1],
      [0, 8],
    ] as const;
    for (const [page, count] of pieces) expect(bench.pin(AT + page * P, count * P)).toBe(count);
    const left = pieces.map(() => {
      const [pin] = bench.pins.splice(-1);
      bench.machine.run(iommufdAccessUnpinPages(bench.access, u64(pin?.at ?? 0), u64(pin?.bytes ?? 0)));
      return bench.charged[2];
    });
    expect(left).toEqual([6, 6, 4, 0]);
    expect(bench.machine.rules()).toEqual([]);
  });

  it('is given back as it was taken, or not at all', () => {
    const bench = new Bench();
    bench.machine.mmap(4 * P, VA);
    bench.map(4 * P);
    expect(bench.pin(AT, 2 * P)).toBe(2);
    bench.machine.run(iommufdAccessUnpinPages(bench.access, u64(AT), u64(P)));
    expect([bench.machine.rules(), bench.charged[2]]).toEqual([['iommufd-unpin-unknown'], 2]);
    bench.release();
    expect([bench.machine.rules().length, bench.charged[2]]).toEqual([1, 0]);
  });
});

describe('unmapping under users', () => {
  it('asks for each area up to a hundred times', () => {
    const bench = new Bench();
    bench.machine.mmap(4 * P, VA);
    bench.map(P, AT, VA);
    bench.map(P, AT + 2 * P, VA + 2 * P);
    bench.pin(AT, P, true, 60);
    bench.pin(AT + 2 * P, P, true, 60);
    expect(numberOf(bench.machine.unmap(bench.ioas, AT, 3 * P))).toBe(2 * P);
    expect([bench.told, bench.machine.rules()]).toEqual([120, []]);
  });

  it('gives up behind the hundredth time, with the areas before it gone', () => {
    const bench = new Bench();
    bench.machine.mmap(4 * P, VA);
    bench.map(P, AT, VA);
    bench.map(P, AT + 2 * P, VA + 2 * P);
    bench.pin(AT + 2 * P, P, true, 1000);
    expect(numberOf(bench.machine.unmap(bench.ioas, AT, 3 * P))).toBe(-Errno.EDEADLK);
    expect([bench.told, bench.ioas.iopt.areas.ranges.length]).toEqual([101, 1]);
    expect([bench.read(AT + 2 * P, 1)[0], bench.write(AT + 2 * P, 1)]).toEqual([
      -Errno.EINVAL,
      -Errno.EINVAL,
    ]);
    expect(bench.pin(AT + 2 * P, P)).toBe(-Errno.EINVAL);
    bench.release();
    expect(bench.read(AT + 2 * P, 1)[0]).toBe(-Errno.EINVAL);
    expect(numberOf(bench.machine.unmap(bench.ioas, AT + 2 * P, P))).toBe(P);
  });

  it('asks users of the address space only, and parts of the kernel never', () => {
    const bench = new Bench();
    const asked: string[] = [];
    const user = (name: string, internal: boolean, ioas: IommufdIoas) => {
      const ops = {
        needsPinPages: true,
        *unmap() {
          yield* [];
          asked.push(name);
        },
      };
      const access = new IoptAccess(bench.machine.platform, ops, internal);
      expect(bench.machine.run(iommufdAccessAttach(access, ioas.iopt))).toBe(0);
      return access;
    };
    const inner = user('inner', true, bench.ioas);
    user('second', false, bench.ioas);
    user('elsewhere', false, bench.machine.ioas());
    bench.machine.mmap(P, VA);
    bench.map(P);
    bench.pin(AT, P);
    expect(numberOf(bench.machine.unmap(bench.ioas, AT, P))).toBe(P);
    expect([bench.told, asked]).toEqual([1, ['second']]);
    bench.machine.run(iommufdAccessDetach(inner));
    expect(asked).toEqual(['second']);
  });
});

describe('attaching', () => {
  it('that fails leaves the user where it was, and the alignment as it was', () => {
    const bench = new Bench();
    const crooked = bench.machine.ioas();
    bench.machine.mmap(P, VA);
    expect(numberOf(bench.machine.map(crooked, u64(VA), u64(100), u64(AT + 1)))).toBe(AT + 1);
    const { access } = bench;
    bench.map(P);
    bench.machine.run(iommufdAccessDetach(access));
    expect(bench.machine.run(iommufdAccessAttach(access, crooked.iopt))).toBe(-Errno.EADDRINUSE);
    expect([crooked.iopt.accesses.length, crooked.iopt.iovaAlignment]).toEqual([0, 1]);
    expect(bench.machine.run(iommufdAccessAttach(access, bench.ioas.iopt))).toBe(0);
    expect(bench.machine.run(iommufdAccessAttach(access, bench.ioas.iopt))).toBe(-Errno.EINVAL);
    const { iopt } = bench.machine.ioas();
    expect([bench.pin(AT, P), access.iopt === bench.ioas.iopt, iopt.accesses.length]).toEqual([1, true, 0]);
  });
});
