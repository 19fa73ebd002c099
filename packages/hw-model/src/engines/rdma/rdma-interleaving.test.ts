// RDMA NICs under bad luck: lost packets, keys that go bad in mid-transfer, missing blocks, resets, errors while DMA runs.
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { ALL_ACCESS, RdmaRig, type RdmaRigOptions } from '../../../test/rdma-rig.ts';
import { dmaAddr } from '../../addresses.ts';
import { seededNumbers } from '../../choice-policy.ts';
import type { ModelTask } from '../../yield-point.ts';
import { RDMA_ACCESS } from './rdma-access.ts';
import type { RdmaKeyEntry } from './rdma-key-entry.ts';
import type { RdmaPageFault } from './rdma-page-fault.ts';
import { RDMA_STATUS } from './rdma-status.ts';

const { SUCCESS, REM_ACCESS_ERR, LOC_PROT_ERR, WR_FLUSH_ERR } = RDMA_STATUS;
const IOVA = 0x7000_0000;
const BYTES = 4 * 4096;

const pattern = (bytes: number, salt: number): Uint8Array =>
  new Uint8Array(bytes).map((_, i) => ((i * 7 + (i >> 8) * 13 + salt) & 0xff) | 1);

/** A source of four pages with data, and a target of four pages in the BAR of the other side's neighbour. */
function started(options: RdmaRigOptions = {}) {
  const rig = new RdmaRig(options);
  const { a, b } = rig;
  const data = pattern(BYTES, 5);
  a.store(0x10_0000, data);
  const source = a.region([0x10_0000, 0x10_1000, 0x10_2000, 0x10_3000]);
  const target = b.region([3, 1, 2, 0].map((page) => b.peerAddress(page * 4096)));
  const request = {
    sges: [{ address: IOVA, length: BYTES, lkey: source.lkey }],
    remoteAddress: IOVA,
    rkey: target.rkey,
  };
  const landed = (): Uint8Array => {
    const all = new Uint8Array(BYTES);
    for (const [i, page] of [3, 1, 2, 0].entries()) all.set(b.peerMemory.pageBytes(page), i * 4096);
    return all;
  };
  return { rig, a, b, data, source, target, request, landed };
}

/** Bytes of `found` that came, all in front; throws when they are not what was sent. */
function cameInOrder(found: Uint8Array, data: Uint8Array): number {
  const zero = found.indexOf(0);
  const came = zero < 0 ? found.length : zero;
  expect(Buffer.compare(found.subarray(0, came), data.subarray(0, came))).toBe(0);
  expect(found.subarray(came).every((byte) => byte === 0)).toBe(true);
  return came;
}

describe('lost packets', () => {
  test.prop([fc.integer(), fc.integer(), fc.integer({ min: 1, max: 40 })], { numRuns: 60 })(
    'cost time, never a byte: everything arrives once and in order',
    (seed, luck, percent) => {
      const { rig, a, b, data, request, landed } = started({ seed });
      const next = seededNumbers(luck);
      let mayLose = 4;
      let mustPass = 0;
      // Seven tries without progress end a connection: after four losses the next packets pass.
      rig.wire.lose = () => {
        mustPass -= 1;
        if (mustPass > 0 || next() % 100 >= percent) return false;
        mayLose -= 1;
        if (mayLose === 0) {
          mayLose = 4;
          mustPass = 24;
        }
        return true;
      };
      const counter = b.region([0x90_0000]);
      const back = a.region([0x30_0000, 0x30_1000, 0x30_2000, 0x30_3000]);
      a.post('rdma-write', request);
      a.post('fetch-add', {
        sges: [{ address: IOVA, length: 8, lkey: back.lkey }],
        remoteAddress: IOVA,
        rkey: counter.rkey,
        compareAdd: 3n,
      });
      a.post('rdma-read', {
        ...request,
        sges: [{ address: IOVA, length: BYTES, lkey: back.lkey }],
        fence: true,
      });
      a.post('fetch-add', {
        sges: [{ address: IOVA, length: 8, lkey: a.region([0x40_0000]).lkey }],
        remoteAddress: IOVA,
        rkey: counter.rkey,
        compareAdd: 4n,
      });
      expect(rig.statuses()).toEqual([SUCCESS, SUCCESS, SUCCESS, SUCCESS]);
      expect(Buffer.compare(landed(), data)).toBe(0);
      expect(Buffer.compare(a.bytesAt(0x30_0000, BYTES), data)).toBe(0);
      expect([b.bytesAt(0x90_0000, 1)[0], a.bytesAt(0x40_0000, 1)[0]]).toEqual([7, 3]);
    },
  );

  it('are asked for again by a sequence error, without waiting for the timer', () => {
    const { rig, a, data, request, landed } = started({ attributes: { timeoutMs: 0 } });
    let count = 0;
    rig.wire.lose = ({ kind }) => kind === 'request' && ++count === 3;
    a.post('rdma-write', request);
    expect(rig.statuses()).toEqual([SUCCESS]);
    expect(Buffer.compare(landed(), data)).toBe(0);
    expect(a.nic.counters.retransmissions).toBe(1);
  });

  it('of an unreliable message cost the message, and the next one arrives', () => {
    const { rig, a, b, request, landed, data } = started({ type: 'uc' });
    let count = 0;
    rig.wire.lose = () => ++count === 2;
    b.pair.postReceive({ wrId: 9, sges: [] });
    a.post('rdma-write', request);
    expect(rig.statuses()).toEqual([SUCCESS]);
    expect(cameInOrder(landed(), data)).toBe(1024);
    a.post('rdma-write-with-imm', {
      inlineData: Uint8Array.of(7),
      remoteAddress: IOVA,
      rkey: request.rkey,
      immediate: 1,
    });
    expect(rig.statuses()).toEqual([SUCCESS]);
    expect(landed()[0]).toBe(7);
    expect(b.received.poll(2)).toMatchObject([{ wrId: 9, status: SUCCESS }]);
  });

  it('a receiver that is late is waited for', () => {
    const { rig, a, b, source } = started();
    a.post('send', { sges: [{ address: IOVA, length: 100, lkey: source.lkey }] });
    rig.scheduler.run();
    rig.clock.advanceMs(3);
    rig.scheduler.run();
    expect(a.sent.count).toBe(0);
    b.pair.postReceive({ wrId: 1, sges: [{ address: IOVA, length: 100, lkey: b.region([0x9000]).lkey }] });
    expect(rig.statuses()).toEqual([SUCCESS]);
    expect(b.nic.counters.rnrNaksSent).toBeGreaterThan(1);
  });
});

