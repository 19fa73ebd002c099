// P2pClient: what a device must tell of itself to be judged as the client of a provider.
// Source followed: drivers/pci/p2pdma.c (pci_p2pdma_map_type takes a struct device; distances climb dev->parent).
// The DMA layer's own device has all of these fields.
// Simplified: one segment, so that bus, device and function name a PCI device.

/**
 * A device that may send requests to a provider.
 * @public
 */
export interface P2pClient {
  readonly name: string;
  /** False for a device that is not itself a PCI function, e.g. a platform device. */
  readonly isPci: boolean;
  /** Bus \<\< 8 | devfn of a PCI function. */
  readonly requesterId: number;
  /** The device above it; distances look there for a PCI function. */
  readonly parent?: P2pClient | null;
}

/** The nearest PCI device at or above `client`, or null. @internal */
export function pciParentOf(client: P2pClient): P2pClient | null {
  let at: P2pClient | null = client;
  while (at !== null && !at.isPci) at = at.parent ?? null;
  return at;
}
