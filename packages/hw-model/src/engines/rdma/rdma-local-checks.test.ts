// What a NIC checks on its own side: the local pieces of a request, and work requests that change keys.
import { describe, expect, it } from 'vitest';
import {
  type CheckOutcome,
  type CheckRow,
  checkRow,
  fast,
  good,
  IOVA,
  localError,
  sge,
} from '../../../test/rdma-check-row.ts';
import { ALL_ACCESS, type RdmaRig } from '../../../test/rdma-rig.ts';
import { RDMA_ACCESS } from './rdma-access.ts';
import type { RdmaSendRequest } from './rdma-work-request.ts';

const { remoteRead, remoteWrite, windowBind } = RDMA_ACCESS;

const rows: readonly CheckRow[] = [
  // Local pieces.
  { key: 'local-unknown-key', opcode: 'rdma-write', prepare: () => sge(0x9900), ...localError },
  {
    key: 'local-stale-key',
    opcode: 'rdma-write',
    prepare: ({ a }) => sge(a.region([0x1000]).lkey + 1),
    ...localError,
  },
  {
    key: 'local-wrong-pd',
    opcode: 'rdma-write',
    prepare: ({ a }) => sge(a.region([0x1000], { pd: 2 }).lkey),
    ...localError,
  },
  {
    key: 'local-below',
    opcode: 'rdma-write',
    prepare: ({ a }) => sge(a.region([0x1000]).lkey, IOVA - 1),
    ...localError,
  },
  {
    key: 'local-longer-than-region',
    opcode: 'send',
    prepare: ({ a }) => sge(a.region([0x1000]).lkey, IOVA, 4097),
    ...localError,
  },
  {
    key: 'local-past-the-end',
    opcode: 'rdma-write',
    prepare: ({ a }) => sge(a.region([0x1000]).lkey, IOVA + 4033),
    ...localError,
  },
  {
    key: 'local-read-into-read-only',
    opcode: 'rdma-read',
    prepare: ({ a }) => sge(a.region([0x1000], { access: remoteRead }).lkey),
    ...localError,
  },
  {
    key: 'local-invalidated',
    opcode: 'rdma-write',
    prepare: ({ a }) => {
      const region = a.region([0x1000]);
      region.invalidate('invalid');
      return sge(region.lkey);
    },
    ...localError,
  },
  {
    key: 'local-last-byte',
    opcode: 'rdma-write',
    prepare: ({ a }) => sge(a.region([0x1000]).lkey, IOVA + 4032),
    ...good,
  },
  {
    key: 'local-empty-piece-is-not-looked-at',
    opcode: 'rdma-write',
    prepare: ({ a }) => ({ sges: [...sge(0xbad00, 0, 0).sges, ...sge(a.region([0x1000]).lkey).sges] }),
    ...good,
  },
  {
    key: 'local-address-nobody-answers',
    opcode: 'rdma-write',
    prepare: ({ a }) => sge(a.region([0x8000_0000]).lkey),
    ...localError,
  },
  // Keys changed by work requests.
  { key: 'reg-mr-free', opcode: 'reg-mr', prepare: (rig) => registration(rig, {}), ...good },
  {
    key: 'reg-mr-not-free',
    opcode: 'reg-mr',
    prepare: (rig) => registration(rig, { state: 'valid' }),
    ...localOperation(),
  },
  {
    key: 'reg-mr-wrong-pd',
    opcode: 'reg-mr',
    prepare: (rig) => registration(rig, { pd: 2 }),
    ...localOperation(),
  },
  {
    key: 'reg-mr-other-index',
    opcode: 'reg-mr',
    prepare: (rig) => registration(rig, { keyOffset: 256 }),
    ...localOperation(),
  },
  {
    key: 'reg-mr-other-low-byte',
    opcode: 'reg-mr',
    prepare: (rig) => registration(rig, { keyOffset: 255 }),
    ...good,
  },
  {
    key: 'local-inv-valid',
    opcode: 'local-inv',
    prepare: (rig) => ({ invalidateKey: fast(rig).rkey }),
    ...good,
  },
  {
    key: 'local-inv-wrong-key',
    opcode: 'local-inv',
    prepare: (rig) => ({ invalidateKey: fast(rig).rkey + 1 }),
    ...localOperation(),
  },
  {
    key: 'local-inv-wrong-type',
    opcode: 'local-inv',
    prepare: ({ a }) => ({ invalidateKey: a.region([0x1000]).rkey }),
    ...localOperation(),
  },
  {
    key: 'local-inv-windows-bound',
    opcode: 'local-inv',
    prepare: (rig) => {
      const entry = fast(rig);
      entry.boundWindows = 1;
      return { invalidateKey: entry.rkey };
    },
    ...localOperation(),
  },
  { key: 'bind-good', opcode: 'bind-mw', prepare: (rig) => binding(rig, ALL_ACCESS + windowBind), ...good },
  {
    key: 'bind-region-does-not-allow',
    opcode: 'bind-mw',
    prepare: (rig) => binding(rig, ALL_ACCESS),
    ...localOperation(),
    status: 'MW_BIND_ERR',
  },
  {
    key: 'bind-out-of-bounds',
    opcode: 'bind-mw',
    prepare: (rig) => binding(rig, ALL_ACCESS + windowBind, 4097),
    ...localOperation(),
    status: 'MW_BIND_ERR',
  },
  {
    key: 'bind-writer-over-read-only',
    opcode: 'bind-mw',
    prepare: (rig) => binding(rig, remoteRead + windowBind),
    ...localOperation(),
    status: 'MW_BIND_ERR',
  },
];

function localOperation(): CheckOutcome {
  return { status: 'LOC_QP_OP_ERR', naks: [], requester: 'err', responder: 'rts' };
}

function registration(
  { a }: RdmaRig,
  wrong: { readonly state?: 'valid'; readonly pd?: number; readonly keyOffset?: number },
): Partial<RdmaSendRequest> {
  const entry = a.nic.keys.allocate('fast', wrong.pd ?? 1);
  if (entry === null) throw new Error('no key');
  entry.state = wrong.state ?? 'free';
  const contents = { access: ALL_ACCESS, iova: IOVA, length: 4096, translation: null };
  // The low byte wraps within the index, whatever it is now.
  const offset = wrong.keyOffset ?? 0;
  const key = offset === 256 ? entry.lkey + 256 : entry.index * 256 + ((entry.lkey + offset) & 0xff);
  return { registration: { entry, key, contents } };
}

function binding({ a }: RdmaRig, regionAccess: number, length = 4096): Partial<RdmaSendRequest> {
  const window = a.nic.keys.allocate('window', 1);
  if (window === null) throw new Error('no key');
  window.state = 'free';
  const region = a.region([0x1000], { access: regionAccess });
  return { binding: { window, region, key: window.lkey + 1, access: remoteWrite, iova: IOVA, length } };
}

describe('a request checked where it is posted', () => {
  it.each(rows.map((row) => [row.key, row] as const))('%s', (_, row) => {
    checkRow(row);
    expect(rows.filter(({ key }) => key === row.key)).toHaveLength(1);
  });
});
