// A buffer of several ranges of the BAR, imported by mapping types: the same bytes over a range list and over the table beside it, and
// what each of them takes.
import { RDMA_STATUS } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { had } from '../certain-value.ts';
import { negotiatingImporter } from '../range-list-stage.ts';
import { type BarRange, ExportedBarScene } from './exported-bar-scene.ts';

const PAGE = 4096;
const RANGES: readonly BarRange[] = [
  { offset: 64 * PAGE, length: 3 * PAGE },
  { offset: 8 * PAGE, length: 16 * PAGE },
  { offset: 128 * PAGE, length: 5 * PAGE },
];
/** Begins in the first range and ends in the last, on no page boundary. */
const WINDOW: BarRange = { offset: PAGE + 512, length: 20 * PAGE };
const IOVA = 0x7f00_0000_0000 + 512;

const VARIANTS = (['switch', 'host-bridge'] as const).flatMap((peer) =>
  [true, false].flatMap((iommu) =>
    (['range-list', 'deprecated'] as const).map((operation) => ({ peer, iommu, operation })),
  ),
);

/** Bytes of the buffer as they lie in the BAR. */
function buffer(scene: ExportedBarScene): Uint8Array {
  const parts = RANGES.map(({ offset, length }) => {
    const part = new Uint8Array(length);
    scene.computer.bar.mmioRead(offset, part);
    return part;
  });
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

describe.each(VARIANTS)('disk by the $peer, IOMMU $iommu, $operation', ({ peer, iommu, operation }) => {
  const importer = negotiatingImporter(operation, undefined);
  const { exporter, negotiation } = importer;
  const scene = new ExportedBarScene({
    ...{ peer, iommu, vfio: { revoke: 'notify' } },
    ...(exporter === undefined ? {} : { exporter }),
  });
  const fd = scene.run(scene.exportBar(...RANGES));
  const request = scene.request(fd, WINDOW, importer.via);
  const region = had('no region', scene.run(importer.register(scene.near.pd, request, IOVA, scene.faults)));

  it('moves bytes across the ranges and back, and touches no others', () => {
    const sent = Uint8Array.from({ length: WINDOW.length }, (_, i) => 1 + ((i * 31 + (i >> 8)) % 251));
    scene.far.store(0, sent);
    const all = { remoteAddr: IOVA, rkey: region.mr.rkey, bytes: sent.length };
    const done = scene.run(
      scene.far.transfer([
        { opcode: 'rdma-write', at: 0, ...all },
        { opcode: 'rdma-read', at: 2 ** 20, ...all },
      ]),
    );
    expect(done.map(({ status }) => status)).toEqual([RDMA_STATUS.SUCCESS, RDMA_STATUS.SUCCESS]);
    const there = buffer(scene);
    const end = WINDOW.offset + WINDOW.length;
    expect(Buffer.compare(there.slice(WINDOW.offset, end), sent)).toBe(0);
    expect(there.filter((byte, at) => byte !== 0 && (at < WINDOW.offset || at >= end))).toHaveLength(0);
    const back = new Uint8Array(sent.length);
    scene.far.load(2 ** 20, back);
    expect(Buffer.compare(back, sent)).toBe(0);
  });

  it('takes a list with room for each range, or a table', () => {
    // One I/O address range holds the whole buffer; elsewhere every range is an entry.
    const entries = iommu && peer === 'host-bridge' ? 1 : 3;
    const { counts, memory } = negotiation?.census ?? {};
    const isNew = operation === 'range-list';
    const bytes = isNew ? 40 + 3 * 16 : 0;
    expect(counts).toMatchObject(isNew ? { lists: 1, entries } : { lists: 0 });
    expect([memory?.taken, memory?.now]).toEqual([bytes, bytes]);
    expect(scene.tables.counts).toMatchObject(isNew ? { tables: 0 } : { tables: 1, segments: entries });
    expect(scene.run(importer.deregister(region))).toBe(0);
    expect(scene.run(scene.closeDescriptor(fd))).toBe(0);
    expect([negotiation?.census.memory.now, scene.tables.heldBytes]).toEqual([0, 0]);
    const { kernel } = scene;
    expect([kernel.liveIovaRanges, kernel.liveTableEntries, kernel.dmaBufs.buffers.size]).toEqual([0, 0, 0]);
  });
});
