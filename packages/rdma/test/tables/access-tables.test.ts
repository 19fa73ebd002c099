// Access flags, numbers of statuses, and the questions about registered memory that need no machine.
// Source: rdma-block-gpu.md A.1.1 (6), A.1.3, A.6.1.
import type { ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import {
  IbAccess,
  type IbDevice,
  IbUmem,
  IbWcStatus,
  ibAccessWritable,
  ibCheckMrAccess,
  ibIncRkey,
  ibUmemCheckRereg,
  ibUmemNumDmaBlocks,
  ibUmemNumPages,
  ibUmemOffset,
} from '../../src/index.ts';
import { UmemMachine } from '../umem-machine.ts';
import { VerbsRig } from '../verbs-rig.ts';
import {
  accessBits,
  capableRows,
  incapableRows,
  keyRows,
  pageRows,
  reregRows,
  statusNumbers,
} from './access-rows.ts';
import { wide } from './text-table.ts';

const incapable = new VerbsRig({
  attrs: { onDemandPaging: false, flushGlobal: false, flushPersistent: false },
}).a.device;
const capable = new VerbsRig({ attrs: { onDemandPaging: true, flushGlobal: true, flushPersistent: true } }).a
  .device;

/** Memory of which only the description matters. */
class DescribedUmem extends IbUmem {
  override readonly isDmabuf: boolean;

  constructor(device: IbDevice, access: number, isDmabuf: boolean) {
    super(device, 0, 4096, access, {});
    this.isDmabuf = isDmabuf;
  }

  dmaRanges(): [] {
    return [];
  }

  *release(): ModelTask<void> {
    yield { at: 'nothing to release' };
  }
}

describe('numbers', () => {
  it('of statuses', () => {
    expect(Object.entries(IbWcStatus).sort(([, a], [, b]) => a - b)).toEqual(
      statusNumbers.map((name, number) => [name, number]),
    );
  });
  it.each(accessBits)('access.bit.$name', ({ name, bit }) => {
    expect(IbAccess[name]).toBe(bit);
  });
});

describe('rights', () => {
  it.each(capableRows)('access.capable.$flags', ({ flags, answer }) => {
    expect(ibCheckMrAccess(capable, flags)).toBe(answer);
  });
  it.each(incapableRows)('access.incapable.$flags', ({ flags, answer }) => {
    expect(ibCheckMrAccess(incapable, flags)).toBe(answer);
  });

  it('access.all: each of the low flags with each other', () => {
    for (let flags = 0; flags < 1024; flags += 1) {
      const peers = (flags & 0xa) !== 0 && (flags & 1) === 0;
      const lacking = (flags & 0x340) !== 0;
      expect([flags, ibCheckMrAccess(capable, flags)]).toEqual([flags, peers ? -Errno.EINVAL : 0]);
      const answer = lacking ? -Errno.EOPNOTSUPP : 0;
      expect([flags, ibCheckMrAccess(incapable, flags)]).toEqual([flags, peers ? -Errno.EINVAL : answer]);
      expect([flags, ibAccessWritable(flags)]).toEqual([flags, (flags & 0x1b) !== 0]);
    }
  });
});

describe('sizes', () => {
  it.each(pageRows)('$key', ({ iova, length, pages, blocks }) => {
    const umem = { iova: wide(iova), length };
    expect(ibUmemNumPages(umem)).toBe(pages);
    for (const [size, count] of blocks) expect(ibUmemNumDmaBlocks(umem, size)).toBe(count);
  });
  it.each([0, 1, 0x123, 0xfff, 0x1000, 0x7f0000000801])('offset.%i', (address) => {
    expect(ibUmemOffset({ address })).toBe(address & 4095);
  });
  it.each(keyRows)('key.next.%i', (key, next) => {
    expect(ibIncRkey(key)).toBe(next);
  });
});

describe('registering again', () => {
  it.each(reregRows)('$key', ({ access, isDmabuf, translation, wanted, answer }) => {
    const { device } = new UmemMachine();
    const umem = new DescribedUmem(device, access, isDmabuf);
    expect(ibUmemCheckRereg(umem, { translation }, wanted)).toBe(answer);
  });
});
