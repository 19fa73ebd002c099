// The provider layer: peers' memory by physical range, with no struct page anywhere.
// Source followed: drivers/pci/p2pdma.c (pcim_p2pdma_init, pcim_p2pdma_provider).
// The caller sees to it that every mapping of the memory is gone before its driver is.
// Simplified: the end of the driver is a call of releaseP2pdma instead of devres.

import { byteDistance, dmaAddr } from '@sgfree/hw-model';
import { Errno, warnViolation } from '@sgfree/mm';
import { type PciDev, pciResourceStart } from './pci-dev.ts';
import { type P2pdmaProvider, PciP2pdma } from './pci-p2pdma.ts';

const STANDARD_BARS = 6;
/** About what a struct pci_p2pdma takes: six providers of 16 bytes, the map types' xarray, pool and flag. */
const PCI_P2PDMA_BYTES = 128;

/**
 * Makes a provider of every memory BAR of `pdev`; a second call changes nothing. Errors: -EOPNOTSUPP (its BARs must not
 * be mapped), -ENOMEM.
 * @public
 * @kernel pcim_p2pdma_init
 */
export function pcimP2pdmaInit(pdev: PciDev): number {
  if (pdev.nonMappableBars) return -Errno.EOPNOTSUPP;
  if (pdev.p2pdma !== null) return 0;
  if (!pdev.platform.allocate(PCI_P2PDMA_BYTES)) return -Errno.ENOMEM;
  pdev.p2pdma = new PciP2pdma(Array.from({ length: STANDARD_BARS }, (_, bar) => providerOf(pdev, bar)));
  return 0;
}

function providerOf(owner: PciDev, bar: number): P2pdmaProvider | null {
  const start = pciResourceStart(owner, bar);
  const found = owner.fn.bar(bar);
  if (start === null || found === undefined) return null;
  return { owner, bar, busOffset: byteDistance(dmaAddr(start), dmaAddr(found.address)) };
}

/**
 * The provider of a BAR; null when `bar` is no memory or must not be mapped. Without {@link pcimP2pdmaInit} it posts rule
 * `p2p-not-initialised` and is null, too.
 * @public
 * @kernel pcim_p2pdma_provider
 */
export function pcimP2pdmaProvider(pdev: PciDev, bar: number): P2pdmaProvider | null {
  if (pdev.fn.bar(bar) === undefined || pdev.nonMappableBars) return null;
  if (pdev.p2pdma === null) {
    warnViolation(pdev.platform.log, 'p2p-not-initialised', { device: pdev.name, bar });
    return null;
  }
  return pdev.p2pdma.mem[bar] ?? null;
}
