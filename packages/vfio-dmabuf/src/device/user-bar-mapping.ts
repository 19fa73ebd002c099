// VfioBarMapping: a BAR in the address space of the user: pages appear when they are touched and go when the memory may
// no longer be reached.
// Source followed: the mmap fault handler and vfio_pci_zap_bars in drivers/vfio/pci/vfio_pci_core.c.
// Simplified: pages of 4 KiB only; what the user reads and writes through a page is not modelled, only whether it is there.

import { type ModelTask, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { vfioPciMemoryEnabled } from './memory-enabled.ts';
import type { VfioPciDevice } from './vfio-pci-device.ts';

/**
 * A mapped BAR.
 * @public
 */
export class VfioBarMapping {
  readonly bar: number;
  readonly pages: number;
  readonly #vdev: VfioPciDevice;
  readonly #present = new Set<number>();

  /** @internal */
  constructor(vdev: VfioPciDevice, bar: number, pages: number) {
    this.#vdev = vdev;
    this.bar = bar;
    this.pages = pages;
  }

  /** Page table entries that are there now. */
  get presentPages(): number {
    return this.#present.size;
  }

  /** The user touches `page`; false = a bus error: the memory is off or the device sleeps. */
  *touch(page: number): ModelTask<boolean> {
    if (page >= this.pages) return false;
    if (this.#present.has(page)) return true;
    const { memoryLock, runtimePm } = this.#vdev;
    yield* memoryLock.readLock();
    const reachable = !runtimePm.engaged && vfioPciMemoryEnabled(this.#vdev);
    if (reachable) this.#present.add(page);
    memoryLock.readUnlock();
    return reachable;
  }

  /** Removes every entry; how many there were. @internal */
  zap(): number {
    const zapped = this.#present.size;
    this.#present.clear();
    return zapped;
  }
}

/**
 * Maps a BAR into the user's address space; nothing is present yet. -EINVAL for a BAR that the device does not have.
 * @kernel vfio_pci_core_mmap
 * @public
 */
export function vfioPciCoreMmap(vdev: VfioPciDevice, bar: number): Outcome<VfioBarMapping> {
  const found = vdev.pdev.fn.bar(bar);
  if (found === undefined || !vdev.claimedBars.has(bar)) return failure(Errno.EINVAL);
  const mapping = new VfioBarMapping(vdev, bar, found.bytes / PAGE_SIZE);
  vdev.userMappings.push(mapping);
  return success(mapping);
}
