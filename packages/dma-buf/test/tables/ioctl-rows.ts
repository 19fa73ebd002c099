// The ioctls on a buffer's descriptor.
// Source: dma_buf_ioctl in drivers/dma-buf/dma-buf.c.

import type { ScriptRow } from './step-script.ts';

const syncDirections = ['', 'from-device', 'to-device', 'bidirectional'] as const;

/** Every value of the low flags, and bits above them. */
const syncFlags: readonly ScriptRow[] = [
  ...Array.from({ length: 16 }, (_, flags) => {
    const wrong = flags > 7 || (flags & 3) === 0;
    return { key: `ioctl.sync.flags.${flags}`, steps: [`sync ${flags} = ${wrong ? '-EINVAL' : 0}`] };
  }),
  ...Array.from({ length: 29 }, (_, i) => i + 3).map((bit) => ({
    key: `ioctl.sync.unknown-bit.${bit}`,
    steps: [`sync ${2 ** bit + 1} = -EINVAL`],
  })),
  ...Array.from({ length: 32 }, (_, bit) => ({
    key: `ioctl.sync.unknown-bit.${bit + 32}`,
    steps: [`sync 1 ${2 ** bit} = -EINVAL`],
  })),
];

const waitsOf = (flags: number): ScriptRow[] =>
  (['kernel', 'write', 'read', 'bookkeep'] as const).map((usage, at) => ({
    key: `ioctl.sync.waits.${syncDirections[flags]}.${usage}`,
    steps: [
      `add-fence f ${usage}`,
      'after 8 f',
      `sync ${flags} = 0`,
      `now = ${at <= (flags === 1 ? 1 : 2) ? 8 : 0}`,
      `sync ${flags + 4} = 0`,
    ],
  }));

/** DMA_BUF_IOCTL_SYNC. */
export const syncRows: readonly ScriptRow[] = [
  ...syncFlags,
  ...[1, 2, 3].flatMap(waitsOf),
  { key: 'ioctl.sync.no-memory-there', steps: ['ioctl 0x40086200 - = -EFAULT'] },
  { key: 'ioctl.sync.short-memory', steps: ['ioctl 0x40086200 01000000 = -EFAULT'] },
  { key: 'ioctl.sync.exporter-fails', steps: ['exporter-fails begin', 'sync 1 = -EIO'] },
  { key: 'ioctl.sync.hit', steps: ['add-fence f write', 'sync 1 0 hit = -ERESTARTSYS'] },
  { key: 'ioctl.sync.end-does-not-wait', steps: ['add-fence f write', 'sync 6 = 0', 'now = 0'] },
];

/** Request numbers. */
export const requestRows: readonly ScriptRow[] = [
  { key: 'ioctl.number.sync', steps: ['ioctl 0x40086200 0100000000000000 = 0'] },
  { key: 'ioctl.number.set-name-a', steps: ['ioctl 0x40046201 616200 = 0', 'named = ab'] },
  { key: 'ioctl.number.set-name-b', steps: ['ioctl 0x40086201 616200 = 0', 'named = ab'] },
  { key: 'ioctl.number.export', steps: ['ioctl 0xc0086202 01000000ffffffff = 0'] },
  { key: 'ioctl.number.import', steps: ['ioctl 0x40086203 01000000ffffffff = -EINVAL'] },
  ...[
    '0x40086204',
    '0x40046200',
    '0xc0086200',
    '0xc0086203',
    '0x40086202',
    '0xc0086201',
    '0x6200',
    '0x40086100',
    '0',
  ].map((request) => ({
    key: `ioctl.number.unknown.${request}`,
    steps: [`ioctl ${request} 0100000000000000 = -ENOTTY`],
  })),
  { key: 'ioctl.number.unknown-before-fault', steps: ['ioctl 0x40086204 - = -ENOTTY'] },
  { key: 'ioctl.export.no-memory-there', steps: ['ioctl 0xc0086202 - = -EFAULT'] },
  { key: 'ioctl.import.no-memory-there', steps: ['ioctl 0x40086203 - = -EFAULT'] },
  { key: 'ioctl.import.short-memory', steps: ['ioctl 0x40086203 01000000 = -EFAULT'] },
];

const letters = (count: number): string => 'x'.repeat(count);

/** Names. */
export const nameRows: readonly ScriptRow[] = [
  { key: 'ioctl.name.none', steps: ['named = null'] },
  { key: 'ioctl.name.short', steps: ['name abc = 0', 'named = abc'] },
  { key: 'ioctl.name.empty', steps: ['name  = 0'] },
  ...[30, 31].map((count) => ({
    key: `ioctl.name.length.${count}`,
    steps: [`name ${letters(count)} = 0`, `named = ${letters(count)}`],
  })),
  ...[32, 33, 100].map((count) => ({
    key: `ioctl.name.length.${count}`,
    steps: ['name before = 0', `name ${letters(count)} = -EINVAL`, 'named = before'],
  })),
  { key: 'ioctl.name.again', steps: ['name a = 0', 'name b = 0', 'named = b'] },
  { key: 'ioctl.name.attached', steps: ['attach', 'name abc = 0', 'named = abc'] },
  { key: 'ioctl.name.no-memory', steps: ['no-memory', 'name abc = -ENOMEM', 'named = null'] },
  { key: 'ioctl.name.no-memory-there', steps: ['ioctl 0x40086201 - = -EFAULT', 'named = null'] },
  { key: 'ioctl.name.kernel', steps: ['set-name abc = 0', 'named = abc'] },
];

