// The structures of VFIO's type 1 calls as the kernel's header lays them out: counted there by hand.
// Source followed: include/uapi/linux/vfio.h.
// Simplified: for tests only.

/** Name, number of the call, smallest and whole size, and every field with its offset and width. */
export type LayoutRow = readonly [
  name: string,
  request: number,
  minBytes: number,
  bytes: number,
  fields: readonly (readonly [name: string, offset: number, bytes: number])[],
];

const HEADER = [
  ['id', 0, 2],
  ['version', 2, 2],
  ['next', 4, 4],
] as const;

/** One row for every structure. */
export const VFIO_LAYOUT_ROWS: readonly LayoutRow[] = [
  [
    'vfio_iommu_type1_info',
    0x3b70,
    16,
    24,
    [
      ['argsz', 0, 4],
      ['flags', 4, 4],
      ['iova_pgsizes', 8, 8],
      ['cap_offset', 16, 4],
      ['pad', 20, 4],
    ],
  ],
  [
    'vfio_iommu_type1_dma_map',
    0x3b71,
    32,
    32,
    [
      ['argsz', 0, 4],
      ['flags', 4, 4],
      ['vaddr', 8, 8],
      ['iova', 16, 8],
      ['size', 24, 8],
    ],
  ],
  [
    'vfio_iommu_type1_dma_unmap',
    0x3b72,
    24,
    24,
    [
      ['argsz', 0, 4],
      ['flags', 4, 4],
      ['iova', 8, 8],
      ['size', 16, 8],
    ],
  ],
  [
    'vfio_iommu_type1_info_cap_iova_range',
    0x3b70,
    16,
    16,
    [...HEADER, ['nr_iovas', 8, 4], ['reserved', 12, 4]],
  ],
  [
    'vfio_iova_range',
    0x3b70,
    16,
    16,
    [
      ['start', 0, 8],
      ['end', 8, 8],
    ],
  ],
  ['vfio_iommu_type1_info_dma_avail', 0x3b70, 12, 12, [...HEADER, ['avail', 8, 4]]],
];
