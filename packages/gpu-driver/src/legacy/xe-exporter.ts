// An exporter as xe is today: the same scatterlist without pages, with rules of its own about where an object may lie.
// Source followed: drivers/gpu/drm/xe/xe_dma_buf.c, xe_ttm_vram_mgr.c.
// Kept from Linux: unmap tells VRAM from system memory by the page of the table's first entry; VRAM that the BAR does not show
// cannot be mapped.
// Simplified: no purgeable objects.

import type { DmaBuf, DmaBufAttachment } from '@sgfree/dma-buf';
import type { DmaBufOps } from '@sgfree/dma-buf/stage-3';
import type { DmaDataDirection } from '@sgfree/dma-core';
import { NO_PAGE, type SgTable } from '@sgfree/dma-sg';
import type { ModelTask, YieldPoint } from '@sgfree/hw-model';
import { Errno, failure, type Outcome } from '@sgfree/mm';
import { pciP2pdmaDistance } from '@sgfree/p2p';
import type { GpuBo } from '../objects/gpu-bo.ts';
import { unpinBo, validateBo } from '../objects/place-bo.ts';
import { forgetBuffer } from '../objects/shared-buffer.ts';
import { freeSystemSgt, systemSgt } from './system-sgt.ts';
import { freeVramSgt, vramSgt } from './vram-sgt.ts';

type Attachment = DmaBufAttachment<SgTable>;

const ATTACH: YieldPoint = { at: 'xe:attach' };
const PIN: YieldPoint = { at: 'xe:pin' };
const MAP: YieldPoint = { at: 'xe:map' };

/**
 * The operations of an xe-like exporter over `bo`.
 * @public
 */
export function xeDmaBufOps(bo: GpuBo): DmaBufOps<SgTable> {
  return {
    attach: (_, attach) => xeDmaBufAttach(bo, attach),
    pin: ({ dmabuf }) => xeDmaBufPin(bo, dmabuf),
    unpin: () => xeDmaBufUnpin(bo),
    mapDmaBuf: (attach, dir) => xeDmaBufMap(bo, attach, dir),
    unmapDmaBuf: xeDmaBufUnmap,
    release: (dmabuf) => xeRelease(bo, dmabuf),
  };
}

/** -EOPNOTSUPP for an importer that cannot reach VRAM when the object can lie nowhere else. */
function* xeDmaBufAttach(bo: GpuBo, attach: Attachment): ModelTask<number> {
  yield ATTACH;
  if (attach.peer2peer && pciP2pdmaDistance(bo.card.pdev, attach.dev, false) < 0) attach.peer2peer = false;
  return attach.peer2peer || bo.spec.placements.includes('tt') ? 0 : -Errno.EOPNOTSUPP;
}

/**
 * Where it lies, unless an importer takes no peer's memory: then in system memory. -EINVAL for an object that somebody
 * pinned in a place that does not serve all.
 */
function* xeDmaBufPin(bo: GpuBo, { attachments }: DmaBuf<SgTable>): ModelTask<number> {
  yield PIN;
  const allowVram = attachments.every(({ peer2peer }) => peer2peer);
  if (bo.pinCount > 0 && bo.resource.kind === 'vram' && !allowVram) return -Errno.EINVAL;
  const error = allowVram ? 0 : yield* validateBo(bo, ['tt']);
  if (error === 0) bo.pinCount += 1;
  return error;
}

function* xeDmaBufUnpin(bo: GpuBo): ModelTask<void> {
  yield PIN;
  unpinBo(bo);
}

function* xeDmaBufMap(bo: GpuBo, attach: Attachment, dir: DmaDataDirection): ModelTask<Outcome<SgTable>> {
  yield MAP;
  if (bo.pinCount === 0) {
    const error = yield* validateBo(bo, attach.peer2peer ? bo.spec.placements : ['tt']);
    if (error !== 0) return failure(-error as Errno);
  }
  const { resource, card } = bo;
  if (resource.kind === 'tt') return systemSgt(card, resource, attach.dev, dir);
  if (resource.kind === 'mmio-remap') return failure(Errno.EINVAL);
  if (!card.vram.isVisible(resource.blocks)) return failure(Errno.EOPNOTSUPP);
  return vramSgt(card, resource, attach.dev, dir);
}

function* xeDmaBufUnmap({ dev }: Attachment, table: SgTable, dir: DmaDataDirection): ModelTask<void> {
  yield MAP;
  if (table.list.pageFrame[0] === NO_PAGE) freeVramSgt(table, dev, dir);
  else freeSystemSgt(table, dev, dir);
}

function* xeRelease(bo: GpuBo, dmabuf: DmaBuf<SgTable>): ModelTask<void> {
  yield MAP;
  forgetBuffer(bo, dmabuf);
}
