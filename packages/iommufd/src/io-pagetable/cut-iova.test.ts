// Areas in two: what the old VFIO interface may unmap in pieces, and what it may not.
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { CoreMachine, numberOf } from '../../test/core-machine.ts';
import { u64 } from '../u64/u64.ts';
import { ioptCutIova } from './cut-iova.ts';

const P = 4096;
const VA = 2 ** 31;
const AT = 0x1000000;
const PIECES = 16;

function mapped(small: boolean): { machine: CoreMachine; ioas: ReturnType<CoreMachine['ioas']> } {
  const machine = new CoreMachine({ capIpcLock: true });
  const ioas = machine.ioas();
  machine.mmap(PIECES * 2 * P, VA);
  ioas.iopt.disableLargePages = small;
  machine.attach(ioas);
  expect(numberOf(machine.map(ioas, u64(VA), u64(PIECES * 2 * P), u64(AT)))).toBe(AT);
  return { machine, ioas };
}

describe('cutting areas', () => {
  it('without large pages sixteen pieces can be unmapped in any order', () => {
    const { machine, ioas } = mapped(true);
    for (let i = 0; i < PIECES; i += 1) {
      const at = AT + ((i * 7) % PIECES) * 2 * P;
      const ends = [u64(at + 2 * P - 1), u64(at - 1)];
      expect(machine.run(ioptCutIova(ioas.iopt, ends))).toBe(0);
      expect(numberOf(machine.unmap(ioas, at, 2 * P))).toBe(2 * P);
      expect(machine.process.mm.pinnedVm).toBe((PIECES - i - 1) * 2);
    }
    expect(machine.close()).toEqual([0, 0, 0]);
    expect(machine.rules()).toEqual([]);
  });

  it('with large pages no area in a table is cut', () => {
    const { machine, ioas } = mapped(false);
    expect(machine.run(ioptCutIova(ioas.iopt, [u64(AT + 2 * P - 1)]))).toBe(-Errno.EINVAL);
    expect(ioas.iopt.areas.ranges).toHaveLength(1);
    expect(machine.run(ioptCutIova(ioas.iopt, [u64(AT + PIECES * 2 * P - 1), u64(5)]))).toBe(0);
  });

  it('is refused in the middle of a page and for dma-bufs', () => {
    const { machine, ioas } = mapped(true);
    expect(machine.run(ioptCutIova(ioas.iopt, [u64(AT + P)]))).toBe(-Errno.EINVAL);
    const iova = numberOf(machine.mapFile(ioas, machine.buffer(4 * P).fd, 0, 4 * P));
    expect(machine.run(ioptCutIova(ioas.iopt, [u64(iova + P - 1)]))).toBe(-Errno.EOPNOTSUPP);
  });
});
