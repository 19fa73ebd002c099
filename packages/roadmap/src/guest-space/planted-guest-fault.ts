// PlantedGuestFault: faults that are put into a run of a guest on purpose, so that each check of the verdict is seen to fail.
// Source followed: none; the mistakes that the checks are there for.
// Simplified: each changes one thing in one place.

import { frameOf } from '@sgfree/hw-model';
import { IOMMU_READ, IOMMU_WRITE } from '@sgfree/iommu';
import { u64 } from '@sgfree/iommufd/stage-7';
import { copyToUser, warnViolation } from '@sgfree/mm';
import { type VfioPciDmaBuf, vfioPciDmaBufIommufdMap } from '@sgfree/vfio-dmabuf/stage-6';
import { GUEST_SPACE_DOORS, type GuestSpaceDoor, type GuestSpacePlant } from './guest-space-input.ts';
import type { GuestSpaceScene } from './guest-space-scene.ts';
import type { GuestWatch } from './guest-watch.ts';

const MANY = 2 ** 20;

/** The door that is really opened. @internal */
export function plantedDoor(door: GuestSpaceDoor, plant: GuestSpacePlant | undefined): GuestSpaceDoor {
  if (plant !== 'other-door') return door;
  return GUEST_SPACE_DOORS[(GUEST_SPACE_DOORS.indexOf(door) + 1) % GUEST_SPACE_DOORS.length] ?? door;
}

/** @internal */
export class PlantedGuestFault {
  readonly #plant: GuestSpacePlant | undefined;
  readonly #scene: GuestSpaceScene;
  readonly #lent: VfioPciDmaBuf;
  readonly #iova: number;

  constructor(plant: GuestSpacePlant | undefined, scene: GuestSpaceScene, lent: VfioPciDmaBuf, iova: number) {
    this.#plant = plant;
    this.#scene = scene;
    this.#lent = lent;
    this.#iova = iova;
  }

  is(plant: GuestSpacePlant): boolean {
    return this.#plant === plant;
  }

  /** Everything is mapped. */
  mapped(): void {
    const { kernel } = this.#scene;
    if (this.is('never-shown')) this.#hide();
    if (this.is('wrong-read')) this.#addTo(this.#readByte, 1);
    if (this.is('pin-lost')) kernel.process.mm.pinnedVm -= 1;
    const [attach] = this.#lent.dmabuf.attachments;
    if (this.is('lock-missing') && attach !== undefined) vfioPciDmaBufIommufdMap(attach);
  }

  /** Where the device only reads. */
  get #readByte(): number {
    const { barSlots } = this.#scene;
    return barSlots.offset(barSlots.slot(0, 1));
  }

  /** Changes a byte of the BAR. */
  #addTo(offset: number, change: number): void {
    const { bar } = this.#scene;
    bar.poke(
      offset,
      bar.peek(offset, 1).map((byte) => byte + change),
    );
  }

  /** Takes the entries of the memory out of the guest's page table behind iommufd's back. */
  #hide(): void {
    const { domain, barSlots } = this.#scene;
    domain.unmap(u64(this.#iova), barSlots.bytes);
  }

  /** Called after each step of the machine. */
  look({ started, waitReturned }: GuestWatch): void {
    if (!this.is('skipped-invalidation') || started === null) return;
    this.#scene.kernel.unit.dropNextInvalidations(waitReturned === null ? MANY : 0);
  }

  /** The owner is about to take its memory back. */
  ownerActs(): void {
    const { scheduler, calls, ioas, ramIova, ramSlots } = this.#scene;
    if (this.is('ram-unmapped')) scheduler.spawn('hasty guest', calls.unmap(ioas, ramIova, ramSlots.bytes));
  }

  /** The owner is through, and nothing is under way. */
  ownerDone(): void {
    if (this.is('early-return')) this.#lent.revoked = false;
    if (!this.is('area-comes-back')) return;
    const [range] = this.#lent.physVec;
    const at = u64(this.#iova);
    if (range === undefined) return;
    const mapped = this.#scene.domain.map(at, frameOf(range.paddr), 0, range.len, IOMMU_READ + IOMMU_WRITE);
    if (mapped !== 0) warnViolation(this.#scene.log, 'planted-fault-found-no-place', { iova: this.#iova });
  }

  /** Everything has been moved. */
  spoil(): void {
    const { kernel, ramVa, ramSlots } = this.#scene;
    if (this.is('wrong-ram-byte')) {
      const spoilt = ramSlots.sent(0).map((byte) => byte + 1);
      this.#scene.run(copyToUser(kernel.process.mm, ramVa, spoilt.subarray(0, 1)));
    }
    if (this.is('wrong-byte')) this.#addTo(0, 1);
    if (this.is('wrong-read')) this.#addTo(this.#readByte, -1);
  }
}
