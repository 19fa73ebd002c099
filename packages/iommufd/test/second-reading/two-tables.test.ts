// Two and three page tables over one address space, and who pays for what they show: pages.c of iommufd, read anew.
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import {
  type IommufdIoas,
  IommufdUser,
  IoptAccess,
  type IoptDomain,
  iommufdAccessAttach,
  iommufdAccessPinPages,
  iommufdAccessUnpinPages,
  iommufdTestMdCheckPa,
  ioptChangeProcess,
  ioptTableAddDomain,
  ioptTableRemoveDomain,
  u64,
} from '../../src/index.ts';
import { CoreMachine, numberOf } from '../core-machine.ts';

const P = 4096;
const VA = 2 ** 31;
const AT = 0x1000000;
type Options = ConstructorParameters<typeof CoreMachine>[0];

class Bench {
  readonly machine: CoreMachine;
  readonly ioas: IommufdIoas;

  constructor(options: Options = {}) {
    this.machine = new CoreMachine(options);
    this.ioas = this.machine.ioas();
    this.machine.mmap(16 * P, VA, true);
  }

  /** A table that is not of the address space yet. */
  table(): IoptDomain {
    const made = this.machine.run(this.machine.mock().allocPagingDomain(0, null));
    if (!made.ok) throw new Error('no table');
    return made.value;
  }

  add(domain: IoptDomain = this.table()): IoptDomain {
    expect(this.machine.run(ioptTableAddDomain(this.ioas.iopt, domain))).toBe(0);
    return domain;
  }

  remove(domain: IoptDomain): void {
    this.machine.run(ioptTableRemoveDomain(this.ioas.iopt, domain));
  }

  map(page: number, count: number, at: number): number {
    return numberOf(this.machine.map(this.ioas, u64(VA + page * P), u64(count * P), u64(at)));
  }

  shows(domain: IoptDomain, at: number, page: number, count: number): boolean {
    const { mm } = this.machine.process;
    return iommufdTestMdCheckPa(domain, mm, u64(at), u64(count * P), u64(VA + page * P)) === 0;
  }

  leaves(...domains: readonly IoptDomain[]): number[] {
    return domains.map(({ domain }) => domain.table.liveLeafEntries);
  }

  get paid(): number[] {
    const { process } = this.machine;
    return [process.user.lockedVm, process.lockedVm, process.mm.pinnedVm];
  }
}

