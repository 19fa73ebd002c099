// SGL descriptors, byte for byte.
import { type DmaAddr, dmaAddr, PhysicalMemory, physAddr } from '@sgfree/hw-model';
import { expect, it } from 'vitest';
import type { BlockRequest } from '../block-request.ts';
import { DescriptorPools } from './descriptor-pools.ts';
import { NvmeIod } from './nvme-iod.ts';
import { putSglDataBlock, putSglLastSegment, setupSgls, sglRanges } from './sgl-builder.ts';
import { choosesSgl } from './sgl-choice.ts';
import { TrackingMemory } from './tracking-memory.ts';

const hexBytes = (view: DataView): string =>
  [...new Uint8Array(view.buffer, view.byteOffset, 16)]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join(' ');

function pools(pages: number): DescriptorPools {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), 0x100000);
  let next = 0;
  return new DescriptorPools(
    {
      alloc: (bytes) => {
        if (next === pages) return null;
        next += 1;
        return { phys: physAddr(next * 4096), dma: dmaAddr(0xe0000000 + next * 4096), bytes };
      },
      free: () => undefined,
    },
    memory,
    new TrackingMemory(),
  );
}

function rangesFrom(count: number, bytes: number) {
  let at = 0;
  return {
    status: 'ok' as const,
    get addr(): DmaAddr {
      return dmaAddr(0x200000000 + at * 0x10000 + 512);
    },
    bytes,
    next(): boolean {
      at += 1;
      return at < count;
    },
  };
}

it('writes a data block and a last segment as the specification lays them out', () => {
  const view = new DataView(new ArrayBuffer(16));
  putSglDataBlock(view, 0, dmaAddr(0x123456000), 0x2000);
  expect(hexBytes(view)).toBe('00 60 45 23 01 00 00 00 00 20 00 00 00 00 00 00');
  putSglLastSegment(view, 0, dmaAddr(0x1000), 3);
  expect(hexBytes(view)).toBe('00 10 00 00 00 00 00 00 30 00 00 00 00 00 00 30');
});

it('puts one range into the command and takes no descriptor block', () => {
  const iod = new NvmeIod({ bytes: 131072 } as BlockRequest);
  expect(setupSgls(iod, rangesFrom(1, 131072), pools(1), 1, true)).toBe('ok');
  expect(iod.descriptors).toHaveLength(0);
  expect(iod.entry.flags).toBe(0x40);
  expect(hexBytes(iod.entry.dataPointer)).toBe('00 02 00 00 02 00 00 00 00 00 02 00 00 00 00 00');
});

it.each([
  [2, true],
  [16, true],
  [17, false],
  [256, false],
])('lists %i ranges behind a last segment; small block: %s', (count, small) => {
  const own = pools(1);
  const iod = new NvmeIod({ bytes: count * 512 } as BlockRequest);
  expect(setupSgls(iod, rangesFrom(count, 512), own, count, false)).toBe('ok');
  expect(iod.smallDescriptor).toBe(small);
  expect(iod.entry.dataPointer.getUint8(15)).toBe(0x30);
  expect(iod.entry.dataPointer.getUint32(8, true)).toBe(count * 16);
  const back = [...sglRanges(iod, own)];
  expect(back).toHaveLength(count);
  expect(back.at(-1)).toEqual({ addr: 0x200000000 + (count - 1) * 0x10000 + 512, bytes: 512 });
});

it('refuses more ranges than the request counts segments', () => {
  const iod = new NvmeIod({ bytes: 3 * 512 } as BlockRequest);
  expect(setupSgls(iod, rangesFrom(3, 512), pools(1), 2, false)).toBe('io-error');
});

it('leaves the mapped range in the command when no block can be had', () => {
  const own = pools(0);
  const iod = new NvmeIod({ bytes: 1024 } as BlockRequest);
  expect(setupSgls(iod, rangesFrom(2, 512), own, 2, false)).toBe('resource');
  expect([...sglRanges(iod, own)]).toEqual([{ addr: 0x200000200, bytes: 512 }]);
});

it('chooses by the average segment, and a coalesced request counts as one', () => {
  const policy = { sglSupport: 1, sglThreshold: 32768 };
  expect(choosesSgl('supported', 131072, 32, policy)).toBe(false);
  expect(choosesSgl('supported', 131072, 1, policy)).toBe(true);
  expect(choosesSgl('supported', 32767, 1, policy)).toBe(false);
  expect(choosesSgl('forced', 512, 2, { sglSupport: 1, sglThreshold: 0 })).toBe(true);
  expect(choosesSgl('supported', 131072, 1, { sglSupport: 1, sglThreshold: 0 })).toBe(false);
  expect(choosesSgl('unsupported', 131072, 1, policy)).toBe(false);
});
