// One buffer bounced and released: the slot search among live mappings, and the copies there and back.
// Simplified: a direct map where every mapping bounces, so that no IOMMU is timed; 2000 bytes in a slot of their own.

import {
  DmaPlatform,
  dmaBitMask,
  dmaMapPhys,
  dmaSetMask,
  dmaUnmapPhys,
  NO_ATTRS,
  pciDevice,
  SwiotlbPool,
} from '@sgfree/dma-core';
import { addOffset, byteDistance, type DmaAddr, PhysicalMemory, physAddr } from '@sgfree/hw-model';
import type { BenchCase, PreparedCase } from '../bench-case.ts';
import { requireSame } from './iova-linear-walk.ts';

const BYTES = 2000;
const SLOT = 2048;
/** The default pool of 64 MiB. */
const SLOTS = 32768;
/** Mappings that stay: every second slot of the first half is taken. */
const LIVE = SLOTS / 4;
const PROVEN_PAIRS = 1000;

const wordOf = (bytes: Uint8Array): number => (bytes[0] as number) + (bytes[1] as number) * 256;

function prepare(): PreparedCase {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), 2 ** 31);
  const start = physAddr(2 ** 30);
  const pool = new SwiotlbPool({ start, slots: SLOTS });
  const platform = new DmaPlatform({ memory, swiotlb: { active: true, forceBounce: true, pool } });
  const dev = pciDevice({ name: 'bench', platform });
  dmaSetMask(dev, dmaBitMask(32));
  const buffer = physAddr(0x123_4000);
  const map = (): DmaAddr => dmaMapPhys(dev, buffer, BYTES, 'bidirectional', NO_ATTRS) as DmaAddr;
  const unmap = (address: DmaAddr): void => dmaUnmapPhys(dev, address, BYTES, 'bidirectional', NO_ATTRS);
  const taken = Array.from({ length: 2 * LIVE }, map);
  for (const [at, address] of taken.entries()) if (at % 2 === 1) unmap(address);
  for (let pair = 0; pair < PROVEN_PAIRS; pair += 1) {
    memory.write(buffer, Uint8Array.of(pair, pair >> 8));
    const address = map();
    // The search goes on where it stopped: the second half is free and taken slot by slot.
    requireSame('slot', 2 * LIVE + pair, byteDistance(start, physAddr(address)) / SLOT);
    const seen = new Uint8Array(2);
    memory.read(physAddr(address), seen);
    requireSame('bytes in the slot', pair, wordOf(seen));
    memory.write(addOffset(physAddr(address), 1), Uint8Array.of(0xa5));
    unmap(address);
    memory.read(buffer, seen);
    requireSame('bytes that came back', (pair & 0xff) + 0xa500, wordOf(seen));
    requireSame('slots in use', LIVE, pool.usedSlots);
  }
  return {
    run(operations) {
      for (let done = 0; done < operations; done += 1) unmap(map());
      requireSame('slots in use after the run', LIVE, pool.usedSlots);
    },
  };
}

/** 2000 bytes through the bounce pool and back. */
export const swiotlbMapUnmap: BenchCase = {
  name: 'swiotlb/map-unmap',
  operation: 'dma_map_phys and dma_unmap_phys of 2000 bytes, both ways through a 64 MiB bounce pool',
  prepare,
};
