// An exporter as amdgpu is today: system memory or VRAM behind a scatterlist, decided at attach, pin and map.
// Source followed: drivers/gpu/drm/amd/amdgpu/amdgpu_dma_buf.c.
// Kept from Linux: unmap tells the card's own memory from system memory by the page of the table's first entry, and VRAM from
// registers by where the object lies by then.
// Simplified: no XGMI peers (which amdgpu knows by their operations), no runtime suspend (a card is always awake; the reference is
// counted).

import type { DmaBuf, DmaBufAttachment } from '@sgfree/dma-buf';
import type { DmaBufOps } from '@sgfree/dma-buf/stage-3';
import type { DmaDataDirection } from '@sgfree/dma-core';
import { NO_PAGE, type SgTable } from '@sgfree/dma-sg';
import type { ModelTask, YieldPoint } from '@sgfree/hw-model';
import { type Errno, failure, type Outcome } from '@sgfree/mm';
import { pciP2pdmaDistance } from '@sgfree/p2p';
import type { GpuMemoryType } from '../memory/gpu-resource.ts';
import type { GpuBo } from '../objects/gpu-bo.ts';
import { pinBo, unpinBo, validateBo } from '../objects/place-bo.ts';
import { forgetBuffer } from '../objects/shared-buffer.ts';
import { freeMmioRemapSgt, mmioRemapSgt } from './mmio-remap-sgt.ts';
import { freeSystemSgt, systemSgt } from './system-sgt.ts';
import { freeVramSgt, vramSgt } from './vram-sgt.ts';

type Attachment = DmaBufAttachment<SgTable>;

const ATTACH: YieldPoint = { at: 'amdgpu:attach' };
const PIN: YieldPoint = { at: 'amdgpu:pin' };
const MAP: YieldPoint = { at: 'amdgpu:map' };

/**
 * The operations of an amdgpu-like exporter over `bo`.
 * @public
 */
export function amdgpuDmaBufOps(bo: GpuBo): DmaBufOps<SgTable> {
  return {
    attach: (_, attach) => amdgpuDmaBufAttach(bo, attach),
    detach: (_, attach) => amdgpuDmaBufDetach(bo, attach),
    pin: ({ dmabuf }) => amdgpuDmaBufPin(bo, dmabuf),
    unpin: () => amdgpuDmaBufUnpin(bo),
    mapDmaBuf: (attach, dir) => amdgpuDmaBufMap(bo, attach, dir),
    unmapDmaBuf: (attach, table, dir) => amdgpuDmaBufUnmap(bo, attach, table, dir),
    release: (dmabuf) => amdgpuRelease(bo, dmabuf),
  };
}

/** Never refuses; an importer out of reach, and any importer of a compressed object, gets system memory. */
function* amdgpuDmaBufAttach(bo: GpuBo, attach: Attachment): ModelTask<number> {
  yield ATTACH;
  const { card, spec } = bo;
  if (spec.compressed === true) attach.peer2peer = false;
  if (attach.peer2peer && pciP2pdmaDistance(card.pdev, attach.dev, false) < 0) attach.peer2peer = false;
  if (attach.peer2peer) card.runtimeRefs += 1;
  return 0;
}

function* amdgpuDmaBufDetach(bo: GpuBo, { peer2peer }: Attachment): ModelTask<void> {
  yield ATTACH;
  if (peer2peer) bo.card.runtimeRefs -= 1;
}

/** In VRAM, and seen through the BAR, only when every importer takes a peer's memory. */
function* amdgpuDmaBufPin(bo: GpuBo, { attachments }: DmaBuf<SgTable>): ModelTask<number> {
  yield PIN;
  const inVram = bo.spec.placements.includes('vram') && attachments.every(({ peer2peer }) => peer2peer);
  if (inVram) bo.visible = true;
  return yield* pinBo(bo, inVram ? ['vram'] : ['tt']);
}

function* amdgpuDmaBufUnpin(bo: GpuBo): ModelTask<void> {
  yield PIN;
  unpinBo(bo);
}

function* amdgpuDmaBufMap(bo: GpuBo, attach: Attachment, dir: DmaDataDirection): ModelTask<Outcome<SgTable>> {
  yield MAP;
  if (bo.pinCount === 0) {
    const error = yield* validateBo(bo, placementsFor(bo, attach));
    if (error !== 0) return failure(-error as Errno);
  }
  const { resource, card } = bo;
  if (resource.kind === 'tt') return systemSgt(card, resource, attach.dev, dir);
  if (resource.kind === 'mmio-remap') return mmioRemapSgt(card, resource, attach.dev, dir);
  return vramSgt(card, resource, attach.dev, dir);
}

/** What an unpinned object may lie in for this importer. */
function placementsFor(bo: GpuBo, { peer2peer }: Attachment): GpuMemoryType[] {
  if (bo.spec.placements[0] === 'mmio-remap') return ['mmio-remap'];
  if (!peer2peer || !bo.spec.placements.includes('vram')) return ['tt'];
  bo.visible = true;
  return ['vram', 'tt'];
}

function* amdgpuDmaBufUnmap(
  bo: GpuBo,
  { dev }: Attachment,
  table: SgTable,
  dir: DmaDataDirection,
): ModelTask<void> {
  yield MAP;
  if (table.list.pageFrame[0] !== NO_PAGE) freeSystemSgt(table, dev, dir);
  else if (bo.resource.kind === 'mmio-remap') freeMmioRemapSgt(table, dev, dir);
  else freeVramSgt(table, dev, dir);
}

function* amdgpuRelease(bo: GpuBo, dmabuf: DmaBuf<SgTable>): ModelTask<void> {
  yield MAP;
  forgetBuffer(bo, dmabuf);
}
