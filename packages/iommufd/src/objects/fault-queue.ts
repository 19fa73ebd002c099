// IommufdFault: the queue through which a guest hears of page requests, as far as its object and its file go.
// Source followed: struct iommufd_fault and iommufd_fault_alloc in drivers/iommu/iommufd/eventq.c.
// The open file keeps the context open and the object in use.
// Simplified: no device of the model asks for pages, so nothing is ever queued.

import { fput, getFile, type ModelFile } from '@sgfree/dma-buf';
import type { ModelTask } from '@sgfree/hw-model';
import { type Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { IommufdContext } from './iommufd-context.ts';
import { IommufdObject, objectUnused, objectUsed } from './iommufd-object.ts';
import { iommufdObjectAbort, iommufdObjectAlloc, iommufdObjectFinalize } from './object-life.ts';

/**
 * A queue of page requests.
 * @kernel iommufd_fault
 * @public
 */
export class IommufdFault extends IommufdObject {
  readonly type = 'fault';

  *destroy(): ModelTask<void> {
    yield* [];
  }
}

/** The open file of a queue. */
class FaultFile implements ModelFile {
  refs = 1;
  readonly #ctx: IommufdContext;
  readonly #fault: IommufdFault;

  constructor(ctx: IommufdContext, fault: IommufdFault) {
    this.#ctx = getFile(ctx);
    this.#fault = fault;
    objectUsed(fault);
  }

  *release(): ModelTask<void> {
    objectUnused(this.#fault);
    const ctx = this.#ctx;
    yield* fput(ctx);
  }
}

/**
 * A new queue with a file of its own; `respond` tells user space its number and descriptor before either is visible and
 * may fail. -ENOMEM, -EMFILE, what `respond` answers.
 * @kernel iommufd_fault_alloc
 * @public
 */
export function* iommufdFaultAlloc(
  ctx: IommufdContext,
  respond: (id: number, fd: number) => ModelTask<number>,
): ModelTask<Outcome<{ readonly id: number; readonly fd: number }>> {
  const made = iommufdObjectAlloc(ctx, new IommufdFault());
  if (!made.ok) return made;
  const { files } = ctx.platform.dmaBufs;
  const fd = files.reserve(true);
  if (!fd.ok) {
    iommufdObjectAbort(ctx, made.value);
    return fd;
  }
  const error = yield* respond(made.value.id, fd.value);
  if (error !== 0) {
    files.unreserve(fd.value);
    iommufdObjectAbort(ctx, made.value);
    return failure(-error as Errno);
  }
  iommufdObjectFinalize(ctx, made.value);
  files.install(fd.value, new FaultFile(ctx, made.value));
  return success({ id: made.value.id, fd: fd.value });
}
