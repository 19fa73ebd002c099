// Polling a buffer and processor access to it.
// Source: dma_buf_poll and dma_buf_begin_cpu_access in drivers/dma-buf/dma-buf.c.

import type { ScriptRow } from './step-script.ts';

const usages = ['kernel', 'write', 'read', 'bookkeep'] as const;
/** Readable waits for the writers, writable for the readers as well. */
const asksUpTo = { in: 1, out: 2 } as const;

const pollBoth = (at: number): string => {
  const [ready, writable] = [at > asksUpTo.in, at > asksUpTo.out];
  if (ready) return writable ? 'both' : 'in';
  return writable ? 'out' : 'none';
};

/** Polling. */
export const pollRows: readonly ScriptRow[] = [
  ...usages.flatMap((usage, at): ScriptRow[] => [
    ...(['in', 'out'] as const).map((wanted) => ({
      key: `poll.${wanted}.${usage}`,
      steps: [
        `add-fence f ${usage}`,
        `poll ${wanted} = ${at > asksUpTo[wanted] ? wanted : 'none'}`,
        'signal f',
        'settle',
        `poll ${wanted} = ${wanted}`,
      ],
    })),
    {
      key: `poll.both.${usage}`,
      steps: [`add-fence f ${usage}`, `poll both = ${pollBoth(at)}`, 'signal f', 'settle'],
    },
    {
      key: `poll.none.${usage}`,
      steps: [`add-fence f ${usage}`, 'poll none = none', 'refs = 1', 'signal f'],
    },
    {
      key: `poll.signaled.${usage}`,
      steps: [`add-fence f ${usage}`, 'signal f', 'poll both = both', 'refs = 1'],
    },
  ]),
  { key: 'poll.empty.in', steps: ['poll in = in', 'refs = 1'] },
  { key: 'poll.empty.out', steps: ['poll out = out', 'refs = 1'] },
  { key: 'poll.empty.both', steps: ['poll both = both', 'refs = 1'] },
  { key: 'poll.empty.none', steps: ['poll none = none', 'refs = 1'] },
  {
    key: 'poll.armed.takes-reference',
    steps: [
      'add-fence f write',
      'poll in = none',
      'refs = 2',
      'poll in = none',
      'refs = 2',
      'signal f',
      'settle',
      'refs = 1',
    ],
  },
  {
    key: 'poll.armed.each-direction',
    steps: [
      'add-fence f write',
      'poll in = none',
      'poll out = none',
      'refs = 3',
      'signal f',
      'settle',
      'refs = 1',
    ],
  },
  {
    key: 'poll.armed.other-direction-free',
    steps: [
      'add-fence f read',
      'poll out = none',
      'poll in = in',
      'poll both = in',
      'signal f',
      'settle',
      'poll both = both',
    ],
  },
  {
    key: 'poll.armed.first-unsignaled',
    steps: [
      'add-fence f write',
      'add-fence g write',
      'poll in = none',
      'signal f',
      'settle',
      'refs = 1',
      'poll in = none',
      'refs = 2',
      'signal g',
      'settle',
      'poll in = in',
    ],
  },
  {
    key: 'poll.armed.later-fence-signals',
    steps: [
      'add-fence f write',
      'add-fence g write',
      'poll in = none',
      'signal g',
      'settle',
      'refs = 2',
      'poll in = none',
      'signal f',
      'settle',
    ],
  },
  {
    key: 'poll.wakes',
    steps: ['add-fence f write', 'poll in = none', 'wakeups in = 0', 'signal f', 'settle', 'wakeups in = 1'],
  },
  { key: 'poll.wakes-when-ready', steps: ['poll in = in', 'wakeups in = 1', 'wakeups out = 0'] },
];

const directions = ['to-device', 'from-device', 'bidirectional'] as const;

/** Processor access: a write waits for readers and writers, a read for the writers. */
export const accessRows: readonly ScriptRow[] = [
  ...directions.flatMap((dir) =>
    usages.map((usage, at) => ({
      key: `cpu.begin.${dir}.${usage}`,
      steps: [
        `add-fence f ${usage}`,
        'after 8 f',
        `begin ${dir} = 0`,
        `now = ${at <= (dir === 'from-device' ? 1 : 2) ? 8 : 0}`,
        'exporter = begin',
      ],
    })),
  ),
  {
    key: 'cpu.begin.exporter-fails',
    steps: ['add-fence f write', 'after 8 f', 'exporter-fails begin', 'begin to-device = -EIO', 'now = 0'],
  },
  {
    key: 'cpu.begin.hit',
    steps: ['add-fence f write', 'begin to-device hit = -ERESTARTSYS', 'exporter = begin'],
  },
  { key: 'cpu.begin.hit-nothing-to-wait-for', steps: ['add-fence f bookkeep', 'begin to-device hit = 0'] },
  { key: 'cpu.end.does-not-wait', steps: ['add-fence f write', 'end to-device = 0', 'now = 0'] },
  { key: 'file.seek.end', steps: ['seek 0 end = 8192'] },
  { key: 'file.seek.set', steps: ['seek 0 set = 0'] },
  { key: 'file.seek.cur', steps: ['seek 0 cur = -EINVAL'] },
  { key: 'file.seek.end-offset', steps: ['seek 1 end = -EINVAL'] },
  { key: 'file.seek.set-offset', steps: ['seek 4096 set = -EINVAL'] },
  { key: 'file.mmap.all', steps: ['mmap 0 2 = 0', 'exporter = mmap'] },
  { key: 'file.mmap.part', steps: ['mmap 1 1 = 0'] },
  { key: 'file.mmap.beyond', steps: ['mmap 0 3 = -EINVAL', 'exporter = none'] },
  { key: 'file.mmap.offset-beyond', steps: ['mmap 2 1 = -EINVAL'] },
  { key: 'file.mmap.exporter-fails', steps: ['exporter-fails mmap', 'mmap 0 1 = -EIO'] },
  { key: 'kernel-mmap.all', steps: ['kernel-mmap 0 2 = 0'] },
  { key: 'kernel-mmap.beyond', steps: ['kernel-mmap 1 2 = -EINVAL', 'exporter = none'] },
];
