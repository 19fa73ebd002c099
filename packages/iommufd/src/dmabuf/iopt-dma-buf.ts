// IoptDmaBuf: a dma-buf behind an I/O address space: by which door it came, who shows it, and how it is taken back.
// Source followed: iopt_map_dmabuf(), iopt_revoke_notify(), iopt_dmabuf_track_domain() in drivers/iommu/iommufd/pages.c.
// Revoking is for ever, by whatever door: the page-table entries go while the exporter waits, what was lent is given back,
// and nothing brings them back; the IOVAs stay taken until user space unmaps them.
// Simplified: none.

import {
  type DmaBuf,
  type DmaBufAttachment,
  type DmaBufAttachOps,
  type DmaBufDomainMapping,
  dmaBufDetach,
  dmaBufPut,
  dmaBufUnpin,
  dmaResvLock,
  dmaResvUnlock,
} from '@sgfree/dma-buf';
import { InternalError, type ModelTask } from '@sgfree/hw-model';
import type { IoptArea } from '../area/iopt-area.ts';
import type { IoptDomain } from '../domain/iopt-domain.ts';
import type { IommufdPlatform } from '../iommufd-platform.ts';
import type { IoptPages } from '../pages/iopt-pages.ts';
import type { DoorAnswer } from './door-answer.ts';
import type { FrameRun } from './frame-runs.ts';
import { hideArea } from './hide-area.ts';
import type { IommufdDoor } from './iommufd-door.ts';
import { openDoor } from './open-door.ts';

/**
 * A place where entries are, or would be without a revoke.
 * @internal
 */
export interface TrackedPlace {
  readonly area: IoptArea;
  readonly domain: IoptDomain;
  /** What the exporter shows there; null: nothing, or entries of iommufd's own. */
  window: DmaBufDomainMapping | null;
}

/**
 * An imported buffer.
 * @internal
 */
export class IoptDmaBuf {
  readonly dmabuf: DmaBuf<unknown>;
  /** Page aligned offset of page 0 of the pages, in pages. */
  readonly startPage: number;
  attach: DmaBufAttachment<unknown> | null = null;
  /** Fixed once it is attached. */
  door: IommufdDoor = 'interconnect';
  /**
   * Null until the exporter has answered, and again once it was taken back. Changed under the reservation lock and the
   * pages' mutex; read under either.
   */
  shown: DoorAnswer | null = null;
  readonly tracker: TrackedPlace[] = [];

  constructor(dmabuf: DmaBuf<unknown>, startPage: number) {
    this.dmabuf = dmabuf;
    this.startPage = startPage;
  }
}

/**
 * The buffer behind pages; null for pages of another source.
 * @internal
 */
export const ioptDmaBufOf = (pages: IoptPages): IoptDmaBuf | null =>
  pages.source.type === 'dmabuf' ? pages.source.buffer : null;

/**
 * True for pages of a buffer that was taken back.
 * @internal
 */
export const ioptDmaBufRevoked = (pages: IoptPages): boolean => ioptDmaBufOf(pages)?.shown === null;

/**
 * The page frames from a page of the buffer on, at most `most`. It must not be revoked, and its frames be known.
 * @internal
 */
export function ioptDmaBufRun({ shown, startPage }: IoptDmaBuf, index: number, most: number): FrameRun {
  if (shown === null || shown.frames === null) throw new InternalError('a buffer without frames is read');
  return shown.frames.runAt(startPage + index, most);
}

/**
 * Remembers that a domain shows, or would show, an area. Nothing for pages that are no buffer. The pages' mutex is held.
 * @internal
 */
export function ioptDmaBufTrack(pages: IoptPages, area: IoptArea, domain: IoptDomain): void {
  ioptDmaBufOf(pages)?.tracker.push({ area, domain, window: null });
}

/**
 * Forgets what {@link ioptDmaBufTrack} remembered.
 * @internal
 */
export function ioptDmaBufUntrack(pages: IoptPages, area: IoptArea, domain: IoptDomain): void {
  const tracker = ioptDmaBufOf(pages)?.tracker ?? [];
  const at = tracker.findIndex((place) => place.area === area && place.domain === domain);
  if (at >= 0) tracker.splice(at, 1);
}

/** The exporter takes the buffer back; the reservation lock is held. */
function* revokeNotify(attach: DmaBufAttachment<unknown>): ModelTask<void> {
  const pages = attach.importerPriv as IoptPages;
  const buffer = ioptDmaBufOf(pages);
  if (buffer === null) throw new InternalError('pages without a buffer are attached');
  yield* pages.mutex.lock();
  const { shown } = buffer;
  if (shown !== null) {
    for (const place of buffer.tracker) yield* hideArea(attach, place, shown);
    buffer.shown = null;
    yield* shown.giveBack();
  }
  pages.mutex.unlock();
}

const ATTACH_OPS: DmaBufAttachOps<unknown> = { allowPeer2peer: true, invalidateMappings: revokeNotify };

/**
 * Attaches and pins a buffer and asks how it is shown. Errors of the exporter; -EOPNOTSUPP when no door opens.
 * @internal
 */
export function* ioptDmaBufAttach(platform: IommufdPlatform, pages: IoptPages): ModelTask<number> {
  const buffer = ioptDmaBufOf(pages);
  if (buffer === null) throw new InternalError('pages without a buffer are attached');
  return yield* openDoor({ platform, pages, buffer, ops: ATTACH_OPS });
}

/**
 * Lets the buffer go: what was lent is given back and the buffer unpinned under its lock, then it is detached and its
 * reference given back.
 * @internal
 */
export function* ioptDmaBufRelease(buffer: IoptDmaBuf): ModelTask<void> {
  const { dmabuf, attach } = buffer;
  if (attach !== null) {
    yield* dmaResvLock(dmabuf.resv);
    const { shown } = buffer;
    buffer.shown = null;
    if (shown !== null) yield* shown.giveBack();
    yield* dmaBufUnpin(attach);
    dmaResvUnlock(dmabuf.resv);
    yield* dmaBufDetach(dmabuf, attach);
  }
  yield* dmaBufPut(dmabuf);
}
