// Arrays, and what merging and unwrapping fences gives: the rows of dma-buf-fence-unwrap and the rest of what is said of
// them.
// Source: drivers/dma-buf/st-dma-fence-unwrap.c, dma-fence-array.c and dma-fence-unwrap.c.

import type { ScriptRow } from './step-script.ts';

const two = ['fence f1 own', 'fence f2 own'];

/** The kernel's own suite. */
export const unwrapSuite: readonly ScriptRow[] = [
  {
    key: 'fence.unwrap.sanitycheck',
    steps: ['fence f own', 'array a f', 'chain c - a 1', 'enable c', 'unwrap c = f', 'warned = 0'],
  },
  { key: 'fence.unwrap.array', steps: [...two, 'array a f1,f2', 'unwrap a = f1,f2'] },
  {
    key: 'fence.unwrap.chain',
    steps: [...two, 'chain c1 - f1 1', 'chain c2 c1 f2 2', 'unwrap c2 = f2,f1'],
  },
  { key: 'fence.unwrap.chain-array', steps: [...two, 'array a f1,f2', 'chain c - a 1', 'unwrap c = f1,f2'] },
  { key: 'fence.unwrap.merge', steps: [...two, 'merge m f1,f2 = array', 'unwrap m = f1,f2'] },
  { key: 'fence.unwrap.merge-duplicate', steps: ['fence f1 own', 'merge m f1,f1 = f1', 'unwrap f1 = f1'] },
  {
    key: 'fence.unwrap.merge-seqno',
    steps: [
      'fence f1 11#1',
      'fence f2 11#2',
      'fence f3 10#1',
      'merge m f1,f2,f3 = array',
      'unwrap m = f3,f2',
    ],
  },
  {
    key: 'fence.unwrap.merge-order',
    steps: [
      ...two,
      'array a f1,f2',
      'chain c1 - f1 1',
      'chain c2 c1 f2 2',
      'merge m a,c2 = array',
      'unwrap m = f1,f2',
    ],
  },
  {
    key: 'fence.unwrap.merge-complex',
    steps: [
      ...two,
      'merge f3 f1,f2 = array',
      'array f4 f2,f1',
      'stub s',
      'merge f5 f3,f4,s = array',
      'unwrap f5 = f1,f2',
    ],
  },
  {
    key: 'fence.unwrap.merge-complex-seqno',
    steps: [
      'fence f1 10#2',
      'fence f2 11#1',
      'fence f3 10#1',
      'fence f4 11#2',
      'array a1 f1,f2',
      'array a2 f3,f4',
      'merge m a1,a2 = array',
      'unwrap m = f1,f4',
    ],
  },
];

/** What is left when some of the parts have signaled. */
export const mergeRows: readonly ScriptRow[] = [
  {
    key: 'fence.merge.none-left',
    steps: [...two, 'signal f1', 'signal f2', 'merge m f1,f2 = stub', 'is-signaled m = true'],
  },
  {
    key: 'fence.merge.none-left-timestamp',
    steps: [
      ...two,
      'advance 3',
      'signal f2',
      'advance 4',
      'signal f1',
      'advance 5',
      'merge m f1,f2 = stub',
      'timestamp m = 7',
    ],
  },
  { key: 'fence.merge.one-left.first', steps: [...two, 'signal f2', 'merge m f1,f2 = f1'] },
  { key: 'fence.merge.one-left.second', steps: [...two, 'signal f1', 'merge m f1,f2 = f2'] },
  { key: 'fence.merge.one-left-of-array', steps: [...two, 'array a f1,f2', 'signal f1', 'merge m a = f2'] },
  {
    key: 'fence.merge.one-left-of-chain',
    steps: [...two, 'chain c1 - f1 1', 'chain c2 c1 f2 2', 'signal f2', 'merge m c2 = f1'],
  },
  {
    key: 'fence.merge.one-context',
    steps: ['fence a 4#1', 'fence b 4#3', 'fence c 4#2', 'merge m a,b,c = b'],
  },
  {
    key: 'fence.merge.one-context-latest-signaled',
    steps: ['fence a 4#1', 'fence b 4#3', 'fence c 4#2', 'signal b', 'merge m a,b,c = c'],
  },
  {
    key: 'fence.merge.contexts-ascend',
    steps: ['fence a 9#1', 'fence b 3#1', 'fence c 6#1', 'merge m a,b,c = array', 'unwrap m = b,c,a'],
  },
  {
    key: 'fence.merge.wrapped-number-is-later',
    steps: ['fence a 4#4294967295', 'fence b 4#0', 'merge m a,b = b'],
  },
  {
    key: 'fence.merge.seqno64',
    steps: ['fence a 4#4294967295 seqno64', 'fence b 4#0 seqno64', 'merge m a,b = a'],
  },
  { key: 'fence.merge.single', steps: ['fence a own', 'merge m a = a'] },
  { key: 'fence.merge.stub-only', steps: ['stub s', 'merge m s = stub'] },
  {
    key: 'fence.merge.signals-with-last',
    steps: [
      ...two,
      'merge m f1,f2 = array',
      'signal f1',
      'is-signaled m = false',
      'signal f2',
      'is-signaled m = true',
    ],
  },
  { key: 'fence.unwrap.plain', steps: ['fence f own', 'unwrap f = f'] },
  {
    key: 'fence.unwrap.array-signaled-member',
    steps: [...two, 'signal f1', 'array a f1,f2', 'unwrap a = f1,f2'],
  },
];