/** Software that takes a key back when the transfer has got so far, and remembers when the NIC was quiet. */
function* revoker(rig: RdmaRig, entry: RdmaKeyEntry, afterRequests: number): ModelTask<number> {
  const { dma } = rig.b.nic;
  yield { at: 'test:wait', until: () => dma.counters.requests >= afterRequests || rig.a.sent.count > 0 };
  entry.invalidate('invalid');
  yield* entry.quiesce();
  return rig.clock.step;
}

describe('a key that goes bad in mid-transfer', () => {
  test.prop([fc.integer(), fc.integer({ min: 0, max: 70 })], { numRuns: 80 })(
    'lets no byte land once the NIC is quiet, and the peer learns that its access is over',
    (seed, after) => {
      const { rig, a, b, data, target, request, landed } = started({ seed });
      a.post('rdma-write', request);
      const task = rig.scheduler.spawn('revoke', revoker(rig, target, after));
      let atQuiet: Uint8Array | null = null;
      while (rig.scheduler.step()) {
        if (task.done) atQuiet ??= landed();
      }
      expect(atQuiet).not.toBeNull();
      expect(Buffer.compare(landed(), atQuiet ?? new Uint8Array(0))).toBe(0);
      expect(b.peer.bar(0)?.lastAccessStep).toBeLessThanOrEqual(task.result ?? -1);
      const came = cameInOrder(landed(), data);
      const [status] = rig.statuses();
      expect(status).toBe(came === BYTES && status === SUCCESS ? SUCCESS : REM_ACCESS_ERR);
      expect(target.inUse).toBe(false);
    },
  );

  it('without waiting for quiet, a request that was on the way still lands', () => {
    const { rig, a, b, target, request, landed } = started();
    a.post('rdma-write', request);
    while (!target.inUse) rig.scheduler.step();
    target.invalidate('invalid');
    const before = landed();
    expect(rig.statuses()).toEqual([REM_ACCESS_ERR]);
    expect(landed().filter((byte, i) => byte !== before[i])).toHaveLength(256);
    expect(b.nic.dma.counters.bytesWritten).toBe(256);
  });

  test.prop([fc.integer(), fc.integer({ min: 0, max: 30 }), fc.boolean()], { numRuns: 60 })(
    'on the requester side ends the request with a protection error',
    (seed, after, read) => {
      const { rig, a, source, request } = started({ seed });
      a.post(read ? 'rdma-read' : 'rdma-write', request);
      a.post('rdma-write', { inlineData: Uint8Array.of(1), remoteAddress: IOVA, rkey: request.rkey });
      for (let i = 0; a.nic.dma.counters.requests < after && i < 1e4; i += 1) rig.scheduler.step();
      const all = a.nic.counters.bytesGathered === BYTES || a.sent.count > 0;
      source.invalidate('invalid');
      expect(rig.statuses()).toEqual(all ? [SUCCESS, SUCCESS] : [LOC_PROT_ERR, WR_FLUSH_ERR]);
    },
  );

  it('in the middle of a read ends it with what the responder answers', () => {
    const { rig, a, b, target, request } = started();
    a.post('rdma-read', request);
    while (b.nic.dma.counters.requests < 5) rig.scheduler.step();
    target.invalidate('invalid');
    expect(rig.statuses()).toEqual([REM_ACCESS_ERR]);
    expect([b.pair.state, b.events]).toEqual(['err', ['qp-access-error']]);
  });
});

