// Areas of a buffer that comes through the converter: each place that shows one is a window, asked for and given back.
// Source followed: our own; where iommufd would read frames and map them, the exporter or the core maps.
// No physical address is in reach here: a window is named by an IOVA and an offset in the buffer.
// Simplified: none.

import { type DmaBufAttachment, dmaBufMapDomain, dmaResvLock, dmaResvUnlock } from '@sgfree/dma-buf';
import { InternalError, type ModelTask, PAGE_SIZE } from '@sgfree/hw-model';
import { type IoptArea, ioptAreaBytes } from '../area/iopt-area.ts';
import type { IoptDomain } from '../domain/iopt-domain.ts';
import type { IoptPages } from '../pages/iopt-pages.ts';
import { hideArea, hideWindow } from './hide-area.ts';
import { type IoptDmaBuf, ioptDmaBufOf, type TrackedPlace } from './iopt-dma-buf.ts';

/** The buffer of pages whose areas are windows, also once it was taken back; else null. */
function windowedBuffer(pages: IoptPages): IoptDmaBuf | null {
  const buffer = ioptDmaBufOf(pages);
  return buffer?.door === 'converter' ? buffer : null;
}

/**
 * True for pages whose areas are shown as windows.
 * @internal
 */
export const hasWindows = (pages: IoptPages): boolean => windowedBuffer(pages) !== null;

/**
 * Takes the pages' mutex to fill domains or to empty them; the reservation lock before it when the exporter does that.
 * @internal
 */
export function* lockToFill(pages: IoptPages): ModelTask<void> {
  const buffer = windowedBuffer(pages);
  if (buffer !== null) yield* dmaResvLock(buffer.dmabuf.resv);
  yield* pages.mutex.lock();
}

/**
 * Ends what {@link lockToFill} began.
 * @internal
 */
export function unlockFilled(pages: IoptPages): void {
  pages.mutex.unlock();
  const buffer = windowedBuffer(pages);
  if (buffer !== null) dmaResvUnlock(buffer.dmabuf.resv);
}

/**
 * Shows an area in domains where it is tracked. Errors of the exporter and of the driver; then it is shown in none of them.
 * @internal
 */
export function* showWindows(
  area: IoptArea,
  pages: IoptPages,
  domains: readonly IoptDomain[],
): ModelTask<number> {
  const buffer = attachedBuffer(pages);
  const shown: TrackedPlace[] = [];
  for (const domain of domains) {
    const place = placeOf(buffer, area, domain);
    const errno = yield* showWindow(buffer, place);
    if (errno !== 0) {
      for (const before of shown) yield* hideWindow(buffer.attach, before);
      return errno;
    }
    shown.push(place);
  }
  return 0;
}

/**
 * Takes an area of a buffer out of one domain, by whatever door it came; a revoked buffer has nothing there.
 * @internal
 */
export function* hideFromDomain(area: IoptArea, pages: IoptPages, domain: IoptDomain): ModelTask<void> {
  const buffer = attachedBuffer(pages);
  if (buffer.shown === null) return;
  yield* hideArea(buffer.attach, placeOf(buffer, area, domain), buffer.shown);
}

type Attached = IoptDmaBuf & { readonly attach: DmaBufAttachment<unknown> };

function attachedBuffer(pages: IoptPages): Attached {
  const buffer = ioptDmaBufOf(pages);
  if (buffer === null || buffer.attach === null)
    throw new InternalError('no attached buffer is behind the pages');
  return buffer as Attached;
}

function placeOf({ tracker }: IoptDmaBuf, area: IoptArea, domain: IoptDomain): TrackedPlace {
  const place = tracker.find((tracked) => tracked.area === area && tracked.domain === domain);
  if (place === undefined) throw new InternalError('an area of a buffer is shown where nobody tracks it');
  return place;
}

function* showWindow({ attach, startPage }: Attached, place: TrackedPlace): ModelTask<number> {
  const { area, domain } = place;
  const window = yield* dmaBufMapDomain(attach, {
    domain: domain.domain,
    unitsPerPage: domain.unitsPerPage,
    iovaPage: area.first.page,
    iovaByte: area.first.byte,
    offset: (startPage + area.firstIndex) * PAGE_SIZE + area.pageOffset,
    length: ioptAreaBytes(area, area.firstIndex, area.lastIndex),
    prot: area.prot,
    smallPages: area.iopt.disableLargePages,
  });
  if (!window.ok) return -window.errno;
  place.window = window.value;
  return 0;
}
