// RdmaRetry: how often a requester sends again before it gives up, and what gives it its tries back.
import { describe, expect, it } from 'vitest';
import { RdmaRig } from '../../../test/rdma-rig.ts';
import { RDMA_STATUS } from './rdma-status.ts';

const { SUCCESS, RETRY_EXC_ERR } = RDMA_STATUS;
const IOVA = 0x7000_0000;

describe('a peer that never answers', () => {
  it.each([0, 1, 3, 7])('is asked again %i times, and no more', (retryCount) => {
    const rig = new RdmaRig({ attributes: { retryCount } });
    const { wire, a, b } = rig;
    wire.setConnected(b.nic.address, false);
    a.post('rdma-write');
    expect(rig.statuses()).toEqual([RETRY_EXC_ERR]);
    expect([a.nic.counters.retransmissions, wire.counters.packets]).toEqual([retryCount, retryCount + 1]);
  });
});

describe('packets that are lost one after the other', () => {
  it('cost no request its tries while each is answered in the end', () => {
    const rig = new RdmaRig({ attributes: { retryCount: 1 } });
    const { wire, a, b } = rig;
    const { rkey } = b.region([0x9000]);
    const seen = new Set<number>();
    // Each request is lost the first time.
    wire.lose = ({ kind, psn }) => {
      const lost = kind === 'request' && !seen.has(psn);
      seen.add(psn);
      return lost;
    };
    for (let slot = 0; slot < 4; slot += 1) {
      const inlineData = Uint8Array.of(slot + 1);
      a.post('rdma-write', { inlineData, remoteAddress: IOVA + slot, rkey });
      expect(rig.statuses()).toEqual([SUCCESS]);
    }
    expect([...b.bytesAt(0x9000, 4)]).toEqual([1, 2, 3, 4]);
    expect(a.nic.counters.retransmissions).toBe(4);
  });
});
