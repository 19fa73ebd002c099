// The core around an exporter: what may be exported, what each class of importer makes it do, and how a map that fails is
// undone.
// Source: dma_buf_export, dma_buf_dynamic_attach and dma_buf_map_attachment in drivers/dma-buf/dma-buf.c.

import type { ScriptRow } from './step-script.ts';

/** A script about a buffer whose exporter can pin, or cannot. */
export interface CoreRow extends ScriptRow {
  readonly pins: boolean;
}

/** Words name what is wrong; an earlier check answers for a later one. */
export const exportRows: readonly ScriptRow[] = [
  { key: 'export.good', steps: ['export = 0', 'warned = 0', 'owner-refs = 1'] },
  ...['no-priv', 'no-ops', 'no-map', 'no-unmap', 'no-release', 'only-pin', 'only-unpin'].flatMap((wrong) => [
    { key: `export.${wrong}`, steps: [`export ${wrong} = -EINVAL`, 'warned = 1', 'owner-refs = 0'] },
    { key: `export.${wrong}.owner-gone`, steps: [`export ${wrong} owner-gone = -EINVAL`, 'warned = 1'] },
    { key: `export.${wrong}.no-memory`, steps: [`export ${wrong} no-memory = -EINVAL`, 'warned = 1'] },
  ]),
  { key: 'export.pin-and-unpin', steps: ['export pin-and-unpin = 0', 'warned = 0'] },
  { key: 'export.owner-gone', steps: ['export owner-gone = -ENOENT', 'warned = 0', 'owner-refs = 0'] },
  { key: 'export.owner-gone.no-memory', steps: ['export owner-gone no-memory = -ENOENT', 'warned = 0'] },
  { key: 'export.no-memory', steps: ['export no-memory = -ENOMEM', 'warned = 0', 'owner-refs = 0'] },
  ...(
    [
      ['0', 0],
      ['2', 2],
      ['2050', 2050],
      ['524290', 2],
      ['4294967295', 2051],
    ] as const
  ).map(([flags, mode]) => ({
    key: `export.flags.${flags}`,
    steps: [`export flags=${flags} = 0`, `mode = ${mode}`],
  })),
  { key: 'export.inodes-grow', steps: ['export = 0', 'export = 0', 'inodes-grow = true'] },
];

const kinds = ['p2p', 'no-p2p', 'revocable', 'revocable-no-p2p'] as const;

const dynamicOf = (kind: string, pins: boolean): CoreRow => ({
  key: `map.${kind}.${pins ? 'pinning' : 'plain'}-exporter`,
  pins,
  steps: [
    `attach-as i ${kind} = 0`,
    'calls = attach',
    `is-dynamic i = true`,
    `is-revocable i = ${kind.startsWith('revocable')}`,
    // Fences of the kernel's own are the importer's to wait for.
    'add-fence f kernel',
    'map i = mapping',
    'calls = map',
    'unmap i',
    'calls = unmap',
    'pin i = 0',
    `calls = ${pins ? 'pin' : 'none'}`,
    'unpin i',
    `calls = ${pins ? 'unpin' : 'none'}`,
    'detach i',
    'calls = detach',
    'warned = 0',
  ],
});

/** Importers that bring operations. */
export const dynamicRows: readonly CoreRow[] = [
  ...kinds.flatMap((kind) => [dynamicOf(kind, true), dynamicOf(kind, false)]),
  {
    key: 'map.p2p.map-fails',
    pins: true,
    steps: [
      'attach-as i p2p = 0',
      'calls = attach',
      'exporter-fails map',
      'map i = -EIO',
      'calls = map',
      'warned = 0',
    ],
  },
  {
    key: 'map.p2p.map-null',
    pins: true,
    steps: [
      'attach-as i p2p = 0',
      'calls = attach',
      'exporter-fails map-null',
      'map i = -ENOMEM',
      'calls = map',
      'warned = 0',
    ],
  },
  {
    key: 'pin.fails',
    pins: true,
    steps: [
      'attach-as i p2p = 0',
      'calls = attach',
      'exporter-fails pin',
      'pin i = -EIO',
      'calls = pin',
      'warned = 0',
    ],
  },
  {
    key: 'attach.fails',
    pins: true,
    steps: [
      'exporter-fails attach',
      'attach-as i p2p = -EIO',
      'calls = attach',
      'attached = 0',
      'warned = 0',
    ],
  },
];

