// SyncFile: a fence behind a file descriptor.
// Source followed: drivers/dma-buf/sync_file.c.
// Simplified: no merge ioctl and no info; a sync file is made, looked at, and closed.

import type { ModelTask, YieldPoint } from '@sgfree/hw-model';
import type { DmaBufPlatform } from '../dma-buf-platform.ts';
import { type DmaFence, dmaFenceGet, dmaFencePut } from '../fence/dma-fence.ts';
import type { ModelFile } from './file-table.ts';

const SYNC_FILE_BYTES = 128;
const RELEASE: YieldPoint = { at: 'sync-file:release' };

/**
 * A file over a fence, of which it holds a reference.
 * @kernel sync_file
 * @public
 */
export class SyncFile implements ModelFile {
  refs = 1;
  readonly fence: DmaFence;

  /** @internal */
  constructor(fence: DmaFence) {
    this.fence = fence;
  }

  *release(): ModelTask<void> {
    yield RELEASE;
    dmaFencePut(this.fence);
  }
}

/**
 * A file over `fence`, which gets one more reference; null without memory.
 * @kernel sync_file_create
 * @public
 */
export function syncFileCreate(platform: DmaBufPlatform, fence: DmaFence): SyncFile | null {
  if (!platform.allocate(SYNC_FILE_BYTES)) return null;
  return new SyncFile(dmaFenceGet(fence));
}

/**
 * The fence behind a descriptor, with a reference; null when there is no sync file.
 * @kernel sync_file_get_fence
 * @public
 */
export function syncFileGetFence(platform: DmaBufPlatform, fd: number): DmaFence | null {
  const file = platform.files.at(fd);
  return file instanceof SyncFile ? dmaFenceGet(file.fence) : null;
}
