// The 64 bytes of a command, against the layout of the specification.
import { dmaAddr } from '@sgfree/hw-model';
import { expect, it } from 'vitest';
import { le64At, NvmeSubmissionEntry, putLe64 } from './submission-entry.ts';

it('lays out a read as the specification does', () => {
  const entry = new NvmeSubmissionEntry();
  entry.opcode = 0x02;
  entry.commandId = 0x1234;
  entry.namespaceId = 1;
  entry.setPrps(dmaAddr(0x123456789000), dmaAddr(0xfffff000));
  entry.startLba = 0x1_0000_0002;
  entry.setDword(12, 7);
  const expected = new Uint8Array(64);
  expected.set([0x02, 0, 0x34, 0x12, 1], 0);
  expected.set([0x00, 0x90, 0x78, 0x56, 0x34, 0x12], 24);
  expected.set([0x00, 0xf0, 0xff, 0xff], 32);
  expected.set([2, 0, 0, 0, 1], 40);
  expected.set([7], 48);
  expect(entry.bytes).toEqual(expected);
  expect([entry.prp1, entry.prp2]).toEqual([0x123456789000, 0xfffff000]);
});

it.each([0, 1, 0xffffffff, 0x100000000, 2 ** 52 - 1])('stores and reads back %i', (value) => {
  const view = new DataView(new ArrayBuffer(8));
  putLe64(view, 0, value);
  expect(le64At(view, 0)).toBe(value);
  expect(view.getBigUint64(0, true)).toBe(BigInt(value));
});
