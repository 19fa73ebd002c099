// PciDev: the kernel's view of one PCI function, as far as peer-to-peer DMA is concerned.
// Source followed: include/linux/pci.h (struct pci_dev: p2pdma, non_mappable_bars and the resources).
// Simplified: memory BARs only; a BAR that is none here (I/O ports, or not there) has no provider.

import { type PciFunction, type PhysAddr, physAddr, rawOffset } from '@sgfree/hw-model';
import { pciName } from './fabric-route-view.ts';
import type { P2pClient } from './p2p-client.ts';
import type { P2pPlatform } from './p2p-platform.ts';
import type { PciP2pdma } from './pci-p2pdma.ts';

/**
 * A PCI function with its peer-to-peer state.
 * @public
 */
export class PciDev implements P2pClient {
  readonly platform: P2pPlatform;
  readonly fn: PciFunction;
  readonly isPci = true;
  /** Set for functions whose BARs must not be mapped by anyone; they have no providers. */
  nonMappableBars = false;
  /** Null before `pcimP2pdmaInit` and after the owner's driver is gone. */
  p2pdma: PciP2pdma | null = null;

  constructor(platform: P2pPlatform, fn: PciFunction) {
    this.platform = platform;
    this.fn = fn;
  }

  get name(): string {
    return pciName(this.fn);
  }

  get requesterId(): number {
    return this.fn.requesterId;
  }

  get segment(): number {
    return this.fn.bus.host.segment;
  }
}

/**
 * The CPU physical address at which a memory BAR starts; null when `bar` is none.
 * @public
 * @kernel pci_resource_start
 */
export function pciResourceStart(pdev: PciDev, bar: number): PhysAddr | null {
  const found = pdev.fn.bar(bar);
  return found === undefined ? null : physAddr(rawOffset(found.address, -pdev.fn.bus.host.busOffset));
}

/**
 * The bytes of a memory BAR; 0 when `bar` is none.
 * @public
 * @kernel pci_resource_len
 */
export const pciResourceLen = (pdev: PciDev, bar: number): number => pdev.fn.bar(bar)?.bytes ?? 0;
