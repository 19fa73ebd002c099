// Taking a physical list from an exporter, and what a list has to be.
// Source followed: the RFC, which does not say what a list must be. Here: not empty, whole pages, and as long as the buffer;
// ranges may overlap, as VFIO's may. A list that is not so goes back at once.
// Simplified: none.

import { type ModelTask, offsetWithin, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, warnViolation } from '@sgfree/mm';
import type { DmaBufAttachment } from '../buffer/dma-buf-attachment.ts';
import type { DmaBufMappingPalExpOps, DmaBufPhysList } from './phys-list-type.ts';

/**
 * The exporter's list; its errors, and -EINVAL (a violation `dma-buf-phys-list`) for a list that is none.
 * @internal
 */
export function* takePhysList(
  attach: DmaBufAttachment<DmaBufPhysList>,
  ops: DmaBufMappingPalExpOps,
): ModelTask<Outcome<DmaBufPhysList>> {
  const list = yield* ops.mapPhys(attach);
  if (!list.ok || isWhole(list.value, attach.dmabuf.size)) return list;
  const { platform, expName } = attach.dmabuf;
  warnViolation(platform.log, 'dma-buf-phys-list', { buffer: expName, ranges: list.value.phys.length });
  yield* ops.unmapPhys(attach, list.value);
  return failure(Errno.EINVAL);
}

const inPages = (bytes: number): boolean => offsetWithin(bytes, PAGE_SIZE) === 0;

function isWhole({ phys }: DmaBufPhysList, size: number): boolean {
  const bytes = phys.reduce((sum, { len }) => sum + len, 0);
  return bytes === size && phys.every(({ paddr, len }) => len > 0 && inPages(len) && inPages(paddr));
}
