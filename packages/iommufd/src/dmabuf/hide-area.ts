// Taking a buffer's area out of one domain, by whoever put it there.
// Source followed: iopt_revoke_notify() and iopt_area_unmap_domain() in drivers/iommu/iommufd/pages.c; windows are our own.
// Simplified: none.

import { type DmaBufAttachment, dmaBufUnmapDomain } from '@sgfree/dma-buf';
import type { ModelTask } from '@sgfree/hw-model';
import { ioptAreaBytes } from '../area/iopt-area.ts';
import type { DoorAnswer } from './door-answer.ts';
import type { TrackedPlace } from './iopt-dma-buf.ts';

/**
 * Empties a place of a buffer that is not taken back. The pages' mutex is held, for a window the reservation lock too.
 * @internal
 */
export function* hideArea(
  attach: DmaBufAttachment<unknown>,
  place: TrackedPlace,
  shown: DoorAnswer,
): ModelTask<void> {
  const { area, domain } = place;
  if (shown.frames !== null) {
    domain.unmap(area.first, ioptAreaBytes(area, area.firstIndex, area.lastIndex));
  } else {
    yield* hideWindow(attach, place);
  }
}

/**
 * Gives a window back, where there is one. The reservation lock is held.
 * @internal
 */
export function* hideWindow(attach: DmaBufAttachment<unknown>, place: TrackedPlace): ModelTask<void> {
  const { window } = place;
  place.window = null;
  if (window !== null) yield* dmaBufUnmapDomain(attach, window);
}