describe('missing blocks of an on-demand key', () => {
  function onDemand() {
    const set = started();
    const { b, target } = set;
    target.onDemand = true;
    target.translation?.zap();
    const faults: RdmaPageFault[] = [];
    b.nic.onPageFault = (fault) => faults.push(fault);
    return { ...set, faults };
  }

  it('stop the transfer until software has filled them in, page by page', () => {
    const { rig, a, b, data, target, request, landed, faults } = onDemand();
    a.post('rdma-write', request);
    for (const [i, page] of [3, 1, 2, 0].entries()) {
      while (faults.length === i) rig.scheduler.step();
      expect(faults[i]?.wanted).toEqual({ iova: IOVA + i * 4096, bytes: 1024, write: true });
      target.translation?.set(i, dmaAddr(b.peerAddress(page * 4096)));
      faults[i]?.resolve('resumed');
    }
    expect(rig.statuses()).toEqual([SUCCESS]);
    expect(Buffer.compare(landed(), data)).toBe(0);
    expect(b.nic.counters.pageFaults).toBe(4);
  });

  it('that software cannot fill in end the request as a bad access', () => {
    const { rig, a, request, faults } = onDemand();
    a.post('rdma-write', request);
    while (faults.length === 0) rig.scheduler.step();
    faults[0]?.resolve('failed');
    expect(rig.statuses()).toEqual([REM_ACCESS_ERR]);
  });

  it('a fault that nobody serves is a bad access, and so is a key revoked while it waits', () => {
    const unserved = onDemand();
    unserved.b.nic.onPageFault = null;
    unserved.a.post('rdma-write', unserved.request);
    expect(unserved.rig.statuses()).toEqual([REM_ACCESS_ERR]);
    const revoked = onDemand();
    revoked.a.post('rdma-write', revoked.request);
    while (revoked.faults.length === 0) revoked.rig.scheduler.step();
    expect(revoked.target.inUse).toBe(false);
    revoked.target.invalidate('invalid');
    expect(revoked.rig.statuses()).toEqual([REM_ACCESS_ERR]);
  });

  it('a block that may only be read refuses a write for good', () => {
    const { rig, a, b } = started();
    const target = b.region([0x9000], { writable: false });
    a.post('rdma-write', { inlineData: Uint8Array.of(1), remoteAddress: IOVA, rkey: target.rkey });
    expect(rig.statuses()).toEqual([REM_ACCESS_ERR]);
  });
});

