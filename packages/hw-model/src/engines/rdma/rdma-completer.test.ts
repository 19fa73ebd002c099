// RdmaCompleter: what an answer says of the requests before it, and when a request may be called done.
import { describe, expect, it } from 'vitest';
import { RdmaRig, type RdmaRigOptions, type RdmaSide } from '../../../test/rdma-rig.ts';
import type { RdmaPacket } from './rdma-packet.ts';
import { RDMA_STATUS } from './rdma-status.ts';

const { SUCCESS, REM_ACCESS_ERR, RETRY_EXC_ERR, WR_FLUSH_ERR } = RDMA_STATUS;
const IOVA = 0x7000_0000;

function started(options: RdmaRigOptions = {}) {
  const rig = new RdmaRig(options);
  const { a, b } = rig;
  a.store(0x10_0000, new Uint8Array(4 * 4096).fill(3));
  b.store(0x50_0000, new Uint8Array(4 * 4096).fill(7));
  const pages = (from: number): number[] => [0, 1, 2, 3].map((page) => from + page * 4096);
  const local = a.region(pages(0x10_0000));
  const { rkey } = b.region(pages(0x50_0000));
  const request = (length: number, page = 0) => ({
    sges: [{ address: IOVA + page * 4096, length, lkey: local.lkey }],
    remoteAddress: IOVA + page * 4096,
    rkey,
  });
  return { rig, a, b, request };
}

/** Loses the first packet of this kind. */
function loseFirst(rig: RdmaRig, kind: RdmaPacket['kind']): void {
  let lost = false;
  rig.wire.lose = (packet) => {
    if (lost || packet.kind !== kind) return false;
    lost = true;
    return true;
  };
}

describe('an answer', () => {
  it('that refuses a request acknowledges what was sent before it', () => {
    const { rig, a, request } = started();
    loseFirst(rig, 'acknowledge');
    a.post('rdma-write', request(64));
    a.post('rdma-write', { ...request(64), rkey: 0xbad00 });
    a.post('rdma-write', request(64));
    expect(rig.statuses()).toEqual([SUCCESS, REM_ACCESS_ERR, WR_FLUSH_ERR]);
  });

  it('that refuses a request does not stand for the data of a read before it', () => {
    const { rig, a, request } = started({ attributes: { retryCount: 1 } });
    loseFirst(rig, 'read-response');
    a.post('rdma-read', request(64));
    a.post('rdma-write', { ...request(64), rkey: 0xbad00 });
    // By now the peer is in error and answers no more.
    expect(rig.statuses()).toEqual([RETRY_EXC_ERR, WR_FLUSH_ERR]);
  });

  it('to a later request shows that the data of a read is missing: it is asked for at once', () => {
    const { rig, a, request } = started({ attributes: { timeoutMs: 0 } });
    loseFirst(rig, 'read-response');
    a.post('rdma-read', request(64));
    a.post('rdma-write', request(64, 1));
    expect(rig.statuses()).toEqual([SUCCESS, SUCCESS]);
    expect(a.bytesAt(0x10_0000, 65).lastIndexOf(7)).toBe(63);
  });

  it('leaves the peer only when its own side has been told', () => {
    const { rig, a, b, request } = started();
    const told: number[] = [];
    rig.wire.lose = ({ kind }) => {
      if (kind === 'acknowledge') told.push(b.received.count);
      return false;
    };
    for (let wrId = 1; wrId <= 2; wrId += 1) b.pair.postReceive({ wrId, sges: [] });
    a.post('rdma-write-with-imm', { ...request(64), immediate: 5 });
    a.post('rdma-write', request(64));
    a.post('send');
    expect(rig.statuses()).toEqual([SUCCESS, SUCCESS, SUCCESS]);
    expect(told).toEqual([1, 1, 2]);
  });
});

/** Remembers how many requests of the pair are on the bus whenever a send of it is called done. */
function watchCompletions({ sent, pair }: RdmaSide): number[] {
  const seen: number[] = [];
  const post = sent.post.bind(sent);
  sent.post = (completion) => {
    seen.push(pair.requestsInFlight);
    return post(completion);
  };
  return seen;
}

it('a request that is sent again is done only when its memory is no longer read', () => {
  let met = 0;
  for (let seed = 1; seed <= 20; seed += 1) {
    const { rig, a, request } = started({ seed });
    loseFirst(rig, 'acknowledge');
    const seen = watchCompletions(a);
    // The repeated first packet is answered while the ones behind it are fetched.
    a.post('rdma-write', request(4 * 4096));
    expect(rig.statuses()).toEqual([SUCCESS]);
    expect(seen).toEqual([0]);
    if (a.nic.counters.bytesGathered > 5 * 4096) met += 1;
  }
  expect(met).toBeGreaterThan(0);
});

describe('packets behind one that is refused', () => {
  it.each([
    ['a key that is none', { rkey: 0xbad00 }, REM_ACCESS_ERR],
    ['bytes behind the region', { remoteAddress: IOVA + 4 * 4096 }, REM_ACCESS_ERR],
  ])('are not executed, and both queue pairs end in error: %s', (_, wrong, status) => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const { rig, a, b, request } = started({ seed });
      const naks: number[] = [];
      rig.wire.lose = (packet) => {
        if (packet.kind === 'negative') naks.push(packet.psn);
        return false;
      };
      b.pair.postReceive({ wrId: 90, sges: [] });
      a.post('rdma-write', request(4096));
      a.post('rdma-write', { ...request(64), ...wrong });
      for (const page of [1, 2, 3]) a.post('rdma-write', request(4096, page));
      a.post('send');
      const flushed = [WR_FLUSH_ERR, WR_FLUSH_ERR, WR_FLUSH_ERR, WR_FLUSH_ERR];
      expect(rig.statuses()).toEqual([SUCCESS, status, ...flushed]);
      expect([a.pair.state, b.pair.state, naks]).toEqual(['err', 'err', [4]]);
      expect(b.bytesAt(0x50_0000, 4 * 4096).lastIndexOf(3)).toBe(4095);
      expect(b.received.poll(9)).toMatchObject([{ wrId: 90, status: WR_FLUSH_ERR }]);
    }
  });
});

describe('a queue pair that breaks', () => {
  it.each(['a', 'b'] as const)('ends the requests on the bus and begins none: side %s', (who) => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const { rig, a, request } = started({ seed });
      const { pair, nic } = rig[who];
      a.post('rdma-write', request(4 * 4096));
      while (pair.requestsInFlight === 0) rig.scheduler.step();
      pair.modify('err');
      const atMost = nic.dma.counters.requests + pair.requestsInFlight;
      rig.settle();
      expect(nic.dma.counters.requests).toBeLessThanOrEqual(atMost);
    }
  });

  it('leaves the answers that wait for it untouched', () => {
    let met = 0;
    for (let seed = 1; seed <= 40; seed += 1) {
      const { rig, a, request } = started({ seed });
      a.post('rdma-read', request(4 * 4096));
      let steps = 0;
      while (a.pair.responses.length < 2 && rig.scheduler.step()) steps += 1;
      if (a.pair.responses.length < 2) continue;
      met += 1;
      expect(steps).toBeGreaterThan(0);
      a.pair.modify('err');
      const atMost = a.nic.dma.counters.requests + a.pair.requestsInFlight;
      expect(rig.statuses()).toEqual([WR_FLUSH_ERR]);
      expect(a.nic.dma.counters.requests).toBeLessThanOrEqual(atMost);
    }
    expect(met).toBeGreaterThan(0);
  });
});
