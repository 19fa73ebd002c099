// A bounce pool whose slots are never used twice: enough to see what bounces, where to, and when it is given back.
// It copies real bytes by the rules of swiotlb and can be told to run out.

import { addOffset, alignUp, offsetWithin, type PhysAddr, physAddr } from '@sgfree/hw-model';
import type { BouncePool, Device, DmaAttrs, DmaDataDirection } from '../src/index.ts';

interface Slot {
  readonly orig: PhysAddr;
  readonly size: number;
}

export class BumpPool implements BouncePool {
  /** Mappings still allowed before one fails, -1 = never. */
  failAfter = -1;
  readonly live: Map<PhysAddr, Slot> = new Map();
  readonly #start: PhysAddr;
  readonly #bytes: number;
  #next: PhysAddr;

  constructor(start: number, bytes: number) {
    this.#start = physAddr(start);
    this.#bytes = bytes;
    this.#next = this.#start;
  }

  map(dev: Device, orig: PhysAddr, size: number, allocAlignMask: number): PhysAddr | -1 {
    if (this.failAfter === 0) return -1;
    if (this.failAfter > 0) this.failAfter -= 1;
    const kept = dev.minAlignMask < allocAlignMask ? 0 : offsetWithin(orig, allocAlignMask + 1);
    const bounced = addOffset(this.#next, kept);
    this.#next = alignUp(addOffset(bounced, size), Math.max(2048, allocAlignMask + 1));
    this.live.set(bounced, { orig, size });
    copy(dev, orig, bounced, size);
    return bounced;
  }

  unmap(dev: Device, bounced: PhysAddr, size: number, dir: DmaDataDirection, attrs: DmaAttrs): void {
    if (attrs.skipCpuSync !== true) this.syncForCpu(dev, bounced, size, dir);
    this.live.delete(bounced);
  }

  contains(_dev: Device, address: PhysAddr): boolean {
    return address >= this.#start && address < addOffset(this.#start, this.#bytes);
  }

  syncForCpu(dev: Device, bounced: PhysAddr, size: number, dir: DmaDataDirection): void {
    const slot = this.live.get(bounced);
    if (slot !== undefined && dir !== 'to-device') copy(dev, bounced, slot.orig, size);
  }

  syncForDevice(dev: Device, bounced: PhysAddr, size: number, dir: DmaDataDirection): void {
    const slot = this.live.get(bounced);
    if (slot !== undefined && dir !== 'from-device') copy(dev, slot.orig, bounced, size);
  }
}

function copy(dev: Device, from: PhysAddr, to: PhysAddr, size: number): void {
  const bytes = new Uint8Array(size);
  dev.platform.memory.read(from, bytes);
  dev.platform.memory.write(to, bytes);
}
