// RdmaResponder: a read whose answer was lost, asked for again while a message that came behind it is half taken.
import { describe, expect, it } from 'vitest';
import { RdmaRig } from '../../../test/rdma-rig.ts';
import { RDMA_STATUS } from './rdma-status.ts';

const IOVA = 0x7000_0000;
const pages = (from: number): number[] => [0, 1, 2, 3].map((page) => from + page * 4096);

describe('a read that is asked for again', () => {
  it('does not cut off the message behind it, under every seed tried', () => {
    let met = 0;
    for (let seed = 0; seed < 20; seed += 1) {
      const rig = new RdmaRig({ seed });
      const { wire, a, b } = rig;
      a.store(0x10_0000, new Uint8Array(16384).fill(5));
      const source = a.region(pages(0x10_0000));
      const back = a.region([0x30_0000]);
      const [read, written] = [b.region([0x70_0000]), b.region(pages(0x80_0000))];
      let answers = 0;
      let reads = 0;
      wire.lose = (packet) => {
        if (packet.kind === 'request' && packet.opcode === 'rdma-read') reads += 1;
        return packet.kind === 'read-response' && ++answers === 1;
      };
      const common = { remoteAddress: IOVA };
      a.post('rdma-read', {
        ...common,
        sges: [{ address: IOVA, length: 4096, lkey: back.lkey }],
        rkey: read.rkey,
      });
      a.post('rdma-write', {
        ...common,
        sges: [{ address: IOVA, length: 16384, lkey: source.lkey }],
        rkey: written.rkey,
      });
      expect(rig.statuses()).toEqual([RDMA_STATUS.SUCCESS, RDMA_STATUS.SUCCESS]);
      expect(b.bytesAt(0x80_0000, 16384).every((byte) => byte === 5)).toBe(true);
      if (reads > 1) met += 1;
    }
    expect(met).toBe(20);
  });
});
