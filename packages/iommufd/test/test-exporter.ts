// The exporter of the kernel's iommufd tests: contiguous memory that can be taken back and given out again, no pin, no mapping by
// DMA; and the interconnect that iommufd asks about it.
// Source followed: drivers/iommu/iommufd/selftest.c (iommufd_test_dmabuf_get, iommufd_test_dmabuf_revoke).
// Simplified: the memory is at an address where nothing else is; a buffer can be said to have several ranges.

import {
  type DmaBuf,
  type DmaBufPlatform,
  dmaBufFd,
  dmaBufInvalidateMappings,
  dmaResvLock,
  dmaResvUnlock,
} from '@sgfree/dma-buf';
import { dmaBufExport } from '@sgfree/dma-buf/stage-6';
import type { ModelTask, PhysAddr } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { IommufdInterconnect } from '../src/index.ts';

/** Memory and state of a buffer. */
interface TestMemory {
  readonly test: true;
  revoked: boolean;
  ranges: number;
  readonly base: PhysAddr;
  readonly bytes: number;
}

/** A buffer of the test exporter. */
export interface TestBuffer {
  readonly fd: number;
  readonly dmabuf: DmaBuf<never>;
  readonly state: { revoked: boolean; ranges: number };
}

const testOps = {
  *mapDmaBuf(): ModelTask<Outcome<never>> {
    yield { at: 'test:map' };
    return failure(Errno.EOPNOTSUPP);
  },
  *unmapDmaBuf(): ModelTask<void> {
    yield { at: 'test:unmap' };
  },
  *release(): ModelTask<void> {
    yield { at: 'test:release' };
  },
};

/** A buffer of `bytes` bytes at `base`, in one range or as many as `ranges`. */
export function exportTestBuffer(
  dmaBufs: DmaBufPlatform,
  base: PhysAddr,
  bytes: number,
  ranges = 1,
): TestBuffer {
  const priv: TestMemory = { test: true, revoked: false, ranges, base, bytes };
  const dmabuf = dmaBufExport<never>(dmaBufs, { expName: 'test', size: bytes, priv, ops: testOps });
  if (!dmabuf.ok) throw new Error('no buffer');
  return { fd: dmaBufFd(dmabuf.value, 0), dmabuf: dmabuf.value, state: priv };
}

/** What the exporter does when its memory moves or is taken back. */
export function* invalidateMappings(dmabuf: DmaBuf<never>): ModelTask<void> {
  yield* dmaResvLock(dmabuf.resv);
  yield* dmaBufInvalidateMappings(dmabuf);
  dmaResvUnlock(dmabuf.resv);
}

/** Takes a buffer back, or gives it out again: importers are told in both cases. */
export function* revokeTestBuffer({ dmabuf, state }: TestBuffer, revoked: boolean): ModelTask<void> {
  state.revoked = revoked;
  yield* invalidateMappings(dmabuf);
}

/** The test exporter's door. */
export const testDoor: IommufdInterconnect = (attach) => {
  const priv = attach.dmabuf.priv as TestMemory;
  if (priv.test !== true) return failure(Errno.EOPNOTSUPP);
  if (priv.revoked) return failure(Errno.ENODEV);
  if (priv.ranges !== 1) return failure(Errno.EOPNOTSUPP);
  return success({ paddr: priv.base, len: priv.bytes });
};
