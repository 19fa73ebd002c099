// RDMA NICs: bytes from one memory to another through keys, statuses, order, and what is left when something fails.
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { RdmaRig, type RdmaSide } from '../../../test/rdma-rig.ts';
import { RDMA_STATUS } from './rdma-status.ts';

const { SUCCESS, WR_FLUSH_ERR } = RDMA_STATUS;
const IOVA = 0x7000_0000;

const pattern = (bytes: number, salt: number): Uint8Array =>
  new Uint8Array(bytes).map((_, i) => (i * 7 + (i >> 8) * 13 + salt) & 0xff);

/** Stores `data` in the blocks, block after block. */
function fill(side: RdmaSide, blocks: readonly number[], data: Uint8Array): void {
  for (const [i, block] of blocks.entries()) side.store(block, data.subarray(i * 4096, (i + 1) * 4096));
}

function contents(side: RdmaSide, blocks: readonly number[]): Uint8Array {
  const whole = new Uint8Array(blocks.length * 4096);
  for (const [i, block] of blocks.entries()) whole.set(side.bytesAt(block, 4096), i * 4096);
  return whole;
}

const FROM = [0x30_0000, 0x10_0000, 0x20_3000, 0x10_1000];
const TO = [0x55_0000, 0x51_0000, 0x5f_1000, 0x51_1000];

describe.each([1, 2] as const)('on %i machine(s)', (machines) => {
  it('a write lands where the keys of both sides say, byte for byte', () => {
    const rig = new RdmaRig({ machines });
    const { a, b } = rig;
    const data = pattern(4 * 4096, 3);
    fill(a, FROM, data);
    const source = a.region(FROM);
    const target = b.region(TO);
    a.post('rdma-write', {
      sges: [
        { address: IOVA + 100, length: 5000, lkey: source.lkey },
        { address: IOVA + 9000, length: 2500, lkey: source.lkey },
      ],
      remoteAddress: IOVA + 77,
      rkey: target.rkey,
    });
    expect(rig.settle()).toMatchObject([
      { wrId: 1, status: SUCCESS, opcode: 'rdma-write', byteLength: 7500 },
    ]);
    const wanted = new Uint8Array(4 * 4096);
    wanted.set(data.subarray(100, 5100), 77);
    wanted.set(data.subarray(9000, 11500), 77 + 5000);
    expect(Buffer.compare(contents(b, TO), wanted)).toBe(0);
    expect([a.nic.counters.bytesGathered, b.nic.counters.bytesScattered]).toEqual([7500, 7500]);
    expect(rig.wire.counters).toEqual({ packets: 9, payloadBytes: 7500, lost: 0 });
  });

  it('a read fetches, a send is received, with immediate data and without', () => {
    const rig = new RdmaRig({ machines });
    const { a, b } = rig;
    const data = pattern(4 * 4096, 9);
    fill(b, TO, data);
    const here = a.region(FROM);
    const there = b.region(TO);
    a.post('rdma-read', {
      sges: [{ address: IOVA + 3, length: 10_000, lkey: here.lkey }],
      remoteAddress: IOVA + 4000,
      rkey: there.rkey,
    });
    b.pair.postReceive({ wrId: 70, sges: [{ address: IOVA + 12_288, length: 4096, lkey: there.lkey }] });
    b.pair.postReceive({ wrId: 71, sges: [] });
    a.post('send', { sges: [{ address: IOVA + 3, length: 3000, lkey: here.lkey }], fence: true });
    a.post('rdma-write-with-imm', {
      inlineData: Uint8Array.of(1, 2, 3),
      remoteAddress: IOVA,
      rkey: there.rkey,
      immediate: 0xcafe,
    });
    expect(rig.statuses()).toEqual([SUCCESS, SUCCESS, SUCCESS]);
    expect(Buffer.compare(contents(a, FROM).subarray(3, 10_003), data.subarray(4000, 14_000))).toBe(0);
    expect(Buffer.compare(b.bytesAt(TO[3] ?? 0, 3000), Buffer.from(data.subarray(4000, 7000)))).toBe(0);
    expect(b.received.poll(9)).toMatchObject([
      { wrId: 70, status: SUCCESS, opcode: 'receive', byteLength: 3000 },
      { wrId: 71, status: SUCCESS, opcode: 'receive-rdma-with-imm', byteLength: 3, immediate: 0xcafe },
    ]);
    expect([...b.bytesAt(TO[0] ?? 0, 4)]).toEqual([1, 2, 3, data[3]]);
  });

  it('atomics change eight bytes once and bring the old ones back', () => {
    const rig = new RdmaRig({ machines });
    const { a, b } = rig;
    const here = a.region(FROM);
    const there = b.region(TO);
    b.store(TO[0] ?? 0, Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0));
    const remote = { remoteAddress: IOVA, rkey: there.rkey };
    const into = (slot: number) => [{ address: IOVA + 8 * slot, length: 8, lkey: here.lkey }];
    a.post('fetch-add', { ...remote, sges: into(0), compareAdd: 1n });
    a.post('compare-swap', { ...remote, sges: into(1), compareAdd: 0x1_0000_0000n, swap: 2n ** 64n - 1n });
    a.post('compare-swap', { ...remote, sges: into(2), compareAdd: 5n, swap: 6n });
    a.post('fetch-add', { ...remote, sges: into(3), compareAdd: 2n });
    expect(rig.statuses()).toEqual([SUCCESS, SUCCESS, SUCCESS, SUCCESS]);
    const old = new DataView(a.bytesAt(FROM[0] ?? 0, 32).buffer);
    const values = [0, 1, 2, 3].map((slot) => old.getBigUint64(8 * slot, true));
    expect(values).toEqual([0xffff_ffffn, 0x1_0000_0000n, 2n ** 64n - 1n, 2n ** 64n - 1n]);
    expect(b.bytesAt(TO[0] ?? 0, 8)).toEqual(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
  });

  it('memory behind the BAR of a neighbour is written and read like any other', () => {
    const rig = new RdmaRig({ machines });
    const { a, b } = rig;
    const data = pattern(2 * 4096, 21);
    fill(a, FROM.slice(0, 2), data);
    const source = a.region(FROM);
    const bar = b.region([b.peerAddress(0x3000), b.peerAddress(0x1000)]);
    const remote = { remoteAddress: IOVA + 10, rkey: bar.rkey };
    a.post('rdma-write', { ...remote, sges: [{ address: IOVA, length: 8000, lkey: source.lkey }] });
    a.post('rdma-read', {
      ...remote,
      sges: [{ address: IOVA + 8192, length: 8000, lkey: source.lkey }],
      fence: true,
    });
    expect(rig.statuses()).toEqual([SUCCESS, SUCCESS]);
    expect(b.peerMemory.pageBytes(3).subarray(10)).toEqual(data.subarray(0, 4086));
    expect(b.peerMemory.pageBytes(1).subarray(0, 3914)).toEqual(data.subarray(4086, 8000));
    expect(Buffer.compare(contents(a, FROM).subarray(8192, 16_192), data.subarray(0, 8000))).toBe(0);
    // Only the side that has the BAR goes through its own switch.
    expect(b.fabric.counters.switchLocal.bytes).toBeGreaterThanOrEqual(16_000);
  });
});

