// The mapping type of range lists: its offers, the operations of exporters, and the calls of importers.
// Source followed: our own, in the frame of the RFC: agreed on as tables are, mapped as dma_buf_map_attachment maps.
// Simplified: none.

import type { Device, DmaDataDirection } from '@sgfree/dma-core';
import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, warnViolation } from '@sgfree/mm';
import type { PciDev } from '@sgfree/p2p';
import type { DmaBufAttachment } from '../buffer/dma-buf-attachment.ts';
import {
  type Mapper,
  type MappingFace,
  mapAttachment,
  plainFace,
  unmapAttachment,
} from '../buffer/map-attachment.ts';
import { deviceMappingType } from './device-mapping-type.ts';
import type { DmaRangeList } from './dma-range-list.ts';
import { mapTypeOf } from './mapping-attachment.ts';
import type { DmaBufMappingMatch, DmaBufMappingType } from './mapping-match.ts';
import { type DmaDeviceMatch, exportingFields, importingFields } from './p2p-requirement.ts';

/**
 * The mapping type of range lists.
 * @alpha
 */
export const dmaBufMappingRangeListType: DmaBufMappingType<DmaDeviceMatch> =
  deviceMappingType('DMA Mapped Range List');

/**
 * What an exporter does for range lists; both with the reservation lock held.
 * @beta
 */
export interface RangeListExpOps {
  /** Null counts as -ENOMEM. */
  mapRanges(
    attach: DmaBufAttachment<DmaRangeList>,
    dir: DmaDataDirection,
  ): ModelTask<Outcome<DmaRangeList | null>>;
  unmapRanges(
    attach: DmaBufAttachment<DmaRangeList>,
    list: DmaRangeList,
    dir: DmaDataDirection,
  ): ModelTask<void>;
}

/**
 * An exporter's offer. `peer` = the exporting device, which importers must reach by peer-to-peer DMA; null for memory that
 * every device reaches.
 * @alpha
 */
export const rangeListExporterMatch = (ops: RangeListExpOps, peer: PciDev | null): DmaBufMappingMatch => ({
  type: dmaBufMappingRangeListType,
  ...exportingFields(ops, peer),
});

/**
 * An importer's offer for `dev`, which takes a peer's memory or does not.
 * @alpha
 */
export const rangeListImporterMatch = (dev: Device, acceptsP2p: boolean): DmaBufMappingMatch => ({
  type: dmaBufMappingRangeListType,
  ...importingFields(dev, acceptsP2p),
});

/**
 * True for an attachment that agreed on range lists.
 * @beta
 */
export const takesRangeLists = <M>(
  attach: DmaBufAttachment<M>,
): attach is DmaBufAttachment<M> & DmaBufAttachment<DmaRangeList> =>
  mapTypeOf(attach)?.type === dmaBufMappingRangeListType;

/**
 * Maps an attachment that agreed on range lists, with the reservation lock held; pins and waits for static importers as for
 * tables. -EINVAL (a violation `dma-buf-no-range-list`) for another attachment, or the errno of the step that failed, with
 * everything before it undone.
 * @beta
 */
export function* dmaBufMapRangeList(
  attach: DmaBufAttachment<DmaRangeList>,
  dir: DmaDataDirection,
): ModelTask<Outcome<DmaRangeList>> {
  const mapper = mapperOf(attach);
  if (mapper === null) return failure(Errno.EINVAL);
  return yield* mapAttachment<DmaRangeList>(attach, dir, ownFace, mapper);
}

/**
 * Gives a list back, with the reservation lock held.
 * @beta
 */
export function* dmaBufUnmapRangeList(
  attach: DmaBufAttachment<DmaRangeList>,
  list: DmaRangeList,
  dir: DmaDataDirection,
): ModelTask<void> {
  const mapper = mapperOf(attach);
  if (mapper !== null) yield* unmapAttachment<DmaRangeList>(attach, list, dir, ownFace, mapper);
}

const ownFace = plainFace as MappingFace<DmaRangeList>;

function mapperOf(attach: DmaBufAttachment<DmaRangeList>): Mapper<DmaRangeList> | null {
  const matched = mapTypeOf(attach);
  if (matched?.type !== dmaBufMappingRangeListType) {
    const { platform, expName } = attach.dmabuf;
    warnViolation(platform.log, 'dma-buf-no-range-list', { buffer: expName });
    return null;
  }
  const ops = matched.expOps as RangeListExpOps;
  return {
    mapDmaBuf: (at, dir) => ops.mapRanges(at, dir),
    unmapDmaBuf: (at, list, dir) => ops.unmapRanges(at, list, dir),
  };
}
