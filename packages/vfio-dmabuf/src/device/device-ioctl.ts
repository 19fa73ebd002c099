// The ioctls of a device descriptor, as far as they concern its memory.
// Source followed: vfio_device_fops_unl_ioctl in drivers/vfio/vfio_main.c; numbers of include/uapi/linux/vfio.h.
// Simplified: the hot reset takes devices, not descriptors, and is a call of its own.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { vfioIoctlDeviceFeature } from '../export/device-feature.ts';
import { vfioPciIoctlReset } from './device-reset.ts';
import { vfioPmRuntimeGet, vfioPmRuntimePut } from './runtime-power.ts';
import type { VfioPciDevice } from './vfio-pci-device.ts';

/**
 * Numbers of the ioctls that are understood.
 * @public
 */
export const VFIO_DEVICE_IOCTL: { readonly reset: 0x3b6f; readonly feature: 0x3b75 } = {
  reset: 0x3b6f,
  feature: 0x3b75,
};

/**
 * An ioctl with the user's memory at its argument: a result of 0 or more, or a negative errno; -ENOTTY for an unknown
 * number. A sleeping device is awake meanwhile.
 * @kernel vfio_device_fops_unl_ioctl
 * @public
 */
export function* vfioDeviceFopsUnlIoctl(
  vdev: VfioPciDevice,
  cmd: number,
  arg: Uint8Array,
): ModelTask<number> {
  yield* vfioPmRuntimeGet(vdev);
  const result = yield* dispatch(vdev, cmd, arg);
  vfioPmRuntimePut(vdev);
  return result;
}

function* dispatch(vdev: VfioPciDevice, cmd: number, arg: Uint8Array): ModelTask<number> {
  if (cmd === VFIO_DEVICE_IOCTL.feature) return yield* vfioIoctlDeviceFeature(vdev, arg);
  if (cmd === VFIO_DEVICE_IOCTL.reset) return yield* vfioPciIoctlReset(vdev);
  return -Errno.ENOTTY;
}
