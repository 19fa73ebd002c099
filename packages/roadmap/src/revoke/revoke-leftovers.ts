// What a revoke leaves behind once everybody has gone: nothing, if maps, references and locks were balanced.
// Source followed: the project's teardown rule: live ranges, entries, pins and references are counted.
// Simplified: none.

import type { RevokeCast } from './revoke-cast.ts';
import type { RevokeLeftovers } from './revoke-report.ts';

/** @internal */
export function revokeLeftovers({ scene, lent, way }: RevokeCast): RevokeLeftovers {
  const { kernel, vdev } = scene;
  return {
    mappings: scene.tables.counts.tablesOut + way.census.counts.listsOut,
    attachments: lent.dmabuf.attachments.length,
    buffers: kernel.dmaBufs.buffers.size,
    descriptors: kernel.dmaBufs.files.count,
    registrations: vdev.registration.refs - 1,
    iovaRanges: kernel.liveIovaRanges,
    pageTableEntries: kernel.liveTableEntries,
    locks: kernel.dmaBufs.order.allFree ? 0 : 1,
  };
}
