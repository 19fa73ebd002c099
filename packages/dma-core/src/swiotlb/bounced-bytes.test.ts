// Bytes through the bounce pool behind an IOMMU: what an untrusted device finds at its address, what it can see beside
// it, and what is in the buffer afterwards, for random mappings that live side by side.

import { addOffset, type DmaAddr, offsetWithin, physAddr } from '@sgfree/hw-model';
import { iommuIovaToPhys } from '@sgfree/iommu';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { leftovers, mapped, type TestMachine, testMachine } from '../../test/vtd-machine.ts';
import {
  type DmaAttrs,
  type DmaDataDirection,
  dmaMapPhys,
  dmaUnmapPhys,
  NO_ATTRS,
  SwiotlbPool,
} from '../index.ts';

const PAGE = 4096;
const POOL = 0x600_0000;
const BUFFERS = 0x100_0000;
const ROOM = 0x1_0000;

interface Live {
  readonly address: DmaAddr;
  readonly at: number;
  readonly size: number;
  readonly dir: DmaDataDirection;
  readonly attrs: DmaAttrs;
}

const bytesFrom = (seed: number, size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, at) => 1 + ((seed * 31 + at * 7) % 255));

function readPhys({ memory }: TestMachine, at: number, size: number): Uint8Array {
  const into = new Uint8Array(size);
  memory.read(physAddr(at), into);
  return into;
}

/** Reads or writes as the device does, page by page through the translation. */
function asDevice(
  { memory, domain }: TestMachine,
  address: DmaAddr,
  bytes: Uint8Array,
  writes: boolean,
): void {
  for (let done = 0; done < bytes.length; ) {
    const at = addOffset(address, done);
    const count = Math.min(bytes.length - done, PAGE - offsetWithin(at, PAGE));
    const phys = iommuIovaToPhys(domain, at) as never;
    const moved = writes ? memory.write(phys, bytes, done, count) : memory.read(phys, bytes, done, count);
    expect(moved).toBe(true);
    done += count;
  }
}

/** Compares without the cost of a matcher on long arrays. */
const sameBytes = (left: Uint8Array, right: Uint8Array): boolean =>
  left.length === right.length && left.every((byte, at) => byte === right[at]);

const request = fc.record({
  offset: fc.nat({ max: PAGE - 1 }),
  size: fc.integer({ min: 1, max: 20000 }),
  dir: fc.constantFrom<DmaDataDirection>('to-device', 'from-device', 'bidirectional'),
  attrs: fc.constantFrom<DmaAttrs>(NO_ATTRS, { skipCpuSync: true }),
  keepsLive: fc.boolean(),
});

it.each([0, 0xfff])('min_align_mask %i: every byte is where it belongs', (minAlignMask) => {
  fc.assert(
    fc.property(fc.array(request, { maxLength: 12 }), (requests) => {
      const pool = new SwiotlbPool({ start: physAddr(POOL), slots: 256 });
      const machine = testMachine({
        device: { untrusted: true },
        platform: { swiotlb: { active: true, pool } },
      });
      const { dev, memory } = machine;
      dev.minAlignMask = minAlignMask;
      // What an earlier owner left in the slots.
      memory.write(physAddr(POOL), new Uint8Array(pool.bytes).fill(0xee));
      const live: Live[] = [];
      const finish = ({ address, at, size, dir, attrs }: Live): void => {
        const before = readPhys(machine, at, size);
        const written = bytesFrom(size + 5, size);
        asDevice(machine, address, written, true);
        const bounced = iommuIovaToPhys(machine.domain, address) !== at;
        dmaUnmapPhys(dev, address, size, dir, attrs);
        const comesBack = !bounced || (dir !== 'to-device' && attrs.skipCpuSync !== true);
        expect(sameBytes(readPhys(machine, at, size), comesBack ? written : before)).toBe(true);
      };
      for (const [turn, { offset, size, dir, attrs, keepsLive }] of requests.entries()) {
        const at = BUFFERS + turn * ROOM + offset;
        const bytes = bytesFrom(turn, size);
        memory.write(physAddr(at), bytes);
        const result = dmaMapPhys(dev, physAddr(at), size, dir, attrs);
        if (result === -1) continue;
        const address = mapped(result);
        const seen = new Uint8Array(size);
        asDevice(machine, address, seen, false);
        expect(sameBytes(seen, bytes)).toBe(true);
        const into = offsetWithin(address, PAGE);
        if (offset !== 0 || offsetWithin(size, PAGE) !== 0) {
          expect(into).toBe(minAlignMask === 0 ? 0 : offset);
          const padding = new Uint8Array(into + offsetWithin(-(into + size), PAGE));
          asDevice(machine, addOffset(address, -into), padding.subarray(0, into), false);
          asDevice(machine, addOffset(address, size), padding.subarray(into), false);
          expect(padding.every((byte) => byte === 0)).toBe(true);
        }
        live.push({ address, at, size, dir, attrs });
        if (!keepsLive) finish(live.pop() as Live);
      }
      for (const mapping of live) finish(mapping);
      expect(pool.usedSlots).toBe(0);
      expect(leftovers(machine)).toEqual({ entries: 0, ranges: 0 });
    }),
    { numRuns: 40 },
  );
});

it('whichever table page is missing, no slot stays taken', () => {
  let failed = 0;
  for (let passes = 0; ; passes += 1) {
    const pool = new SwiotlbPool({ start: physAddr(POOL), slots: 256 });
    const machine = testMachine({
      device: { untrusted: true },
      platform: { swiotlb: { active: true, pool } },
    });
    machine.frames.failAfter = passes;
    const address = dmaMapPhys(machine.dev, physAddr(BUFFERS + 1), 9000, 'bidirectional', NO_ATTRS);
    machine.frames.failAfter = -1;
    if (address !== -1) {
      dmaUnmapPhys(machine.dev, address, 9000, 'bidirectional', NO_ATTRS);
    } else failed += 1;
    expect(pool.usedSlots).toBe(0);
    expect(leftovers(machine)).toEqual({ entries: 0, ranges: 0 });
    if (address !== -1) break;
  }
  expect(failed).toBeGreaterThan(0);
});
