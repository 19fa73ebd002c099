// The owner of the memory: the calls by which a VFIO user takes it back, and the one that turns it on again.
// Source followed: VFIO_DEVICE_RESET, writes of the command register and of Device Control (Initiate Function Level Reset),
// the release of the device's descriptor; drivers/vfio/pci.
// Simplified: one descriptor of the device, so that closing it is the last close.

import type { ModelTask } from '@sgfree/hw-model';
import {
  VFIO_DEVICE_IOCTL,
  type VfioPciDevice,
  vfioDeviceFopsUnlIoctl,
  vfioPciConfigRead,
  vfioPciConfigWrite,
  vfioPciCoreCloseDevice,
} from '@sgfree/vfio-dmabuf/stage-6';
import type { RevokeTrigger } from './revoke-input.ts';

const PCI_COMMAND = 0x04;
const COMMAND_MEMORY = 0x02;
const DEVICE_CONTROL = 8;
const INITIATE_FLR = 0x8000;

/** Takes the memory back; what the call returned. @internal */
export function* takeBack(vdev: VfioPciDevice, trigger: RevokeTrigger): ModelTask<number> {
  switch (trigger) {
    case 'reset':
      return yield* vfioDeviceFopsUnlIoctl(vdev, VFIO_DEVICE_IOCTL.reset, new Uint8Array());
    case 'flr':
      return yield* resetByRegister(vdev);
    case 'memory-off':
      return yield* writeWord(vdev, PCI_COMMAND, command(vdev) & ~COMMAND_MEMORY);
    case 'close':
      yield* vfioPciCoreCloseDevice(vdev);
      return 0;
  }
}

/** Turns on again what {@link takeBack} turned off, if it turned anything off. @internal */
export function* turnOn(vdev: VfioPciDevice, trigger: RevokeTrigger): ModelTask<number> {
  if (trigger !== 'memory-off') return 0;
  return yield* writeWord(vdev, PCI_COMMAND, command(vdev) | COMMAND_MEMORY);
}

const command = (vdev: VfioPciDevice): number => vfioPciConfigRead(vdev, PCI_COMMAND, 2);

function* resetByRegister(vdev: VfioPciDevice): ModelTask<number> {
  const at = vdev.config.expAt + DEVICE_CONTROL;
  return yield* writeWord(vdev, at, vfioPciConfigRead(vdev, at, 2) | INITIATE_FLR);
}

/** 0 or a negative errno. */
function* writeWord(vdev: VfioPciDevice, at: number, value: number): ModelTask<number> {
  const written = yield* vfioPciConfigWrite(vdev, at, Uint8Array.of(value & 0xff, value >> 8));
  return Math.min(written, 0);
}
