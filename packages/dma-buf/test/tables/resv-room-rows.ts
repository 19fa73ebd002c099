// Reservations: room for fences, walks that meet signaled ones, waits and snapshots.
// Source: drivers/dma-buf/dma-resv.c. Room: a list of n slots is 24 + 8n bytes, and the slab gives the next of 8, 16,
// 32, 64, 96, 128, 192, 256 and the powers of two from there.

import type { ScriptRow } from './step-script.ts';

/** Room after a first reservation of `count`. */
const first = (count: number, capacity: number): ScriptRow => ({
  key: `resv.reserve.first.${count}`,
  steps: ['lock = true', `reserve ${count} = 0`, `capacity = ${capacity}`, 'unlock'],
});

const filled = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => [`fence f${i} own`, `add-to f${i} read`]).flat();

/** Room. */
export const resvRoom: readonly ScriptRow[] = [
  first(1, 5),
  first(3, 5),
  first(4, 5),
  first(5, 9),
  first(8, 9),
  first(9, 21),
  first(16, 21),
  first(17, 61),
  first(33, 125),
  { key: 'resv.reserve.none', steps: ['lock = true', 'reserve 0 = -EINVAL', 'warned = 1', 'unlock'] },
  {
    key: 'resv.reserve.no-memory',
    steps: ['lock = true', 'no-memory', 'reserve 1 = -ENOMEM', 'capacity = 0', 'unlock'],
  },
  {
    key: 'resv.reserve.fits',
    steps: ['lock = true', 'reserve 1 = 0', ...filled(3), 'reserve 2 = 0', 'capacity = 5', 'unlock'],
  },
  {
    key: 'resv.reserve.doubles',
    steps: ['lock = true', 'reserve 1 = 0', ...filled(5), 'reserve 1 = 0', 'capacity = 13', 'unlock'],
  },
  {
    key: 'resv.reserve.more-than-double',
    steps: ['lock = true', 'reserve 1 = 0', ...filled(5), 'reserve 10 = 0', 'capacity = 21', 'unlock'],
  },
  {
    key: 'resv.reserve.fits-without-memory',
    steps: ['lock = true', 'reserve 1 = 0', 'no-memory', ...filled(4), 'reserve 1 = 0', 'unlock'],
  },
  {
    key: 'resv.reserve.drops-signaled',
    steps: [
      'lock = true',
      'reserve 1 = 0',
      ...filled(5),
      'signal f1',
      'signal f3',
      'entries bookkeep = f0:read,f1:read,f2:read,f3:read,f4:read',
      'reserve 1 = 0',
      'entries bookkeep = f0:read,f2:read,f4:read',
      'unlock',
    ],
  },
  {
    key: 'resv.unlock.takes-room-back',
    steps: [
      'lock = true',
      'reserve 8 = 0',
      ...filled(3),
      'unlock',
      'capacity = 3',
      'lock = true',
      'reserve 1 = 0',
      'capacity = 9',
      'unlock',
    ],
  },
  {
    key: 'resv.unlock.empty',
    steps: [
      'lock = true',
      'reserve 8 = 0',
      'unlock',
      'capacity = 0',
      'lock = true',
      'reserve 1 = 0',
      'capacity = 5',
      'unlock',
    ],
  },
  {
    key: 'resv.unlock.then-add',
    steps: [
      'fence f own',
      'lock = true',
      'reserve 1 = 0',
      'unlock',
      'lock = true',
      'add-unreserved f read = thrown',
      'unlock',
    ],
  },
];

const three = [
  'fence k own',
  'fence w own',
  'fence b own',
  'lock = true',
  'reserve 3 = 0',
  'add-to k kernel',
  'add-to w write',
  'add-to b bookkeep',
  'unlock',
];

