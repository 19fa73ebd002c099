// Automatic IOVAs as iopt_alloc_iova() in io_pagetable.c chooses them, as data. Lengths are mapped one after the other.
// Addresses and lengths are hex or plain numbers; `-28` is -ENOSPC.

/** One row. */
export interface AutoIovaRow {
  readonly name: string;
  /** Inclusive ranges, as bigints because they reach 2^64. */
  readonly reserved: readonly (readonly [bigint, bigint])[];
  readonly allowed: readonly (readonly [bigint, bigint])[];
  readonly alignment: number;
  /** Where the source starts. */
  readonly hint: number;
  readonly lengths: readonly number[];
  readonly results: readonly number[];
}

const P = 4096;
const LAST = 2n ** 64n - 1n;
const TEN: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((pages) => pages * P);
const VA = 2 ** 31;
const outsideMock: AutoIovaRow['reserved'] = [
  [0n, 0xffffffn],
  [0x80000000n, LAST],
];

/** The rows. */
export const AUTO_IOVA_ROWS: readonly AutoIovaRow[] = [
  {
    name: 'ten single pages',
    ...{ reserved: [], allowed: [], alignment: 1, hint: VA },
    lengths: TEN.map(() => P),
    results: TEN,
  },
  {
    name: 'one to ten pages',
    ...{ reserved: [], allowed: [], alignment: 1, hint: VA, lengths: TEN },
    results: [0x1000, 0x2000, 0x4000, 0x8000, 0x10000, 0x18000, 0x20000, 0x28000, 0x30000, 0x40000],
  },
  {
    name: 'around a reserved range',
    ...{ reserved: [[0x4000n, 0x67fffn]], allowed: [], alignment: 1, hint: VA, lengths: TEN },
    results: [0x1000, 0x2000, 0x68000, 0x6c000, 0x70000, 0x78000, 0x80000, 0x88000, 0x90000, 0xa0000],
  },
  {
    name: 'within an allowed range',
    ...{ reserved: [[0x4000n, 0x67fffn]], allowed: [[0xc8000n, 0x257fffn]], alignment: 1, hint: VA },
    lengths: TEN,
    results: [0xc8000, 0xca000, 0xcc000, 0xd0000, 0xd8000, 0xe0000, 0xe8000, 0xf0000, 0x100000, 0x110000],
  },
  {
    name: 'within the mock aperture',
    ...{ reserved: outsideMock, allowed: [], alignment: 2048, hint: VA, lengths: TEN },
    results: [
      0x1000000, 0x1002000, 0x1004000, 0x1008000, 0x1010000, 0x1018000, 0x1020000, 0x1028000, 0x1030000,
      0x1040000,
    ],
  },
  {
    name: 'within an allowed part of the mock aperture',
    ...{ reserved: outsideMock, allowed: [[0x1001000n, 0x1257fffn]], alignment: 2048, hint: VA },
    lengths: TEN,
    results: [
      0x1001000, 0x1002000, 0x1004000, 0x1008000, 0x1010000, 0x1018000, 0x1020000, 0x1028000, 0x1030000,
      0x1040000,
    ],
  },
  {
    name: 'hint 0',
    ...{ reserved: [], allowed: [], alignment: 1, hint: 0, lengths: [0x4000, 0x4000] },
    results: [0x4000, 0x8000],
  },
  {
    name: 'hint 0 in the mock aperture',
    ...{ reserved: outsideMock, allowed: [], alignment: 2048, hint: 0, lengths: [0x4000, 0x4000] },
    results: [0x1000000, 0x1004000],
  },
  {
    name: 'no room',
    ...{ reserved: [[6n, 0xffffffffffff8006n]], allowed: [], alignment: 1, hint: VA, lengths: [0x5000] },
    results: [-28],
  },
  {
    name: 'half pages of an address in the middle of a page',
    ...{ reserved: [], allowed: [], alignment: 1, hint: VA + 0x800, lengths: [2048, 2048, 2048] },
    results: [0x1800, 0x2800, 0x3800],
  },
  {
    name: 'three bytes of an odd address',
    ...{ reserved: [], allowed: [], alignment: 1, hint: VA + 0x123, lengths: [3, 3, 3] },
    results: [0x1123, 0x1127, 0x112b],
  },
  {
    name: 'more than the largest alignment',
    ...{ reserved: [], allowed: [], alignment: 1, hint: 0, lengths: [3 * 2 ** 20, 3 * 2 ** 20] },
    results: [0x200000, 0x600000],
  },
  {
    name: 'less aligned than the address space',
    ...{ reserved: [], allowed: [], alignment: 4096, hint: VA + 0x800, lengths: [4096] },
    results: [-22],
  },
];