const flagErrors = (verb: string): ScriptRow[] =>
  Array.from({ length: 16 }, (_, i) => (i < 8 ? i : 2 ** (i * 2 + 1)))
    .filter((flags) => flags === 0 || flags > 3)
    .map((flags) => ({
      key: `ioctl.${verb}.flags.${flags}`,
      steps: ['fence f own', `${verb}-sync ${flags} f = -EINVAL`, 'held-fences = none'],
    }));

const flagNames = ['', 'read', 'write', 'rw'] as const;

/** DMA_BUF_IOCTL_EXPORT_SYNC_FILE: a reader's file waits for the writers, a writer's for everybody. */
export const exportRows: readonly ScriptRow[] = [
  ...flagErrors('export'),
  ...[1, 2, 3].flatMap((flags) =>
    (['kernel', 'write', 'read', 'bookkeep'] as const).map((usage, at) => ({
      key: `ioctl.export.${flagNames[flags]}.${usage}`,
      steps: [`add-fence f ${usage}`, `export-sync ${flags} = ${at <= (flags === 1 ? 1 : 2) ? 'f' : 'stub'}`],
    })),
  ),
  { key: 'ioctl.export.empty', steps: ['export-sync 3 = stub'] },
  { key: 'ioctl.export.signaled', steps: ['add-fence f write', 'signal f', 'export-sync 3 = stub'] },
  {
    key: 'ioctl.export.several',
    steps: [
      'add-fence f write',
      'add-fence g read',
      'export-sync 2 a = a',
      'unwrap a = f,g',
      'export-sync 1 b = f',
    ],
  },
  {
    key: 'ioctl.export.one-left',
    steps: ['add-fence f write', 'add-fence g read', 'signal f', 'export-sync 2 a = g'],
  },
  {
    key: 'ioctl.export.is-a-snapshot',
    steps: [
      'add-fence f write',
      'add-fence g write',
      'export-sync 2 a = a',
      'add-fence h write',
      'signal f',
      'signal g',
      'is-signaled a = true',
      'export-sync 2 = h',
    ],
  },
  { key: 'ioctl.export.no-descriptor', steps: ['fill-descriptors', 'export-sync 1 = -EMFILE'] },
  { key: 'ioctl.export.no-memory', steps: ['add-fence f write', 'no-memory', 'export-sync 1 = -ENOMEM'] },
];

/** DMA_BUF_IOCTL_IMPORT_SYNC_FILE: a writer's fence is added as a write, a reader's as a read. */
export const importRows: readonly ScriptRow[] = [
  ...flagErrors('import'),
  { key: 'ioctl.import.read', steps: ['fence f own', 'import-sync 1 f = 0', 'held-fences = f:read'] },
  { key: 'ioctl.import.write', steps: ['fence f own', 'import-sync 2 f = 0', 'held-fences = f:write'] },
  { key: 'ioctl.import.rw', steps: ['fence f own', 'import-sync 3 f = 0', 'held-fences = f:write'] },
  {
    key: 'ioctl.import.array',
    steps: [
      'fence f own',
      'fence g own',
      'array a f,g',
      'import-sync 1 a = 0',
      'held-fences = f:read,g:read',
    ],
  },
  {
    key: 'ioctl.import.chain',
    steps: [
      'fence f own',
      'chain c - f 1',
      'fence g own',
      'chain d c g 2',
      'import-sync 2 d = 0',
      'held-fences = g:write,f:write',
    ],
  },
  {
    key: 'ioctl.import.chain-signaled-link',
    steps: [
      'fence f own',
      'chain c - f 1',
      'fence g own',
      'chain d c g 2',
      'signal f',
      'import-sync 2 d = 0',
      'held-fences = g:write',
    ],
  },
  {
    key: 'ioctl.import.stub',
    steps: ['stub s', 'import-sync 1 s = 0', 'held-fences = s:read', 'test bookkeep = true'],
  },
  {
    key: 'ioctl.import.chain-head-signaled',
    steps: [
      'fence f own',
      'chain c - f 1',
      'signal f',
      'import-sync 1 c = 0',
      'held-fences = f:read',
      'test bookkeep = true',
    ],
  },
  { key: 'ioctl.import.not-open', steps: ['import-fd 1 77 = -EINVAL'] },
  { key: 'ioctl.import.negative', steps: ['import-fd 1 4294967295 = -EINVAL'] },
  { key: 'ioctl.import.flags-before-descriptor', steps: ['import-fd 8 77 = -EINVAL'] },
  {
    key: 'ioctl.import.no-memory',
    steps: ['fence f own', 'import-sync 1 f no-memory = -ENOMEM', 'held-fences = none'],
  },
  {
    key: 'ioctl.import.then-export',
    steps: [
      'fence f own',
      'import-sync 1 f = 0',
      'export-sync 1 = stub',
      'export-sync 2 = f',
      'fence g own',
      'import-sync 2 g = 0',
      'export-sync 1 = g',
    ],
  },
];
