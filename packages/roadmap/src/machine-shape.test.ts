// The machine's address map: what the recorded machine shows, and no overlap at any size.
import { fc, test } from '@fast-check/vitest';
import { byteDistance, frameOf } from '@sgfree/hw-model';
import { expect, it } from 'vitest';
import { KERNEL_RAM_BYTES, machineShape } from './machine-shape.ts';

it('has the device windows of the recorded machine at 3 GiB', () => {
  const shape = machineShape(3 * 2 ** 30);
  const frames = shape.bridgeWindows.map(({ start, end }) => [frameOf(start), frameOf(end)]);
  expect(frames).toEqual([
    [0xa0, 0xbf],
    [0x80000, 0xaffff],
    [0xc0000, 0xfebff],
    [0x140000, 0x93ffff],
  ]);
});

test.prop([fc.integer({ min: 256, max: 65536 })])('keeps all its ranges apart at %i MiB', (mib) => {
  const shape = machineShape(mib * 2 ** 20);
  const ranges = [...shape.usableRam, shape.kernelRam, shape.window32, shape.window64].sort((a, b) =>
    byteDistance(b.base, a.base),
  );
  for (const [index, range] of ranges.entries()) {
    const next = ranges[index + 1];
    expect(range.bytes).toBeGreaterThan(0);
    if (next !== undefined) expect(byteDistance(range.base, next.base)).toBeGreaterThanOrEqual(range.bytes);
  }
  const usable = shape.usableRam.reduce((sum, range) => sum + range.bytes, 0);
  expect(usable + KERNEL_RAM_BYTES).toBe(shape.ram.reduce((sum, range) => sum + range.bytes, 0));
});

it('has all its RAM below 4 GiB up to the size at which a q35 splits it', () => {
  const ends = (mib: number): number[] =>
    machineShape(mib * 2 ** 20).ram.map(({ base, bytes }) => frameOf(base) + bytes / 4096);
  expect(ends(2815)).toEqual([0xaff00]);
  expect(ends(2816)).toEqual([0x80000, 0x130000]);
});
