// The formats of the trace events of the DMA layer, as the kernel prints them, and which kernels have which.
// Source followed: the print formats of include/trace/events/{dma,iommu,swiotlb}.h and drivers/iommu/intel/trace.h.
// `{name}` is a field of TraceEvent (fields.ts says how it is written), `<...>` a part that some kernels leave out.
// Simplified: 6.12 stands for the kernels from 6.12 on before dma_map_phys, 7.x for those with it (6.18 too); only the
// 7.3.4 texts are verified by records.

import type { TraceSystem } from '../trace-event.ts';

/** The lines of kernels whose formats differ. */
export type KernelLine = '6.1' | '6.12' | '7.x';

/** One event: its name, the text after the name, the kernels that print it. */
export interface TraceFormat {
  readonly system: TraceSystem;
  readonly name: string;
  readonly kernels: readonly KernelLine[];
  readonly text: string;
  /** Kernels that print (`with`) and leave out (`without`) each `<...>` of the text, in order. */
  readonly parts?: readonly {
    readonly with: readonly KernelLine[];
    readonly without: readonly KernelLine[];
  }[];
}

const all: readonly KernelLine[] = ['6.1', '6.12', '7.x'];
const no61: readonly KernelLine[] = ['6.12', '7.x'];
const only612: readonly KernelLine[] = ['6.12'];
const only7: readonly KernelLine[] = ['7.x'];

/** The direction of allocations and the counts of dma_map_sg came to this line of kernels after its first release. */
const sometimesIn612 = { with: no61, without: only612 } as const;

const single = '{device} dir={direction} dma_addr={dmaAddr} size={size}';
const coherent = '{device}< dir={direction}> dma_addr={dmaAddr} size={size}';
const mapSg =
  '{device} dir={direction}< nents={nents}/{fullNents} ents={ents}/{fullEnts}>< [TRUNCATED]{truncated}>' +
  ' dma_addrs={dmaAddrs} sizes={sizes} phys_addrs={physAddrs} attrs={attrs}';
const range = 'IOMMU: iova=0x{dmaAddr} - 0x{rangeEnd}';
const tag = '{unit}/{device} type {type} did {domainId} pasid {pasid} ref {code}';
const flush =
  '{unit} {device}[{pasid}] type {type} did {domainId} [0x{rangeStart}-0x{rangeLast}]' +
  ' addr 0x{blockAddr}< pages 0x{pages}> mask 0x{order}';

const parts612 = [sometimesIn612] as const;
const sgParts = [sometimesIn612, { with: no61, without: all }] as const;
const flushParts = [{ with: only612, without: only7 }] as const;

type Row = readonly [string, readonly KernelLine[], string, TraceFormat['parts']?];

const dma: readonly Row[] = [
  ['dma_map_phys', only7, `${single} phys_addr={physAddr} attrs={attrs}`],
  ['dma_map_page', only612, `${single} phys_addr={physAddr} attrs={attrs}`],
  ['dma_map_resource', only612, `${single} phys_addr={physAddr} attrs={attrs}`],
  ['dma_unmap_phys', only7, `${single} attrs={attrs}`],
  ['dma_unmap_page', only612, `${single} attrs={attrs}`],
  ['dma_unmap_resource', only612, `${single} attrs={attrs}`],
  ['dma_alloc', no61, `${coherent} virt_addr={virtAddr} flags={gfp} attrs={attrs}`, parts612],
  ['dma_alloc_pages', no61, `${coherent} virt_addr={virtAddr} flags={gfp} attrs={attrs}`, parts612],
  ['dma_alloc_sgt_err', no61, `${coherent} virt_addr={virtAddr} flags={gfp} attrs={attrs}`, parts612],
  ['dma_alloc_sgt', no61, `${coherent} phys_addrs={physAddrs} flags={gfp} attrs={attrs}`, parts612],
  ['dma_free', no61, `${coherent} virt_addr={virtAddr} attrs={attrs}`, parts612],
  ['dma_free_pages', no61, `${coherent} virt_addr={virtAddr} attrs={attrs}`, parts612],
  ['dma_free_sgt', no61, `${coherent} phys_addrs={physAddrs}`, parts612],
  ['dma_map_sg', no61, mapSg, sgParts],
  ['dma_map_sg_err', no61, '{device} dir={direction} dma_addrs={physAddrs} err={code} attrs={attrs}'],
  ['dma_unmap_sg', no61, '{device} dir={direction} phys_addrs={physAddrs} attrs={attrs}'],
  ['dma_sync_single_for_cpu', no61, single],
  ['dma_sync_single_for_device', no61, single],
  ['dma_sync_sg_for_cpu', no61, '{device} dir={direction} dma_addrs={dmaAddrs} sizes={sizes}'],
  ['dma_sync_sg_for_device', no61, '{device} dir={direction} dma_addrs={dmaAddrs} sizes={sizes}'],
];

const iommu: readonly Row[] = [
  ['map', all, `${range} paddr=0x{physAddr} size={size}`],
  ['unmap', all, `${range} size={size} unmapped_size={unmappedSize}`],
  ['add_device_to_group', all, 'IOMMU: groupID={group} device={device}'],
  ['remove_device_from_group', all, 'IOMMU: groupID={group} device={device}'],
  ['attach_device_to_domain', all, 'IOMMU: device={device}'],
  ['detach_device_from_domain', ['6.1'], 'IOMMU: device={device}'],
  ['io_page_fault', all, 'IOMMU:{driver} {device} iova=0x{faultAddr} flags=0x{hexCode}'],
];

const intel: readonly Row[] = [
  ['qi_submit', all, '{type} {unit}: {words}'],
  ['prq_report', all, '{unit}/{device} seq# {code}: {text}'],
  ['cache_tag_assign', no61, tag],
  ['cache_tag_unassign', no61, tag],
  ['cache_tag_flush_all', only612, tag],
  ['cache_tag_flush_range', no61, flush, flushParts],
  ['cache_tag_flush_range_np', no61, flush, flushParts],
];

const swiotlb: readonly Row[] = [
  ['swiotlb_bounced', all, 'dev_name: {device} dma_mask={dmaMask} dev_addr={dmaAddr} size={size} {forced}'],
];

const formatsOf = (system: TraceSystem, rows: readonly Row[]): TraceFormat[] =>
  rows.map(([name, kernels, text, parts]) => ({ system, name, kernels, text, ...(parts && { parts }) }));

/** All formats that the reader takes apart. */
export const traceFormats: readonly TraceFormat[] = [
  ...formatsOf('dma', dma),
  ...formatsOf('iommu', iommu),
  ...formatsOf('intel_iommu', intel),
  ...formatsOf('swiotlb', swiotlb),
  { system: 'marker', name: 'tracing_mark_write', kernels: all, text: '{text}' },
];
