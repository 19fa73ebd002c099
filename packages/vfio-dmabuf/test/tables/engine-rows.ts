// What a revoke waits for and in which order, and the birth of a buffer while the memory is off.
// Source: p2p-dmabuf-vfio-iommufd.md D.2 (publication), D.4 (engine and subtleties), G.9 (X2, X8, X9), I.3.

import type { TriggerScript } from './trigger-script.ts';

const vf = { noCommandMemory: true } as const;
const bornRevoked = ['export b = 0', 'revoked = true', 'attach-kind a revocable = -ENODEV'];
const bornUsable = ['export b = 0', 'revoked = false', 'attach-kind a revocable = 0'];

/** Buffers made while the memory is off. */
export const birthRows: readonly TriggerScript[] = [
  { key: 'd2.birth.memory-on', steps: bornUsable },
  {
    key: 'd2.birth.memory-off',
    steps: [
      'command 0 = 2',
      ...bornRevoked,
      'command 2 = 2',
      'revoked = false',
      'attach-kind c revocable = 0',
    ],
  },
  { key: 'd2.birth.memory-off-vf', machine: vf, steps: ['command 0 = 2', ...bornUsable] },
  {
    key: 'd2.birth.d3hot',
    steps: ['pm 3 = 2', ...bornRevoked, 'pm 0 = 2', 'revoked = false', 'attach-kind c revocable = 0'],
  },
  {
    key: 'd2.birth.d3hot-vf',
    machine: vf,
    steps: ['pm 3 = 2', ...bornRevoked, 'pm 0 = 2', 'revoked = false'],
  },
  {
    key: 'd2.birth.d3hot-memory-off',
    steps: [
      'command 0 = 2',
      'pm 3 = 2',
      ...bornRevoked,
      'pm 0 = 2',
      'revoked = true',
      'command 2 = 2',
      'revoked = false',
    ],
  },
  { key: 'd2.birth.master-off', steps: ['command 2 = 2', ...bornUsable] },
  { key: 'd2.birth.after-reset', steps: ['command 0 = 2', 'reset = 0', ...bornRevoked] },
  {
    key: 'd2.birth.revoked-then-reset',
    steps: ['command 0 = 2', ...bornRevoked, 'reset = 0', 'revoked = true'],
  },
  {
    key: 'd2.birth.revoked-twice-made',
    steps: [
      'command 0 = 2',
      'export b = 0',
      'export c = 0',
      'revoked 0 = true',
      'revoked 1 = true',
      'command 2 = 2',
      'revoked 0 = false',
      'revoked 1 = false',
    ],
  },
];

const two = [
  'export b = 0',
  'importer i',
  'importer j',
  'attach i = 0',
  'attach j = 0',
  'map i = 0',
  'map j = 0',
  'kref = 3',
];

