// PciP2pdma: the peer-to-peer state of a function that offers memory: a provider per BAR, map types found, a pool.
// Source followed: drivers/pci/p2pdma.c (struct pci_p2pdma, struct p2pdma_provider).
// It lives from the first initialisation to the end of the owner's driver.
// Simplified: no RCU; one CPU at a time looks at it.

import type { P2pdmaMapType } from './calc-map-type.ts';
import type { P2pmemMapping } from './p2pmem-mmap.ts';
import type { P2pmemPool } from './p2pmem-pool.ts';
import type { PciDev } from './pci-dev.ts';

/**
 * The memory of one BAR as a place to send requests to (`struct p2pdma_provider`). Its identity is that of function
 * and BAR: two slices of one BAR share it.
 * @public
 */
export interface P2pdmaProvider {
  readonly owner: PciDev;
  readonly bar: number;
  /** Bus address minus CPU physical address; 0 on x86. */
  readonly busOffset: number;
}

/**
 * Peer-to-peer state of one function (`struct pci_p2pdma`).
 * @public
 */
export class PciP2pdma {
  /** By BAR number 0 to 5; null where the BAR is no memory. */
  readonly mem: readonly (P2pdmaProvider | null)[];
  /** Map types by client, segment \<\< 16 | bus \<\< 8 | devfn. Nothing ever takes one out. */
  readonly mapTypes: Map<number, P2pdmaMapType> = new Map();
  /** Null until pages of a BAR are registered. */
  pool: P2pmemPool | null = null;
  p2pmemPublished = false;
  /** Processes' mappings of pool pages. */
  readonly mappings: Set<P2pmemMapping> = new Set();

  constructor(mem: readonly (P2pdmaProvider | null)[]) {
    this.mem = mem;
  }
}