/** Arrays. */
export const arrayRows: readonly ScriptRow[] = [
  {
    key: 'fence.array.all',
    steps: [
      ...two,
      'array a f1,f2',
      'enable a',
      'is-signaled a = false',
      'signal f2',
      'is-signaled a = false',
      'signal f1',
      'is-signaled a = true',
      'status a = 1',
    ],
  },
  {
    key: 'fence.array.never-enabled',
    steps: [
      ...two,
      'array a f1,f2',
      'signal f1',
      'is-signaled a = false',
      'signal f2',
      'flag a = false',
      'is-signaled a = true',
    ],
  },
  {
    key: 'fence.array.any',
    steps: [
      ...two,
      'array a f1,f2 any',
      'enable a',
      'is-signaled a = false',
      'signal f2',
      'is-signaled a = true',
    ],
  },
  {
    key: 'fence.array.signaled-before',
    steps: [...two, 'signal f1', 'signal f2', 'array a f1,f2', 'is-signaled a = true'],
  },
  {
    key: 'fence.array.calls-back',
    steps: [
      ...two,
      'array a f1,f2',
      'add a cb = 0',
      'signal f1',
      'called = none',
      'signal f2',
      'called = cb',
    ],
  },
  {
    key: 'fence.array.add-late',
    steps: [...two, 'signal f1', 'signal f2', 'array a f1,f2', 'add a cb = -ENOENT', 'called = none'],
  },
  {
    key: 'fence.array.error',
    steps: [
      ...two,
      'array a f1,f2',
      'enable a',
      'set-error f2 -5',
      'signal f2',
      'signal f1',
      'status a = -EIO',
    ],
  },
  {
    key: 'fence.array.error-first-seen',
    steps: [
      ...two,
      'array a f1,f2',
      'enable a',
      'set-error f1 -5',
      'set-error f2 -12',
      'signal f2',
      'signal f1',
      'status a = -ENOMEM',
    ],
  },
  {
    key: 'fence.array.error-before',
    steps: [
      ...two,
      'set-error f1 -5',
      'signal f1',
      'array a f1,f2',
      'enable a',
      'signal f2',
      'status a = -EIO',
    ],
  },
  {
    key: 'fence.array.of-array',
    steps: [...two, 'array a f1', 'warned = 0', 'array b a,f2', 'warned = 1'],
  },
  { key: 'fence.array.of-chain', steps: [...two, 'chain c - f1 1', 'array b c,f2', 'warned = 1'] },
  {
    key: 'fence.container',
    steps: [
      ...two,
      'array a f1,f2',
      'chain c - f1 1',
      'is-container f1 = false',
      'is-container a = true',
      'is-container c = true',
    ],
  },
];
