// The rules by which a reconstruction says more than the lines of a trace: stable codes, each with its meaning.
// Source followed: where kernel/dma and drivers/iommu emit their trace events, and which calls emit none.
// Simplified: a code says which rule was used, not on which lines.

/**
 * Every rule that may stand in `TracedMapping.rules` or `TracedUnmapping.rules`, with what it says.
 * @public
 */
export const reconstructionRules = {
  'two-step-by-unmap':
    'the set of iommu:map lines without an API line that one iommu:unmap removes is one two-step transfer',
  'two-step-by-contiguity':
    'iommu:map lines without an API line, made by one task and contiguous in IOVA, are one two-step transfer',
  'iommu-api-by-task':
    'iommu:map lines of a task that is known to use the IOMMU directly (a virtual machine, VFIO) are no transfer',
  'iommu-api-by-identity':
    'an iommu:map line without an API line whose IOVA equals its physical address is a reserved region',
  'granule-ends':
    'only whole granules of the IOMMU are recorded; where the bytes begin and end inside is not',
  'device-by-domain-id':
    'the invalidation names a domain id that was seen with a known device, and with no other one; its group may have more',
  'device-by-group':
    'the domain id is 2 + the IOMMU group number, as it is for every device whose domain id is known here',
  'device-by-devtlb': 'the invalidation was sent to the cache of this device',
  'device-by-bounce': 'the line of a bounce buffer before an iommu:map line names this device',
  'device-only-one':
    'the DMA API lines of the trace name this device and no other; one that only maps in two steps would be missed',
  'device-only-one-of-task':
    'the DMA API map lines of this task name this device and no other; a task may work for others, an interrupt counts as its task',
  'coherent-is-bidirectional': 'an allocation line without a direction is bidirectional',
  'phys-by-identity':
    'an allocation without an iommu:map line lies where its DMA address says, as the direct mapping does',
  'phys-unknown': 'no line says which memory lies behind a piece; its physical address reads -1',
  'sg-truncated': 'the list of the line is cut; the rest is known from the iommu:map lines, or not at all',
  bounced: 'the iommu:map line shows other memory than the API line: the buffer was bounced',
  'no-map-line': 'the iommu:map line of this call is not in the trace, although others of this device are',
  'no-dma-events':
    'no line of the dma system was seen, so a call of the DMA API cannot be told from a transfer',
  'lost-events': 'events were lost before this point, so lines that would say otherwise may be missing',
  'owner-by-line': 'the owner of the unmapped range is named by the API line beside the iommu:unmap line',
  'owner-by-task':
    'of the mappings at this IOVA, this is of a task that maps for the device of the domain that the invalidation names',
  'owner-inside':
    'the range begins where nothing is known; of what lies inside it only this may have been meant',
  'owner-by-domain-id': 'of the mappings at this IOVA, the invalidation names the domain of this one',
  'owner-no-api-line':
    'of the mappings at this IOVA, this is the one whose unmapping leaves no API line behind the iommu:unmap line',
  'owner-by-size':
    'of the mappings at this IOVA, this one, or the lines of its task that continue it, end where the iommu:unmap line ends',
  'owner-oldest': 'of the mappings at this IOVA, this is the oldest',
  'owner-newest':
    'of the mappings at this IOVA, this is the newest; older ones may have lost their unmap line',
  superseded: 'the device maps the same address again, so the earlier mapping has ended; where is unknown',
  'direct-remap':
    'without an IOMMU drivers may leave out the unmapping; the same address was mapped again, which ends the earlier',
  'direct-not-held':
    'without an IOMMU drivers may leave out the unmapping; too many newer mappings were made since',
} as const;

/**
 * Code of a rule.
 * @public
 */
export type ReconstructionRule = keyof typeof reconstructionRules;