describe('several tables', () => {
  it.each([
    ['the first', [0, 1, 2]],
    ['the last', [2, 1, 0]],
    ['the middle', [1, 0, 2]],
    ['the middle, then the last', [1, 2, 0]],
  ] as const)('go in any order, %s first: the others go on showing, pins go with the last', (_, order) => {
    const bench = new Bench();
    const before = bench.add();
    expect([bench.map(0, 8, AT), bench.map(4, 4, AT + 0x100000)]).toEqual([AT, AT + 0x100000]);
    const tables = [before, bench.add(), bench.add()];
    expect(bench.paid).toEqual([12, 0, 12]);
    const left = new Set(tables);
    for (const which of order) {
      const table = tables[which] as IoptDomain;
      left.delete(table);
      bench.remove(table);
      expect(bench.leaves(table)).toEqual([0]);
      for (const other of left) {
        expect([bench.shows(other, AT, 0, 8), bench.shows(other, AT + 0x100000, 4, 4)]).toEqual([true, true]);
      }
      expect(bench.paid[2]).toBe(left.size > 0 ? 12 : 0);
    }
    expect(bench.ioas.iopt.domains).toEqual([]);
    expect([bench.ioas.iopt.iovaAlignment, bench.ioas.iopt.reserved.count]).toEqual([1, 0]);
    expect(bench.machine.rules()).toEqual([]);
  });

  it('the last one takes the place of the one that goes: it remembers the pages of what is mapped from then on', () => {
    const bench = new Bench();
    const [first, second, third] = [bench.add(), bench.add(), bench.add()];
    bench.map(0, 2, AT);
    bench.remove(first);
    bench.map(2, 2, AT + 0x10000);
    const { iopt } = bench.ioas;
    expect(iopt.domains.map((domain) => [second, third].indexOf(domain))).toEqual([1, 0]);
    expect(iopt.areas.ranges.map(({ storageDomain }) => storageDomain === third)).toEqual([true, true]);
    bench.remove(second);
    expect(bench.paid).toEqual([4, 0, 4]);
  });

  it('lose an area together', () => {
    const bench = new Bench();
    const tables = [bench.add(), bench.add(), bench.add()];
    bench.map(0, 8, AT);
    bench.remove(tables[0] as IoptDomain);
    const rest = tables.slice(1);
    expect(rest.every((table) => bench.shows(table, AT, 0, 8))).toBe(true);
    expect(numberOf(bench.machine.unmap(bench.ioas, AT, 8 * P))).toBe(8 * P);
    expect([bench.leaves(...rest), bench.paid]).toEqual([
      [0, 0],
      [0, 0, 0],
    ]);
  });

  it('are filled all or not at all: the entry in the way is in the second one', () => {
    for (const small of [false, true]) {
      const bench = new Bench();
      bench.ioas.iopt.disableLargePages = small;
      const [first, second] = [bench.add(), bench.add()];
      bench.machine.platform.tempMemoryLimit = 36;
      expect(second.map(u64(AT + 5 * P), 77, 0, P, 3)).toBe(0);
      expect(bench.map(0, 8, AT)).toBeLessThan(0);
      expect([bench.leaves(first), bench.paid]).toEqual([[0], [0, 0, 0]]);
      second.unmap(u64(AT + 5 * P), P);
      expect(bench.leaves(second)).toEqual([0]);
      expect([bench.map(0, 8, AT), bench.shows(first, AT, 0, 8), bench.shows(second, AT, 0, 8)]).toEqual([
        AT,
        true,
        true,
      ]);
      expect(bench.machine.rules()).toEqual([]);
    }
  });

  it('are added all or not at all: the second area cannot be shown', () => {
    const bench = new Bench();
    bench.map(0, 4, AT);
    expect(numberOf(bench.machine.map(bench.ioas, u64(0x5000), u64(P), u64(AT + 0x10000)))).toBe(
      AT + 0x10000,
    );
    const table = bench.table();
    expect(bench.machine.run(ioptTableAddDomain(bench.ioas.iopt, table))).toBe(-Errno.EFAULT);
    const { iopt } = bench.ioas;
    expect([bench.leaves(table), bench.paid, iopt.domains.length]).toEqual([[0], [0, 0, 0], 0]);
    expect([iopt.reserved.count, iopt.iovaAlignment]).toEqual([0, 1]);
    bench.machine.unmap(bench.ioas, AT + 0x10000, P);
    bench.add(table);
    expect(bench.shows(table, AT, 0, 4)).toBe(true);
  });

  it('are added once', () => {
    const bench = new Bench();
    const table = bench.add();
    expect(bench.machine.run(ioptTableAddDomain(bench.ioas.iopt, table))).toBe(-Errno.EEXIST);
    bench.remove(table);
    bench.remove(table);
    expect(bench.machine.rules()).toEqual(['iommufd-domain-twice', 'iommufd-domain-unknown']);
  });

  it.each([12, 24, 36, 60, 4096])('with %i bytes of memory for a walk show the same', (limit) => {
    const bench = new Bench();
    bench.machine.platform.tempMemoryLimit = limit;
    const first = bench.add();
    bench.map(1, 9, AT + 2 * P);
    const second = bench.add();
    expect([bench.shows(first, AT + 2 * P, 1, 9), bench.shows(second, AT + 2 * P, 1, 9)]).toEqual([
      true,
      true,
    ]);
    bench.remove(first);
    expect(bench.shows(second, AT + 2 * P, 1, 9)).toBe(true);
    bench.machine.unmap(bench.ioas, AT + 2 * P, 9 * P);
    expect([bench.leaves(first, second), bench.paid[2]]).toEqual([[0, 0], 0]);
  });
});

