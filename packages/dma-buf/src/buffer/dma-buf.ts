// DmaBuf: memory that one driver exports and others import: size, reservation, attachments, and the file that keeps it.
// Source followed: drivers/dma-buf/dma-buf.c and include/linux/dma-buf.h.
// Simplified: one process's files; a module is what the exporter says of it.

import type { ModelTask } from '@sgfree/hw-model';
import { DmaApiViolation, warnViolation } from '@sgfree/mm';
import type { DmaBufPlatform } from '../dma-buf-platform.ts';
import { getFile, type ModelFile } from '../file/file-table.ts';
import { type DmaResv, dmaResvFini } from '../resv/dma-resv.ts';
import type { DmaBufAttachment } from './dma-buf-attachment.ts';
import type { DmaBufCommonOps, DmaBufOps, IosysMap } from './dma-buf-ops.ts';
import { PollArm } from './poll-arm.ts';

/**
 * The exporter's module: a buffer keeps it loaded.
 * @public
 */
export interface DmaBufOwner {
  /** Takes a reference; false when the module is going. */
  tryGet(): boolean;
  put(): void;
}

/**
 * A shared buffer whose mappings are `Mapping`s. Made by `dmaBufExport`.
 * @kernel dma_buf
 * @public
 */
export class DmaBuf<Mapping> implements ModelFile {
  readonly platform: DmaBufPlatform;
  readonly ops: DmaBufCommonOps<Mapping>;
  /** Bytes; never changes. */
  readonly size: number;
  readonly resv: DmaResv;
  readonly expName: string;
  /** The exporter's own. */
  readonly priv: unknown;
  /** Never used twice. */
  readonly inode: number;
  /** Access mode and O_NONBLOCK of the file. */
  readonly fileFlags: number;
  /** References of the file. */
  refs = 1;
  /** Set by the name ioctl. */
  name: string | null = null;
  /** The newest first. Guarded by the reservation lock. */
  readonly attachments: DmaBufAttachment<Mapping>[] = [];
  /** Users of the kernel mapping. */
  vmapCount = 0;
  vmapPtr: IosysMap | null = null;
  readonly pollIn: PollArm = new PollArm();
  readonly pollOut: PollArm = new PollArm();
  readonly #ownsResv: boolean;
  readonly #owner: DmaBufOwner | undefined;

  /** @internal */
  constructor(platform: DmaBufPlatform, parts: DmaBufParts<Mapping>) {
    this.platform = platform;
    this.ops = parts.ops;
    this.size = parts.size;
    this.expName = parts.expName;
    this.priv = parts.priv;
    this.fileFlags = parts.fileFlags;
    this.resv = parts.resv;
    this.#ownsResv = parts.ownsResv;
    this.#owner = parts.owner;
    this.inode = platform.takeInode();
  }

  /** What the file's last reference does. Throws `DmaApiViolation` for a buffer still in use by the kernel. */
  *release(): ModelTask<void> {
    this.platform.buffers.delete(this);
    if (this.vmapCount > 0) throw new DmaApiViolation('dma-buf-released-vmapped', this.expName);
    if (this.pollIn.armed || this.pollOut.armed)
      throw new DmaApiViolation('dma-buf-released-polled', this.expName);
    yield* this.ops.release(this);
    if (this.#ownsResv) dmaResvFini(this.resv);
    if (this.attachments.length > 0) {
      warnViolation(this.platform.log, 'dma-buf-released-attached', { buffer: this.expName });
    }
    this.#owner?.put();
  }
}

/**
 * What a buffer is made of.
 * @internal
 */
export interface DmaBufParts<Mapping> {
  readonly ops: DmaBufCommonOps<Mapping>;
  readonly size: number;
  readonly expName: string;
  readonly priv: unknown;
  readonly fileFlags: number;
  readonly resv: DmaResv;
  readonly ownsResv: boolean;
  readonly owner: DmaBufOwner | undefined;
}

/**
 * True when the exporter can pin, so that its memory may move while it is not pinned.
 * @kernel dma_buf_is_dynamic
 * @public
 */
export function dmaBufIsDynamic<M>(dmabuf: DmaBuf<M>): boolean {
  return dmabuf.ops.pin !== undefined;
}

/**
 * Takes a reference of the buffer.
 * @kernel get_dma_buf
 * @public
 */
export function getDmaBuf<M>(dmabuf: DmaBuf<M>): DmaBuf<M> {
  return getFile(dmabuf);
}

/** The pair that makes mappings, which every buffer has inside: dma_buf_export saw to that. @internal */
export const mapperOf = <M>(dmabuf: DmaBuf<M>): Pick<DmaBufOps<M>, 'mapDmaBuf' | 'unmapDmaBuf'> =>
  dmabuf.ops as DmaBufOps<M>;
