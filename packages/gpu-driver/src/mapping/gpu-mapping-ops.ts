// An exporter that offers kinds of mapping and nothing else: VRAM for importers that reach the card, system memory for all.
// Source followed: our own, after the RFC's conversions of amdgpu and xe ([requires peer-to-peer, plain]), on range lists. Each
// offer has operations of its own, so that what an importer may get is fixed when it attaches; what was mapped is in the list
// that it gives back, whatever has become of the object since.
// Simplified: no private fabric between cards; a card is always awake, and the references that keep it so are counted.

import {
  type DmaBufAttachment,
  type DmaBufMappingMatch,
  type DmaBufMappingOps,
  type DmaDeviceMatch,
  type DmaRangeList,
  dmaBufFreeRangeList,
  dmaBufMatchMapping,
  dmaBufPhysVecToRangeList,
  mapTypeOf,
  type RangeListExpOps,
  rangeListExporterMatch,
} from '@sgfree/dma-buf';
import type { DmaDataDirection } from '@sgfree/dma-core';
import type { ModelTask, YieldPoint } from '@sgfree/hw-model';
import { Errno, failure, type Outcome } from '@sgfree/mm';
import type { GpuMemoryType } from '../memory/gpu-resource.ts';
import type { GpuBo } from '../objects/gpu-bo.ts';
import { pinBo, unpinBo, validateBo } from '../objects/place-bo.ts';
import { forgetBuffer } from '../objects/shared-buffer.ts';
import { pageRanges, vramRanges } from './phys-pieces.ts';

const ATTACH: YieldPoint = { at: 'gpu:attach' };
const PIN: YieldPoint = { at: 'gpu:pin' };
const MAP: YieldPoint = { at: 'gpu:map' };

/**
 * The operations of an exporter of mapping types over `bo`. An importer that no offer suits is refused at attach with -EINVAL.
 * Mapping answers -EOPNOTSUPP for VRAM that the BAR does not show, -EINVAL for an object that is pinned where the importer may not
 * have it, -ENOMEM, and the errors of the mapping.
 * @beta
 */
export function gpuMappingOps(bo: GpuBo): DmaBufMappingOps {
  const peer = rangeOps(bo, () => peerPlacements(bo));
  const plain = rangeOps(bo, () => ['tt']);
  const offers = offersOf(bo, peer, plain);
  return {
    *matchMapping(args) {
      yield ATTACH;
      return dmaBufMatchMapping(args, offers);
    },
    attach: (_, attach) => keepAwake(bo, isPeer(attach) ? 1 : 0),
    *detach(_, attach) {
      yield* keepAwake(bo, isPeer(attach) ? -1 : 0);
    },
    pin: ({ dmabuf }) => pinFor(bo, dmabuf.attachments.every(isPeer)),
    *unpin() {
      yield PIN;
      unpinBo(bo);
    },
    *release(dmabuf) {
      yield MAP;
      forgetBuffer(bo, dmabuf);
    },
  };
}

/** VRAM first, for those who reach it; system memory for everybody, where the object may lie there. */
function offersOf(bo: GpuBo, peer: RangeListExpOps, plain: RangeListExpOps): DmaBufMappingMatch[] {
  const { placements, compressed } = bo.spec;
  const offers: DmaBufMappingMatch[] = [];
  if (placements.includes('vram') && compressed !== true)
    offers.push(rangeListExporterMatch(peer, bo.card.pdev));
  if (placements.includes('tt')) offers.push(rangeListExporterMatch(plain, null));
  return offers;
}

/** The importer reaches the card: the first offer was agreed on. */
function isPeer(attach: DmaBufAttachment<unknown>): boolean {
  const matched = mapTypeOf(attach) as DmaDeviceMatch | null;
  return matched?.exporterRequiresP2p === 'exporter-requires-p2p-distance';
}

function* keepAwake({ card }: GpuBo, references: number): ModelTask<number> {
  yield ATTACH;
  card.runtimeRefs += references;
  return 0;
}

/** Peers get the object where the BAR shows it. */
function peerPlacements(bo: GpuBo): readonly GpuMemoryType[] {
  bo.visible = true;
  return bo.spec.placements;
}

/** Where every importer may have it: in VRAM only when all of them reach it. */
function* pinFor(bo: GpuBo, allPeers: boolean): ModelTask<number> {
  yield PIN;
  return yield* pinBo(bo, allPeers ? peerPlacements(bo) : ['tt']);
}

function rangeOps(bo: GpuBo, placements: () => readonly GpuMemoryType[]): RangeListExpOps {
  return {
    *mapRanges(attach, dir) {
      yield MAP;
      const error = yield* placed(bo, placements());
      return error === 0 ? rangeList(bo, attach, dir) : failure(-error as Errno);
    },
    *unmapRanges(attach, list, dir) {
      yield MAP;
      dmaBufFreeRangeList(attach, list, dir);
    },
  };
}

/** Moves the object to where the importer may have it; what is pinned stays. */
function* placed(bo: GpuBo, types: readonly GpuMemoryType[]): ModelTask<number> {
  if (bo.pinCount > 0 && types.includes(bo.resource.kind)) return 0;
  return yield* validateBo(bo, types);
}

function rangeList(
  bo: GpuBo,
  attach: DmaBufAttachment<DmaRangeList>,
  dir: DmaDataDirection,
): Outcome<DmaRangeList> {
  const { resource, card, bytes } = bo;
  if (resource.kind === 'tt') return dmaBufPhysVecToRangeList(attach, null, pageRanges(resource), bytes, dir);
  if (resource.kind !== 'vram') return failure(Errno.EINVAL);
  if (!card.vram.isVisible(resource.blocks)) return failure(Errno.EOPNOTSUPP);
  return dmaBufPhysVecToRangeList(attach, card.provider, vramRanges(card, resource), bytes, dir);
}
