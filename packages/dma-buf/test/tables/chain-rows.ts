// Chains: the rows of the kernel's test suite dma-buf-fence-chain, and the rest of what is said of chains. Node `cI` of a
// row's chain holds fence `fI`, context 0 and number 0.
// Source: drivers/dma-buf/st-dma-fence-chain.c and dma-fence-chain.c.

import type { ScriptRow } from './step-script.ts';

/** A chain of `length` nodes whose numbers are `seqno`. */
export const chainOf = (length: number, seqno: (i: number) => number): string[] =>
  Array.from({ length }, (_, i) => i).flatMap((i) => [
    `fence f${i}`,
    `chain c${i} ${i === 0 ? '-' : `c${i - 1}`} f${i} ${seqno(i)}`,
  ]);

const each = (count: number, row: (i: number) => ScriptRow): ScriptRow[] =>
  Array.from({ length: count }, (_, i) => row(i));
const LENGTH = 64;
const last = `c${LENGTH - 1}`;
const dense = chainOf(LENGTH, (i) => i + 1);
const sparse = chainOf(LENGTH, (i) => 2 * i + 2);

/** The kernel's own suite; a row for each node. */
export const chainSuite: readonly ScriptRow[] = [
  {
    key: 'fence.chain.sanitycheck',
    steps: ['fence f', 'chain c - f 1', 'enable c', 'signal f', 'is-signaled c = true', 'warned = 0'],
  },
  { key: 'fence.chain.find-seqno.zero', steps: [...dense, `find ${last} 0 = ${last}`] },
  ...each(LENGTH, (i) => ({
    key: `fence.chain.find-seqno.${i}`,
    steps: [
      ...dense,
      `find ${last} ${i + 1} = c${i}`,
      `find c${i} ${i + 1} = c${i}`,
      `find c${i} ${i + 2} = -EINVAL`,
      `find c${i} ${i} = c${Math.max(0, i - 1)}`,
    ],
  })),
  {
    key: 'fence.chain.find-signaled',
    steps: [...chainOf(2, (i) => i + 1), 'signal f0', 'find c1 1 = null'],
  },
  {
    key: 'fence.chain.find-out-of-order',
    steps: [...chainOf(3, (i) => i + 1), 'signal f1', 'find c2 2 = c0'],
  },
  ...each(LENGTH, (i) => ({
    key: `fence.chain.find-gap.${i}`,
    steps: [...sparse, `find ${last} ${2 * i + 1} = c${i}`, `find c${i} ${2 * i + 2} = c${i}`],
  })),
  ...each(LENGTH, (i) => ({
    key: `fence.chain.signal-forward.${i}`,
    steps: [
      ...dense,
      ...Array.from({ length: i + 1 }, (_, n) => `signal f${n}`),
      `is-signaled c${i} = true`,
      ...(i + 1 < LENGTH ? [`is-signaled c${i + 1} = false`] : []),
    ],
  })),
  ...each(LENGTH, (i) => ({
    key: `fence.chain.signal-backward.${i}`,
    steps: [
      ...dense,
      ...Array.from({ length: LENGTH - i }, (_, n) => `signal f${LENGTH - 1 - n}`),
      `is-signaled c${i} = ${i === 0}`,
    ],
  })),
  {
    key: 'fence.chain.signal-backward.all',
    steps: [
      ...dense,
      ...Array.from({ length: LENGTH }, (_, n) => `signal f${LENGTH - 1 - n}`),
      ...Array.from({ length: LENGTH }, (_, n) => `is-signaled c${n} = true`),
    ],
  },
];

