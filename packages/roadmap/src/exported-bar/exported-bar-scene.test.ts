// The scene by itself: a peer's bytes reach the lent BAR and come back, by the way that the fabric's counters show.

import { RDMA_STATUS } from '@sgfree/hw-model';
import { ibDeregDmabufMr, ibRegDmabufMr, sgtImport } from '@sgfree/rdma/stage-3';
import { describe, expect, it } from 'vitest';
import { had } from '../certain-value.ts';
import { ExportedBarScene, type ExportedBarSpec } from './exported-bar-scene.ts';

const VARIANTS = [
  { peer: 'switch', iommu: true },
  { peer: 'switch', iommu: false },
  { peer: 'host-bridge', iommu: true },
  { peer: 'host-bridge', iommu: false },
] as const;

function registered(spec: ExportedBarSpec, offset = 0, length = 1 << 20) {
  const scene = new ExportedBarScene({ vfio: { revoke: 'notify' }, ...spec });
  const fd = scene.run(scene.exportBar({ offset: 0, length: scene.barBytes }));
  const request = scene.request(fd, { offset, length }, sgtImport);
  const reg = had('no region', scene.run(ibRegDmabufMr(scene.near.pd, request, offset, scene.faults)));
  return { scene, fd, reg };
}

describe.each(VARIANTS)('disk below the $peer, IOMMU $iommu', (variant) => {
  it('moves bytes both ways, one bus request a packet or less', () => {
    const { scene, fd, reg } = registered(variant, 0x3000);
    const sent = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7 + 3) % 251);
    scene.far.store(100, sent);
    const to = { remoteAddr: 0x3000 + 96, rkey: reg.mr.rkey, bytes: sent.length };
    const done = scene.run(
      scene.far.transfer([
        { opcode: 'rdma-write', at: 100, ...to },
        { opcode: 'rdma-read', at: 0x10000, ...to },
      ]),
    );
    expect(done.map(({ status }) => status)).toEqual([RDMA_STATUS.SUCCESS, RDMA_STATUS.SUCCESS]);
    const inBar = new Uint8Array(sent.length);
    expect(scene.computer.bar.mmioRead(0x3000 + 96, inBar)).toBe(true);
    expect(inBar).toEqual(sent);
    const back = new Uint8Array(sent.length);
    scene.far.load(0x10000, back);
    expect(back).toEqual(sent);
    const { switchLocal, hostBridge, memory, refused } = scene.computer.fabric.counters;
    const [taken, other] = variant.peer === 'switch' ? [switchLocal, hostBridge] : [hostBridge, switchLocal];
    expect([taken.bytes, other.bytes, memory.bytes, refused.requests]).toEqual([10_000, 0, 0, 0]);
    expect(scene.run(ibDeregDmabufMr(reg))).toBe(0);
    expect(scene.run(scene.closeDescriptor(fd))).toBe(0);
    const { kernel, tables } = scene;
    expect([kernel.liveIovaRanges, kernel.liveTableEntries, kernel.unit?.iotlb.live ?? 0]).toEqual([0, 0, 0]);
    expect([kernel.dmaBufs.buffers.size, kernel.dmaBufs.files.count, tables.heldBytes]).toEqual([0, 0, 0]);
    expect(tables.counts).toMatchObject({
      tables: 1,
      tablesOut: 0,
      segments: 1,
      withoutPage: 1,
      cpuEntries: 0,
    });
  });
});