describe('completions', () => {
  const keyed = (side: RdmaSide) => ({ address: IOVA, length: 64, lkey: side.region(FROM).lkey });

  it('come in post order, none for an unsignaled success, one for every error', () => {
    const rig = new RdmaRig();
    const { a, b } = rig;
    const remote = { remoteAddress: IOVA, rkey: b.region(TO).rkey };
    const sges = [keyed(a)];
    a.post('rdma-write', { ...remote, sges });
    a.post('rdma-write', { ...remote, sges, signaled: false });
    a.post('rdma-read', { ...remote, sges });
    a.post('rdma-write', { ...remote, sges, rkey: 1, signaled: false });
    a.post('rdma-read', { ...remote, sges, signaled: false });
    a.pair.postReceive({ wrId: 900, sges: [] });
    expect(rig.settle().map(({ wrId, status }) => [wrId, status])).toEqual([
      [1, SUCCESS],
      [3, SUCCESS],
      [4, RDMA_STATUS.REM_ACCESS_ERR],
      [5, WR_FLUSH_ERR],
    ]);
    expect(a.received.poll(9)).toMatchObject([{ wrId: 900, status: WR_FLUSH_ERR }]);
    expect([a.pair.state, b.pair.state, b.events]).toEqual(['err', 'err', ['qp-access-error']]);
    a.post('send');
    a.pair.postReceive({ wrId: 901, sges: [] });
    expect(rig.statuses()).toEqual([WR_FLUSH_ERR]);
    expect(a.received.poll(9)).toMatchObject([{ wrId: 901, status: WR_FLUSH_ERR }]);
  });

  it('of a local error wait for what was sent before it', () => {
    const rig = new RdmaRig();
    const { a, b } = rig;
    const remote = { remoteAddress: IOVA, rkey: b.region(TO).rkey };
    a.post('rdma-read', { ...remote, sges: [keyed(a)] });
    a.post('rdma-write', { ...remote, sges: [{ address: IOVA, length: 1, lkey: 0xbad00 }] });
    a.post('rdma-write', { ...remote, sges: [keyed(a)] });
    expect(rig.statuses()).toEqual([SUCCESS, RDMA_STATUS.LOC_PROT_ERR, WR_FLUSH_ERR]);
    expect(b.pair.state).toBe('rts');
  });

  it('that find no room are lost, and the pair goes into error', () => {
    const rig = new RdmaRig({ cqEntries: 1 });
    const { a } = rig;
    a.post('rdma-write');
    a.post('rdma-write');
    expect(rig.statuses()).toEqual([SUCCESS]);
    expect([a.sent.overrun, a.pair.state, a.events]).toEqual([true, 'err', ['cq-error']]);
  });

  it('a fenced request starts when earlier reads are done, another one does not wait', () => {
    for (const fence of [false, true]) {
      const rig = new RdmaRig();
      const { a, b } = rig;
      const remote = { remoteAddress: IOVA, rkey: b.region(TO).rkey };
      const sges = [{ address: IOVA, length: 9000, lkey: a.region(FROM).lkey }];
      const order: string[] = [];
      rig.wire.lose = (packet) => {
        order.push(packet.kind === 'request' ? packet.opcode : packet.kind);
        return false;
      };
      a.post('rdma-read', { ...remote, sges });
      a.post('rdma-write', { ...remote, inlineData: Uint8Array.of(1), fence });
      expect(rig.statuses()).toEqual([SUCCESS, SUCCESS]);
      expect(order.indexOf('rdma-write') > order.lastIndexOf('read-response')).toBe(fence);
    }
  });
});

