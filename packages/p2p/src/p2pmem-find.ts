// Finding memory for a set of clients: the published providers nearest to all of them, one of which is drawn.
// Source followed: drivers/pci/p2pdma.c (pci_p2pmem_find_many, pci_p2pdma_enable_store, pci_p2pdma_enable_show).
// Simplified: no reference is taken on the function found; the drawing is the machine's choice policy.

import { PAGE_SIZE } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { P2pClient } from './p2p-client.ts';
import type { P2pPlatform } from './p2p-platform.ts';
import { pciHasP2pmem } from './p2pmem.ts';
import type { PciDev } from './pci-dev.ts';
import { pciP2pdmaDistanceMany } from './pci-p2pdma-distance.ts';

/** Pointers in a page: more equally near providers are not remembered. */
const MOST_CANDIDATES: number = PAGE_SIZE / 8;

/**
 * A function with published memory that all clients reach, at the least total distance; null when there is none. The
 * candidate array of one page can fail to be allocated: null, too.
 * @public
 * @kernel pci_p2pmem_find_many
 */
export function pciP2pmemFindMany(platform: P2pPlatform, clients: readonly P2pClient[]): PciDev | null {
  if (!platform.allocate(PAGE_SIZE)) return null;
  let closest = Number.POSITIVE_INFINITY;
  let candidates: PciDev[] = [];
  for (const pdev of platform.devices()) {
    if (!pciHasP2pmem(pdev)) continue;
    const distance = pciP2pdmaDistanceMany(pdev, clients, false);
    if (distance < 0 || distance > closest) continue;
    if (distance < closest) candidates = [];
    closest = distance;
    if (candidates.length < MOST_CANDIDATES) candidates.push(pdev);
  }
  return candidates[candidates.length < 2 ? 0 : platform.choose(candidates.length)] ?? null;
}

/**
 * What a driver's attribute for peer-to-peer memory was set to: whether to use any, and whose if one is named.
 * @public
 */
export interface P2pdmaEnable {
  readonly useP2pdma: boolean;
  readonly p2pDev: PciDev | null;
}

/**
 * Reads the text of such an attribute: the name of a function with published memory, or a boolean as the kernel reads
 * them. Error: ENODEV.
 * @public
 * @kernel pci_p2pdma_enable_store
 */
export function pciP2pdmaEnableStore(platform: P2pPlatform, page: string): Outcome<P2pdmaEnable> {
  const named = platform.devices().find(({ name }) => name === page.replace(/\n$/, ''));
  if (named !== undefined) {
    return pciHasP2pmem(named) ? success({ useP2pdma: true, p2pDev: named }) : failure(Errno.ENODEV);
  }
  // An address that starts with 0 or 1 is a function that is not there, not a boolean.
  if (/^[01]/.test(page) && isPrintable(page.charCodeAt(1))) return failure(Errno.ENODEV);
  const useP2pdma = kstrtobool(page);
  return useP2pdma === null ? failure(Errno.ENODEV) : success({ useP2pdma, p2pDev: null });
}

/**
 * The text that shows such an attribute.
 * @public
 * @kernel pci_p2pdma_enable_show
 */
export function pciP2pdmaEnableShow(p2pDev: PciDev | null, useP2pdma: boolean): string {
  if (!useP2pdma) return '0\n';
  return p2pDev === null ? '1\n' : `${p2pDev.name}\n`;
}

/** False past the end of a text, where the kernel finds its terminating zero. */
const isPrintable = (code: number): boolean => code >= 0x20 && code !== 0x7f;

function kstrtobool(text: string): boolean | null {
  if (/^(?:[eEyYtT1]|[oO][nN])/.test(text)) return true;
  return /^(?:[dDnNfF0]|[oO][fF])/.test(text) ? false : null;
}
