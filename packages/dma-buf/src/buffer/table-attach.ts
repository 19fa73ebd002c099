// How importers that know no mapping types attach to a buffer that has them: they are answered as importers of tables.
// Source followed: the RFC's wrappers of the old attach calls, which offer tables. Kept beside the buffer and not in it, because the
// buffer outlives these calls.
// Simplified: none.

import type { Device } from '@sgfree/dma-core';
import type { ModelTask } from '@sgfree/hw-model';
import type { Outcome } from '@sgfree/mm';
import type { DmaBuf } from './dma-buf.ts';
import type { DmaBufAttachment } from './dma-buf-attachment.ts';
import type { DmaBufAttachOps } from './dma-buf-ops.ts';

/** Attaches an importer of tables to a buffer with mapping types. @internal */
export type TableAttach<M> = (
  dev: Device,
  importerOps: DmaBufAttachOps<M> | null,
  importerPriv: unknown,
) => ModelTask<Outcome<DmaBufAttachment<M>>>;

const answers = new WeakMap<object, TableAttach<never>>();

/** From now on old importers of `dmabuf` attach by `attach`. @internal */
export function answerTableImporters<M>(dmabuf: DmaBuf<M>, attach: TableAttach<M>): void {
  answers.set(dmabuf, attach as TableAttach<never>);
}

/** How they attach; undefined for a buffer without mapping types. @internal */
export const tableAttachOf = <M>(dmabuf: DmaBuf<M>): TableAttach<M> | undefined =>
  answers.get(dmabuf) as TableAttach<M> | undefined;
