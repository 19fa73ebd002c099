// The ioctls of a buffer's file: bracketing CPU access, naming, and exchanging fences with sync files.
// Source followed: dma_buf_ioctl and what it calls in drivers/dma-buf/dma-buf.c; include/uapi/linux/dma-buf.h.
// Simplified: the argument is the user memory it points to; null stands for memory that cannot be read or written.

import type { DmaDataDirection } from '@sgfree/dma-core';
import type { ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { dmaBufBeginCpuAccess, dmaBufEndCpuAccess } from '../buffer/cpu-access.ts';
import type { DmaBuf } from '../buffer/dma-buf.ts';
import { dmaBufExportSyncFile, dmaBufImportSyncFile } from './sync-file-ioctls.ts';

/** Request numbers of the buffer's ioctls. @public */
export const DMA_BUF_IOCTL: {
  readonly SYNC: number;
  readonly SET_NAME_A: number;
  readonly SET_NAME_B: number;
  readonly EXPORT_SYNC_FILE: number;
  readonly IMPORT_SYNC_FILE: number;
} = {
  SYNC: 0x40086200,
  SET_NAME_A: 0x40046201,
  SET_NAME_B: 0x40086201,
  EXPORT_SYNC_FILE: 0xc0086202,
  IMPORT_SYNC_FILE: 0x40086203,
};

/** Flags of the sync ioctls; START is 0. @public */
export const DMA_BUF_SYNC: { readonly READ: 1; readonly WRITE: 2; readonly RW: 3; readonly END: 4 } = {
  READ: 1,
  WRITE: 2,
  RW: 3,
  END: 4,
};

/** Bytes of a name with its terminator. @public */
export const DMA_BUF_NAME_LEN = 32;

/**
 * An ioctl on the buffer's file. 0, or: -ENOTTY for an unknown request; -EFAULT for memory that is not there; -EINVAL for
 * flags or names the request does not take; -ERESTARTSYS, -EMFILE, -ENOMEM.
 * @kernel dma_buf_ioctl
 * @public
 */
export function* dmaBufIoctl<M>(
  dmabuf: DmaBuf<M>,
  request: number,
  argument: Uint8Array | null,
): ModelTask<number> {
  switch (request) {
    case DMA_BUF_IOCTL.SYNC:
      return yield* syncIoctl(dmabuf, argument);
    case DMA_BUF_IOCTL.SET_NAME_A:
    case DMA_BUF_IOCTL.SET_NAME_B:
      return dmaBufSetName(dmabuf, argument);
    case DMA_BUF_IOCTL.EXPORT_SYNC_FILE:
      return dmaBufExportSyncFile(dmabuf, argument);
    case DMA_BUF_IOCTL.IMPORT_SYNC_FILE:
      return yield* dmaBufImportSyncFile(dmabuf, argument);
    default:
      return -Errno.ENOTTY;
  }
}

const DIRECTIONS: Readonly<Record<number, DmaDataDirection>> = {
  [DMA_BUF_SYNC.READ]: 'from-device',
  [DMA_BUF_SYNC.WRITE]: 'to-device',
  [DMA_BUF_SYNC.RW]: 'bidirectional',
};

function* syncIoctl<M>(dmabuf: DmaBuf<M>, argument: Uint8Array | null): ModelTask<number> {
  if (argument === null || argument.length < 8) return -Errno.EFAULT;
  const view = new DataView(argument.buffer, argument.byteOffset, argument.byteLength);
  const flags = view.getUint32(0, true);
  if (view.getUint32(4, true) !== 0 || flags > 7) return -Errno.EINVAL;
  const dir = DIRECTIONS[flags & DMA_BUF_SYNC.RW];
  if (dir === undefined) return -Errno.EINVAL;
  if ((flags & DMA_BUF_SYNC.END) !== 0) return yield* dmaBufEndCpuAccess(dmabuf, dir);
  return yield* dmaBufBeginCpuAccess(dmabuf, dir);
}

/**
 * Names the buffer with the text up to the first zero byte. -EINVAL when that is longer than 31 bytes; -EFAULT; -ENOMEM.
 * An attached buffer may be named as well.
 * @kernel dma_buf_set_name
 * @public
 */
export function dmaBufSetName<M>(dmabuf: DmaBuf<M>, argument: Uint8Array | null): number {
  if (argument === null) return -Errno.EFAULT;
  const end = argument.subarray(0, DMA_BUF_NAME_LEN).indexOf(0);
  // Text that ends in unreadable memory before its terminator cannot be copied.
  if (end < 0) return argument.length < DMA_BUF_NAME_LEN ? -Errno.EFAULT : -Errno.EINVAL;
  if (!dmabuf.platform.allocate(end + 1)) return -Errno.ENOMEM;
  dmabuf.name = String.fromCharCode(...argument.subarray(0, end));
  return 0;
}
