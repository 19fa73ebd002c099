// P2pClient: what a device must tell of itself to be judged as the client of a provider.
// Source followed: drivers/pci/p2pdma.c (pci_p2pdma_map_type takes a struct device; distances climb dev->parent).
// The DMA layer's own device has all of these fields.
// Simplified: none.

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
  /** PCI segment (domain) of a PCI function; default 0. */
  readonly segment?: number;
  /** The device above it; distances look there for a PCI function. */
  readonly parent?: P2pClient | null;
}

/** Where a provider remembers what it found of a client: segment \<\< 16 | bus \<\< 8 | devfn. @internal */
export const mapTypesIndex = ({ segment, requesterId }: P2pClient): number =>
  (segment ?? 0) * 2 ** 16 + requesterId;

/** The nearest PCI device at or above `client`, or null. @internal */
export function pciParentOf(client: P2pClient): P2pClient | null {
  let at: P2pClient | null = client;
  while (at !== null && !at.isPci) at = at.parent ?? null;
  return at;
}
