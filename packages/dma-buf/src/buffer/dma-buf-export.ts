// Exporting a buffer, and the descriptors and references through which it is handed on.
// Source followed: dma_buf_export, dma_buf_fd, dma_buf_get, dma_buf_put in drivers/dma-buf/dma-buf.c.
// Simplified: the pseudo file system cannot fail.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success, warnViolation } from '@sgfree/mm';
import type { DmaBufPlatform } from '../dma-buf-platform.ts';
import { fput, getFile, type ModelFile } from '../file/file-table.ts';
import { type DmaResv, dmaResvInit } from '../resv/dma-resv.ts';
import { DmaBuf, type DmaBufOwner, type DmaBufParts } from './dma-buf.ts';
import type { DmaBufOps } from './dma-buf-ops.ts';
import { needsNoLock, needsNoResvLock } from './lock-rules.ts';

const O_ACCMODE = 0x3;
const O_NONBLOCK = 0x800;
/** Open flag: the descriptor is closed on exec. @public */
export const O_CLOEXEC = 0x80000;
const DMA_BUF_BYTES = 304;
const DMA_RESV_BYTES = 56;

/**
 * What an exporter says of a buffer beside its operations.
 * @public
 */
export interface DmaBufIdentity {
  readonly expName: string;
  readonly owner?: DmaBufOwner;
  /** Bytes. */
  readonly size: number;
  /** Open flags; only the access mode and O_NONBLOCK are kept. */
  readonly flags?: number;
  /** A reservation of the exporter's own, which several buffers may share; default: one for this buffer. */
  readonly resv?: DmaResv | null;
  readonly priv: unknown;
}

/**
 * What an exporter says of a buffer.
 * @kernel dma_buf_export_info
 * @public
 */
export interface DmaBufExportInfo<Mapping> extends DmaBufIdentity {
  /** Partial, because the core refuses operations that lack a duty. */
  readonly ops: Partial<DmaBufOps<Mapping>> | null;
}

/**
 * Makes a buffer with one reference. -EINVAL (a violation) without `priv`, without operations or with one of
 * `mapDmaBuf`, `unmapDmaBuf`, `release` missing, or with only one of `pin` and `unpin`; -ENOENT when the module is
 * going; -ENOMEM.
 * @kernel dma_buf_export
 * @public
 */
export function dmaBufExport<Mapping>(
  platform: DmaBufPlatform,
  info: DmaBufExportInfo<Mapping>,
): Outcome<DmaBuf<Mapping>> {
  return exportAs(platform, info, (parts) => new DmaBuf(platform, parts));
}

/** {@link dmaBufExport} of the buffer that `make` makes. @internal */
export function exportAs<Mapping>(
  platform: DmaBufPlatform,
  info: DmaBufExportInfo<Mapping>,
  make: (parts: DmaBufParts<Mapping>) => DmaBuf<Mapping>,
): Outcome<DmaBuf<Mapping>> {
  const { ops, owner, priv } = info;
  const resv = info.resv ?? null;
  if (resv !== null) needsNoResvLock(resv, 'dma_buf_export', info.expName);
  if (priv === null || priv === undefined || !isComplete(ops)) return refused(platform, info.expName);
  if ((ops.pin === undefined) !== (ops.unpin === undefined)) return refused(platform, info.expName);
  if (owner !== undefined && !owner.tryGet()) return failure(Errno.ENOENT);
  if (!platform.allocate(DMA_BUF_BYTES + (resv === null ? DMA_RESV_BYTES : 0))) {
    owner?.put();
    return failure(Errno.ENOMEM);
  }
  const { size, expName, flags = 0 } = info;
  const dmabuf = make({
    ops,
    size,
    expName,
    priv,
    owner,
    fileFlags: flags & (O_ACCMODE | O_NONBLOCK),
    resv: resv ?? dmaResvInit(platform, `dma_resv of ${expName}`),
    ownsResv: resv === null,
  });
  platform.buffers.add(dmabuf);
  return success(dmabuf);
}

function isComplete<M>(ops: Partial<DmaBufOps<M>> | null): ops is DmaBufOps<M> {
  return ops?.mapDmaBuf !== undefined && ops.unmapDmaBuf !== undefined && ops.release !== undefined;
}

function refused(platform: DmaBufPlatform, expName: string): { readonly ok: false; readonly errno: Errno } {
  warnViolation(platform.log, 'dma-buf-export-incomplete', { buffer: expName });
  return failure(Errno.EINVAL);
}

/**
 * A descriptor for the buffer, which takes over the caller's reference. -EINVAL without a buffer, -EMFILE.
 * @kernel dma_buf_fd
 * @public
 */
export function dmaBufFd<M>(dmabuf: DmaBuf<M> | null, flags: number): number {
  if (dmabuf === null) return -Errno.EINVAL;
  needsNoLock(dmabuf, 'dma_buf_fd');
  const { files } = dmabuf.platform;
  const fd = files.reserve((flags & O_CLOEXEC) !== 0);
  if (!fd.ok) return -fd.errno;
  dmaBufFdInstall(dmabuf, fd.value);
  return fd.value;
}

/**
 * Puts the buffer behind a descriptor that was reserved before; cannot fail.
 * @kernel dma_buf_fd_install
 * @public
 */
export function dmaBufFdInstall<M>(dmabuf: DmaBuf<M>, fd: number): void {
  dmabuf.platform.files.install(fd, dmabuf);
}

/**
 * The buffer behind a descriptor, with a reference. -EBADF without a file, -EINVAL when it is no buffer. What its
 * mappings are is the caller's knowledge.
 * @kernel dma_buf_get
 * @public
 */
export function dmaBufGet<M>(platform: DmaBufPlatform, fd: number): Outcome<DmaBuf<M>> {
  const file = platform.files.at(fd);
  if (file === null) return failure(Errno.EBADF);
  if (!isDmaBufFile<M>(file)) return failure(Errno.EINVAL);
  needsNoLock(file, 'dma_buf_get');
  return success(getFile(file));
}

/**
 * True for the file of a buffer.
 * @kernel is_dma_buf_file
 * @public
 */
export function isDmaBufFile<M>(file: ModelFile): file is DmaBuf<M> {
  return file instanceof DmaBuf;
}

/**
 * Gives a reference back; the last one releases the buffer. Null is a violation and ignored.
 * @kernel dma_buf_put
 * @public
 */
export function* dmaBufPut<M>(dmabuf: DmaBuf<M>): ModelTask<void> {
  needsNoLock(dmabuf, 'dma_buf_put');
  yield* fput(dmabuf);
}
