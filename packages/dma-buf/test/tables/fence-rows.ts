// Single fences: the rows of the kernel's test suite dma-buf-fence, and the rest of what is said of fences.
// Source: drivers/dma-buf/st-dma-fence.c and dma-fence.c.

import type { ScriptRow } from './step-script.ts';

/** The kernel's own suite. A mock fence is context 0, number 0, without release or wait. */
export const fenceSuite: readonly ScriptRow[] = [
  { key: 'fence.sanitycheck', steps: ['fence f', 'enable f', 'signal f', 'warned = 0'] },
  {
    key: 'fence.signaling',
    steps: [
      'fence f',
      'is-signaled f = false',
      'check-and-signal f = false',
      'is-signaled f = true',
      'flag f = true',
      'ops f = null',
    ],
  },
  { key: 'fence.add-callback', steps: ['fence f', 'add f cb = 0', 'signal f', 'called = cb'] },
  {
    key: 'fence.late-add-callback',
    steps: ['fence f', 'signal f', 'add f cb = -ENOENT', 'signal f', 'called = none'],
  },
  {
    key: 'fence.rm-callback',
    steps: ['fence f', 'add f cb = 0', 'remove f cb = true', 'signal f', 'called = none'],
  },
  {
    key: 'fence.late-rm-callback',
    steps: ['fence f', 'add f cb = 0', 'signal f', 'called = cb', 'remove f cb = false'],
  },
  { key: 'fence.status', steps: ['fence f', 'status f = 0', 'signal f', 'status f = 1'] },
  {
    key: 'fence.error',
    steps: ['fence f', 'set-error f -5', 'status f = 0', 'signal f', 'status f = -EIO', 'warned = 0'],
  },
  { key: 'fence.wait', steps: ['fence f', 'wait f 0 = 0', 'signal f', 'wait f 0 = 1'] },
  { key: 'fence.wait-timeout', steps: ['fence f', 'wait f 1 = 0', 'after 1 f', 'wait f 1000 = 999'] },
  {
    key: 'fence.stub',
    steps: Array.from({ length: 64 }, (_, n) => [`stub s${n}`, `is-signaled s${n} = true`]).flat(),
  },
];

/** States and signals. */
export const fenceStates: readonly ScriptRow[] = [
  {
    key: 'fence.state.second-signal',
    steps: ['fence f', 'check-and-signal f = false', 'check-and-signal f = true', 'flag f = true'],
  },
  {
    key: 'fence.state.signal-twice',
    steps: ['fence f', 'add f a = 0', 'signal f', 'signal f', 'called = a'],
  },
  {
    key: 'fence.state.callback-order',
    steps: ['fence f', 'add f a = 0', 'add f b = 0', 'add f c = 0', 'signal f', 'called = a,b,c'],
  },
  {
    key: 'fence.state.callback-order-after-removal',
    steps: [
      'fence f',
      'add f a = 0',
      'add f b = 0',
      'add f c = 0',
      'remove f a = true',
      'add f a = 0',
      'signal f',
      'called = b,c,a',
    ],
  },
  {
    key: 'fence.state.remove-twice',
    steps: ['fence f', 'add f a = 0', 'remove f a = true', 'remove f a = false'],
  },
  { key: 'fence.state.remove-never-added', steps: ['fence f', 'remove f a = false'] },
  {
    key: 'fence.state.remove-after-late-add',
    steps: ['fence f', 'signal f', 'add f a = -ENOENT', 'remove f a = false'],
  },
  { key: 'fence.state.ops-kept-unsignaled', steps: ['fence f', 'ops f = set'] },
  { key: 'fence.state.ops-kept-for-release', steps: ['fence f 1#1 releases', 'signal f', 'ops f = set'] },
  {
    key: 'fence.state.timestamp',
    steps: [
      'fence f',
      'timestamp f = null',
      'advance 7',
      'signal f',
      'advance 5',
      'signal f',
      'timestamp f = 7',
    ],
  },
  {
    key: 'fence.state.driver-finished',
    steps: ['fence f 1#1 finished', 'flag f = false', 'status f = 1', 'flag f = true'],
  },
  {
    key: 'fence.state.driver-finished-asked',
    steps: ['fence f 1#1 finished', 'flag f = false', 'is-signaled f = true', 'flag f = true'],
  },
  {
    key: 'fence.state.driver-unfinished',
    steps: ['fence f 1#1 unfinished', 'is-signaled f = false', 'signal f', 'is-signaled f = true'],
  },
  { key: 'fence.state.no-driver', steps: ['fence f', 'is-signaled f = false', 'flag f = false'] },
  {
    key: 'fence.state.finished-calls-back',
    steps: ['fence f 1#1 finished', 'add f a = 0', 'is-signaled f = true', 'called = a'],
  },
  {
    key: 'fence.add.driver-declines',
    steps: [
      'fence f 1#1 declines',
      'add f a = -ENOENT',
      'flag f = true',
      'called = none',
      'remove f a = false',
    ],
  },
  { key: 'fence.add.enable-declines', steps: ['fence f 1#1 declines', 'enable f', 'flag f = true'] },
  { key: 'fence.add.no-fence', steps: ['add - a = -EINVAL'] },
  { key: 'fence.add.no-function', steps: ['fence f', 'add-nothing f a = -EINVAL', 'warned = 1', 'signal f'] },
  { key: 'fence.status.stub', steps: ['stub s', 'status s = 1'] },
  ...[
    [-1, '-EPERM'],
    [-12, '-ENOMEM'],
    [-22, '-EINVAL'],
    [-4095, '-4095'],
  ].map(([error, status]) => ({
    key: `fence.error.in-range.${error}`,
    steps: ['fence f', `set-error f ${error}`, 'warned = 0', 'signal f', `status f = ${status}`],
  })),
  ...[0, 1, 5, -4096, -65536].map((error) => ({
    key: `fence.error.out-of-range.${error}`,
    steps: ['fence f', `set-error f ${error}`, 'warned = 1'],
  })),
  { key: 'fence.error.late', steps: ['fence f', 'signal f', 'set-error f -5', 'warned = 1'] },
  {
    key: 'fence.released-unsignaled.waited-for',
    steps: ['fence f', 'add f a = 0', 'drop-last f', 'called = a', 'warned = 1'],
  },
  { key: 'fence.released-unsignaled.unwanted', steps: ['fence f', 'drop-last f', 'warned = 0'] },
  {
    key: 'fence.released-signaled',
    steps: ['fence f', 'add f a = 0', 'signal f', 'drop-last f', 'warned = 0'],
  },
];

