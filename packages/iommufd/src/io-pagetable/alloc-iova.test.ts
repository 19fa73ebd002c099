// Automatic IOVAs against a table of vectors, and the order of errnos of a wish.
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { CoreMachine, numberOf } from '../../test/core-machine.ts';
import { AUTO_IOVA_ROWS } from '../../test/tables/auto-iova.ts';
import { type U64Range, u64, u64At, u64OfBigint } from '../u64/u64.ts';
import { ioptAllocIova, ioptCheckIova } from './alloc-iova.ts';
import { IoPagetable } from './io-pagetable.ts';

const rangeOf = ([first, last]: readonly [bigint, bigint]): U64Range => ({
  first: u64OfBigint(first),
  last: u64OfBigint(last),
});

describe('automatic IOVAs', () => {
  it.each(AUTO_IOVA_ROWS)('$name', (row) => {
    const machine = new CoreMachine();
    const ioas = machine.ioas();
    const { iopt } = ioas;
    for (const range of row.reserved) iopt.reserved.add(rangeOf(range), null);
    for (const range of row.allowed) iopt.allowed.insert(rangeOf(range));
    iopt.iovaAlignment = row.alignment;
    const got = row.lengths.map((length) => numberOf(machine.map(ioas, u64(row.hint), u64(length))));
    expect(got).toEqual(row.results);
    expect(machine.process.mm.pinnedVm).toBe(0);
  });

  it('refuses half of the space and takes the last byte it may use', () => {
    const { platform } = new CoreMachine();
    const iopt = new IoPagetable(platform);
    const half = u64At(2 ** 51 - 1, 4095);
    expect(ioptAllocIova(iopt, u64(0), half)).toEqual({ ok: false, errno: Errno.EOVERFLOW });
    expect(ioptAllocIova(iopt, u64(0), u64At(2 ** 51 - 1, 4094)).ok).toBe(true);
    expect(ioptAllocIova(iopt, u64(0), u64(0))).toEqual({ ok: false, errno: Errno.EOVERFLOW });
  });

  it('checks a wish for alignment, wrap, reserved and used ranges in this order', () => {
    const machine = new CoreMachine();
    const ioas = machine.ioas();
    const { iopt } = ioas;
    expect(numberOf(machine.map(ioas, u64(0), u64(0x2000), u64(0x8000)))).toBe(0x8000);
    iopt.reserved.add({ first: u64(0x9000), last: u64(0x9fff) }, null);
    iopt.iovaAlignment = 4096;
    expect(ioptCheckIova(iopt, u64At(2 ** 52 - 1, 1), u64(4096))).toBe(-Errno.EINVAL);
    expect(ioptCheckIova(iopt, u64At(2 ** 52 - 1), u64(8192))).toBe(-Errno.EOVERFLOW);
    expect(ioptCheckIova(iopt, u64At(2 ** 52 - 1), u64(4096))).toBe(0);
    expect(ioptCheckIova(iopt, u64(0x8000), u64(0x2000))).toBe(-Errno.EINVAL);
    expect(ioptCheckIova(iopt, u64(0x8000), u64(0x1000))).toBe(-Errno.EEXIST);
    expect(ioptCheckIova(iopt, u64(0x7000), u64(0x1000))).toBe(0);
  });
});
