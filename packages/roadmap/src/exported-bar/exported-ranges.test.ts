// A buffer of several ranges of the BAR, in an order of their own, registered in part: both importers show the peer the same
// bytes; and whichever allocation fails on the way there, nothing stays.
import { RDMA_STATUS } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { rangeImporter } from '../range-import-stage.ts';
import { tableImporter } from '../table-import-stage.ts';
import type { BarImporter, BarRegion } from './bar-importer.ts';
import { type BarRange, ExportedBarScene, type ExportedBarSpec } from './exported-bar-scene.ts';
import { closeEnd } from './rdma-end.ts';

const PAGE = 4096;
/** The buffer's bytes are those of the BAR from page 64 on, then from 8 on, then from 128 on. */
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
    [tableImporter, rangeImporter].map((importer) => ({ peer, iommu, importer, works: importer.works })),
  ),
);

/** Where byte `at` of the window is in the BAR. */
function inBar(at: number): number {
  let left = WINDOW.offset + at;
  for (const { offset, length } of RANGES) {
    if (left < length) return offset + left;
    left -= length;
  }
  throw new RangeError(`byte ${at}`);
}

function register(scene: ExportedBarScene, fd: number, importer: BarImporter) {
  const request = scene.request(fd, WINDOW, importer.via);
  return scene.run(importer.register(scene.near.pd, request, IOVA, scene.faults));
}

const opened = (spec: Pick<ExportedBarSpec, 'peer' | 'iommu'>): ExportedBarScene =>
  new ExportedBarScene({ ...spec, vfio: { revoke: 'notify' } });

/** What is out: descriptors, buffers, entry arrays, I/O addresses, page-table entries, keys but the domain's own. */
function leftIn({ kernel, tables, near }: ExportedBarScene): number[] {
  const { files, buffers } = kernel.dmaBufs;
  const keys = near.device.nic.keys.size - 1;
  return [files.count, buffers.size, tables.heldBytes, kernel.liveIovaRanges, kernel.liveTableEntries, keys];
}

const NOTHING = [0, 0, 0, 0, 0, 0];

describe.each(VARIANTS)('disk by the $peer, IOMMU $iommu, RDMA on $works', ({ peer, iommu, importer }) => {
  it('moves bytes across the ranges', () => {
    const scene = opened({ peer, iommu });
    const fd = scene.run(scene.exportBar(...RANGES));
    const made = register(scene, fd, importer);
    if (!made.ok) throw new Error(`errno ${made.errno}`);
    const region: BarRegion = made.value;
    const sent = Uint8Array.from({ length: WINDOW.length }, (_, i) => (i * 31 + (i >> 8)) % 253);
    scene.far.store(0, sent);
    const all = { remoteAddr: IOVA, rkey: region.mr.rkey, bytes: sent.length };
    const done = scene.run(
      scene.far.transfer([
        { opcode: 'rdma-write', at: 0, ...all },
        { opcode: 'rdma-read', at: 2 ** 20, ...all },
      ]),
    );
    expect(done.map(({ status }) => status)).toEqual([RDMA_STATUS.SUCCESS, RDMA_STATUS.SUCCESS]);
    const found = new Uint8Array(1);
    const wrong = sent.findIndex((byte, at) => {
      scene.computer.bar.mmioRead(inBar(at), found);
      return found[0] !== byte;
    });
    expect(wrong).toBe(-1);
    const back = new Uint8Array(sent.length);
    scene.far.load(2 ** 20, back);
    expect(sent.findIndex((byte, at) => byte !== back[at])).toBe(-1);
    const untouched = new Uint8Array(512);
    scene.computer.bar.mmioRead(65 * PAGE, untouched);
    expect(untouched.every((byte) => byte === 0)).toBe(true);
    const translated = iommu && peer === 'host-bridge';
    // One I/O address range holds the whole buffer; elsewhere every range is a segment.
    expect(scene.tables.counts).toMatchObject({ tables: 1, segments: translated ? 1 : 3 });
    expect(scene.run(importer.deregister(region))).toBe(0);
    expect(scene.run(scene.closeDescriptor(fd))).toBe(0);
    expect(leftIn(scene)).toEqual(NOTHING);
  });

  it('keeps nothing after any failed allocation', () => {
    let failures = 0;
    for (let allowed = 0; ; allowed += 1) {
      const scene = opened({ peer, iommu });
      let left = allowed;
      const allocate = (): boolean => {
        left -= 1;
        return left >= 0;
      };
      scene.kernel.dmaBufs.allocate = allocate;
      scene.near.device.allocate = allocate;
      scene.tables.allocate = allocate;
      const fd = scene.run(scene.exportBar(...RANGES));
      const made = fd < 0 ? null : register(scene, fd, importer);
      if (made?.ok === true) expect(scene.run(importer.deregister(made.value))).toBe(0);
      if (fd >= 0) expect(scene.run(scene.closeDescriptor(fd))).toBe(0);
      expect(leftIn(scene)).toEqual(NOTHING);
      expect(scene.vdev.registration.refs).toBe(1 + scene.vdev.openCount);
      expect(scene.run(closeEnd(scene.near))).toBe(0);
      if (made?.ok === true) break;
      failures += 1;
    }
    expect(failures).toBeGreaterThan(4);
  });
});
