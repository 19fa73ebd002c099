// StrayWrites: every byte that a peer writes into VRAM, held against who owns that memory at that moment.
// Source followed: the contract of invalidation: once the fences have signaled, importers write no more through an old mapping.
// Simplified: memory that is on its way out counts as owned until its copy has ended.

import type { GpuCard } from '../src/card/gpu-card.ts';
import type { GpuMachine } from './gpu-machine.ts';

/** A write that hit memory of nobody, or of an object that the writer was not given. */
export interface StrayWrite {
  readonly offset: number;
  /** The object that lost bytes; null for memory that is free. */
  readonly owner: string | null;
}

/** Watches the VRAM of one machine, with one object that peers may write to. */
export class StrayWrites {
  readonly found: StrayWrite[] = [];

  constructor(machine: GpuMachine, shared: string) {
    const { vram } = machine.gpu;
    const write = vram.mmioWrite.bind(vram);
    vram.mmioWrite = (offset, bytes) => {
      if (machine.peerWriting) this.#judge(machine.card, offset, shared);
      return write(offset, bytes);
    };
  }

  #judge(card: GpuCard, offset: number, shared: string): void {
    const owned = card.lru.flatMap(({ resource, spec }) =>
      resource.kind === 'vram' ? resource.blocks.map((block) => ({ ...block, owner: spec.name })) : [],
    );
    const owner = owned.find((block) => offset >= block.offset && offset < block.offset + block.bytes)?.owner;
    if (owner === shared) return;
    const ownedBytes = owned.reduce((sum, { bytes }) => sum + bytes, 0);
    const underway = card.vram.bytes - card.vram.freeBytes > ownedBytes;
    if (owner !== undefined || !underway) this.found.push({ offset, owner: owner ?? null });
  }
}
