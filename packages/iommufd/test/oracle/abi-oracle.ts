// What every call answers on a populated world, decided without the code under test, on the bytes as they are.
// Source followed: main.c, ioas.c and hw_pagetable.c in drivers/iommu/iommufd.
// Simplified: for tests only; the mock device records and nests nothing here.

import type { ErrnoName } from '@sgfree/mm';
import { type IommufdStruct, iommufdStruct } from '../../src/index.ts';
import { type AbiWorld, ID } from '../abi-world.ts';
import { MOCK_INFO_TYPE } from '../mock-hardware.ts';
import { KNOWN_IDS, LAST, meet, SPACE, SPACES, type Span, UNUSED } from './known-state.ts';
import { type Answer, copyAnswer, type Fields, mapAnswer, mapFileAnswer, unmapAnswer } from './map-oracle.ts';
import { UserView } from './user-view.ts';

type Rule = (fields: Fields, world: AbiWorld, view: UserView) => Answer;

const hasIoas = (fields: Fields, name = 'ioas_id'): boolean => SPACES.has(Number(fields(name)));
const hwptIds: readonly number[] = [ID.autoHwpt, ID.parent];

const destroy: Rule = (fields) => {
  const id = Number(fields('id'));
  if (!KNOWN_IDS.includes(id)) return 'ENOENT';
  return UNUSED.includes(id) ? null : 'EBUSY';
};

const flagsOnly: Rule = (fields) => (fields('flags') === 0n ? null : 'EOPNOTSUPP');

const ranges: Rule = (fields, _world, view) => {
  const space = SPACES.get(Number(fields('ioas_id')));
  if (space === undefined) return 'ENOENT';
  // Each of the two address spaces offers one range.
  if (fields('num_iovas') === 0n) return 'EMSGSIZE';
  return view.covers(fields('allowed_iovas'), 16n, true) ? null : 'EFAULT';
};

const allow: Rule = (fields, _world, view) => {
  const space = SPACES.get(Number(fields('ioas_id')));
  if (space === undefined) return 'ENOENT';
  const list: Span[] = [];
  for (let index = 0n; index < fields('num_iovas'); index += 1n) {
    const at = fields('allowed_iovas') + index * 16n;
    if (!view.covers(at, 16n, false)) return 'EFAULT';
    const range = { first: view.word(at), last: view.word(at + 8n) };
    if (range.first >= range.last || list.some((other) => meet(other, range))) return 'EINVAL';
    list.push(range);
  }
  return list.some((range) => space.reserved.some((taken) => meet(taken, range))) ? 'EADDRINUSE' : null;
};

