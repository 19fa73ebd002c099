// The kernel's `iommufd_ioas` tests (selftests/iommu/iommufd.c) as data, and more. Each case is a list of calls with
// what each answers: a number (an IOVA, bytes) or an errno by name. Addresses are offsets from the variant's base.
// Simplified: cases about closing, access, dirty tracking and files have tests of their own.

import type { ErrnoName } from '@sgfree/mm';

/** What a call answers. */
export type Answer = number | 'ok' | ErrnoName;

/** One call. `P` = pages where it says so, else bytes. */
export type Step =
  | readonly ['map', { readonly at: number; readonly pages: number }, Answer]
  | readonly ['unmap', { readonly at: number; readonly pages: number }, Answer]
  | readonly ['unmap-all', Answer]
  | readonly ['auto', { readonly pages: number; readonly hint?: number }, Answer]
  | readonly ['allow', readonly (readonly [number, number])[], Answer]
  | readonly ['reserve', { readonly at: number; readonly bytes: number }, Answer]
  | readonly ['copy', { readonly from: number; readonly to: number; readonly pages: number }, Answer]
  | readonly ['destroy', Answer]
  | readonly ['huge', 0 | 1, Answer];

/** One case. */
export interface StepCase {
  readonly id: string;
  /** Answers that differ with a mock device attached; default: the same. */
  readonly steps: readonly Step[];
  readonly mockSteps?: readonly Step[];
}

const P = 4096;

const overmaps: readonly Step[] = [
  ['map', { at: 16 * P, pages: 2 }, 16 * P],
  ['map', { at: 16 * P, pages: 2 }, 'EEXIST'],
  ['map', { at: 16 * P, pages: 1 }, 'EEXIST'],
  ['map', { at: 17 * P, pages: 1 }, 'EEXIST'],
  ['map', { at: 15 * P, pages: 2 }, 'EEXIST'],
  ['map', { at: 15 * P, pages: 3 }, 'EEXIST'],
];

const contained: readonly Step[] = [
  ...[0, 1, 2, 3].map((i): Step => ['map', { at: (4 + i * 16) * P, pages: 8 }, (4 + i * 16) * P]),
  ['unmap', { at: 0, pages: 8 }, 'ENOENT'],
  ['unmap', { at: 56 * P, pages: 8 }, 'ENOENT'],
  ['unmap', { at: 0, pages: 60 }, 32 * P],
];

/** The cases. */
export const IOAS_STEP_CASES: readonly StepCase[] = [
  { id: 'destroy', steps: [['destroy', 'ok']], mockSteps: [['destroy', 'EBUSY']] },
  {
    id: 'destroy with an area',
    steps: [
      ['map', { at: 0, pages: 1 }, 0],
      ['destroy', 'ok'],
    ],
    mockSteps: [
      ['map', { at: 0, pages: 1 }, 0],
      ['destroy', 'EBUSY'],
    ],
  },
  {
    id: 'unmap nothing',
    steps: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((i): Step => ['unmap', { at: i * P, pages: 1 }, 'ENOENT']),
  },
  {
    id: 'map and unmap',
    steps: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((i): Step[] => [
      ['map', { at: i * P, pages: 1 }, i * P],
      ['unmap', { at: i * P, pages: 1 }, P],
    ]),
  },
  {
    id: 'split',
    steps: [
      ['map', { at: 16 * P, pages: 2 }, 16 * P],
      ['unmap', { at: 16 * P, pages: 1 }, 'ENOENT'],
      ['unmap', { at: 17 * P, pages: 1 }, 'ENOENT'],
    ],
  },
  { id: 'overmap', steps: overmaps },
  {
    id: 'all',
    steps: [
      ['unmap-all', 0],
      ['unmap-all', 0],
      ['map', { at: P, pages: 2 }, P],
      ['unmap-all', 2 * P],
    ],
  },
  { id: 'fully contained', steps: contained },
  {
    id: 'what was unmapped before an error stays unmapped',
    steps: [
      ['map', { at: 0, pages: 1 }, 0],
      ['map', { at: P, pages: 2 }, P],
      ['unmap', { at: 0, pages: 2 }, 'ENOENT'],
      ['map', { at: 0, pages: 1 }, 0],
      ['unmap', { at: 0, pages: 0 }, 'EINVAL'],
    ],
  },
  {
    id: 'allowed ranges against the aperture',
    steps: [['allow', [[P, 600 * P]], 'ok']],
    mockSteps: [['allow', [[-0x1000000 + P, -0x1000000 + 600 * P]], 'EADDRINUSE']],
  },
  {
    id: 'allowed and reserved ranges exclude each other',
    steps: [
      ['allow', [[0, 600 * P]], 'ok'],
      ['reserve', { at: P, bytes: P }, 'EADDRINUSE'],
      ['allow', [], 'ok'],
      ['reserve', { at: P, bytes: P }, 'ok'],
      ['allow', [[0, 600 * P]], 'EADDRINUSE'],
    ],
  },
  {
    id: 'allowed ranges that are wrong leave the old ones',
    steps: [
      ['allow', [[8 * P, 9 * P - 1]], 'ok'],
      ['allow', [[P, P]], 'EINVAL'],
      [
        'allow',
        [
          [0, 2 * P],
          [2 * P, 3 * P],
        ],
        'EINVAL',
      ],
      ['auto', { pages: 1 }, 8 * P],
      ['auto', { pages: 1 }, 'ENOSPC'],
      ['map', { at: 20 * P, pages: 1 }, 20 * P],
    ],
  },
  {
    id: 'copy',
    steps: [
      ['map', { at: 0, pages: 1 }, 0],
      ['copy', { from: 0, to: P, pages: 1 }, P],
      ['copy', { from: 0, to: 2 * P, pages: 2 }, 2 * P],
      ['copy', { from: 0, to: 8 * P, pages: 5 }, 'ENOENT'],
      ['copy', { from: 5 * P, to: 8 * P, pages: 1 }, 'ENOENT'],
      ['copy', { from: 0, to: P, pages: 1 }, 'EEXIST'],
      ['copy', { from: 0, to: 8 * P, pages: 0 }, 'EINVAL'],
    ],
  },
  {
    id: 'reserving',
    steps: [
      ['reserve', { at: 0, bytes: 0 }, 'EINVAL'],
      ['map', { at: 0, pages: 1 }, 0],
      ['reserve', { at: P - 1, bytes: 2 }, 'EADDRINUSE'],
      ['reserve', { at: P, bytes: 2 }, 'ok'],
      ['map', { at: P, pages: 1 }, 'EINVAL'],
    ],
  },
  {
    id: 'large pages',
    steps: [
      ['huge', 0, 'ok'],
      ['huge', 0, 'ok'],
      ['huge', 1, 'ok'],
      ['map', { at: P / 2, pages: 1 }, P / 2],
      ['huge', 0, 'EADDRINUSE'],
    ],
    mockSteps: [
      ['huge', 0, 'ok'],
      ['map', { at: P / 2, pages: 1 }, 'EINVAL'],
      ['map', { at: 0, pages: 1 }, 0],
      ['huge', 1, 'ok'],
      ['huge', 0, 'EINVAL'],
    ],
  },
];
