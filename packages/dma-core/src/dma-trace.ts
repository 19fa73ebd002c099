// The kernel's `dma` trace events, posted to the event log as `dma:<event>` with the payload of the kernel's lines.
// Source followed: include/trace/events/dma.h. Directions and attributes appear as the kernel prints them; a failed
// mapping shows address -1.
// Simplified: no task, no allocation flags; the CPU address of coherent memory is its physical address.

import type { DmaAddr, PhysAddr } from '@sgfree/hw-model';
import type { Device } from './device.ts';
import { attrsTraceName, type DmaAttrs } from './dma-attrs.ts';
import { type DmaDataDirection, directionTraceName } from './dma-direction.ts';

/** Posts `dma:dma_map_phys`. @internal */
export function traceDmaMapPhys(
  dev: Device,
  physAddr: PhysAddr,
  dmaAddr: DmaAddr | -1,
  size: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): void {
  dev.log.post({
    kind: 'dma:dma_map_phys',
    device: dev.name,
    dir: directionTraceName(dir),
    dmaAddr,
    size,
    physAddr,
    attrs: attrsTraceName(attrs),
  });
}

/** Posts `dma:dma_unmap_phys`. @internal */
export function traceDmaUnmapPhys(
  dev: Device,
  dmaAddr: DmaAddr,
  size: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): void {
  dev.log.post({
    kind: 'dma:dma_unmap_phys',
    device: dev.name,
    dir: directionTraceName(dir),
    dmaAddr,
    size,
    attrs: attrsTraceName(attrs),
  });
}

/** Posts `dma:dma_alloc`; zero addresses say that it failed. @internal */
export function traceDmaAlloc(
  dev: Device,
  virtAddr: PhysAddr | 0,
  dmaAddr: DmaAddr | 0,
  size: number,
  attrs: DmaAttrs,
): void {
  traceCoherent('dma:dma_alloc', dev, virtAddr, dmaAddr, size, attrs);
}

/** Posts `dma:dma_free`. @internal */
export function traceDmaFree(
  dev: Device,
  virtAddr: PhysAddr,
  dmaAddr: DmaAddr,
  size: number,
  attrs: DmaAttrs,
): void {
  traceCoherent('dma:dma_free', dev, virtAddr, dmaAddr, size, attrs);
}

function traceCoherent(
  kind: string,
  dev: Device,
  virtAddr: PhysAddr | 0,
  dmaAddr: DmaAddr | 0,
  size: number,
  attrs: DmaAttrs,
): void {
  const dir = directionTraceName('bidirectional');
  dev.log.post({ kind, device: dev.name, dir, dmaAddr, size, virtAddr, attrs: attrsTraceName(attrs) });
}

/** Posts a sync event. @internal */
export function traceDmaSync(
  event: 'dma_sync_single_for_cpu' | 'dma_sync_single_for_device',
  dev: Device,
  dmaAddr: DmaAddr,
  size: number,
  dir: DmaDataDirection,
): void {
  dev.log.post({ kind: `dma:${event}`, device: dev.name, dir: directionTraceName(dir), dmaAddr, size });
}

/** Posts `swiotlb:swiotlb_bounced`; `devAddr` is physical behind an IOMMU. @internal */
export function traceSwiotlbBounced(dev: Device, devAddr: number, size: number): void {
  if (!dev.log.enabled) return;
  const forced = dev.platform.swiotlb?.forceBounce ?? false;
  dev.log.post({
    kind: 'swiotlb:swiotlb_bounced',
    device: dev.name,
    dmaMask: dev.dmaMask ?? 0,
    devAddr,
    size,
    forced,
  });
}
