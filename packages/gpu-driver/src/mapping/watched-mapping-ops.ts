// An exporter of range lists with somebody who looks on.
// Source followed: our own; what an importer agrees on is changed after the match, before there is an attachment.
// Simplified: range lists only; other kinds pass unseen.

import {
  type DmaBufMappingOps,
  dmaBufMappingRangeListType,
  type MatchedAttachment,
  type RangeListExpOps,
} from '@sgfree/dma-buf';
import type { GpuBo } from '../objects/gpu-bo.ts';
import type { MappingWatch } from './mapping-watch.ts';

/**
 * The operations of an exporter of range lists over `bo`, watched. Export the object with them.
 * @beta
 */
export function watchedMappingOps(bo: GpuBo, ops: DmaBufMappingOps, watch: MappingWatch): DmaBufMappingOps {
  return {
    ...ops,
    *matchMapping(args) {
      const error = ops.matchMapping === undefined ? 0 : yield* ops.matchMapping(args);
      if (error === 0) watchRanges(bo, args.attach, watch);
      return error;
    },
  };
}

function watchRanges(bo: GpuBo, attach: MatchedAttachment, watch: MappingWatch): void {
  const { mapType } = attach;
  if (mapType?.type !== dmaBufMappingRangeListType) return;
  const ops = mapType.expOps as RangeListExpOps;
  const expOps: RangeListExpOps = {
    mapRanges: (at, dir) => watch.watchMap(bo, at, () => ops.mapRanges(at, dir)),
    unmapRanges: (at, list, dir) => watch.watchUnmap(bo, at, list, () => ops.unmapRanges(at, list, dir)),
  };
  attach.mapType = { ...mapType, expOps };
}
