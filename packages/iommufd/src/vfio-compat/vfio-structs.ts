// The numbers and structures of VFIO's type 1 calls: every field with its place, its width and its use.
// Source followed: include/uapi/linux/vfio.h (`_IO(';', 100 + n)`) and how drivers/iommu/iommufd/vfio_compat.c uses it.
// A structure may be longer than the kernel knows; nothing behind the fields is looked at, so nothing there is refused.
// Simplified: the calls of devices and groups are not here.

import { type FieldRow, type IommufdStruct, layStruct } from '../abi/struct-layouts.ts';

/**
 * Numbers of the calls that an iommufd context understands for VFIO's sake.
 * @public
 */
export const VfioRequest = {
  GET_API_VERSION: 0x3b64,
  CHECK_EXTENSION: 0x3b65,
  SET_IOMMU: 0x3b66,
  IOMMU_GET_INFO: 0x3b70,
  IOMMU_MAP_DMA: 0x3b71,
  IOMMU_UNMAP_DMA: 0x3b72,
} as const;

/**
 * The version that all of VFIO has.
 * @public
 */
export const VFIO_API_VERSION = 0;

const ARGSZ: FieldRow = ['argsz', 4, 'size'];
const HEADER: readonly FieldRow[] = [
  ['id', 2, 'out'],
  ['version', 2, 'out'],
  ['next', 4, 'out'],
];

/** @internal */
export const VFIO_TYPE1_INFO: IommufdStruct = layStruct(
  VfioRequest.IOMMU_GET_INFO,
  'vfio_iommu_type1_info',
  'iova_pgsizes',
  [
    ['argsz', 4, 'size'],
    ['flags', 4, 'out'],
    ['iova_pgsizes', 8, 'out'],
    ['cap_offset', 4, 'out'],
    ['pad', 4, 'out'],
  ],
);

/** @internal */
export const VFIO_TYPE1_DMA_MAP: IommufdStruct = layStruct(
  VfioRequest.IOMMU_MAP_DMA,
  'vfio_iommu_type1_dma_map',
  'size',
  [ARGSZ, ['flags', 4, 'in'], ['vaddr', 8, 'in'], ['iova', 8, 'in'], ['size', 8, 'in']],
);

/** @internal */
export const VFIO_TYPE1_DMA_UNMAP: IommufdStruct = layStruct(
  VfioRequest.IOMMU_UNMAP_DMA,
  'vfio_iommu_type1_dma_unmap',
  'size',
  [ARGSZ, ['flags', 4, 'in'], ['iova', 8, 'in'], ['size', 8, 'in-out']],
);

/** A capability behind the answer of IOMMU_GET_INFO; ranges follow. @internal */
export const VFIO_CAP_IOVA_RANGE: IommufdStruct = layStruct(
  VfioRequest.IOMMU_GET_INFO,
  'vfio_iommu_type1_info_cap_iova_range',
  'reserved',
  [...HEADER, ['nr_iovas', 4, 'out'], ['reserved', 4, 'out']],
);

/** One of these ranges. @internal */
export const VFIO_IOVA_RANGE: IommufdStruct = layStruct(
  VfioRequest.IOMMU_GET_INFO,
  'vfio_iova_range',
  'end',
  [
    ['start', 8, 'out'],
    ['end', 8, 'out'],
  ],
);

/** A capability behind the answer of IOMMU_GET_INFO. @internal */
export const VFIO_CAP_DMA_AVAIL: IommufdStruct = layStruct(
  VfioRequest.IOMMU_GET_INFO,
  'vfio_iommu_type1_info_dma_avail',
  'avail',
  [...HEADER, ['avail', 4, 'out']],
);

/**
 * Every structure: of the three calls that have one, then the parts of the list behind the answer of IOMMU_GET_INFO.
 * @public
 */
export const VFIO_COMPAT_STRUCTS: readonly IommufdStruct[] = [
  VFIO_TYPE1_INFO,
  VFIO_TYPE1_DMA_MAP,
  VFIO_TYPE1_DMA_UNMAP,
  VFIO_CAP_IOVA_RANGE,
  VFIO_IOVA_RANGE,
  VFIO_CAP_DMA_AVAIL,
];
