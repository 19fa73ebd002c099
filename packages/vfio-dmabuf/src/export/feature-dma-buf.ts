// Exporting a part of a BAR: the checks behind the user's bytes, the buffer, and its publication on the device.
// Source followed: vfio_pci_core_feature_dma_buf and validate_dmabuf_input in drivers/vfio/pci/vfio_pci_dmabuf.c.
// A buffer made while the memory is off is born taken back.
// Simplified: none.

import { type DmaBuf, dmaBufFd, dmaBufPut, dmaResvLock, dmaResvUnlock } from '@sgfree/dma-buf';
import { dmaBufExport } from '@sgfree/dma-buf/stage-3';
import { type ModelTask, offsetWithin, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { vfioPciMemoryEnabled } from '../device/memory-enabled.ts';
import type { VfioPciDevice } from '../device/vfio-pci-device.ts';
import { vfioPciDmaBufOps } from './exporter-ops.ts';
import type { VfioDmaBufRequest } from './feature-payload.ts';
import type { VfioRegionDmaRange } from './get-dmabuf-phys.ts';
import { VfioPciDmaBuf } from './vfio-pci-dma-buf.ts';

const VFIO_PCI_ROM_REGION_INDEX = 6;
const PRIV_BYTES = 176;
const PHYS_VEC_BYTES = 16;
const SIZE_LIMIT = 2 ** 63;

/** What can be said of a request before its ranges are read: 0 or a negative errno. @internal */
export function checkDmaBufRequest(vdev: VfioPciDevice, request: VfioDmaBufRequest): number {
  const { regionIndex, flags, nrRanges } = request;
  if (nrRanges === 0 || flags !== 0) return -Errno.EINVAL;
  if (regionIndex >= VFIO_PCI_ROM_REGION_INDEX || !vdev.claimedBars.has(regionIndex)) return -Errno.ENODEV;
  return 0;
}

/**
 * A descriptor of a buffer over `ranges` of a BAR, in their order; they may overlap. -EINVAL, -ENODEV, -EOVERFLOW,
 * -ENOMEM, -EMFILE, -EOPNOTSUPP (the variant driver does not say where its memory lies).
 * @kernel vfio_pci_core_feature_dma_buf
 * @public
 */
export function* vfioPciCoreFeatureDmaBuf(
  vdev: VfioPciDevice,
  request: Omit<VfioDmaBufRequest, 'nrRanges'>,
  ranges: readonly VfioRegionDmaRange[],
): ModelTask<Outcome<number>> {
  if (vdev.getDmabufPhys === null) return failure(Errno.EOPNOTSUPP);
  const error = checkDmaBufRequest(vdev, { ...request, nrRanges: ranges.length });
  if (error !== 0) return failure(-error as Errno);
  const size = validateDmabufInput(ranges);
  if (size === -1) return failure(Errno.EINVAL);
  const made = makePriv(vdev, request.regionIndex, ranges, size);
  if (!made.ok) return made;
  const dmabuf = exportPriv(vdev, made.value, request.openFlags);
  if (!dmabuf.ok) return dmabuf;
  yield* publish(vdev, made.value);
  const fd = dmaBufFd(dmabuf.value, request.openFlags);
  if (fd >= 0) return success(fd);
  yield* dmaBufPut(dmabuf.value);
  return failure(-fd as Errno);
}

/** Bytes of all ranges; -1 for one that is empty or no whole pages, and for a sum that is no file size. */
function validateDmabufInput(ranges: readonly VfioRegionDmaRange[]): number {
  let size = 0;
  for (const { offset, length } of ranges) {
    if (length === 0 || offsetWithin(offset, PAGE_SIZE) !== 0 || offsetWithin(length, PAGE_SIZE) !== 0)
      return -1;
    size += length;
    if (size >= SIZE_LIMIT) return -1;
  }
  return size;
}

function makePriv(
  vdev: VfioPciDevice,
  regionIndex: number,
  ranges: readonly VfioRegionDmaRange[],
  size: number,
): Outcome<VfioPciDmaBuf> {
  const { allocate } = vdev.platform;
  if (!allocate(PRIV_BYTES) || !allocate(ranges.length * PHYS_VEC_BYTES)) return failure(Errno.ENOMEM);
  const phys = vdev.getDmabufPhys?.(vdev, regionIndex, ranges) ?? failure(Errno.EOPNOTSUPP);
  return phys.ok ? success(new VfioPciDmaBuf(vdev, phys.value, size)) : phys;
}

/** Every buffer keeps the device registered. */
function exportPriv(vdev: VfioPciDevice, priv: VfioPciDmaBuf, flags: number): Outcome<DmaBuf<unknown>> {
  if (!vdev.registration.tryGet()) return failure(Errno.ENODEV);
  const { platform, mapping } = vdev;
  const info = { expName: 'vfio_pci_core', size: priv.size, flags, priv };
  const dmabuf =
    mapping.exportBuffer?.(platform, info) ??
    dmaBufExport<unknown>(platform, { ...info, ops: vfioPciDmaBufOps(mapping) });
  if (dmabuf.ok) priv.exported(dmabuf.value);
  else vdev.registration.put();
  return dmabuf;
}

function* publish(vdev: VfioPciDevice, priv: VfioPciDmaBuf): ModelTask<void> {
  const { resv } = priv.dmabuf;
  yield* vdev.memoryLock.writeLock();
  yield* dmaResvLock(resv);
  priv.revoked = !vfioPciMemoryEnabled(vdev);
  vdev.dmabufs.push(priv);
  dmaResvUnlock(resv);
  vdev.memoryLock.writeUnlock();
}