/** Walks, waits and snapshots. */
export const resvWalks: readonly ScriptRow[] = [
  {
    key: 'resv.walk.locked-sees-signaled',
    steps: [...three, 'signal w', 'lock = true', 'entries bookkeep = k:kernel,w:write,b:bookkeep', 'unlock'],
  },
  {
    key: 'resv.walk.unlocked-skips-signaled',
    steps: [
      ...three,
      'signal w',
      'iter-begin bookkeep',
      'iter-first = k',
      'iter-restarted = true',
      'iter-next = b',
      'iter-restarted = false',
      'iter-next = null',
      'iter-end',
    ],
  },
  { key: 'resv.walk.unlocked-empty', steps: ['iter-begin bookkeep', 'iter-first = null', 'iter-end'] },
  {
    key: 'resv.walk.unlocked-signaled-meanwhile',
    steps: [...three, 'iter-begin bookkeep', 'iter-first = k', 'signal w', 'iter-next = b', 'iter-end'],
  },
  { key: 'resv.wait.nothing', steps: ['resv-wait bookkeep 25 = 25', 'resv-wait bookkeep 0 = 1'] },
  {
    key: 'resv.wait.time-is-used-up',
    steps: [...three, 'after 10 k', 'after 30 w', 'after 60 b', 'resv-wait bookkeep 100 = 40', 'now = 60'],
  },
  {
    key: 'resv.wait.up-to-usage',
    steps: [
      ...three,
      'after 10 k',
      'after 30 w',
      'resv-wait write 100 = 70',
      'now = 30',
      'test bookkeep = false',
    ],
  },
  {
    key: 'resv.wait.time-over',
    steps: [...three, 'after 10 k', 'after 30 w', 'resv-wait bookkeep 20 = 0', 'now = 20'],
  },
  {
    key: 'resv.wait.hit',
    steps: [...three, 'resv-wait kernel 20 interruptible hit = -ERESTARTSYS', 'now = 0'],
  },
  { key: 'resv.wait.hit-uninterruptible', steps: [...three, 'after 5 k', 'resv-wait kernel 20 hit = 15'] },
  {
    key: 'resv.wait.hit-nothing',
    steps: [...three, 'signal k', 'resv-wait kernel 20 interruptible hit = 20'],
  },
  {
    key: 'resv.wait.lock-not-needed',
    steps: [...three, 'lock = true', 'after 5 k', 'resv-wait kernel 20 = 15', 'unlock', 'warned = 0'],
  },
  {
    key: 'resv.get-fences.in-order',
    steps: [...three, 'get-fences bookkeep = k,w,b', 'get-fences read = k,w'],
  },
  { key: 'resv.get-fences.unsignaled', steps: [...three, 'signal k', 'get-fences bookkeep = w,b'] },
  { key: 'resv.get-fences.no-memory', steps: [...three, 'no-memory', 'get-fences bookkeep = -ENOMEM'] },
  { key: 'resv.singleton.none', steps: ['singleton a bookkeep = null'] },
  { key: 'resv.singleton.one', steps: [...three, 'singleton a kernel = k'] },
  { key: 'resv.singleton.one-left', steps: [...three, 'signal k', 'singleton a write = w'] },
  {
    key: 'resv.singleton.array',
    steps: [
      ...three,
      'singleton a bookkeep = a',
      'is-container a = true',
      'unwrap a = k,w,b',
      'signal k',
      'signal w',
      'is-signaled a = false',
      'signal b',
      'is-signaled a = true',
    ],
  },
  {
    key: 'resv.copy.usages',
    steps: [
      ...three,
      'lock d = true',
      'copy r d = 0',
      'entries bookkeep d = k:kernel,w:write,b:bookkeep',
      'unlock d',
    ],
  },
  {
    key: 'resv.copy.replaces',
    steps: [
      ...three,
      'fence o own',
      'lock d = true',
      'reserve 1 d = 0',
      'add-to o write d',
      'copy r d = 0',
      'entries bookkeep d = k:kernel,w:write,b:bookkeep',
      'unlock d',
    ],
  },
  {
    key: 'resv.copy.unsignaled',
    steps: [
      ...three,
      'signal w',
      'lock d = true',
      'copy r d = 0',
      'entries bookkeep d = k:kernel,b:bookkeep',
      'unlock d',
    ],
  },
  {
    key: 'resv.copy.empty',
    steps: ['lock d = true', 'copy r d = 0', 'entries bookkeep d = none', 'unlock d'],
  },
  {
    key: 'resv.copy.no-memory',
    steps: [...three, 'lock d = true', 'no-memory', 'copy r d = -ENOMEM', 'unlock d'],
  },
  { key: 'resv.lock.twice', steps: ['lock = true', 'lock = false', 'unlock', 'lock = true', 'unlock'] },
];