const message = fc.record({
  opcode: fc.constantFrom('rdma-write' as const, 'rdma-read' as const),
  local: fc.integer({ min: 0, max: 8000 }),
  remote: fc.integer({ min: 0, max: 8000 }),
  bytes: fc.array(fc.integer({ min: 0, max: 2500 }), { minLength: 1, maxLength: 3 }),
});
const frames = fc.uniqueArray(fc.integer({ min: 0x100, max: 0x3ff }), { minLength: 4, maxLength: 4 });

test.prop(
  [
    frames,
    frames,
    fc.array(message, { minLength: 1, maxLength: 6 }),
    fc.constantFrom(256, 1024, 4096),
    fc.integer(),
    fc.constantFrom(1 as const, 2 as const),
  ],
  { numRuns: 40 },
)(
  'writes and reads over scattered blocks are what a copy between flat buffers is',
  (from, to, messages, mtu, seed, machines) => {
    const rig = new RdmaRig({ machines, seed, attributes: { mtu, maxRdAtomic: 1 } });
    const { a, b } = rig;
    const here = from.map((frame) => frame * 4096);
    const there = to.map((frame) => 0x100_0000 + frame * 4096);
    const local = pattern(4 * 4096, 1);
    const remote = pattern(4 * 4096, 101);
    fill(a, here, local);
    fill(b, there, remote);
    const lkey = a.region(here).lkey;
    const rkey = b.region(there).rkey;
    for (const { opcode, local: at, remote: offset, bytes } of messages) {
      let address = IOVA + at;
      const sges = bytes.map((length) => {
        address += length;
        return { address: address - length, length, lkey };
      });
      const total = bytes.reduce((sum, length) => sum + length, 0);
      // Fenced: a write must not send what an earlier read has not fetched yet.
      a.post(opcode, { sges, remoteAddress: IOVA + offset, rkey, fence: true });
      if (opcode === 'rdma-write') remote.set(local.subarray(at, at + total), offset);
      else local.set(remote.subarray(offset, offset + total), at);
    }
    expect(rig.statuses()).toEqual(messages.map(() => SUCCESS));
    expect(Buffer.compare(contents(a, here), local)).toBe(0);
    expect(Buffer.compare(contents(b, there), remote)).toBe(0);
  },
);