describe('a queue pair that is stopped while its DMA runs', () => {
  test.prop([fc.integer(), fc.integer({ min: 0, max: 60 }), fc.constantFrom('a' as const, 'b' as const)], {
    numRuns: 80,
  })('completes what it held only when none of its requests is on the bus', (seed, after, who) => {
    const { rig, a, b, data, request, landed } = started({ seed });
    const stopped = rig[who];
    a.post('rdma-write', request);
    a.post('rdma-read', request);
    for (let i = 0; stopped.nic.dma.counters.requests < after && i < 1e4; i += 1) rig.scheduler.step();
    const finished = a.sent.count;
    stopped.pair.modify('err');
    stopped.pair.postReceive({ wrId: 1, sges: [] });
    let requestsAtFlush: number | null = null;
    while (rig.scheduler.step()) {
      const flushed = stopped.received.count > 0;
      if (flushed) requestsAtFlush ??= stopped.nic.dma.counters.requests;
      if (flushed) expect(stopped.pair.requestsInFlight).toBe(0);
    }
    expect(stopped.nic.dma.counters.requests).toBe(requestsAtFlush);
    const statuses = rig.statuses();
    if (who === 'a')
      expect(statuses).toEqual(
        [SUCCESS, SUCCESS, WR_FLUSH_ERR, WR_FLUSH_ERR].slice(2 - finished, 4 - finished),
      );
    if (finished > 0) expect(Buffer.compare(landed(), data)).toBe(0);
    expect(b.received.poll(9).every(({ status }) => status === WR_FLUSH_ERR)).toBe(true);
  });

  it('and taken up again sends nothing of its earlier life', () => {
    const { rig, a, b, data, request, landed } = started();
    a.post('rdma-write', request);
    while (a.pair.requestsInFlight === 0) rig.scheduler.step();
    for (const side of [a, b]) side.pair.modify('reset');
    rig.connect();
    const packets = rig.wire.counters.packets;
    a.post('rdma-write', {
      ...request,
      sges: [{ ...request.sges[0], address: IOVA, length: 10, lkey: request.sges[0]?.lkey ?? 0 }],
    });
    expect(rig.statuses()).toEqual([SUCCESS]);
    expect(cameInOrder(landed(), data)).toBe(10);
    expect(rig.wire.counters.packets - packets).toBe(2);
  });

  it('by a reset of the device moves nothing more and reports nothing', () => {
    const { rig, a, b, request, landed } = started();
    a.post('rdma-write', request);
    while (b.pair.requestsInFlight === 0) rig.scheduler.step();
    const before = landed();
    b.nic.reset();
    a.nic.reset();
    expect(rig.statuses()).toEqual([]);
    expect(Buffer.compare(landed(), before)).toBe(0);
    expect([b.nic.keys.size, b.nic.queuePairs.length, a.sent.count]).toEqual([0, 0, 0]);
  });

  it('destroying waits for the last request and drops the rest', () => {
    const { rig, a, b, request } = started();
    a.post('rdma-write', request);
    while (b.pair.requestsInFlight === 0) rig.scheduler.step();
    const destroyed = rig.scheduler.spawn('destroy', b.nic.destroyQueuePair(b.pair));
    while (!destroyed.done) rig.scheduler.step();
    const { requests } = b.nic.dma.counters;
    expect(b.pair.requestsInFlight).toBe(0);
    expect(rig.statuses()).toEqual([RDMA_STATUS.RETRY_EXC_ERR]);
    expect(b.nic.dma.counters.requests).toBe(requests);
    expect(b.nic.counters.packetsDropped).toBeGreaterThan(0);
  });

  it('or only drained finishes what had begun and says so once', () => {
    const { rig, a, request } = started();
    a.post('rdma-write', request);
    a.post('rdma-write', request);
    while (rig.wire.counters.packets === 0) rig.scheduler.step();
    a.pair.modify('sqd');
    expect(rig.statuses()).toEqual([SUCCESS]);
    expect([a.events, a.pair.outstanding.sends]).toEqual([['send-queue-drained'], 1]);
    a.pair.modify('rts');
    expect(rig.statuses()).toEqual([SUCCESS]);
  });
});

describe('a memory window', () => {
  it('shows its part of a region to peers until it is invalidated', () => {
    const { rig, a, b } = started();
    const region = b.region([0x9000, 0x8000], { access: ALL_ACCESS + RDMA_ACCESS.windowBind });
    const window = b.nic.keys.allocate('window', 1);
    if (window === null) throw new Error('no key');
    window.state = 'free';
    const key = window.lkey + 1;
    const access = RDMA_ACCESS.remoteWrite;
    b.post('bind-mw', { binding: { window, region, key, access, iova: IOVA + 4000, length: 200 } });
    rig.settle();
    const write = (remoteAddress: number) =>
      a.post('rdma-write', { inlineData: new Uint8Array(200).fill(9), remoteAddress, rkey: key });
    write(IOVA + 4000);
    expect(rig.statuses()).toEqual([SUCCESS]);
    expect(
      [b.bytesAt(0x9000 + 4000, 96), b.bytesAt(0x8000, 104)].every((part) => part.every((x) => x === 9)),
    ).toBe(true);
    expect(region.boundWindows).toBe(1);
    b.post('local-inv', { invalidateKey: key });
    rig.settle();
    expect([region.boundWindows, window.state]).toEqual([0, 'free']);
    write(IOVA + 4000);
    expect(rig.statuses()).toEqual([REM_ACCESS_ERR]);
  });

  it('over a region that goes away shows nothing', () => {
    const { rig, a, b } = started();
    const region = b.region([0x9000], { access: ALL_ACCESS + RDMA_ACCESS.windowBind });
    const window = b.nic.keys.allocate('window', 1);
    if (window === null) throw new Error('no key');
    window.state = 'free';
    const access = RDMA_ACCESS.remoteRead;
    b.post('bind-mw', { binding: { window, region, key: window.lkey, access, iova: IOVA, length: 4096 } });
    rig.settle();
    region.invalidate('invalid');
    a.post('rdma-read', {
      sges: [{ address: IOVA, length: 8, lkey: a.region([0x1000]).lkey }],
      remoteAddress: IOVA,
      rkey: window.rkey,
    });
    expect(rig.statuses()).toEqual([REM_ACCESS_ERR]);
  });
});
