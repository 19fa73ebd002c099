// Mapping words: a mapping in a few words, the same in reasons, tables and notes.
// Source followed: the names of the DMA API.
// Simplified: what was inferred is said to be inferred, without the rule.

import type { TracedMappingKind } from '../traced-mapping.ts';
import type { MappingSighting } from './mapping-sighting.ts';
import { bytesText, hexText } from './wording.ts';

/**
 * The call that makes a mapping of each kind.
 * @internal
 */
export const KIND_CALL: Readonly<Record<TracedMappingKind, string>> = {
  phys: 'dma_map_phys',
  sg: 'dma_map_sg',
  coherent: 'dma_alloc',
  'two-step': 'two-step (dma_iova_*)',
  'iommu-api': 'IOMMU API',
};

/**
 * `dma_alloc of 0000:01:00.0, 4,096 bytes (4 KiB) at 0x1000`.
 * @public
 */
export const mappingText = (one: MappingSighting): string =>
  `${KIND_CALL[one.kind]} of ${deviceWords(one)}, ${sizeWords(one)} at ${hexText(one.dmaAddr)}`;

/** The device, or that nobody knows it. */
export const deviceWords = ({ device, deviceFrom }: MappingSighting): string =>
  device === '' ? 'an unnamed device' : deviceFrom === 'recorded' ? device : `${device} (inferred)`;

/** The size, and whether its ends are those of whole granules. */
export const sizeWords = ({ bytes, bytesFrom }: MappingSighting): string =>
  bytesFrom === 'recorded' ? bytesText(bytes) : `${bytesText(bytes)} in whole granules`;
