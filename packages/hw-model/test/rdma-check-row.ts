// One row of a table of checks: a request of 64 bytes between two NICs, what is wrong with it, and what follows.
// Simplified: a row changes the set-up by a function; everything else about it is data.

import { expect } from 'vitest';
import {
  RDMA_NAK,
  RDMA_STATUS,
  type RdmaKeyEntry,
  type RdmaOpcode,
  type RdmaSendRequest,
  type RdmaStatusName,
} from '../src/index.ts';
import { ALL_ACCESS, RdmaRig, type RdmaRigOptions } from './rdma-rig.ts';

export const IOVA = 0x7000_0000;

/** What follows. */
export interface CheckOutcome {
  readonly status: RdmaStatusName;
  /** Codes of negative acknowledgements on the wire, in order. */
  readonly naks?: readonly number[];
  readonly requester?: string;
  readonly responder?: string;
  readonly event?: string;
}

/** A request and what follows. */
export interface CheckRow extends CheckOutcome {
  readonly key: string;
  readonly options?: RdmaRigOptions;
  readonly opcode: RdmaOpcode;
  /** Changes the set-up and says what to post beyond the plain request of 64 bytes. */
  readonly prepare?: (rig: RdmaRig) => Partial<RdmaSendRequest> | undefined;
}

export const broken: { readonly requester: string; readonly responder: string } = {
  requester: 'err',
  responder: 'err',
};
export const localError: CheckOutcome = {
  status: 'LOC_PROT_ERR',
  naks: [],
  requester: 'err',
  responder: 'rts',
};
export const accessError: CheckOutcome = {
  status: 'REM_ACCESS_ERR',
  naks: [RDMA_NAK.remoteAccess],
  ...broken,
  event: 'qp-access-error',
};
export const invalidRequest: CheckOutcome = {
  status: 'REM_INV_REQ_ERR',
  naks: [RDMA_NAK.invalidRequest],
  ...broken,
  event: 'qp-request-error',
};
export const good: CheckOutcome = { status: 'SUCCESS', naks: [], requester: 'rts', responder: 'rts' };

/** A request for one piece of local memory. */
export const sge = (
  lkey: number,
  address: number = IOVA,
  length = 64,
): Required<Pick<RdmaSendRequest, 'sges'>> => ({ sges: [{ address, length, lkey }] });
/** Takes rights away from the responder's queue pair. */
export const withRights = (rig: RdmaRig, remoteAccess: number): undefined => {
  rig.b.pair.modify('rts', { remoteAccess });
  return undefined;
};

/** Gives the responder something to receive into. */
export function receives({ b }: RdmaRig): undefined {
  b.pair.postReceive({ wrId: 5, sges: sge(b.region([0x9000]).lkey).sges });
  return undefined;
}

/** A registered region whose key work requests may change. */
export function fast(rig: RdmaRig, side: 'a' | 'b' = 'a'): RdmaKeyEntry {
  const entry = rig[side].nic.keys.allocate('fast', 1);
  if (entry === null) throw new Error('no key');
  entry.rkey = entry.lkey;
  entry.validate({ access: ALL_ACCESS, iova: IOVA, length: 4096, translation: null });
  return entry;
}

/** Posts the request of a row between two fresh NICs and compares everything that the row says. */
export function checkRow(row: CheckRow): void {
  const rig = new RdmaRig(row.options);
  const { a, b } = rig;
  const naks: number[] = [];
  rig.wire.lose = (packet) => {
    if (packet.kind === 'negative') naks.push(packet.nak);
    return false;
  };
  const region = a.region([0x1000]);
  const target = b.region([0x9000]);
  const length = row.opcode === 'fetch-add' || row.opcode === 'compare-swap' ? 8 : 64;
  const request = { ...sge(region.lkey, IOVA, length), remoteAddress: IOVA, rkey: target.rkey };
  a.post(row.opcode, { ...request, ...row.prepare?.(rig) });
  // One more behind it shows that an error takes everything along.
  if (row.requester === 'err') a.post('send');
  const [first, second] = rig.settle();
  expect(first?.status).toBe(RDMA_STATUS[row.status]);
  expect(naks).toEqual(row.naks ?? naks);
  if (row.requester === 'err') expect(second?.status).toBe(RDMA_STATUS.WR_FLUSH_ERR);
  expect([a.pair.state, b.pair.state]).toEqual([row.requester, row.responder]);
  if (row.event !== undefined) expect(b.events.join()).toBe(row.event);
}
