// Reservations: the rows of the kernel's test suite dma-buf-resv for each usage, what a query sees, and slots.
// Source: drivers/dma-buf/st-dma-resv.c and dma-resv.c.

import type { ScriptRow } from './step-script.ts';

const usages = ['kernel', 'write', 'read', 'bookkeep'] as const;
type Usage = (typeof usages)[number];

/** A locked reservation that holds `f` as `usage`, unlocked again. */
const holding = (usage: Usage): string[] => [
  'fence f own',
  'lock = true',
  'reserve 1 = 0',
  `add-to f ${usage}`,
  'unlock',
];

const suiteOf = (usage: Usage): ScriptRow[] => [
  { key: `resv.sanitycheck.${usage}`, steps: ['lock = true', 'held = true', 'unlock', 'held = false'] },
  {
    key: `resv.signaled.${usage}`,
    steps: [...holding(usage), `test ${usage} = false`, 'signal f', `test ${usage} = true`],
  },
  {
    key: `resv.for-each.${usage}`,
    steps: [...holding(usage), 'lock = true', `entries ${usage} = f:${usage}`, 'unlock'],
  },
  {
    key: `resv.for-each-unlocked.${usage}`,
    steps: [
      ...holding(usage),
      `iter-begin ${usage}`,
      'iter-first = f',
      'iter-restarted = true',
      `iter-usage = ${usage}`,
      // A list is replaced when it grows.
      'lock = true',
      'reserve 64 = 0',
      'iter-next = f',
      'iter-restarted = true',
      `iter-usage = ${usage}`,
      'iter-next = null',
      'iter-end',
    ],
  },
  {
    key: `resv.for-each-unlocked-undisturbed.${usage}`,
    steps: [
      ...holding(usage),
      `iter-begin ${usage}`,
      'iter-first = f',
      'iter-restarted = true',
      'iter-next = null',
      'iter-end',
    ],
  },
  { key: `resv.get-fences.${usage}`, steps: [...holding(usage), `get-fences ${usage} = f`] },
];

/** The kernel's own suite, once for each usage. */
export const resvSuite: readonly ScriptRow[] = usages.flatMap(suiteOf);

/** What a query for one usage sees of a fence added with another: usages not greater than its own. */
export const resvQueries: readonly ScriptRow[] = usages.flatMap((query, asked) =>
  usages.map((usage, added) => {
    const seen = added <= asked;
    return {
      key: `resv.query.${query}.sees-${usage}`,
      steps: [
        ...holding(usage),
        `test ${query} = ${!seen}`,
        `get-fences ${query} = ${seen ? 'f' : 'none'}`,
        `singleton s ${query} = ${seen ? 'f' : 'null'}`,
        `resv-wait ${query} 0 = ${seen ? 0 : 1}`,
        `resv-wait ${query} 10 = ${seen ? 0 : 10}`,
        `resv-wait ${query} ever = ${seen ? 'blocked' : 'Infinity'}`,
        'lock = true',
        `entries ${query} = ${seen ? `f:${usage}` : 'none'}`,
        'unlock',
      ],
    };
  }),
);

/** Which usage an access waits for. */
export const resvAccess: readonly ScriptRow[] = [
  { key: 'resv.usage-rw.write', steps: ['usage-rw write = read'] },
  { key: 'resv.usage-rw.read', steps: ['usage-rw read = write'] },
];

/** A second fence of a context: takes over the first one's slot, or stands beside it. */
const again = (first: Usage, then: Usage, seqnos: readonly [number, number], entries: string): ScriptRow => ({
  key: `resv.add.same-context.${first}-then-${then}.${seqnos[1] > seqnos[0] ? 'later' : 'earlier'}`,
  steps: [
    `fence f 7#${seqnos[0]}`,
    `fence g 7#${seqnos[1]}`,
    'lock = true',
    'reserve 2 = 0',
    `add-to f ${first}`,
    `add-to g ${then}`,
    `entries bookkeep = ${entries}`,
    'unlock',
  ],
});

/** Slots that are taken over. */
export const resvSlots: readonly ScriptRow[] = [
  ...usages.flatMap((first, had) =>
    usages.flatMap((then, adds) => [
      again(first, then, [1, 2], had >= adds ? `g:${then}` : `f:${first},g:${then}`),
      again(first, then, [2, 1], `f:${first},g:${then}`),
    ]),
  ),
  {
    key: 'resv.add.same-fence-promoted',
    steps: [
      'fence f own',
      'lock = true',
      'reserve 2 = 0',
      'add-to f bookkeep',
      'add-to f read',
      'add-to f write',
      'entries bookkeep = f:write',
    ],
  },
  {
    key: 'resv.add.same-fence-weaker',
    steps: [
      'fence f own',
      'lock = true',
      'reserve 2 = 0',
      'add-to f write',
      'add-to f bookkeep',
      'entries bookkeep = f:write,f:bookkeep',
    ],
  },
  {
    key: 'resv.add.other-context',
    steps: [
      'fence f 7#1',
      'fence g 8#2',
      'lock = true',
      'reserve 2 = 0',
      'add-to f write',
      'add-to g write',
      'entries write = f:write,g:write',
    ],
  },
  {
    key: 'resv.add.signaled-slot',
    steps: [
      'fence f own',
      'fence g own',
      'fence h own',
      'lock = true',
      'reserve 3 = 0',
      'add-to f write',
      'add-to g read',
      'signal f',
      'add-to h bookkeep',
      'entries bookkeep = h:bookkeep,g:read',
    ],
  },
  {
    key: 'resv.add.first-slot-that-fits',
    steps: [
      'fence f 7#1',
      'fence g own',
      'fence h 7#2',
      'lock = true',
      'reserve 3 = 0',
      'add-to g read',
      'add-to f read',
      'signal g',
      'add-to h read',
      'entries bookkeep = h:read,f:read',
    ],
  },
  {
    key: 'resv.add.container',
    steps: [
      'fence f own',
      'array a f',
      'lock = true',
      'reserve 1 = 0',
      'add-to a write',
      'warned = 1',
      'unlock',
    ],
  },
  {
    key: 'resv.add.unreserved',
    steps: ['fence f own', 'lock = true', 'add-unreserved f write = thrown', 'unlock'],
  },
  {
    key: 'resv.replace.every-slot',
    steps: [
      'fence f 7#1',
      'fence g 8#1',
      'fence n 9#1',
      'lock = true',
      'reserve 3 = 0',
      'add-to f write',
      'add-to g read',
      'add-to f bookkeep',
      'replace 7 n read',
      'entries bookkeep = n:read,g:read,n:read',
    ],
  },
  {
    key: 'resv.replace.no-slot',
    steps: [
      'fence f 7#1',
      'fence n 9#1',
      'lock = true',
      'reserve 1 = 0',
      'add-to f write',
      'replace 6 n read',
      'entries bookkeep = f:write',
    ],
  },
];
