// VfioDeviceSet: devices that one bus reset hits together, and that reset.
// Source followed: vfio_pci_dev_set_hot_reset in drivers/vfio/pci/vfio_pci_core.c.
// A second memory lock is never waited for: contention undoes what was taken, the last first.
// Simplified: who owns which device is said by the caller instead of by group descriptors.

import { type ModelTask, type Scheduler, TaskMutex } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { vfioPciDmaBufMove } from '../export/dma-buf-move.ts';
import { vfioPciMemoryEnabled, vfioPciZapBars } from './memory-enabled.ts';
import { vfioPciSetPowerState } from './power-state.ts';
import { functionReset } from './reset-function.ts';
import { vfioPmRuntimeGet, vfioPmRuntimePut } from './runtime-power.ts';
import type { VfioPciDevice } from './vfio-pci-device.ts';

/**
 * Devices of one reset domain.
 * @kernel vfio_device_set
 * @public
 */
export class VfioDeviceSet {
  readonly devices: readonly VfioPciDevice[];
  readonly lock: TaskMutex;
  /** Resets the bus; 0 or a negative errno. Default: each function, in turn. */
  resetBus: () => ModelTask<number>;

  constructor(scheduler: Scheduler, devices: readonly VfioPciDevice[], resetBus?: () => ModelTask<number>) {
    this.devices = devices;
    this.lock = new TaskMutex({ name: 'dev_set', lockClass: 'dev_set', scheduler });
    this.resetBus = resetBus ?? (() => resetEach(devices));
    for (const vdev of devices) vdev.devSet = this;
  }
}

function* resetEach(devices: readonly VfioPciDevice[]): ModelTask<number> {
  for (const vdev of devices) {
    yield* functionReset(vdev);
    vdev.counters.resets += 1;
  }
  return 0;
}

/**
 * Resets every device of the set; those that sleep are awake meanwhile. -EINVAL when `owned` lacks one, -EBUSY when somebody holds a memory lock, the error
 * of the bus reset; in each case the devices taken so far come back.
 * @kernel vfio_pci_dev_set_hot_reset
 * @public
 */
export function* vfioPciDevSetHotReset(
  set: VfioDeviceSet,
  owned: readonly VfioPciDevice[],
): ModelTask<number> {
  yield* set.lock.lock();
  for (const vdev of set.devices) yield* vfioPmRuntimeGet(vdev);
  const error = yield* resetOwned(set, owned);
  for (const vdev of set.devices) vfioPmRuntimePut(vdev);
  set.lock.unlock();
  return error;
}

function* resetOwned(set: VfioDeviceSet, owned: readonly VfioPciDevice[]): ModelTask<number> {
  const taken: VfioPciDevice[] = [];
  let error = yield* takeAll(set, owned, taken);
  if (error === 0) {
    for (const vdev of taken) vfioPciSetPowerState(vdev, 0);
    error = yield* set.resetBus();
  }
  for (const vdev of taken.reverse()) {
    if (vdev.openCount > 0 && vfioPciMemoryEnabled(vdev)) yield* vfioPciDmaBufMove(vdev, false);
    vdev.memoryLock.writeUnlock();
  }
  return error;
}

function* takeAll(
  set: VfioDeviceSet,
  owned: readonly VfioPciDevice[],
  taken: VfioPciDevice[],
): ModelTask<number> {
  for (const vdev of set.devices) {
    if (vdev.openCount > 0 && !owned.includes(vdev)) return -Errno.EINVAL;
    if (!vdev.memoryLock.tryWriteLock()) return -Errno.EBUSY;
    taken.push(vdev);
    yield* vfioPciDmaBufMove(vdev, true);
    vfioPciZapBars(vdev);
  }
  return 0;
}
