// The three doors by which a buffer of another driver comes into an I/O address space.
// Source followed: the interconnect of 7.3.4 (vfio_pci_dma_buf_iommufd_map), the physical address list of the RFC, and
// the converter of the RFC's review, which is our own design.
// Simplified: none.

import { type DmaBufMappingMatch, domainImporterMatch, vfioIommufdInterconnect } from '@sgfree/dma-buf';
import { palImporterMatch } from '@sgfree/dma-buf/iommufd';

/**
 * `interconnect`: one physical range, told privately. `pal`: physical ranges, lent by whoever has them. `converter`: the
 * exporter or the core shows the memory in a domain, and iommufd is told no physical address.
 * @public
 */
export type IommufdDoor = 'interconnect' | 'pal' | 'converter';

const OFFERS: Readonly<Record<IommufdDoor, DmaBufMappingMatch>> = {
  interconnect: vfioIommufdInterconnect.importerMatch,
  pal: palImporterMatch,
  converter: domainImporterMatch,
};

/** What iommufd offers for some doors when it attaches. @internal */
export const doorOffers = (doors: readonly IommufdDoor[]): DmaBufMappingMatch[] =>
  doors.map((door) => OFFERS[door]);

/** The door of an attachment that agreed on `match`; null: made without mapping types. @internal */
export function doorOfMatch(match: DmaBufMappingMatch | null): IommufdDoor {
  if (match?.type === OFFERS.pal.type) return 'pal';
  return match?.type === OFFERS.converter.type ? 'converter' : 'interconnect';
}
