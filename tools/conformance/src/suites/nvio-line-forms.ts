// NvioLineForms: the forms of the trace lines that request lists leave, and what remains of their addresses when they are
// told relative to a mapping or a block.
// Source followed: hardware-and-platform.md of the kernel notes, 7.2 (text of the events).
// Simplified: none.

/** Of `map` and `unmap`: first address, first address behind, and the rest. */
export const MAP = /^IOMMU: iova=0x([0-9a-f]{16}) - 0x([0-9a-f]{16}) (paddr=0x[0-9a-f]{16} size=\d+)$/;
export const UNMAP = /^IOMMU: iova=0x([0-9a-f]{16}) - 0x([0-9a-f]{16}) (size=\d+ unmapped_size=\d+)$/;
/** Tag, domain id, first and last address, block and order. */
export const FLUSH =
  /^(\S+ \S+ type \S+ did (\d+)) \[0x([0-9a-f]+)-0x([0-9a-f]+)\] addr 0x([0-9a-f]+) (mask \S+)$/;
/** Type, unit and first word; address word; the rest. */
export const QI = /^(\S+ \S+: 0x[0-9a-f]+) 0x([0-9a-f]+) (0x[0-9a-f]+ 0x[0-9a-f]+)$/;
/** DMA addresses of a mapped list. */
export const LIST = /\bdma_addrs=\{([^}]*)\}/;
/** Device, direction, DMA address, and the rest. */
export const PHYS = /^([0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]) (dir=\S+) dma_addr=([0-9a-f]+) (.*)$/;
/** All of an address but the offset in its page. */
export const PAGE_FRAME = /\bpaddr=0x[0-9a-f]{13}/;

/** The number of hex digits; NaN without any. */
export const hexOf = (digits: string | undefined): number => Number.parseInt(digits ?? '', 16);

/** True when an address lies in a mapping. */
export const holds = (
  { iova, end }: { readonly iova: number; readonly end: number },
  address: number,
): boolean => address >= iova && address < end;

/** Bytes into the mapping that holds an address; the address itself where it is in none, as without an IOMMU. */
export const placeIn = (
  range: { readonly iova: number; readonly end: number } | null,
  address: number,
): string => (range !== null && holds(range, address) ? `+${address - range.iova}` : `dma_addr=${address}`);

/** Length of the flushed range, its end relative to that of the mapping, its start in the block, and the block's order. */
export function relativeFlush(
  [, tag = '', , first, last, block, mask = '']: RegExpExecArray,
  end: number,
): string {
  const start = hexOf(first);
  const after = hexOf(last) + 1;
  return `${tag} ${after - start} ends ${after - end} starts ${start - hexOf(block)} ${mask}`;
}
