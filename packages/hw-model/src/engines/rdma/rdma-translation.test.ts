// RdmaTranslation: what lies behind an entry, and that there is nothing before the first and behind the last one.
import { describe, expect, it } from 'vitest';
import { RdmaRig } from '../../../test/rdma-rig.ts';
import { dmaAddr } from '../../addresses.ts';
import { RDMA_STATUS } from './rdma-status.ts';
import { RdmaTranslation } from './rdma-translation.ts';

const IOVA = 0x7000_0000;

describe('a table of blocks', () => {
  it.each([0, 1, 3])('of %i entries has no entry before the first and none behind the last', (entries) => {
    const blocks = Array.from({ length: entries }, (_, i) => dmaAddr(0x9000 + i * 0x1000));
    const table = RdmaTranslation.of(4096, blocks);
    const permitted = [-1, 0, 1, 2, 3, 4].filter((index) => table.permits(index, true));
    expect(permitted).toEqual([0, 1, 2].slice(0, entries));
    expect(table.permits(Number.NaN, false)).toBe(false);
  });

  it('forgets what is zapped, and only that', () => {
    const table = RdmaTranslation.of(4096, [dmaAddr(0x9000), dmaAddr(0x2_0000_a000), dmaAddr(0xb000)], false);
    table.zap(1, 1);
    expect([0, 1, 2].map((index) => table.permits(index, false))).toEqual([true, false, true]);
    expect([0, 1, 2].map((index) => table.permits(index, true))).toEqual([false, false, false]);
    expect(table.address(2, 5)).toBe(dmaAddr(0xb005));
  });
});

it('a key that promises more bytes than it has blocks gives what it has and refuses the rest', () => {
  const rig = new RdmaRig();
  const { a, b } = rig;
  const target = b.region([0x9000, 0xa000], { length: 3 * 4096 });
  a.store(0x10_0000, new Uint8Array(4096).fill(7));
  const sges = [{ address: IOVA, length: 4096, lkey: a.region([0x10_0000]).lkey }];
  a.post('rdma-write', { sges, remoteAddress: IOVA + 4096, rkey: target.rkey });
  a.post('rdma-write', { sges, remoteAddress: IOVA + 2 * 4096, rkey: target.rkey });
  expect(rig.statuses()).toEqual([RDMA_STATUS.SUCCESS, RDMA_STATUS.REM_ACCESS_ERR]);
  expect(b.bytesAt(0xa000, 4096).every((byte) => byte === 7)).toBe(true);
  expect([0x9000, 0xb000].flatMap((at) => [...b.bytesAt(at, 4096)]).every((byte) => byte === 0)).toBe(true);
});
