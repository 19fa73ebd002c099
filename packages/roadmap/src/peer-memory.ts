// PeerMemory: a peer's BAR as a stage of the road gets hold of it: as pages with struct page, or as a physical range.
// Source followed: drivers/pci/p2pdma.c (its page layer and its provider layer).
// Simplified: one BAR of one function.

import type { P2pClassifier } from '@sgfree/dma-core';
import type { PhysAddr } from '@sgfree/hw-model';
import type { P2pdmaMapType, P2pPlatform } from '@sgfree/p2p/stage-2';
import type { PeerSite } from './peer-site.ts';

/**
 * What a layer works on.
 * @internal
 */
export interface PeerMemoryParts {
  readonly site: PeerSite;
  /** The machine's functions and the rules of its kernel. */
  readonly platform: P2pPlatform;
  /** True: the answer to every question is "bus address", right or wrong: a fault put in on purpose. */
  readonly forceBusAddress: boolean;
}

/**
 * A peer's memory in use.
 * @internal
 */
export interface PeerMemory {
  /** Bytes that can be taken. */
  readonly capacity: number;
  /** Answers for pages of the BAR; null where there are none. */
  readonly classifier: P2pClassifier | null;
  readonly structPageBytes: number;
  /** Blocks taken and not given back. */
  readonly liveBlocks: number;
  /** What the kernel decides for the disk, whatever was forced. */
  readonly mapType: P2pdmaMapType;
  /** Distance of the disk; -1 when no request is supported. */
  readonly distance: number;
  /** Takes `bytes` from the start of the BAR on; null when there are not so many. */
  take(bytes: number): PhysAddr | null;
  /** Gives back what was taken. */
  give(): void;
  /** The owner's driver goes away. False: something is still out. */
  release(): boolean;
}

/**
 * Opens the target's BAR; a negative errno when the kernel refuses.
 * @internal
 */
export type PeerMemoryLayer<Memory extends PeerMemory> = (parts: PeerMemoryParts) => Memory | number;
