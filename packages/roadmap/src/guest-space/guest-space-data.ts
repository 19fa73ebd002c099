// What the guest's RAM and the lent memory hold when the device is done, against what they must hold.
// Source followed: the project's rule that every byte is compared at the far end.
// Simplified: a write that was cut off leaves a beginning of its own.

import { copyFromUser } from '@sgfree/mm';
import { bytesTornWrong, type LentSlots } from '../revoke/lent-slots.ts';
import type { GuestSpaceScene } from './guest-space-scene.ts';
import type { GuestTraffic } from './guest-traffic.ts';

/** @internal */
export interface GuestDataCheck {
  readonly verified: number;
  readonly wrong: number;
}

/** Compares both memories, by way of the CPU. @internal */
export function compareGuestData(
  scene: GuestSpaceScene,
  ram: readonly GuestTraffic[],
  bar: readonly GuestTraffic[],
): GuestDataCheck {
  const { ramSlots, barSlots } = scene;
  const inRam = compareSlots(ramSlots, ram, (slot) => ramBytes(scene, slot));
  const inBar = compareSlots(barSlots, bar, (slot) =>
    scene.bar.peek(barSlots.offset(slot), barSlots.slotBytes),
  );
  return { verified: inRam.verified + inBar.verified, wrong: inRam.wrong + inBar.wrong };
}

function compareSlots(
  slots: LentSlots,
  traffic: readonly GuestTraffic[],
  found: (slot: number) => Uint8Array,
): GuestDataCheck {
  const writes = traffic.flatMap(({ done }) => done).filter(({ write }) => write);
  const tried = new Set(writes.map(({ slot }) => slot));
  const written = new Set(writes.filter(({ status }) => status === 'success').map(({ slot }) => slot));
  let wrong = 0;
  for (let slot = 0; slot < slots.count; slot += 1) {
    const [sent, held] = [slots.sent(slot), slots.held(slot)];
    const wanted = tried.has(slot) ? sent : held;
    wrong += bytesTornWrong(found(slot), wanted, written.has(slot) ? sent : held);
  }
  return { verified: slots.count * slots.slotBytes, wrong };
}

function ramBytes(scene: GuestSpaceScene, slot: number): Uint8Array {
  const { ramSlots, ramVa, kernel } = scene;
  const bytes = new Uint8Array(ramSlots.slotBytes);
  scene.run(copyFromUser(kernel.process.mm, ramVa + ramSlots.offset(slot), bytes));
  return bytes;
}
