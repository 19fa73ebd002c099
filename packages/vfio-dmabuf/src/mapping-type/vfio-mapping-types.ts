// What a VFIO exporter offers from stage 5 on: the new kinds of mapping first, tables last, for importers that have not moved.
// Source followed: the RFC's VFIO conversion, whose order is physical list, then tables that require peer-to-peer; range lists
// between them are our own. A match looks at the function behind the provider, not at the device that a user may close.
// Simplified: none.

import {
  type DmaBufAttachment,
  type DmaBufMappingMatch,
  type DmaBufMappingOps,
  dmaBufAttachRevocable,
  dmaBufMappingExport,
  dmaBufMatchMapping,
  type RangeListExpOps,
  rangeListExporterMatch,
} from '@sgfree/dma-buf';
import { InternalError, type ModelTask, type YieldPoint } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import type { VfioMapping } from '../export/exporter-mapping.ts';
import { privOf, vfioPciDmaBufOps } from '../export/exporter-ops.ts';
import type { VfioPciDmaBuf } from '../export/vfio-pci-dma-buf.ts';
import { domainWindowOffer, interconnectOffer, physListOffer } from './physical-door.ts';
import { rangeListMapping } from './range-list-mapping.ts';

const ATTACH: YieldPoint = { at: 'vfio:attach' };
const MATCH: YieldPoint = { at: 'vfio:match' };

/**
 * A kind of mapping that a VFIO exporter can be given beyond its own.
 * @alpha
 */
export type VfioOffer = (priv: VfioPciDmaBuf) => DmaBufMappingMatch;

/**
 * What is offered beside range lists, which always are.
 * @alpha
 */
export interface VfioMappingTypesOptions {
  /** Doors for iommufd: two that give physical addresses and one that gives none; default all three, in this order. */
  readonly doors?: readonly ('interconnect' | 'phys-list' | 'domain-window')[];
  /** Offers after the doors and before range lists. */
  readonly more?: readonly VfioOffer[];
  /** The last offer, of tables; without it importers of tables cannot attach. */
  readonly tables?: VfioOffer;
}

/**
 * A device's mappings by mapping types: an importer attaches with what both have. Without a common kind, or without a way for
 * peer-to-peer DMA, attaching is -EINVAL, before the device is asked; then -ENODEV while the memory is taken back and
 * -EOPNOTSUPP for an importer whose access could not be.
 * @alpha
 */
export function vfioMappingTypes(options: VfioMappingTypesOptions = {}): VfioMapping<unknown> {
  const { doors = ['interconnect', 'phys-list', 'domain-window'], more = [], tables } = options;
  const offers: readonly VfioOffer[] = [
    ...(doors.includes('interconnect') ? [() => interconnectOffer] : []),
    ...(doors.includes('phys-list') ? [() => physListOffer] : []),
    ...(doors.includes('domain-window') ? [() => domainWindowOffer] : []),
    ...more,
    rangeListOffer,
    ...(tables === undefined ? [] : [tables]),
  ];
  const ops = mappingOps(offers);
  return {
    ...noPlainMapping,
    exportBuffer: (platform, info) => dmaBufMappingExport(platform, { ...info, ops }),
  };
}

/** Mappings are made by the kind that was agreed on. */
const noPlainMapping: VfioMapping<unknown> = {
  map: () => {
    throw new InternalError('a buffer with mapping types is mapped without one');
  },
  unmap: () => {
    throw new InternalError('a buffer with mapping types is unmapped without one');
  },
};

const ranges = vfioPciDmaBufOps(rangeListMapping);
const plain = vfioPciDmaBufOps(noPlainMapping);

const rangeListOps: RangeListExpOps = {
  mapRanges: (attach, dir) => ranges.mapDmaBuf(attach, dir),
  unmapRanges: (attach, list, dir) => ranges.unmapDmaBuf(attach, list, dir),
};

const rangeListOffer: VfioOffer = ({ provider }) => rangeListExporterMatch(rangeListOps, provider.owner);

const mappingOps = (offers: readonly VfioOffer[]): DmaBufMappingOps => ({
  attach: (_, attach) => mappingAttach(attach),
  release: (dmabuf) => plain.release(dmabuf),
  *matchMapping(args) {
    yield MATCH;
    const priv = privOf(args.dmabuf);
    return dmaBufMatchMapping(
      args,
      offers.map((offer) => offer(priv)),
    );
  },
});

/** Whether the importer takes a peer's memory was a question of the match. */
function* mappingAttach(attach: DmaBufAttachment<unknown>): ModelTask<number> {
  yield ATTACH;
  const priv = privOf(attach.dmabuf);
  if (priv.revoked) return -Errno.ENODEV;
  if (priv.waits && !dmaBufAttachRevocable(attach)) return -Errno.EOPNOTSUPP;
  return 0;
}
