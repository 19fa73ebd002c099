// Payloads of the `dma` and `swiotlb` events: what stands behind the event's name.
// Source followed: include/trace/events/dma.h and include/trace/events/swiotlb.h, print formats of 7.3.4.
// virt_addr, which the kernel prints hashed, shows the physical address that the model has in its place, in 16 digits;
// allocation flags, which the model does not have, print as the kernel prints 0: `none`.
// Simplified: the model makes coherent memory with dma_alloc only, so that the other allocation events have no printer.

import { ofShape, type PayloadPrinter } from './payload-printer.ts';
import { decimalOf, hexListOf, hexOf, maskOf, paddedHexOf } from './printed-number.ts';

/** What every event of the DMA API says. */
interface OfDevice {
  readonly device: string;
  /** As printed, e.g. `TO_DEVICE`. */
  readonly dir: string;
}

interface WithAttrs {
  /** As printed: names joined by `|`. */
  readonly attrs: string;
}

interface SingleRange extends OfDevice {
  /** -1: the mapping failed. */
  readonly dmaAddr: number;
  readonly size: number;
}

interface MapPhys extends SingleRange, WithAttrs {
  readonly physAddr: number;
}

interface Coherent extends SingleRange, WithAttrs {
  readonly virtAddr: number;
}

interface MapSg extends OfDevice, WithAttrs {
  readonly nents: number;
  readonly fullNents: number;
  readonly ents: number;
  readonly fullEnts: number;
  readonly truncated: boolean;
  readonly dmaAddrs: readonly number[];
  readonly sizes: readonly number[];
  readonly physAddrs: readonly number[];
}

interface MapSgError extends OfDevice, WithAttrs {
  readonly dmaAddrs: readonly number[];
  readonly err: number;
}

interface UnmapSg extends OfDevice, WithAttrs {
  readonly physAddrs: readonly number[];
}

interface SyncSg extends OfDevice {
  readonly dmaAddrs: readonly number[];
  readonly sizes: readonly number[];
}

interface Bounced {
  readonly device: string;
  readonly dmaMask: number;
  readonly devAddr: number;
  readonly size: number;
  readonly forced: boolean;
}

const who = ({ device, dir }: OfDevice): string => `${device} dir=${dir}`;

const range = (event: SingleRange): string =>
  `${who(event)} dma_addr=${hexOf(event.dmaAddr)} size=${decimalOf(event.size)}`;

function mapSg(event: MapSg): string {
  const counts = `nents=${event.nents}/${event.fullNents} ents=${event.ents}/${event.fullEnts}`;
  const lists = `dma_addrs=${hexListOf(event.dmaAddrs)} sizes=${hexListOf(event.sizes)} phys_addrs=${hexListOf(event.physAddrs)}`;
  return `${who(event)} ${counts}${event.truncated ? ' [TRUNCATED]' : ''} ${lists} attrs=${event.attrs}`;
}

const syncSg = (event: SyncSg): string =>
  `${who(event)} dma_addrs=${hexListOf(event.dmaAddrs)} sizes=${hexListOf(event.sizes)}`;

/** The printers by event kind. @internal */
export const dmaPayloads: Readonly<Record<string, PayloadPrinter>> = {
  'dma:dma_map_phys': ofShape<MapPhys>(
    (event) => `${range(event)} phys_addr=${hexOf(event.physAddr)} attrs=${event.attrs}`,
  ),
  'dma:dma_unmap_phys': ofShape<SingleRange & WithAttrs>((event) => `${range(event)} attrs=${event.attrs}`),
  'dma:dma_alloc': ofShape<Coherent>(
    (event) => `${range(event)} virt_addr=${paddedHexOf(event.virtAddr)} flags=none attrs=${event.attrs}`,
  ),
  'dma:dma_free': ofShape<Coherent>(
    (event) => `${range(event)} virt_addr=${paddedHexOf(event.virtAddr)} attrs=${event.attrs}`,
  ),
  'dma:dma_map_sg': ofShape(mapSg),
  'dma:dma_map_sg_err': ofShape<MapSgError>(
    (event) => `${who(event)} dma_addrs=${hexListOf(event.dmaAddrs)} err=${event.err} attrs=${event.attrs}`,
  ),
  'dma:dma_unmap_sg': ofShape<UnmapSg>(
    (event) => `${who(event)} phys_addrs=${hexListOf(event.physAddrs)} attrs=${event.attrs}`,
  ),
  'dma:dma_sync_single_for_cpu': ofShape(range),
  'dma:dma_sync_single_for_device': ofShape(range),
  'dma:dma_sync_sg_for_cpu': ofShape(syncSg),
  'dma:dma_sync_sg_for_device': ofShape(syncSg),
  'swiotlb:swiotlb_bounced': ofShape<Bounced>(
    ({ device, dmaMask, devAddr, size, forced }) =>
      `dev_name: ${device} dma_mask=${maskOf(dmaMask)} dev_addr=${hexOf(devAddr)} size=${decimalOf(size)} ${forced ? 'FORCE' : 'NORMAL'}`,
  ),
};
