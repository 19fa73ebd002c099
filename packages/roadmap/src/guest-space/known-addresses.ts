// What iommufd knows of a lent buffer: the physical ranges that it was told and still holds, looked up where it keeps them.
// Source followed: none; a debugger at the importer.
// Simplified: the whole buffer is mapped, and nobody but iommufd imports it.

import type { IoptPages } from '@sgfree/iommufd/stage-7';
import type { VfioPciDmaBuf } from '@sgfree/vfio-dmabuf/stage-6';

/** Physical ranges in the hands of the importers of `lent`; a buffer that was taken back is known to nobody. @internal */
export const knownRanges = ({ dmabuf }: VfioPciDmaBuf): number =>
  dmabuf.attachments.reduce((sum, { importerPriv }) => sum + rangesOf(importerPriv as IoptPages), 0);

function rangesOf(importer: IoptPages): number {
  if (importer.source.type !== 'dmabuf') return 0;
  const frames = importer.source.buffer.shown?.frames ?? null;
  let ranges = 0;
  for (let page = 0; frames !== null && page < importer.npages; ranges += 1) {
    page += frames.runAt(page, importer.npages - page).count;
  }
  return ranges;
}