const statically = [
  'attach-as i static = 0',
  'calls = attach',
  'is-dynamic i = false',
  'is-revocable i = false',
];

/** Importers that bring none: the core pins and waits for them. */
export const staticRows: readonly CoreRow[] = [
  {
    key: 'map.static.pinning-exporter',
    pins: true,
    steps: [
      ...statically,
      'map i = mapping',
      'calls = pin,map',
      'unmap i',
      'calls = unmap,unpin',
      'warned = 0',
    ],
  },
  {
    key: 'map.static.plain-exporter',
    pins: false,
    steps: [...statically, 'map i = mapping', 'calls = map', 'unmap i', 'calls = unmap', 'warned = 0'],
  },
  {
    key: 'map.static.pin-fails',
    pins: true,
    steps: [...statically, 'exporter-fails pin', 'map i = -EIO', 'calls = pin', 'warned = 0'],
  },
  {
    key: 'map.static.map-fails',
    pins: true,
    steps: [...statically, 'exporter-fails map', 'map i = -EIO', 'calls = pin,map,unpin', 'warned = 0'],
  },
  {
    key: 'map.static.map-null',
    pins: true,
    steps: [
      ...statically,
      'exporter-fails map-null',
      'map i = -ENOMEM',
      'calls = pin,map,unpin',
      'warned = 0',
    ],
  },
  {
    key: 'map.static.map-fails.plain-exporter',
    pins: false,
    steps: [...statically, 'exporter-fails map', 'map i = -EIO', 'calls = map', 'warned = 0'],
  },
  {
    key: 'map.static.hit',
    pins: true,
    steps: [
      ...statically,
      'add-fence f kernel',
      'map i hit = -ERESTARTSYS',
      'calls = pin,map,unmap,unpin',
      'warned = 0',
    ],
  },
  {
    key: 'map.static.hit.plain-exporter',
    pins: false,
    steps: [...statically, 'add-fence f kernel', 'map i hit = -ERESTARTSYS', 'calls = map,unmap'],
  },
  ...(['kernel', 'write', 'read', 'bookkeep'] as const).map((usage) => ({
    key: `map.static.waits-for.${usage}`,
    pins: true,
    steps: [
      ...statically,
      `add-fence f ${usage}`,
      'after 9 f',
      'map i = mapping',
      `now = ${usage === 'kernel' ? 9 : 0}`,
      'unmap i',
    ],
  })),
  { key: 'pin.static', pins: true, steps: [...statically, 'pin i = 0', 'warned = 1'] },
];

/** Who is told, in which order. */
export const tellRows: readonly CoreRow[] = [
  {
    key: 'invalidate.newest-first',
    pins: true,
    steps: [
      'attach-as i revocable = 0',
      'attach-as j revocable = 0',
      'attach-as k revocable = 0',
      'invalidate',
      'told = k,j,i',
    ],
  },
  {
    key: 'invalidate.only-who-asked',
    pins: true,
    steps: [
      'attach-as i revocable = 0',
      'attach-as j static = 0',
      'attach-as k p2p = 0',
      'attach-as l revocable-no-p2p = 0',
      'invalidate',
      'told = l,i',
    ],
  },
  {
    key: 'invalidate.detached',
    pins: true,
    steps: ['attach-as i revocable = 0', 'attach-as j revocable = 0', 'detach i', 'invalidate', 'told = j'],
  },
  { key: 'invalidate.nobody', pins: true, steps: ['invalidate', 'told = none'] },
  {
    key: 'invalidate.does-not-wait',
    pins: true,
    steps: [
      'attach-as i revocable = 0',
      'add-fence f bookkeep',
      'invalidate',
      'told = i',
      'now = 0',
      'flag f = false',
    ],
  },
  {
    key: 'invalidate.not-mapped',
    pins: false,
    steps: ['attach-as i revocable = 0', 'invalidate', 'told = i', 'invalidate', 'told = i'],
  },
];
