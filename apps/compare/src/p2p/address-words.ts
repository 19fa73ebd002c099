// AddressWords: which address the initiator must put on the bus, and where the target's memory stands.
// Source followed: drivers/pci/p2pdma.c (enum pci_p2pdma_map_type and its users): bus address, ordinary DMA mapping, or failure.
// Simplified: which part of a BAR a driver hands out is its own business; whole BARs are shown.

import { addOffset, hex } from '@sgfree/hw-model';
import type { DumpedFunction, DumpedResource } from '@sgfree/topology';
import type { IommuChoice, PairVerdict } from './p2p-case.ts';
import { verdictCode } from './verdict-words.ts';

const REFUSED =
  'none: mapping fails (-EREMOTEIO for a scatterlist, -EINVAL for physical ranges), pci_p2pdma_distance() is -1';

/** What the DMA API hands out for requests through a host bridge. */
export const throughHostBridge: Readonly<Record<IommuChoice, string>> = {
  on: 'an IOVA: the DMA API maps the physical range of the BAR in the IOMMU (DMA_ATTR_MMIO)',
  pt: 'the CPU physical address of the BAR (identity domain), from the DMA API (DMA_ATTR_MMIO)',
  off: 'the CPU physical address of the BAR, from the DMA API (DMA_ATTR_MMIO)',
  unknown:
    'from the DMA API (DMA_ATTR_MMIO): an IOVA when the IOMMU translates, else the CPU physical address (--iommu decides)',
};

/** The address the initiator uses. */
export function addressWords(pair: PairVerdict, iommu: IommuChoice): string {
  switch (verdictCode(pair)) {
    case 'B':
      return "the bus address of the target's BAR: no IOVA, no IOMMU entry, nothing to unmap";
    case 'H':
      return throughHostBridge[iommu];
    case 'N':
      return REFUSED;
    case 'Z':
      return `on AMD Zen ${throughHostBridge[iommu]}; on any other CPU ${REFUSED}`;
    case '?':
      return 'follows from the verdict, which is not known';
  }
}

/** The memory BARs of a function that it can offer to peers. */
export const memoryBars = (fn: DumpedFunction): DumpedResource[] =>
  fn.resources.filter(({ kind, space, bytes }) => kind === 'bar' && space === 'memory' && bytes !== 0);

/** One line for each memory BAR. */
export function barLines(fn: DumpedFunction): string[] {
  return memoryBars(fn).map(({ index, base, busBase, bytes, width, prefetchable, enabled }) => {
    const at = base === 'unknown' ? 'address not shown' : `physical ${hex(base)}`;
    const onBus = busBase === 'unknown' ? '' : `, bus ${hex(busBase)}`;
    const size = bytes === 'unknown' ? 'size not shown' : sizeText(bytes);
    const kind = `${width}-bit${prefetchable ? ' prefetchable' : ''}`;
    return `BAR ${index}: ${at}${onBus}, ${size}, ${kind}${enabled === false ? ', disabled' : ''}`;
  });
}

/** Address bits that the initiator needs to reach every memory BAR of `fn`; null when their places are not known. */
export function addressBits(fn: DumpedFunction): number | null {
  let most = 0;
  for (const { base, bytes } of memoryBars(fn)) {
    if (base === 'unknown') return null;
    const last = addOffset(base, bytes === 'unknown' ? 0 : bytes - 1);
    most = Math.max(most, last.toString(2).length);
  }
  return most === 0 ? null : most;
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** A size in the largest unit that keeps it whole. */
export function sizeText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && value % 1024 === 0 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value} ${UNITS[unit]}`;
}