/** Waits. */
export const fenceWaits: readonly ScriptRow[] = [
  { key: 'fence.wait.negative', steps: ['fence f', 'wait f -1 = -EINVAL', 'warned = 1'] },
  {
    key: 'fence.wait.negative-signaled',
    steps: ['fence f', 'signal f', 'wait f -1 = -EINVAL', 'warned = 1'],
  },
  { key: 'fence.wait.zero-driver-declines', steps: ['fence f 1#1 declines', 'wait f 0 = 1'] },
  { key: 'fence.wait.signaled-keeps-time', steps: ['fence f', 'signal f', 'wait f 50 = 50', 'now = 0'] },
  { key: 'fence.wait.declined-keeps-time', steps: ['fence f 1#1 declines', 'wait f 50 = 50', 'now = 0'] },
  { key: 'fence.wait.one-left', steps: ['fence f', 'after 9 f', 'wait f 10 = 1', 'now = 9'] },
  {
    key: 'fence.wait.time-over',
    steps: ['fence f', 'after 11 f', 'wait f 10 = 0', 'now = 10', 'flag f = false'],
  },
  { key: 'fence.wait.hit', steps: ['fence f', 'wait f 10 interruptible hit = -ERESTARTSYS'] },
  { key: 'fence.wait.hit-uninterruptible', steps: ['fence f', 'after 4 f', 'wait f 10 hit = 6'] },
  { key: 'fence.wait.hit-signaled', steps: ['fence f', 'signal f', 'wait f 10 interruptible hit = 10'] },
  { key: 'fence.wait.hit-zero', steps: ['fence f', 'wait f 0 interruptible hit = -ERESTARTSYS'] },
  { key: 'fence.wait.for-ever', steps: ['fence f', 'wait f ever = blocked'] },
];

const later = (
  key: string,
  [one, other]: readonly [string, string],
  answers: readonly [boolean, boolean],
  word = '',
): ScriptRow => ({
  key: `fence.later.${key}`,
  steps: [
    `fence a 5#${one}${word}`,
    `fence b 5#${other}${word}`,
    `later a b = ${answers[0]}`,
    `later b a = ${answers[1]}`,
    `later-or-same a b = ${answers[0]}`,
    `later-or-same b a = ${answers[1]}`,
    'later a a = false',
    'later-or-same a a = true',
    'warned = 0',
  ],
});

/** Order within a context: the sign of the 32-bit difference, or 64-bit numbers. */
export const fenceOrder: readonly ScriptRow[] = [
  later('next', ['2', '1'], [true, false]),
  later('equal', ['7', '7'], [false, false]),
  later('zero', ['1', '0'], [true, false]),
  later('wraps', ['0', '4294967295'], [true, false]),
  later('wraps-far', ['5', '4294967290'], [true, false]),
  later('half-less-one', ['2147483647', '0'], [true, false]),
  later('half', ['2147483648', '0'], [false, false]),
  later('half-and-one', ['2147483649', '0'], [false, true]),
  later('64.next', ['2', '1'], [true, false], ' seqno64'),
  later('64.equal', ['7', '7'], [false, false], ' seqno64'),
  later('64.no-wrap', ['0', '4294967295'], [false, true], ' seqno64'),
  later('64.half', ['2147483648', '0'], [true, false], ' seqno64'),
  later('64.beyond-32', ['4294967296', '4294967295'], [true, false], ' seqno64'),
  later('64.low-words-reversed', ['8589934593', '4294967298'], [true, false], ' seqno64'),
  {
    key: 'fence.later.other-context',
    steps: ['fence a 5#1', 'fence b 6#2', 'later b a = false', 'later a b = false', 'warned = 2'],
  },
];