/** The engine. */
export const engineRows: readonly TriggerScript[] = [
  { key: 'd4.engine.newest-first', steps: [...two, 'command 0 = 2', 'told = j,i', 'kref = 1'] },
  { key: 'd4.engine.newest-first-both-ways', steps: [...two, 'reset = 0', 'told = j,i,j,i', 'kref = 1'] },
  {
    key: 'd4.engine.every-buffer',
    steps: [
      'export b = 0',
      'export c 0x2000+0x1000 = 0',
      'importer i',
      'importer j',
      'attach i b = 0',
      'attach j c = 0',
      'map i = 0',
      'map j = 0',
      'command 0 = 2',
      'told = i,j',
      'revoked 0 = true',
      'revoked 1 = true',
      'command 2 = 2',
      'told = i,j',
      'revoked 0 = false',
      'revoked 1 = false',
    ],
  },
  {
    key: 'd4.engine.mixed-states',
    steps: [
      'export b = 0',
      'importer i',
      'attach i b = 0',
      'command 0 = 2',
      'told = i',
      'export c 0x2000+0x1000 = 0',
      'revoked 1 = true',
      'command 0 = 2',
      'told = nobody',
      'command 2 = 2',
      'told = i',
      'revoked 0 = false',
      'revoked 1 = false',
    ],
  },
  {
    key: 'd4.engine.not-mapped-is-told',
    steps: [
      'export b = 0',
      'importer i',
      'attach i = 0',
      'command 0 = 2',
      'told = i',
      'command 2 = 2',
      'told = i',
    ],
  },
  {
    key: 'd4.engine.nobody-attached',
    steps: [
      'export b = 0',
      'command 0 = 2',
      'revoked = true',
      'kref = 1',
      'command 2 = 2',
      'revoked = false',
      'kref = 1',
    ],
  },
  {
    key: 'd4.engine.remap-in-callback',
    steps: [
      'export b = 0',
      'importer i near good remaps',
      'attach i = 0',
      'map i = 0',
      'command 0 = 2',
      'remaps i = -ENODEV',
      'command 2 = 2',
      'remaps i = -ENODEV,-ENODEV',
      'map i = 0',
    ],
  },
  {
    key: 'd4.engine.remap-in-callback-vf',
    machine: vf,
    steps: [
      'export b = 0',
      'importer i near good remaps',
      'attach i = 0',
      'map i = 0',
      'command 0 = 2',
      'remaps i = -ENODEV,-ENODEV',
      'mapped i = false',
      'map i = 0',
    ],
  },
  {
    key: 'd4.engine.keeper-blocks-command',
    steps: [
      'export b = 0',
      'importer i near keeps-mapping',
      'attach i = 0',
      'map i = 0',
      'command 0 = blocked',
      'told = i',
      'revoked = true',
      'kref = 1',
      'mapped i = true',
    ],
  },
  {
    key: 'd4.engine.keeper-blocks-reset',
    steps: [
      'export b = 0',
      'importer i near keeps-mapping',
      'attach i = 0',
      'map i = 0',
      'reset = blocked',
      'told = i',
      'revoked = true',
    ],
  },
  {
    key: 'd4.engine.keeper-blocks-close',
    steps: [
      'export b = 0',
      'importer i near keeps-mapping',
      'attach i = 0',
      'map i = 0',
      'close = blocked',
      'told = i',
      'revoked = true',
    ],
  },
  {
    key: 'd4.engine.keeper-blocks-next-write',
    steps: [
      'export b = 0',
      'importer i near keeps-mapping',
      'attach i = 0',
      'map i = 0',
      'command 0 = blocked',
      'command 2 = blocked',
      'revoked = true',
    ],
  },
  {
    key: 'd4.engine.keeper-does-not-block-master',
    steps: [
      'export b = 0',
      'importer i near keeps-mapping',
      'attach i = 0',
      'map i = 0',
      'command 6 = 2',
      'command 2 = 2',
      'told = nobody',
    ],
  },
  {
    key: 'd4.engine.armed-again',
    steps: [
      'export b = 0',
      'importer i',
      'attach i = 0',
      'map i = 0',
      'command 0 = 2',
      'command 2 = 2',
      'importer k near keeps-mapping',
      'attach k = 0',
      'map k = 0',
      'kref = 2',
      'command 0 = blocked',
      'kref = 1',
    ],
  },
  {
    key: 'd4.engine.user-pages-go',
    steps: [
      'export b = 0',
      'user-maps = 0',
      'touch 0 = true',
      'touch 7 = true',
      'user-pages = 2',
      'command 0 = 2',
      'user-pages = 0',
      'touch 0 = false',
      'command 2 = 2',
      'user-pages = 0',
      'touch 0 = true',
      'user-pages = 1',
    ],
  },
  {
    key: 'd4.engine.user-pages-go-without-buffers',
    steps: ['user-maps = 0', 'touch 1 = true', 'reset = 0', 'user-pages = 0', 'touch 1 = true'],
  },
  {
    key: 'd4.engine.user-pages-stay',
    steps: ['user-maps = 0', 'touch 1 = true', 'command 6 = 2', 'pm 0 = 2', 'user-pages = 1'],
  },
];
