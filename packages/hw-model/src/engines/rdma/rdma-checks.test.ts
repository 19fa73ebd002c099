// What a peer may not do: what the wire says, what the requester sees, what becomes of both queue pairs.
import { describe, expect, it } from 'vitest';
import {
  accessError,
  broken,
  type CheckRow,
  checkRow,
  fast,
  good,
  IOVA,
  invalidRequest,
  receives,
  sge,
  withRights,
} from '../../../test/rdma-check-row.ts';
import { ALL_ACCESS, RdmaRig } from '../../../test/rdma-rig.ts';
import { RDMA_ACCESS } from './rdma-access.ts';
import { RDMA_NAK } from './rdma-packet.ts';
import { RDMA_STATUS } from './rdma-status.ts';

const { localWrite, remoteRead, remoteWrite, remoteAtomic } = RDMA_ACCESS;

const rows: readonly CheckRow[] = [
  // Rights of the queue pair, before anything about the key.
  {
    key: 'qp-no-write',
    opcode: 'rdma-write',
    prepare: (rig) => withRights(rig, remoteRead),
    ...invalidRequest,
  },
  {
    key: 'qp-no-read',
    opcode: 'rdma-read',
    prepare: (rig) => withRights(rig, remoteWrite),
    ...invalidRequest,
  },
  {
    key: 'qp-no-atomic',
    opcode: 'fetch-add',
    prepare: (rig) => withRights(rig, remoteWrite | remoteRead),
    ...invalidRequest,
  },
  {
    key: 'qp-no-write-before-key',
    opcode: 'rdma-write',
    prepare: (rig) => {
      withRights(rig, 0);
      return { rkey: 0xbad00 };
    },
    ...invalidRequest,
  },
  { key: 'qp-send-needs-no-right', opcode: 'send', prepare: receives, ...good },
  {
    key: 'qp-takes-no-reads',
    opcode: 'rdma-read',
    prepare: ({ b }) => {
      b.pair.modify('rts', { maxDestRdAtomic: 0 });
      return undefined;
    },
    ...invalidRequest,
  },
  // The peer's key.
  { key: 'remote-unknown-key', opcode: 'rdma-write', prepare: () => ({ rkey: 0xbad00 }), ...accessError },
  {
    key: 'remote-stale-key',
    opcode: 'rdma-read',
    prepare: ({ b }) => ({ rkey: b.region([0x9000]).rkey + 1 }),
    ...accessError,
  },
  {
    key: 'remote-wrong-pd',
    opcode: 'rdma-write',
    prepare: ({ b }) => ({ rkey: b.region([0x9000], { pd: 7 }).rkey }),
    ...accessError,
  },
  {
    key: 'remote-key-for-local-use',
    opcode: 'rdma-write',
    prepare: ({ b }) => {
      const region = b.region([0x9000]);
      region.rkey = 0;
      return { rkey: region.lkey };
    },
    ...accessError,
  },
  {
    key: 'remote-no-write',
    opcode: 'rdma-write',
    prepare: ({ b }) => ({ rkey: b.region([0x9000], { access: ALL_ACCESS - remoteWrite }).rkey }),
    ...accessError,
  },
  {
    key: 'remote-no-read',
    opcode: 'rdma-read',
    prepare: ({ b }) => ({ rkey: b.region([0x9000], { access: ALL_ACCESS - remoteRead }).rkey }),
    ...accessError,
  },
  {
    key: 'remote-no-atomic',
    opcode: 'compare-swap',
    prepare: ({ b }) => ({ rkey: b.region([0x9000], { access: ALL_ACCESS - remoteAtomic }).rkey }),
    ...accessError,
  },
  { key: 'remote-below', opcode: 'rdma-write', prepare: () => ({ remoteAddress: IOVA - 1 }), ...accessError },
  {
    key: 'remote-past-the-end',
    opcode: 'rdma-read',
    prepare: () => ({ remoteAddress: IOVA + 4033 }),
    ...accessError,
  },
  {
    key: 'remote-top-of-space',
    opcode: 'rdma-write',
    prepare: () => ({ remoteAddress: 2 ** 64 - 4096 }),
    ...accessError,
  },
  { key: 'remote-last-byte', opcode: 'rdma-write', prepare: () => ({ remoteAddress: IOVA + 4032 }), ...good },
  {
    key: 'remote-atomic-last-word',
    opcode: 'fetch-add',
    prepare: () => ({ remoteAddress: IOVA + 4088 }),
    ...good,
  },
  {
    key: 'remote-atomic-misaligned',
    opcode: 'fetch-add',
    prepare: () => ({ remoteAddress: IOVA + 4 }),
    ...invalidRequest,
  },
  {
    key: 'remote-immediate-reports-in-the-receive',
    opcode: 'rdma-write-with-imm',
    prepare: (rig) => {
      receives(rig);
      return { rkey: 0xbad00 };
    },
    ...accessError,
    event: '',
  },
  // What the responder cannot do.
  {
    key: 'remote-address-nobody-answers',
    opcode: 'rdma-write',
    prepare: ({ b }) => ({ rkey: b.region([0x8000_0000]).rkey }),
    status: 'REM_OP_ERR',
    naks: [RDMA_NAK.remoteOperation],
    ...broken,
    event: 'qp-fatal',
  },
  {
    key: 'receive-key-bad',
    opcode: 'send',
    prepare: ({ b }) => {
      b.pair.postReceive({ wrId: 5, sges: [{ address: IOVA, length: 64, lkey: 0xbad00 }] });
      return undefined;
    },
    status: 'REM_OP_ERR',
    naks: [RDMA_NAK.remoteOperation],
    ...broken,
    event: '',
  },
  {
    key: 'receive-too-short',
    opcode: 'send',
    prepare: ({ b }) => {
      b.pair.postReceive({ wrId: 5, sges: sge(b.region([0x9000]).lkey, IOVA, 63).sges });
      return undefined;
    },
    ...invalidRequest,
    event: '',
  },
  // Length.
  {
    key: 'length-over-2-to-31',
    opcode: 'rdma-read',
    prepare: (rig) => ({ sges: whole(rig, [2 ** 31, 1]), rkey: 0xbad00 }),
    ...invalidRequest,
  },
  {
    key: 'length-2-to-31-is-a-key-question',
    opcode: 'rdma-read',
    prepare: (rig) => ({ sges: whole(rig, [2 ** 31]), rkey: 0xbad00 }),
    ...accessError,
  },
  {
    key: 'zero-write-needs-no-key',
    opcode: 'rdma-write',
    prepare: () => ({ sges: [], rkey: 0xbad00 }),
    ...good,
  },
  {
    key: 'zero-read-needs-no-key',
    opcode: 'rdma-read',
    prepare: () => ({ sges: [], rkey: 0xbad00 }),
    ...good,
  },
  {
    key: 'zero-write-needs-the-right',
    opcode: 'rdma-write',
    prepare: (rig) => {
      withRights(rig, 0);
      return { sges: [] };
    },
    ...invalidRequest,
  },
  // Nothing to receive into.
  {
    key: 'rnr-twice-then-over',
    options: { attributes: { rnrRetry: 2 } },
    opcode: 'send',
    status: 'RNR_RETRY_EXC_ERR',
    naks: [RDMA_NAK.receiverNotReady, RDMA_NAK.receiverNotReady, RDMA_NAK.receiverNotReady],
    requester: 'err',
    responder: 'rts',
  },
  {
    key: 'rnr-before-length-and-key',
    options: { attributes: { rnrRetry: 0 } },
    opcode: 'rdma-write-with-imm',
    prepare: () => ({ rkey: 0xbad00 }),
    status: 'RNR_RETRY_EXC_ERR',
    naks: [RDMA_NAK.receiverNotReady],
    requester: 'err',
    responder: 'rts',
  },
  // The peer is gone.
  {
    key: 'peer-dead',
    options: { attributes: { retryCount: 3 } },
    opcode: 'rdma-write',
    prepare: ({ wire, b }) => {
      wire.setConnected(b.nic.address, false);
      return undefined;
    },
    status: 'RETRY_EXC_ERR',
    naks: [],
    requester: 'err',
    responder: 'rts',
  },
  {
    key: 'peer-in-error',
    options: { attributes: { retryCount: 1 } },
    opcode: 'rdma-write',
    prepare: ({ b }) => {
      b.pair.modify('err');
      return undefined;
    },
    status: 'RETRY_EXC_ERR',
    naks: [],
    ...broken,
  },
  // Unreliable pairs say nothing.
  {
    key: 'uc-bad-key',
    options: { type: 'uc' },
    opcode: 'rdma-write',
    prepare: () => ({ rkey: 0xbad00 }),
    ...good,
  },
  {
    key: 'uc-no-right',
    options: { type: 'uc' },
    opcode: 'rdma-write',
    prepare: (rig) => withRights(rig, 0),
    ...good,
  },
  { key: 'uc-nothing-to-receive-into', options: { type: 'uc' }, opcode: 'send', ...good },
  {
    key: 'uc-peer-dead',
    options: { type: 'uc' },
    opcode: 'rdma-write',
    prepare: ({ wire, b }) => unplug(wire, b.nic.address),
    ...good,
  },
  {
    key: 'uc-has-no-reads',
    options: { type: 'uc' },
    opcode: 'rdma-read',
    status: 'LOC_QP_OP_ERR',
    naks: [],
    requester: 'err',
    responder: 'rts',
  },
  // A peer invalidates.
  {
    key: 'send-with-inv-good',
    opcode: 'send-with-inv',
    prepare: (rig) => {
      receives(rig);
      return { invalidateKey: fast(rig, 'b').rkey };
    },
    ...good,
  },
  {
    key: 'send-with-inv-bad-is-the-receivers-error',
    opcode: 'send-with-inv',
    prepare: (rig) => {
      receives(rig);
      return { invalidateKey: 0xbad00 };
    },
    status: 'SUCCESS',
    naks: [],
    requester: 'rts',
    responder: 'err',
  },
];

