// P2P classification: what a mapping does with a page that is a peer's BAR.
// Source followed: include/linux/pci-p2pdma.h (pci_p2pdma_state, pci_p2pdma_bus_addr_map).
// dma_map_phys never asks; the callers that hold pages do (scatterlists, the block layer, HMM). The route itself is
// found by the floor that knows the fabric, which implements P2pClassifier.
// Simplified: the answer is cached per call only, as in the kernel's map state.

import type { DmaAddr, PhysAddr } from '@sgfree/hw-model';
import type { DevPagemap } from '@sgfree/mm';
import type { Device } from './device.ts';

/**
 * How a page is reached (`enum pci_p2pdma_map_type`): 'none' is ordinary memory.
 * @public
 */
export type P2pMapType = 'none' | 'not-supported' | 'bus-addr' | 'thru-host-bridge';

/**
 * Finds routes between a provider's pages and a client device.
 * @public
 */
export interface P2pClassifier {
  /** The route from `client` to the provider of `pagemap`; never 'none'. */
  mapType(pagemap: DevPagemap, client: Device): P2pMapType;
  /** What the provider's BAR answers to on the bus for CPU address `phys`. */
  busAddress(pagemap: DevPagemap, phys: PhysAddr): DmaAddr;
}

/**
 * Remembers the last provider seen during one mapping (`struct pci_p2pdma_map_state`).
 * @public
 */
export class P2pdmaMapState {
  pagemap: DevPagemap | null = null;
  mapType: P2pMapType = 'none';
}

/**
 * Classifies the page with frame number `frame`. Ordinary memory answers 'none' and leaves `state` alone.
 * @public
 * @kernel pci_p2pdma_state
 */
export function pciP2pdmaState(state: P2pdmaMapState, dev: Device, frame: number): P2pMapType {
  const pagemap = dev.platform.frames.pagemapOf(frame);
  if (pagemap === undefined || pagemap.kind !== 'pci-p2pdma') return 'none';
  if (state.pagemap !== pagemap) {
    state.pagemap = pagemap;
    state.mapType = dev.platform.p2p === null ? 'not-supported' : dev.platform.p2p.mapType(pagemap, dev);
  }
  return state.mapType;
}
