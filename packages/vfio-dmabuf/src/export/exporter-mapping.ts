// VfioMapping: how a device's memory becomes reachable for an importer; the exporter itself does not care.
// Source followed: the split that the mapping types of the road ask for; stage 3 has tables only.
// Simplified: none.

import type { DmaBuf, DmaBufAttachment, DmaBufIdentity, DmaBufPlatform } from '@sgfree/dma-buf';
import type { DmaDataDirection } from '@sgfree/dma-core';
import type { Outcome } from '@sgfree/mm';
import type { VfioPciDmaBuf } from './vfio-pci-dma-buf.ts';

/**
 * Makes and undoes mappings; called with the reservation lock held.
 * @public
 */
export interface VfioMapping<Mapping> {
  /** The errno of a failure is the importer's. */
  map(attach: DmaBufAttachment<Mapping>, priv: VfioPciDmaBuf, dir: DmaDataDirection): Outcome<Mapping>;
  unmap(attach: DmaBufAttachment<Mapping>, mapping: Mapping, dir: DmaDataDirection): void;
  /** Exports a buffer with operations of its own; absent = with those that map and unmap as above. */
  exportBuffer?(platform: DmaBufPlatform, info: DmaBufIdentity): Outcome<DmaBuf<Mapping>>;
}
