// The structures of iommufd's calls: every field with its place, its width and its use. The codec and the tests walk
// this one table.
// Source followed: include/uapi/linux/iommufd.h, and the table of calls in drivers/iommu/iommufd/main.c (IOCTL_OP) for
// the smallest size that each call takes.
// Simplified: none.

/**
 * What a call does with a field: reads it, writes it, both; wants it to be zero (`reserved`), or does not look at it.
 * @public
 */
export type IommufdFieldUse = 'size' | 'in' | 'out' | 'in-out' | 'reserved' | 'ignored';

/**
 * A field of a structure.
 * @public
 */
export interface IommufdField {
  readonly name: string;
  /** Bytes from the start of the structure. */
  readonly offset: number;
  /** 1, 2, 4 or 8. */
  readonly bytes: number;
  readonly use: IommufdFieldUse;
  /** True for a two's complement number. */
  readonly signed: boolean;
}

/**
 * The structure of a call.
 * @public
 */
export interface IommufdStruct {
  /** Name in the kernel. */
  readonly name: string;
  /** Number of the call. */
  readonly request: number;
  /** Bytes that the kernel knows. */
  readonly bytes: number;
  /** Bytes that user space must at least bring. */
  readonly minBytes: number;
  readonly fields: readonly IommufdField[];
}

/** Number of the first call: `_IO(';', 0x80)`. @internal */
export const FIRST_REQUEST = 0x3b80;

/** A field that stands behind the one before it. @internal */
export type FieldRow = readonly [name: string, bytes: number, use: IommufdFieldUse];

const ID = (name: string): FieldRow => [name, 4, 'in'];
const OUT = (name: string): FieldRow => [name, 4, 'out'];
const WIDE = (name: string, use: IommufdFieldUse = 'in'): FieldRow => [name, 8, use];
const RESERVED: FieldRow = ['__reserved', 4, 'reserved'];
const FLAGS: FieldRow = ['flags', 4, 'in'];

/** Lays fields one behind the other; the smallest size ends with the field `last`. @internal */
export function layStruct(
  request: number,
  name: string,
  last: string,
  rows: readonly FieldRow[],
): IommufdStruct {
  const fields: IommufdField[] = [];
  let offset = 0;
  for (const [field, bytes, use] of rows) {
    fields.push({ name: field, offset, bytes, use, signed: field.endsWith('fd') });
    offset += bytes;
  }
  const ending = fields.find((field) => field.name === last);
  const minBytes = ending === undefined ? offset : ending.offset + ending.bytes;
  return { name, request, bytes: offset, minBytes, fields };
}

/** A structure of iommufd's own calls begins with its size. */
const layout = (number: number, name: string, last: string, rows: readonly FieldRow[]): IommufdStruct =>
  layStruct(FIRST_REQUEST + number, name, last, [['size', 4, 'size'], ...rows]);

/**
 * Every call, in the order of their numbers.
 * @public
 */
