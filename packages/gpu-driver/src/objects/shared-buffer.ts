// The one dma-buf over a buffer object, whichever way it is exported.
// Source followed: amdgpu_gem_prime_export, xe_gem_prime_export, drm_gem_dmabuf_release.
// Simplified: an object is exported once at a time; a second export hands out the same buffer.

import { type DmaBuf, type DmaBufIdentity, getDmaBuf } from '@sgfree/dma-buf';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { GpuBo } from './gpu-bo.ts';

/** The buffer that the object has, or the one that `make` makes. @internal */
export function sharedBuffer<Mapping>(
  bo: GpuBo,
  make: (info: DmaBufIdentity) => Outcome<DmaBuf<Mapping>>,
): Outcome<DmaBuf<Mapping>> {
  const { spec, card, resv, bytes } = bo;
  if (spec.userptr === true || spec.vmPrivate === true) return failure(Errno.EPERM);
  const shared = bo.dmabuf as DmaBuf<Mapping> | null;
  if (shared !== null && shared.refs > 0) return success(getDmaBuf(shared));
  const made = make({ expName: `${card.pdev.name} ${spec.name}`, size: bytes, resv, priv: bo });
  if (made.ok) bo.dmabuf = made.value as DmaBuf<never>;
  return made;
}

/** The buffer has ended. Another that was made meanwhile stays. @internal */
export function forgetBuffer<Mapping>(bo: GpuBo, dmabuf: DmaBuf<Mapping>): void {
  if ((bo.dmabuf as DmaBuf<unknown> | null) === dmabuf) bo.dmabuf = null;
}