function unplug(wire: RdmaRig['wire'], address: number): undefined {
  wire.setConnected(address, false);
  return undefined;
}

/** Pieces of any length: a key for every DMA address has no bounds. */
function whole({ a }: RdmaRig, lengths: readonly number[]) {
  const entry = a.nic.keys.allocate('dma', 1);
  entry?.validate({ access: localWrite, iova: 0, length: 0, translation: null });
  return lengths.map((length) => ({ address: 0x1000, length, lkey: entry?.lkey ?? 0 }));
}

describe('a request checked by the peer', () => {
  it.each(rows.map((row) => [row.key, row] as const))('%s', (_, row) => {
    checkRow(row);
    expect(rows.filter(({ key }) => key === row.key)).toHaveLength(1);
  });
});

describe('what a taken receive reports', () => {
  const receive = (rig: RdmaRig) => rig.b.received.poll(9).map(({ wrId, status }) => [wrId, status]);

  it.each([
    [
      'bad key of a write with immediate data',
      'rdma-write-with-imm',
      { rkey: 0xbad00 },
      64,
      'LOC_ACCESS_ERR',
    ],
    ['too long a message', 'send', {}, 63, 'LOC_LEN_ERR'],
    ['a key to invalidate that is none', 'send-with-inv', { invalidateKey: 0xbad00 }, 64, 'REM_INV_REQ_ERR'],
  ] as const)('%s', (_, opcode, request, room, status) => {
    const rig = new RdmaRig();
    const { a, b } = rig;
    b.pair.postReceive({ wrId: 5, sges: sge(b.region([0x9000]).lkey, IOVA, room).sges });
    b.pair.postReceive({ wrId: 6, sges: [] });
    a.post(opcode, { ...sge(a.region([0x1000]).lkey), remoteAddress: IOVA, ...request });
    rig.settle();
    expect(receive(rig)).toEqual([
      [5, RDMA_STATUS[status]],
      [6, RDMA_STATUS.WR_FLUSH_ERR],
    ]);
  });

  it('nothing when an unreliable message is dropped: the next message gets it', () => {
    const rig = new RdmaRig({ type: 'uc' });
    const { a, b } = rig;
    const lkey = a.region([0x1000]).lkey;
    b.pair.postReceive({ wrId: 5, sges: sge(b.region([0x9000]).lkey, IOVA, 64).sges });
    a.post('send', sge(lkey, IOVA, 65));
    a.post('send', sge(lkey, IOVA, 64));
    rig.settle();
    expect(receive(rig)).toEqual([[5, RDMA_STATUS.SUCCESS]]);
  });
});
