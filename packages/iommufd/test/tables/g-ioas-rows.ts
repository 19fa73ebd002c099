// The rows of the kernel's `iommufd_ioas` tests as data (I01 to I37). IOVAs of fixed maps count from the variant's base.
// Source followed: selftests/iommu/iommufd.c of Linux 7.3.4.
// Simplified: `mock` stands for one device, two devices and batches of one entry alike.

import type { GAnswer, GRow } from './g-row.ts';

const P = 4096;
const TEN = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const APERTURE = 0x1000000;
const LAST = 'ffffffffffffffff';
const UNTOUCHED = 'eeeeeeeeeeeeeeee';

const times = (count: number, ...answers: readonly GAnswer[]): GAnswer[] =>
  Array.from({ length: count }, () => answers).flat();

const same = (key: string, test: string, answers: readonly GAnswer[]): GRow => ({
  key,
  test,
  noDomain: answers,
  mock: answers,
});

const row = (
  key: string,
  test: string,
  noDomain: readonly GAnswer[],
  mock: readonly GAnswer[] | null,
): GRow => ({ key, test, noDomain, ...(mock === null ? {} : { mock }) });

const MOCK_ALIGNED: readonly number[] = [
  0x1000000, 0x1002000, 0x1004000, 0x1008000, 0x1010000, 0x1018000, 0x1020000, 0x1028000, 0x1030000,
  0x1040000,
];

/** The rows, in the kernel's order. */
export const IOAS_ROWS: readonly GRow[] = [
  same('I01', 'ioas_auto_destroy', ['ok']),
  row('I02', 'ioas_destroy', ['ok'], ['EBUSY']),
  row('I03', 'hwpt_attach', ['ENOENT'], ['ok']),
  row('I04', 'ioas_area_destroy', [0, 'ok'], [0, 'EBUSY']),
  same(
    'I05',
    'ioas_area_auto_destroy',
    TEN.map((page) => (page - 1) * P),
  ),
  same('I06', 'area.empty', times(10, 'ENOENT')),
  same(
    'I07',
    'area.map_unmap',
    TEN.flatMap((page): GAnswer[] => [(page - 1) * P, P]),
  ),
  same('I08', 'area.split', [16 * P, 'ENOENT', 'ENOENT']),
  same('I09', 'area.overmap', [16 * P, ...times(5, 'EEXIST')]),
  same('I10', 'area.all', [0, 0]),
  same('I11', 'unmap_fully_contained', [4, 20, 36, 52, 'ENOENT', 'ENOENT', 131072]),
  row(
    'I12',
    'area_auto_iova.simple',
    TEN.map((page) => page * P),
    TEN.map((page) => APERTURE + (page - 1) * P),
  ),
  row(
    'I13',
    'area_auto_iova.align',
    [0x1000, 0x2000, 0x4000, 0x8000, 0x10000, 0x18000, 0x20000, 0x28000, 0x30000, 0x40000],
    MOCK_ALIGNED,
  ),
  row(
    'I14',
    'area_auto_iova.reserved',
    ['ok', 0x1000, 0x2000, 0x68000, 0x6c000, 0x70000, 0x78000, 0x80000, 0x88000, 0x90000, 0xa0000],
    ['ok', ...MOCK_ALIGNED],
  ),
  same('I15', 'area_auto_iova.allow_conflict', ['ok', 'EADDRINUSE']),
  row(
    'I16',
    'area_auto_iova.allow',
    [
      'ok',
      'ok',
      ...[0xc8000, 0xca000, 0xcc000, 0xd0000, 0xd8000, 0xe0000, 0xe8000, 0xf0000, 0x100000, 0x110000],
    ],
    ['ok', 'ok', 0x1001000, ...MOCK_ALIGNED.slice(1)],
  ),
  same('I17', 'reserved_overflow', ['ok', 'ENOSPC']),
  same('I18', 'area_allowed', ['ok', 'EADDRINUSE', 'ok', 'ok', 'EADDRINUSE']),
  same('I19', 'copy_area', [0, P, 'ok']),
  row('I20', 'iova_ranges.full', ['ok', 1, 1, '0', LAST], ['ok', 1, 2048, '1000000', '7fffffff']),
  row(
    'I21',
    'iova_ranges.small',
    ['EMSGSIZE', 1, 1, UNTOUCHED, UNTOUCHED],
    ['EMSGSIZE', 1, 2048, UNTOUCHED, UNTOUCHED],
  ),
  row(
    'I22',
    'iova_ranges.two',
    ['ok', 'ok', 2, 1, '0', 'fff', '2000', LAST],
    ['ok', 'ok', 1, 2048, '1000000', '7fffffff', UNTOUCHED, UNTOUCHED],
  ),
  row(
    'I23',
    'iova_ranges.two_small',
    ['ok', 'EMSGSIZE', 2, 1, '0', 'fff', UNTOUCHED, UNTOUCHED],
    ['ok', 'ok', 1, 2048, '1000000', '7fffffff', UNTOUCHED, UNTOUCHED],
  ),
  same('I24', 'access_domain_destroy', [0, 1, 'ok', 0]),
  same('I25', 'access_pin', times(15, 'ok')),
  same('I26', 'access_pin_unmap', [16, 65536, 'ENOENT', 0]),
  same('I27', 'access_rw', ['mapped', 6300, 6300, 'ok']),
  same('I28', 'access_rw_unaligned', [2048, 6300, 6300, 'ok']),
  row('I29', 'fork_gone', ['mapped', 'EFAULT'], ['mapped', 'ok', 6300, 6300, 'ok']),
  same('I30', 'fork_present', ['mapped', 'ok', 6300, 6300, 'ok']),
  same('I31', 'ioas_option_huge_pages', [1, 'ok', 0, 'EINVAL', 'ok']),
  row('I32', 'ioas_iova_alloc', ['ok', 8191], ['ok', 3, 'EINVAL', 8188]),
  row('I33', 'ioas_align_change', [0, 'ok', 'EINVAL', 'ok', P, 'EADDRINUSE', P, P], null),
  same('I34', 'copy_sweep', [0, 'ENOENT', 9, 'ok', 124, 'ENOENT', 4]),
  row(
    'I35',
    'dmabuf_simple',
    ['EINVAL', 'EINVAL', 'EINVAL', 0x4000],
    ['EINVAL', 'EINVAL', 'EINVAL', 0x1000000],
  ),
  row(
    'I36',
    'dmabuf_revoke',
    [0x4000, 'ENODEV', 0x8000, 4 * P, 0x4000],
    [0x1000000, 'ok', 'ENODEV', 0x1004000, 4 * P, 0x1000000],
  ),
  row('I37', 'get_hw_info', times(6, 'ENOENT'), [
    ...['ok', 8, ''],
    ...['ok', 8, '00000000efbeadde'],
    'EOPNOTSUPP',
    ...['ok', 8, '00000000efbeadde'],
    ...['ok', 8, '00000000efbeadde0000000000000000'],
    ...['ok', 8, '00000000'],
  ]),
];