/** Numbers, contexts and what is cut out. */
export const chainRows: readonly ScriptRow[] = [
  { key: 'fence.chain.place.first', steps: ['fence f', 'chain c - f 9', 'seqno c = 9', 'prev-seqno c = 0'] },
  {
    key: 'fence.chain.place.later',
    steps: [
      ...chainOf(2, (i) => 3 * i + 4),
      'same-context c0 c1 = true',
      'seqno c1 = 7',
      'prev-seqno c1 = 4',
    ],
  },
  {
    key: 'fence.chain.place.same-number',
    steps: [...chainOf(2, () => 4), 'same-context c0 c1 = false', 'seqno c1 = 4', 'prev-seqno c1 = 0'],
  },
  {
    key: 'fence.chain.place.earlier',
    steps: [
      ...chainOf(2, (i) => 9 - 5 * i),
      'same-context c0 c1 = false',
      'seqno c1 = 9',
      'prev-seqno c1 = 0',
    ],
  },
  {
    key: 'fence.chain.place.no-32-bit-wrap',
    steps: [
      'fence f0',
      'chain c0 - f0 4294967295',
      'fence f1',
      'chain c1 c0 f1 0',
      'same-context c0 c1 = false',
      'seqno c1 = 4294967295',
    ],
  },
  {
    key: 'fence.chain.place.beyond-32-bit',
    steps: [
      'fence f0',
      'chain c0 - f0 4294967295',
      'fence f1',
      'chain c1 c0 f1 4294967296',
      'same-context c0 c1 = true',
      'prev-seqno c1 = 4294967295',
    ],
  },
  { key: 'fence.chain.find.no-chain', steps: ['fence f 4#9', 'find f 3 = -EINVAL'] },
  { key: 'fence.chain.find.no-chain-zero', steps: ['fence f 4#9', 'find f 0 = f'] },
  { key: 'fence.chain.find.not-there-yet', steps: [...chainOf(3, (i) => i + 1), 'find c2 4 = -EINVAL'] },
  {
    key: 'fence.chain.find.other-context',
    steps: [
      'fence f0',
      'chain c0 - f0 5',
      'fence f1',
      'chain c1 c0 f1 3',
      'fence f2',
      'chain c2 c1 f2 8',
      'find c2 2 = c1',
      'find c2 5 = c1',
      'find c2 6 = c2',
    ],
  },
  {
    key: 'fence.chain.find.dropped-to-other-context',
    steps: [
      'fence f0',
      'chain c0 - f0 5',
      'fence f1',
      'chain c1 c0 f1 3',
      'fence f2',
      'chain c2 c1 f2 8',
      'signal f1',
      'find c2 5 = c0',
    ],
  },
  {
    key: 'fence.chain.find.all-signaled',
    steps: [...chainOf(4, (i) => i + 1), 'signal f0', 'signal f1', 'signal f2', 'find c3 3 = null'],
  },
  {
    key: 'fence.chain.find.head-signaled',
    steps: [...chainOf(3, (i) => i + 1), 'signal f2', 'find c2 3 = c2', 'find c2 2 = c1'],
  },
  {
    key: 'fence.chain.walk.signaled-dropped',
    steps: [...chainOf(4, (i) => i + 1), 'signal f1', 'signal f2', 'walk c3 = c0', 'walk c0 = null'],
  },
  { key: 'fence.chain.walk.order', steps: [...chainOf(3, (i) => i + 1), 'walk c2 = c1', 'walk c1 = c0'] },
  {
    key: 'fence.chain.unwrap.signaled-dropped',
    steps: [...chainOf(4, (i) => i + 1), 'signal f1', 'unwrap c3 = f3,f2,f0'],
  },
  {
    key: 'fence.chain.unwrap.head-signaled',
    steps: [...chainOf(3, (i) => i + 1), 'signal f2', 'unwrap c2 = f2,f1,f0'],
  },
  {
    key: 'fence.chain.signaled.own-fence-only',
    steps: [
      ...chainOf(2, (i) => i + 1),
      'signal f1',
      'is-signaled c1 = false',
      'signal f0',
      'is-signaled c1 = true',
    ],
  },
  {
    key: 'fence.chain.calls-back',
    steps: [
      ...chainOf(3, (i) => i + 1),
      'add c2 cb = 0',
      'signal f2',
      'signal f0',
      'called = none',
      'signal f1',
      'called = cb',
    ],
  },
  {
    key: 'fence.chain.array-inside',
    steps: [
      'fence f',
      'fence g',
      'array a f,g',
      'chain c - a 1',
      'signal f',
      'is-signaled c = false',
      'signal g',
      'is-signaled c = true',
    ],
  },
  { key: 'fence.chain.of-chain', steps: [...chainOf(1, () => 1), 'chain d - c0 2', 'warned = 1'] },
];

/** Orders in which the fences of 4096 nodes signal while somebody waits on the last node: the wait ends with 0. */
export const chainWaits: readonly { readonly key: string; readonly order: (i: number) => number }[] = [
  { key: 'fence.chain.wait-forward', order: (i) => i },
  { key: 'fence.chain.wait-backward', order: (i) => 4095 - i },
  // An odd factor visits every node once, in an order without pattern.
  { key: 'fence.chain.wait-random', order: (i) => (i * 2731 + 1013) & 4095 },
];