describe('who pays', () => {
  it('the limit is reached exactly, and what fails is not charged', () => {
    const bench = new Bench({ rlimitMemlock: 8 * P + P - 1 });
    bench.add();
    expect([bench.map(0, 9, AT), bench.paid]).toEqual([-Errno.ENOMEM, [0, 0, 0]]);
    expect([bench.map(0, 8, AT), bench.paid]).toEqual([AT, [8, 0, 8]]);
    expect([bench.map(8, 1, AT + 0x10000), bench.paid]).toEqual([-Errno.ENOMEM, [8, 0, 8]]);
    bench.machine.unmap(bench.ioas, AT, 8 * P);
    expect([bench.map(8, 1, AT + 0x10000), bench.paid]).toEqual([AT + 0x10000, [1, 0, 1]]);
  });

  it('the same memory mapped twice is pinned twice, copied it is not', () => {
    const bench = new Bench();
    bench.add();
    bench.map(0, 2, AT);
    bench.map(0, 2, AT + 2 * P);
    expect(bench.paid).toEqual([4, 0, 4]);
    bench.machine.copy(bench.ioas, u64(AT), u64(4 * P), bench.ioas, u64(AT + 0x10000));
    expect(bench.paid).toEqual([4, 0, 4]);
    bench.machine.unmap(bench.ioas, AT, 2 * P);
    expect(bench.paid).toEqual([4, 0, 4]);
    bench.machine.unmap(bench.ioas, AT + 0x10000, 4 * P);
    expect(bench.paid).toEqual([2, 0, 2]);
  });

  it('a copy of a part keeps only that part pinned', () => {
    const bench = new Bench();
    bench.add();
    bench.map(0, 8, AT);
    bench.machine.copy(bench.ioas, u64(AT + 2 * P), u64(3 * P), bench.ioas, u64(AT + 0x10000));
    bench.machine.copy(bench.ioas, u64(AT + 4 * P), u64(2 * P), bench.ioas, u64(AT + 0x20000));
    bench.machine.unmap(bench.ioas, AT, 8 * P);
    expect(bench.paid).toEqual([4, 0, 4]);
    bench.machine.unmap(bench.ioas, AT + 0x10000, 3 * P);
    expect(bench.paid).toEqual([2, 0, 2]);
    bench.machine.unmap(bench.ioas, AT + 0x20000, 2 * P);
    expect(bench.paid).toEqual([0, 0, 0]);
  });

  it('a user pins what a table does not show, and keeps it when the table goes', () => {
    const bench = new Bench();
    const { machine, ioas } = bench;
    const access = new IoptAccess(machine.platform, { needsPinPages: true, *unmap() {} });
    machine.run(iommufdAccessAttach(access, ioas.iopt));
    bench.map(0, 8, AT);
    expect(machine.run(iommufdAccessPinPages(access, u64(AT + 2 * P), u64(3 * P), true)).ok).toBe(true);
    expect(bench.paid).toEqual([3, 0, 3]);
    const table = bench.add();
    expect([bench.paid, bench.shows(table, AT, 0, 8)]).toEqual([[8, 0, 8], true]);
    machine.run(iommufdAccessUnpinPages(access, u64(AT + 2 * P), u64(3 * P)));
    expect(bench.paid).toEqual([8, 0, 8]);
    machine.run(iommufdAccessPinPages(access, u64(AT + 7 * P), u64(P), true));
    bench.remove(table);
    expect(bench.paid).toEqual([1, 0, 1]);
    machine.run(iommufdAccessUnpinPages(access, u64(AT + 7 * P), u64(P)));
    expect(bench.paid).toEqual([0, 0, 0]);
  });

  it('processes of one user share its count, but not that of their memory', () => {
    const bench = new Bench({ rlimitMemlock: 4 * P });
    const { machine } = bench;
    bench.add();
    bench.map(0, 3, AT);
    const { fd } = machine.memfd(4 * P);
    expect(numberOf(machine.mapFile(bench.ioas, fd, 0, 2 * P, u64(AT + 0x10000)))).toBe(-Errno.ENOMEM);
    expect(numberOf(machine.mapFile(bench.ioas, fd, 0, P, u64(AT + 0x10000)))).toBe(AT + 0x10000);
    expect(bench.paid).toEqual([4, 0, 4]);
  });

  it('a change of process is all or nothing, over address spaces and kinds of accounts', () => {
    const bench = new Bench({ rlimitMemlock: 100 * P });
    const { machine, ioas } = bench;
    const heir = machine.newProcess({ rlimitMemlock: 3 * P }, new IommufdUser());
    bench.add();
    const fds = [2, 2].map((pages) => machine.memfd(pages * P).fd);
    machine.mapFile(ioas, fds[0] ?? 0, 0, 2 * P, u64(AT));
    machine.mapFile(ioas, fds[1] ?? 0, 0, 2 * P, u64(AT + 0x10000));
    expect(machine.run(ioptChangeProcess([ioas.iopt], heir))).toBe(-Errno.ENOMEM);
    expect([bench.paid, heir.user.lockedVm, heir.lockedVm, heir.mm.pinnedVm]).toEqual([[4, 0, 4], 0, 0, 0]);
    heir.mm.rlimitMemlock = 4 * P;
    expect(machine.run(ioptChangeProcess([ioas.iopt], heir))).toBe(0);
    expect([bench.paid, heir.user.lockedVm, heir.lockedVm, heir.mm.pinnedVm]).toEqual([[0, 0, 0], 4, 0, 4]);
    machine.unmap(ioas, AT, 2 * P);
    expect([bench.paid, heir.user.lockedVm, heir.mm.pinnedVm]).toEqual([[0, 0, 0], 2, 2]);
  });
});

describe('files', () => {
  it('whose last page is not complete end before it', () => {
    const bench = new Bench();
    bench.add();
    const { fd, file } = bench.machine.memfd(2 * P - 1);
    expect(numberOf(bench.machine.mapFile(bench.ioas, fd, 0, P, u64(AT)))).toBe(AT);
    expect(numberOf(bench.machine.mapFile(bench.ioas, fd, P, 2048, u64(AT + P)))).toBe(-Errno.EINVAL);
    file.truncate(2 * P);
    expect(numberOf(bench.machine.mapFile(bench.ioas, fd, P, 2048, u64(AT + P)))).toBe(AT + P);
  });
});