const option: Rule = (fields) => {
  const [id, op, object, value] = ['option_id', 'op', 'object_id', 'val64'].map(fields) as [
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  if (id > 1n) return 'EOPNOTSUPP';
  if (id === 0n) {
    if (object !== 0n || op > 1n) return 'EOPNOTSUPP';
    return op === 1n ? null : 'EBUSY';
  }
  const space = SPACES.get(Number(object));
  if (space === undefined) return 'ENOENT';
  if (op > 1n) return 'EOPNOTSUPP';
  if (op === 1n || value === 1n) return null;
  return value === 0n && !space.shown ? null : 'EINVAL';
};

const vfioIoas: Rule = (fields) => {
  const op = fields('op');
  if (op > 2n) return 'EOPNOTSUPP';
  if (op === 1n) return hasIoas(fields) ? null : 'ENOENT';
  return op === 0n ? 'ENODEV' : null;
};

const hwptAlloc: Rule = (fields) => {
  const [flags, pt] = [fields('flags'), Number(fields('pt_id'))];
  if ((fields('data_type') === 0n) !== (fields('data_len') === 0n)) return 'EINVAL';
  if (fields('dev_id') !== BigInt(ID.device)) return 'ENOENT';
  if (hwptIds.includes(pt)) return 'EOPNOTSUPP';
  if (!SPACES.has(pt)) return 'EINVAL';
  if (flags > 15n || (flags & 5n) === 5n || fields('data_len') !== 0n) return 'EOPNOTSUPP';
  if (pt === ID.plain) return 'EADDRINUSE';
  return (flags & 4n) !== 0n && fields('fault_id') !== BigInt(ID.fault) ? 'ENOENT' : null;
};

const hwInfo: Rule = (fields, _world, view) => {
  if (fields('flags') > 1n) return 'EOPNOTSUPP';
  if (fields('dev_id') !== BigInt(ID.device)) return 'ENOENT';
  // Without the flag the type is no input. The mock driver has one type, and 0 stands for whatever the driver has.
  const asked = fields('flags') === 1n && fields('data_type') !== 0n;
  if (asked && fields('data_type') !== BigInt(MOCK_INFO_TYPE)) return 'EOPNOTSUPP';
  return view.covers(fields('data_uptr'), fields('data_len'), true) ? null : 'EFAULT';
};

const setDirty: Rule = (fields) => {
  if (fields('flags') > 1n) return 'EOPNOTSUPP';
  return hwptIds.includes(Number(fields('hwpt_id'))) ? 'EOPNOTSUPP' : 'ENOENT';
};

const getDirty: Rule = (fields) => {
  if (fields('flags') > 1n) return 'EOPNOTSUPP';
  if (!hwptIds.includes(Number(fields('hwpt_id')))) return 'ENOENT';
  const [iova, length, page] = ['iova', 'length', 'page_size'].map(fields) as [bigint, bigint, bigint];
  if (length === 0n) return 'EINVAL';
  if (iova + length - 1n > LAST) return 'EOVERFLOW';
  const end = (iova + length) % SPACE;
  if (iova % 2048n !== 0n || end % 2048n !== 0n || page === 0n) return 'EINVAL';
  return (iova & (page - 1n)) !== 0n || (end & (page - 1n)) !== 0n ? 'EINVAL' : 'EOPNOTSUPP';
};

const invalidate: Rule = (fields) => {
  const asked = fields('entry_num') !== 0n;
  if (asked && (fields('data_uptr') === 0n || fields('entry_len') === 0n)) return 'EINVAL';
  return KNOWN_IDS.includes(Number(fields('hwpt_id'))) ? 'EINVAL' : 'ENOENT';
};

const viommu: Rule = (fields) => {
  if (fields('flags') !== 0n || fields('type') === 0n) return 'EOPNOTSUPP';
  return fields('dev_id') === BigInt(ID.device) ? 'EOPNOTSUPP' : 'ENOENT';
};

const veventq: Rule = (fields) => {
  if (fields('flags') !== 0n || fields('type') === 0n) return 'EOPNOTSUPP';
  return fields('veventq_depth') === 0n ? 'EINVAL' : 'ENOENT';
};

const hwQueue: Rule = (fields) => (fields('flags') !== 0n || fields('type') === 0n ? 'EOPNOTSUPP' : 'ENOENT');

const noiommu: Rule = (fields) => {
  if (fields('flags') !== 0n) return 'EOPNOTSUPP';
  return hasIoas(fields) ? 'EINVAL' : 'ENOENT';
};

const RULES: Readonly<Record<string, Rule>> = {
  iommu_destroy: destroy,
  iommu_ioas_alloc: flagsOnly,
  iommu_ioas_allow_iovas: allow,
  iommu_ioas_copy: (fields) => copyAnswer(fields),
  iommu_ioas_iova_ranges: ranges,
  iommu_ioas_map: (fields, _world, view) => mapAnswer(fields, view),
  iommu_ioas_unmap: (fields) => unmapAnswer(fields),
  iommu_option: option,
  iommu_vfio_ioas: vfioIoas,
  iommu_hwpt_alloc: hwptAlloc,
  iommu_hw_info: hwInfo,
  iommu_hwpt_set_dirty_tracking: setDirty,
  iommu_hwpt_get_dirty_bitmap: getDirty,
  iommu_hwpt_invalidate: invalidate,
  iommu_fault_alloc: flagsOnly,
  iommu_ioas_map_file: (fields, world) => mapFileAnswer(fields, world),
  iommu_viommu_alloc: viommu,
  iommu_vdevice_alloc: () => 'ENOENT',
  iommu_ioas_change_process: () => 'EINVAL',
  iommu_veventq_alloc: veventq,
  iommu_hw_queue_alloc: hwQueue,
  iommu_ioas_noiommu_get_pa: noiommu,
};

/** The fields of a structure of which user space brought `size` bytes: the rest is zero. */
function fieldsOf(layout: IommufdStruct, bytes: Uint8Array, size: number): Fields {
  return (name) => {
    const field = layout.fields.find((candidate) => candidate.name === name);
    if (field === undefined) throw new Error(`${layout.name} has no ${name}`);
    let value = 0n;
    for (let at = field.offset + field.bytes - 1; at >= field.offset; at -= 1) {
      value = value * 256n + BigInt(at < size ? (bytes[at] ?? 0) : 0);
    }
    return value;
  };
}

/** Bytes behind the structure that user space counts in. */
function tailAnswer(layout: IommufdStruct, bytes: Uint8Array, size: number): Answer {
  for (let at = layout.bytes; at < size; at += 1) {
    if (at >= bytes.length) return 'EFAULT';
    if (bytes[at] !== 0) return 'E2BIG';
  }
  return size > bytes.length ? 'EFAULT' : null;
}

/** The errno of call `name` with the given memory, by name; null = success. */
export function expectedAnswer(world: AbiWorld, name: string, bytes: Uint8Array): ErrnoName | null {
  const layout = iommufdStruct(name);
  if (bytes.length < 4) return 'EFAULT';
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (size < layout.minBytes) return 'EINVAL';
  const tail = tailAnswer(layout, bytes, size);
  if (tail !== null) return tail;
  const fields = fieldsOf(layout, bytes, size);
  if (layout.fields.some(({ name: field, use }) => use === 'reserved' && fields(field) !== 0n))
    return 'EOPNOTSUPP';
  return RULES[name]?.(fields, world, new UserView(world)) ?? null;
}
