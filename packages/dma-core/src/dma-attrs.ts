// DmaAttrs: wishes and facts that travel with one mapping.
// Source followed: include/linux/dma-mapping.h (DMA_ATTR_*), include/trace/events/dma.h (their printed names).
// Simplified: the bits appear only where records are read; an absent field is a clear bit.

/**
 * Attributes of a mapping (`unsigned long attrs`).
 * @public
 */
export interface DmaAttrs {
  /** Ignored by this layer. */
  readonly weakOrdering?: boolean;
  /** Ignored by this layer on x86-64. */
  readonly writeCombine?: boolean;
  /** The CPU side of coherent memory stays unmapped. */
  readonly noKernelMapping?: boolean;
  /** No cache maintenance, and no copy back from a bounce buffer on unmap. */
  readonly skipCpuSync?: boolean;
  /** Coherent memory behind an IOMMU must be physically contiguous too. */
  readonly forceContiguous?: boolean;
  /** Coherent memory from the smallest pages only. */
  readonly allocSinglePages?: boolean;
  /** No report when bounce space runs out. */
  readonly noWarn?: boolean;
  /** Adds IOMMU_PRIV. */
  readonly privileged?: boolean;
  /** The address is MMIO, not RAM: no bouncing, no cache maintenance, IOMMU_MMIO. */
  readonly mmio?: boolean;
  /** Read by dma-debug only. */
  readonly debuggingIgnoreCachelines?: boolean;
  /** Fail rather than bounce; fail on a non-coherent device. */
  readonly requireCoherent?: boolean;
  /** Confidential computing: the address is shared. */
  readonly ccShared?: boolean;
}

/**
 * No attributes.
 * @public
 */
export const NO_ATTRS: DmaAttrs = {};

const traceNames: readonly (readonly [keyof DmaAttrs, string])[] = [
  ['weakOrdering', 'WEAK_ORDERING'],
  ['writeCombine', 'WRITE_COMBINE'],
  ['noKernelMapping', 'NO_KERNEL_MAPPING'],
  ['skipCpuSync', 'SKIP_CPU_SYNC'],
  ['forceContiguous', 'FORCE_CONTIGUOUS'],
  ['allocSinglePages', 'ALLOC_SINGLE_PAGES'],
  ['noWarn', 'NO_WARN'],
  ['privileged', 'PRIVILEGED'],
  ['mmio', 'MMIO'],
  ['debuggingIgnoreCachelines', 'CACHELINES_OVERLAP'],
  ['requireCoherent', 'REQUIRE_COHERENT'],
  ['ccShared', 'CC_SHARED'],
];

/**
 * The attributes as trace events print them: names joined by `|`, nothing for none.
 * @public
 */
export const attrsTraceName = (attrs: DmaAttrs): string =>
  traceNames
    .filter(([field]) => attrs[field] === true)
    .map(([, name]) => name)
    .join('|');
