// The operations of the exporter: who may attach, mappings with a reference each, and the release.
// Source followed: vfio_pci_dma_buf_attach, _map, _unmap and _release in drivers/vfio/pci/vfio_pci_dmabuf.c.
// There is no pin: success of dma_buf_pin says nothing here. Routes are tested when mapping, not when attaching.
// Simplified: none.

import { type DmaBuf, type DmaBufAttachment, dmaBufAttachRevocable } from '@sgfree/dma-buf';
import type { DmaBufOps } from '@sgfree/dma-buf/stage-3';
import type { DmaDataDirection } from '@sgfree/dma-core';
import { InternalError, type ModelTask, type YieldPoint } from '@sgfree/hw-model';
import { Errno, failure, type Outcome } from '@sgfree/mm';
import type { VfioMapping } from './exporter-mapping.ts';
import { VfioPciDmaBuf } from './vfio-pci-dma-buf.ts';

const ATTACH: YieldPoint = { at: 'vfio:attach' };
const MAP: YieldPoint = { at: 'vfio:map' };
const UNMAP: YieldPoint = { at: 'vfio:unmap' };

/**
 * The operations over one way of making mappings.
 * @internal
 */
export function vfioPciDmaBufOps<Mapping>(mapping: VfioMapping<Mapping>): DmaBufOps<Mapping> {
  return {
    attach: vfioPciDmaBufAttach,
    mapDmaBuf: (attach, dir) => vfioPciDmaBufMap(mapping, attach, dir),
    unmapDmaBuf: (attach, mapped, dir) => vfioPciDmaBufUnmap(mapping, attach, mapped, dir),
    release: vfioPciDmaBufRelease,
  };
}

/** The exporter's side of a buffer that it exported. @internal */
export function privOf<M>(dmabuf: DmaBuf<M>): VfioPciDmaBuf {
  const { priv } = dmabuf;
  if (priv instanceof VfioPciDmaBuf) return priv;
  throw new InternalError(`${dmabuf.expName} is not a buffer of VFIO`);
}

/**
 * 0, -EOPNOTSUPP for an importer that takes no peer memory, -ENODEV while the memory is taken back, -EOPNOTSUPP for an
 * importer whose access could not be.
 * @kernel vfio_pci_dma_buf_attach
 */
function* vfioPciDmaBufAttach<M>(dmabuf: DmaBuf<M>, attach: DmaBufAttachment<M>): ModelTask<number> {
  yield ATTACH;
  const priv = privOf(dmabuf);
  if (!attach.peer2peer) return -Errno.EOPNOTSUPP;
  if (priv.revoked) return -Errno.ENODEV;
  if (priv.waits && !dmaBufAttachRevocable(attach)) return -Errno.EOPNOTSUPP;
  return 0;
}

/** -ENODEV while the memory is taken back, or the error of the mapping. @kernel vfio_pci_dma_buf_map */
function* vfioPciDmaBufMap<M>(
  mapping: VfioMapping<M>,
  attach: DmaBufAttachment<M>,
  dir: DmaDataDirection,
): ModelTask<Outcome<M>> {
  yield MAP;
  const priv = privOf(attach.dmabuf);
  if (priv.revoked) return failure(Errno.ENODEV);
  const mapped = mapping.map(attach, priv, dir);
  if (mapped.ok) priv.get();
  return mapped;
}

/** @kernel vfio_pci_dma_buf_unmap */
function* vfioPciDmaBufUnmap<M>(
  mapping: VfioMapping<M>,
  attach: DmaBufAttachment<M>,
  mapped: M,
  dir: DmaDataDirection,
): ModelTask<void> {
  yield UNMAP;
  mapping.unmap(attach, mapped, dir);
  privOf(attach.dmabuf).put();
}

/** Leaves the device, unless that was closed before. @kernel vfio_pci_dma_buf_release */
function* vfioPciDmaBufRelease<M>(dmabuf: DmaBuf<M>): ModelTask<void> {
  const priv = privOf(dmabuf);
  const { vdev } = priv;
  if (vdev === null) return;
  yield* vdev.memoryLock.writeLock();
  const at = vdev.dmabufs.indexOf(priv);
  if (at >= 0) vdev.dmabufs.splice(at, 1);
  vdev.memoryLock.writeUnlock();
  vdev.registration.put();
}