export const IOMMUFD_STRUCTS: readonly IommufdStruct[] = [
  layout(0, 'iommu_destroy', 'id', [ID('id')]),
  layout(1, 'iommu_ioas_alloc', 'out_ioas_id', [FLAGS, OUT('out_ioas_id')]),
  layout(2, 'iommu_ioas_allow_iovas', 'allowed_iovas', [
    ID('ioas_id'),
    ID('num_iovas'),
    RESERVED,
    WIDE('allowed_iovas'),
  ]),
  layout(3, 'iommu_ioas_copy', 'src_iova', [
    FLAGS,
    ID('dst_ioas_id'),
    ID('src_ioas_id'),
    WIDE('length'),
    WIDE('dst_iova', 'in-out'),
    WIDE('src_iova'),
  ]),
  layout(4, 'iommu_ioas_iova_ranges', 'out_iova_alignment', [
    ID('ioas_id'),
    ['num_iovas', 4, 'in-out'],
    RESERVED,
    WIDE('allowed_iovas'),
    WIDE('out_iova_alignment', 'out'),
  ]),
  layout(5, 'iommu_ioas_map', 'iova', [
    FLAGS,
    ID('ioas_id'),
    RESERVED,
    WIDE('user_va'),
    WIDE('length'),
    WIDE('iova', 'in-out'),
  ]),
  layout(6, 'iommu_ioas_unmap', 'length', [ID('ioas_id'), WIDE('iova'), WIDE('length', 'in-out')]),
  layout(7, 'iommu_option', 'val64', [
    ID('option_id'),
    ['op', 2, 'in'],
    ['__reserved', 2, 'reserved'],
    ID('object_id'),
    WIDE('val64', 'in-out'),
  ]),
  layout(8, 'iommu_vfio_ioas', '__reserved', [
    ['ioas_id', 4, 'in-out'],
    ['op', 2, 'in'],
    ['__reserved', 2, 'reserved'],
  ]),
  layout(9, 'iommu_hwpt_alloc', '__reserved', [
    FLAGS,
    ID('dev_id'),
    ID('pt_id'),
    OUT('out_hwpt_id'),
    RESERVED,
    ID('data_type'),
    ID('data_len'),
    WIDE('data_uptr'),
    ID('fault_id'),
    ['__reserved2', 4, 'ignored'],
  ]),
  layout(10, 'iommu_hw_info', '__reserved2', [
    FLAGS,
    ID('dev_id'),
    ['data_len', 4, 'in-out'],
    WIDE('data_uptr'),
    ['data_type', 4, 'in-out'],
    ['out_max_pasid_log2', 1, 'out'],
    ['__reserved0', 1, 'reserved'],
    ['__reserved1', 1, 'reserved'],
    ['__reserved2', 1, 'reserved'],
    WIDE('out_capabilities', 'out'),
  ]),
  layout(11, 'iommu_hwpt_set_dirty_tracking', '__reserved', [
    FLAGS,
    ID('hwpt_id'),
    ['__reserved', 4, 'ignored'],
  ]),
  layout(12, 'iommu_hwpt_get_dirty_bitmap', 'data', [
    ID('hwpt_id'),
    FLAGS,
    RESERVED,
    WIDE('iova'),
    WIDE('length'),
    WIDE('page_size'),
    WIDE('data'),
  ]),
  layout(13, 'iommu_hwpt_invalidate', '__reserved', [
    ID('hwpt_id'),
    WIDE('data_uptr'),
    ID('data_type'),
    ID('entry_len'),
    ['entry_num', 4, 'in-out'],
    RESERVED,
  ]),
  layout(14, 'iommu_fault_alloc', 'out_fault_fd', [FLAGS, OUT('out_fault_id'), OUT('out_fault_fd')]),
  layout(15, 'iommu_ioas_map_file', 'iova', [
    FLAGS,
    ID('ioas_id'),
    ID('fd'),
    WIDE('start'),
    WIDE('length'),
    WIDE('iova', 'in-out'),
  ]),
  layout(16, 'iommu_viommu_alloc', 'out_viommu_id', [
    FLAGS,
    ID('type'),
    ID('dev_id'),
    ID('hwpt_id'),
    OUT('out_viommu_id'),
    ID('data_len'),
    ['__reserved', 4, 'ignored'],
    WIDE('data_uptr'),
  ]),
  layout(17, 'iommu_vdevice_alloc', 'virt_id', [
    ID('viommu_id'),
    ID('dev_id'),
    OUT('out_vdevice_id'),
    WIDE('virt_id'),
  ]),
  layout(18, 'iommu_ioas_change_process', '__reserved', [RESERVED]),
  layout(19, 'iommu_veventq_alloc', '__reserved', [
    FLAGS,
    ID('viommu_id'),
    ID('type'),
    ID('veventq_depth'),
    OUT('out_veventq_id'),
    OUT('out_veventq_fd'),
    RESERVED,
  ]),
  layout(20, 'iommu_hw_queue_alloc', 'length', [
    FLAGS,
    ID('viommu_id'),
    ID('type'),
    ID('index'),
    OUT('out_hw_queue_id'),
    WIDE('nesting_parent_iova'),
    WIDE('length'),
  ]),
  layout(21, 'iommu_ioas_noiommu_get_pa', 'out_phys', [
    FLAGS,
    ID('ioas_id'),
    RESERVED,
    WIDE('iova'),
    WIDE('length', 'in-out'),
    WIDE('out_phys', 'out'),
  ]),
];
