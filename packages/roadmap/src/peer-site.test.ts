// What the DMA layer is told of a host bridge whose bus addresses are not CPU addresses.
import {
  byteDistance,
  Clock,
  dmaAddr,
  type HostBridge,
  PciFabric,
  PhysicalMemory,
  physAddr,
  rawOffset,
} from '@sgfree/hw-model';
import { expect, it } from 'vitest';
import { bridgeWindowsOf, dmaRangesOf } from './peer-site.ts';

const GIB = 2 ** 30;

function hostAt(busOffset: number): HostBridge {
  const fabric = new PciFabric({ memory: new PhysicalMemory(), clock: new Clock() });
  return fabric.addHostBridge({ memoryAperture: { base: physAddr(8 * GIB), bytes: GIB }, busOffset });
}

it.each([-6 * GIB, 0, 2 * GIB])('a bus offset of %d: windows as the bus sees them', (busOffset) => {
  const host = hostAt(busOffset);
  const windows = bridgeWindowsOf(host);
  expect(windows.length).toBe(host.apertures.length);
  const [{ start, end, offset = 0 }] = windows as [(typeof windows)[number]];
  // What a peer answers to there, which no IOVA may be.
  expect([start, rawOffset(start, -offset), rawOffset(end, -offset)]).toEqual([
    8 * GIB,
    8 * GIB + busOffset,
    9 * GIB - 1 + busOffset,
  ]);
});

it.each([-6 * GIB, 2 * GIB])('a bus offset of %d: memory is reached by shifted addresses', (busOffset) => {
  const [range, ...others] = dmaRangesOf(hostAt(busOffset));
  expect(others).toEqual([]);
  if (range === undefined) throw new RangeError('no range');
  expect(byteDistance(dmaAddr(range.cpuStart), range.dmaStart)).toBe(busOffset);
});

it('no bus offset: no ranges', () => {
  expect(dmaRangesOf(hostAt(0))).toEqual([]);
});
