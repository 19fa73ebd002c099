// Setting a device up for DMA through its domain: the address space starts, and what it must not hand out is reserved.
// Source followed: drivers/iommu/dma-iommu.c (iommu_setup_dma_ops, iommu_dma_init_domain, iova_reserve_iommu_regions,
// iova_reserve_pci_windows), drivers/iommu/iommu.c (iommu_create_device_direct_mappings).
// Only the first device of a group contributes reservations. The permitted windows of a bridge lose their first granule.
// Simplified: byte addresses below 2^52.

import { addOffset, byteDistance, frameOf } from '@sgfree/hw-model';
import type { ReservedRegion } from '@sgfree/iommu';
import { type IovaDomain, type PagingDomain, reserveIova } from '@sgfree/iommu';
import { Errno, warnViolation } from '@sgfree/mm';
import type { Device } from './device.ts';
import { iommuDmaInitOptions } from './flush-queue/flush-queue.ts';
import { iommuDmaInitFq } from './flush-queue/queue-iova.ts';
import type { BridgeWindow, HostBridge } from './host-bridge.ts';
import { type IommuDmaCookie, iommuGetDmaCookie } from './iommu-dma-cookie.ts';

/**
 * Routes the device's mappings: through `domain` when that is a DMA domain, else (identity, no IOMMU: null) straight to
 * memory. Re-arms the 32-bit preference of PCI devices. When the domain cannot be set up, mappings go straight to
 * memory too (rule `dma-domain-init-failed`).
 * @public
 * @kernel iommu_setup_dma_ops
 */
export function iommuSetupDmaOps(dev: Device, domain: PagingDomain | null): void {
  if (dev.isPci) dev.pci32BitWorkaround = !dev.platform.forcedac;
  dev.dmaIommu = domain !== null && domain.type !== 'unmanaged';
  dev.cookie = null;
  if (domain === null || !dev.dmaIommu) return;
  const cookie = iommuGetDmaCookie(domain);
  const errno = iommuDmaInitDomain(cookie, dev);
  if (errno === 0) {
    dev.cookie = cookie;
    return;
  }
  dev.dmaIommu = false;
  warnViolation(dev.log, 'dma-domain-init-failed', { device: dev.name, errno });
}

/**
 * Starts the address space of a domain and makes the reservations of `dev`; a domain that has been set up is only
 * compared. 0, or -EFAULT (its addresses are out of reach, or the set-ups differ), -EINVAL (bridge windows overlap).
 * @internal
 * @kernel iommu_dma_init_domain
 */
export function iommuDmaInitDomain(cookie: IommuDmaCookie, dev: Device): number {
  const basePfn = Math.max(1, cookie.apertureFirstPfn);
  if (!rangeMapMeetsAperture(dev, cookie)) return -Errno.EFAULT;
  if (cookie.initialised) return cookie.iovad.startPfn === basePfn ? 0 : -Errno.EFAULT;
  const iovad = cookie.initIovaDomain(basePfn, dev.platform);
  const fqOptions = iommuDmaInitOptions(dev.shadowOnFlush);
  // All page tables here can be flushed late; without room for a queue lazy mode quietly becomes strict.
  if (cookie.domain.type === 'dma-fq' && iommuDmaInitFq(cookie, dev.platform, fqOptions) !== 0) {
    cookie.domain.type = 'dma';
  }
  return iovaReserveIommuRegions(dev, cookie, iovad);
}

const granulesBelow = (bytes: number, granule: number): number => Math.floor(bytes / granule);

function rangeMapMeetsAperture(dev: Device, { domain }: IommuDmaCookie): boolean {
  if (dev.dmaRanges.length === 0) return true;
  const lowest = Math.min(...dev.dmaRanges.map(({ dmaStart }) => frameOf(dmaStart)));
  const highest = Math.max(
    ...dev.dmaRanges.map(({ dmaStart, bytes }) => frameOf(addOffset(dmaStart, bytes - 1))),
  );
  return lowest <= domain.geometry.apertureLastFrame && highest >= domain.geometry.apertureFirstFrame;
}

const lastByte = (start: number, bytes: number): number => start + bytes - 1;

/**
 * Reserves what must not be handed out to `dev`: host bridge windows, then reserved regions. 0 or -EINVAL.
 * @internal
 * @kernel iova_reserve_iommu_regions
 */
export function iovaReserveIommuRegions(dev: Device, cookie: IommuDmaCookie, iovad: IovaDomain): number {
  const errno = dev.hostBridge === null ? 0 : iovaReservePciWindows(dev.hostBridge, iovad);
  if (errno !== 0) return errno;
  for (const region of dev.reservedRegions) {
    if (region.type === 'sw-msi') continue;
    reserveRegion(region, iovad);
    if (region.type === 'msi') cookie.msiRegions.push(region);
  }
  return 0;
}

function reserveRegion({ start, bytes }: ReservedRegion, iovad: IovaDomain): void {
  reserveIova(
    iovad,
    granulesBelow(start, iovad.granule),
    granulesBelow(lastByte(start, bytes), iovad.granule),
  );
}

/**
 * Keeps IOVAs apart from what peers' BARs answer to, and within the windows through which the bridge lets devices reach
 * memory. 0, or -EINVAL when those overlap.
 * @internal
 * @kernel iova_reserve_pci_windows
 */
export function iovaReservePciWindows(bridge: HostBridge, iovad: IovaDomain): number {
  for (const window of bridge.windows) {
    if (window.isMemory === false) continue;
    reserveIova(iovad, firstBusPfn(window, iovad), granulesBelow(lastBusByte(window), iovad.granule));
  }
  const ranges = [...(bridge.dmaRanges ?? [])].sort((one, other) => byteDistance(other.start, one.start));
  if (ranges.length === 0) return 0;
  let free = 0;
  for (const range of ranges) {
    const end = firstBusByte(range);
    if (end < free) return -Errno.EINVAL;
    if (end > free) reserveIova(iovad, granulesBelow(free, iovad.granule), firstBusPfn(range, iovad));
    free = lastBusByte(range) + 1;
  }
  reserveIova(iovad, granulesBelow(free, iovad.granule), 2 ** (64 - iovad.shift) - 1);
  return 0;
}

const shifted = (address: number, window: BridgeWindow): number => address - (window.offset ?? 0);
const firstBusByte = (window: BridgeWindow): number => shifted(window.start, window);
const lastBusByte = (window: BridgeWindow): number => shifted(window.end, window);
const firstBusPfn = (window: BridgeWindow, iovad: IovaDomain): number =>
  granulesBelow(firstBusByte(window), iovad.granule);
