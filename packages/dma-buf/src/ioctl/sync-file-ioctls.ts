// The two ioctls that exchange fences: a snapshot of the buffer's fences as a sync file, and a sync file's into the buffer.
// Source followed: dma_buf_export_sync_file and dma_buf_import_sync_file in drivers/dma-buf/dma-buf.c.
// Export asks what the access must wait for, import adds what the access is: the usages are not the same.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import type { DmaBuf } from '../buffer/dma-buf.ts';
import { type DmaFence, dmaFencePut } from '../fence/dma-fence.ts';
import { dmaFenceGetStub } from '../fence/fence-stub.ts';
import { dmaFenceUnwrapForEach } from '../fence/fence-unwrap.ts';
import { syncFileCreate, syncFileGetFence } from '../file/sync-file.ts';
import { dmaResvLock, dmaResvUnlock } from '../resv/dma-resv.ts';
import { dmaResvAddFence, dmaResvReserveFences } from '../resv/resv-slots.ts';
import { dmaResvGetSingleton } from '../resv/resv-snapshot.ts';
import { DmaResvUsage, dmaResvUsageRw } from '../resv/resv-usage.ts';

const RW = 3;
const WRITE = 2;
const ARGUMENT_BYTES = 8;

/** The flags of a request, or its negative errno. */
function flagsOf(argument: Uint8Array | null): number {
  if (argument === null || argument.length < ARGUMENT_BYTES) return -Errno.EFAULT;
  const flags = viewOf(argument).getUint32(0, true);
  return flags === 0 || flags > RW ? -Errno.EINVAL : flags;
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Writes the new descriptor behind the flags; 0 or a negative errno. @internal */
export function dmaBufExportSyncFile<M>(dmabuf: DmaBuf<M>, argument: Uint8Array | null): number {
  const flags = flagsOf(argument);
  if (flags < 0 || argument === null) return flags;
  const { platform, resv } = dmabuf;
  const fd = platform.files.reserve(true);
  if (!fd.ok) return -fd.errno;
  const single = dmaResvGetSingleton(resv, dmaResvUsageRw((flags & WRITE) !== 0));
  if (!single.ok) {
    platform.files.unreserve(fd.value);
    return -single.errno;
  }
  const fence = single.value ?? dmaFenceGetStub(platform);
  const file = syncFileCreate(platform, fence);
  dmaFencePut(fence);
  if (file === null) {
    platform.files.unreserve(fd.value);
    return -Errno.ENOMEM;
  }
  viewOf(argument).setInt32(4, fd.value, true);
  platform.files.install(fd.value, file);
  return 0;
}

/** Adds the sync file's plain fences; 0 or a negative errno. @internal */
export function* dmaBufImportSyncFile<M>(dmabuf: DmaBuf<M>, argument: Uint8Array | null): ModelTask<number> {
  const flags = flagsOf(argument);
  if (flags < 0 || argument === null) return flags;
  const fence = syncFileGetFence(dmabuf.platform, viewOf(argument).getInt32(4, true));
  if (fence === null) return -Errno.EINVAL;
  const usage = (flags & WRITE) === 0 ? DmaResvUsage.READ : DmaResvUsage.WRITE;
  const count = [...dmaFenceUnwrapForEach(fence)].length;
  const error = count === 0 ? 0 : yield* addLeaves(dmabuf, fence, count, usage);
  dmaFencePut(fence);
  return error;
}

function* addLeaves<M>(
  dmabuf: DmaBuf<M>,
  fence: DmaFence,
  count: number,
  usage: DmaResvUsage,
): ModelTask<number> {
  const { resv } = dmabuf;
  yield* dmaResvLock(resv);
  const error = dmaResvReserveFences(resv, count);
  if (error === 0) for (const leaf of dmaFenceUnwrapForEach(fence)) dmaResvAddFence(resv, leaf, usage);
  dmaResvUnlock(resv);
  return error;
}
