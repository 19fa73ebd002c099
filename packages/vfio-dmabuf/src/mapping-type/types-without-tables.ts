// What a VFIO exporter offers at the end of the road: the new kinds of mapping, and no tables.
// Source followed: the RFC's VFIO conversion without its last offer.
// Simplified: none.

import type { VfioMapping } from '../export/exporter-mapping.ts';
import { vfioMappingTypes as typesOfStage5, type VfioOffer } from './vfio-mapping-types.ts';

/**
 * What is offered beside range lists, which always are.
 * @alpha
 */
export interface VfioMappingTypesOptions {
  /** Doors for iommufd: two that give physical addresses and one that gives none; default all three, in this order. */
  readonly doors?: readonly ('interconnect' | 'phys-list' | 'domain-window')[];
  /** Offers after the doors and before range lists. */
  readonly more?: readonly VfioOffer[];
}

/**
 * A device's mappings by mapping types. An importer that takes tables has nothing in common with it: attaching is -EINVAL, as without
 * a way for peer-to-peer DMA, before the device is asked; then -ENODEV while the memory is taken back and -EOPNOTSUPP for an importer
 * whose access could not be.
 * @alpha
 */
export function vfioMappingTypes(options: VfioMappingTypesOptions = {}): VfioMapping<unknown> {
  const { doors, more } = options;
  return typesOfStage5({
    ...(doors === undefined ? {} : { doors }),
    ...(more === undefined ? {} : { more }),
  });
}
