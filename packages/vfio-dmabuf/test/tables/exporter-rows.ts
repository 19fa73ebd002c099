// What an importer of a VFIO buffer meets: who may attach, and who can map.
// Source: p2p-dmabuf-vfio-iommufd.md D.3, G.9 (X3, X4).

import type { TriggerScript } from './trigger-script.ts';

const importers = ['static', 'no-p2p', 'no-p2p-callback', 'no-callback', 'revocable'] as const;
/** Without peer to peer nothing else is looked at; then comes the buffer, then the importer. */
const attachAnswer = (kind: (typeof importers)[number], revoked: boolean): string => {
  if (kind === 'static' || kind.startsWith('no-p2p')) return '-EOPNOTSUPP';
  if (revoked) return '-ENODEV';
  return kind === 'revocable' ? '0' : '-EOPNOTSUPP';
};

/** Attaching. */
export const attachRows: readonly TriggerScript[] = importers.flatMap((kind) => [
  {
    key: `d3.attach.${kind}`,
    steps: ['export b = 0', `attach-kind a ${kind} = ${attachAnswer(kind, false)}`, 'kref = 1'],
  },
  {
    key: `d3.attach.${kind}.revoked`,
    steps: ['export b = 0', 'command 0 = 2', `attach-kind a ${kind} = ${attachAnswer(kind, true)}`],
  },
  {
    key: `d3.attach.${kind}.given-back`,
    steps: [
      'export b = 0',
      'command 0 = 2',
      'command 2 = 2',
      `attach-kind a ${kind} = ${attachAnswer(kind, false)}`,
    ],
  },
  {
    key: `d3.attach.${kind}.closed`,
    steps: ['export b = 0', 'close = 0', `attach-kind a ${kind} = ${attachAnswer(kind, true)}`],
  },
]);

/** Mapping. */
export const mapRows: readonly TriggerScript[] = [
  {
    key: 'd3.map.switch',
    steps: ['export b = 0', 'importer i near', 'attach i = 0', 'map i = 0', 'kref = 2'],
  },
  {
    key: 'd3.map.host-bridge',
    steps: ['export b = 0', 'importer i far', 'attach i = 0', 'map i = 0', 'kref = 2'],
  },
  {
    key: 'd3.map.host-bridge-unlisted',
    machine: { listed: false },
    steps: [
      'export b = 0',
      'importer i far',
      'attach i = 0',
      'map i = -EINVAL',
      'kref = 1',
      'mapped i = false',
    ],
  },
  {
    key: 'd3.map.switch-unlisted',
    machine: { listed: false },
    steps: ['export b = 0', 'importer i near', 'attach i = 0', 'map i = 0', 'kref = 2'],
  },
  {
    key: 'd3.map.host-bridge-iommu',
    machine: { iommu: true },
    steps: [
      'export b = 0',
      'importer i far',
      'attach i = 0',
      'write i 7 = 0',
      'bar 0 = 7',
      'leave i',
      'kref = 1',
    ],
  },
  {
    key: 'd3.map.two-ranges-switch',
    steps: [
      'export b 0x5000+0x1000 0x2000+0x1000 = 0',
      'importer i near',
      'attach i = 0',
      'write i 9 = 0',
      'bar 5 = 9',
      'bar 2 = 0',
    ],
  },
  {
    key: 'd3.map.each-takes-reference',
    steps: [
      'export b = 0',
      'importer i near',
      'importer j far',
      'attach i = 0',
      'attach j = 0',
      'kref = 1',
      'map i = 0',
      'kref = 2',
      'map j = 0',
      'kref = 3',
      'leave i',
      'kref = 2',
      'leave j',
      'kref = 1',
    ],
  },
  {
    key: 'd3.map.attached-before-revoke',
    steps: [
      'export b = 0',
      'importer i',
      'attach i = 0',
      'command 0 = 2',
      'map i = -ENODEV',
      'kref = 1',
      'command 2 = 2',
      'map i = 0',
    ],
  },
  {
    key: 'd3.map.bytes-arrive',
    steps: ['export b 0x3000+0x1000 = 0', 'importer i', 'attach i = 0', 'write i 165 = 0', 'bar 3 = 165'],
  },
  {
    key: 'd3.map.no-bytes-after-revoke',
    steps: [
      'export b = 0',
      'importer i',
      'attach i = 0',
      'write i 1 = 0',
      'command 0 = 2',
      'write i 2 = -ENODEV',
      'bar 0 = 1',
      'command 2 = 2',
      'write i 3 = 0',
      'bar 0 = 3',
    ],
  },
  {
    key: 'd3.release',
    steps: [
      'export b = 0',
      'buffers = 1',
      'registrations = 3',
      'close-fd b = 0',
      'buffers = 0',
      'registrations = 2',
    ],
  },
  {
    key: 'd3.release.importer-holds',
    steps: [
      'export b = 0',
      'importer i',
      'attach i = 0',
      'map i = 0',
      'close-fd b = 0',
      'buffers = 1',
      'command 0 = 2',
      'told = i',
      'leave i',
      'buffers = 0',
    ],
  },
  {
    key: 'd3.release.revoked',
    steps: [
      'export b = 0',
      'command 0 = 2',
      'close-fd b = 0',
      'buffers = 0',
      'registrations = 2',
      'command 2 = 2',
    ],
  },
  {
    key: 'd3.release.closed',
    steps: ['export b = 0', 'close = 0', 'buffers = 0', 'close-fd b = 0', 'registrations = 1'],
  },
];
