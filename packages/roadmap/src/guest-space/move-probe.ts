// MoveProbe: what a guest finds of a lent buffer that moves: the owner takes it back, puts its bytes elsewhere in the BAR, lets somebody
// else have the old place, and gives it out again; the device reads by the old guest address, and once more when it was mapped anew.
// Source followed: dma-buf's contract of a move (told, unmapped, mapped again); VFIO's exporter, which itself never moves a buffer.
// Simplified: a page; the owner moves it by changing the exporter's list of ranges while nobody may use the buffer.

import { dmaAddr, PAGE_SIZE } from '@sgfree/hw-model';
import type { VfioPciDmaBuf } from '@sgfree/vfio-dmabuf/stage-6';
import { had } from '../certain-value.ts';
import { KeyedData } from '../keyed-data.ts';
import { bytesDiffering } from '../revoke/lent-slots.ts';
import { takeBack, turnOn } from '../revoke/revoke-owner.ts';
import type { GuestSpaceDoor, GuestSpaceSettings } from './guest-space-input.ts';
import type { GuestMoveReport, GuestSight } from './guest-space-report.ts';
import { GuestSpaceScene } from './guest-space-scene.ts';

const TRIGGER = 'memory-off';

/** A lent page, its descriptor, and where in the BAR it is. */
interface LentPage {
  readonly offset: number;
  readonly fd: number;
  readonly lent: VfioPciDmaBuf;
}

/** Moves a buffer on a machine of its own; the plant `moved-untold`: nobody is told. @internal */
export function probeMove(settings: GuestSpaceSettings, door: GuestSpaceDoor): GuestMoveReport {
  const scene = new GuestSpaceScene(settings, door);
  const { bar, calls, ioas, kernel } = scene;
  const from = lendPage(scene, bar.bytes - PAGE_SIZE);
  const to = lendPage(scene, bar.bytes - 3 * PAGE_SIZE);
  const [content, others] = [pageOf(settings.seed, 0), pageOf(settings.seed, 1)];
  bar.poke(from.offset, content);
  bar.poke(to.offset, others);
  const iova = had('the page cannot be mapped', scene.run(calls.mapFile(ioas, from.fd, PAGE_SIZE)));
  const sight = (): GuestSight => found(scene, iova, content, others);
  const before = sight();
  const told = settings.plant !== 'moved-untold';
  if (told) scene.run(takeBack(kernel.vdev, TRIGGER));
  bar.poke(to.offset, content);
  bar.poke(from.offset, others);
  Object.assign(from.lent, { physVec: to.lent.physVec });
  if (told) scene.run(turnOn(kernel.vdev, TRIGGER));
  const oldArea = sight();
  scene.run(calls.unmap(ioas, iova, PAGE_SIZE));
  const mapped = scene.run(calls.mapFile(ioas, from.fd, PAGE_SIZE, iova));
  return { before, oldArea, mappedAnew: mapped.ok ? sight() : 'nothing' };
}

function lendPage(scene: GuestSpaceScene, offset: number): LentPage {
  const fd = scene.exportBar({ offset, length: PAGE_SIZE });
  const [lent] = scene.kernel.vdev.dmabufs.slice(-1);
  return { offset, fd, lent: lent as VfioPciDmaBuf };
}

function pageOf(seed: number, key: number): Uint8Array {
  const bytes = new Uint8Array(PAGE_SIZE);
  new KeyedData(seed, PAGE_SIZE).fill(key, bytes);
  return bytes;
}

/** What the device reads at `iova`. */
function found(scene: GuestSpaceScene, iova: number, content: Uint8Array, others: Uint8Array): GuestSight {
  const bytes = new Uint8Array(PAGE_SIZE);
  if (scene.run(scene.engine.read(dmaAddr(iova), bytes)) !== 'success') return 'nothing';
  if (bytesDiffering(bytes, content) === 0) return 'buffer';
  return bytesDiffering(bytes, others) === 0 ? 'others' : 'neither';
}
