// TwoRangeProbe: whether a door can express a buffer whose ranges do not adjoin: one is exported, mapped, read by the device by guest
// addresses, and unmapped again.
// Source followed: VFIO_DEVICE_FEATURE_DMA_BUF takes several ranges; the interconnect of Linux 7.3.4 answers -EOPNOTSUPP for them.
// Simplified: two ranges of a page, the later one first.

import { type DmaEngine, dmaAddr, PAGE_SIZE } from '@sgfree/hw-model';
import { had } from '../certain-value.ts';
import { KeyedData } from '../keyed-data.ts';
import { bytesDiffering } from '../revoke/lent-slots.ts';
import type { GuestSpaceScene } from './guest-space-scene.ts';
import { knownRanges } from './known-addresses.ts';

/** What the probe found. @internal */
export interface TwoRangeProbe {
  readonly errno: number;
  readonly known: number;
  readonly bytesVerified: number;
  readonly bytesWrong: number;
}

const BYTES: number = 2 * PAGE_SIZE;

/** Maps and reads a buffer of two ranges at the end of the BAR; `swapped`: a planted fault, its ranges change places. @internal */
export function probeTwoRanges(scene: GuestSpaceScene, seed: number, swapped: boolean): TwoRangeProbe {
  const { bar, kernel, calls, ioas } = scene;
  const ranges = [bar.bytes - PAGE_SIZE, bar.bytes - 3 * PAGE_SIZE].map((offset) => ({
    offset,
    length: PAGE_SIZE,
  }));
  const wanted = new Uint8Array(BYTES);
  new KeyedData(seed, PAGE_SIZE).fill(0, wanted);
  for (const [i, { offset }] of ranges.entries())
    bar.poke(offset, wanted.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE));
  const fd = scene.exportBar(...(swapped ? ranges.toReversed() : ranges));
  const mapped = scene.run(calls.mapFile(ioas, fd, BYTES));
  const known = kernel.vdev.dmabufs.reduce((sum, lent) => sum + knownRanges(lent), 0);
  let found = { bytesVerified: 0, bytesWrong: 0 };
  if (mapped.ok) {
    found = readBack(scene, scene.engine, mapped.value, wanted);
    had('what was mapped stays', scene.run(calls.unmap(ioas, mapped.value, BYTES)));
  }
  scene.run(kernel.dmaBufs.files.close(fd));
  return { errno: mapped.ok ? 0 : mapped.errno, known, ...found };
}

function readBack(
  scene: GuestSpaceScene,
  engine: DmaEngine,
  iova: number,
  wanted: Uint8Array,
): { readonly bytesVerified: number; readonly bytesWrong: number } {
  const found = new Uint8Array(wanted.length);
  const status = scene.run(engine.read(dmaAddr(iova), found));
  const bytesVerified = status === 'success' ? wanted.length : 0;
  return { bytesVerified, bytesWrong: bytesDiffering(found, wanted) };
}
