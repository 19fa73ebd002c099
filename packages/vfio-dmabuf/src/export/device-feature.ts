// VFIO_DEVICE_FEATURE on the user's bytes: the header, the low power features, and the export of dma-bufs.
// Source followed: vfio_ioctl_device_feature and vfio_check_feature in drivers/vfio, vfio_pci_core_ioctl_feature.
// Simplified: no migration, no VF token; waking up is counted, not told to an event descriptor.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { vfioPciRuntimePmEntry, vfioPciRuntimePmExit } from '../device/runtime-power.ts';
import type { VfioPciDevice } from '../device/vfio-pci-device.ts';
import { checkDmaBufRequest, vfioPciCoreFeatureDmaBuf } from './feature-dma-buf.ts';
import {
  DMA_BUF_PAYLOAD_BYTES,
  DMA_RANGE_BYTES,
  FEATURE_HEADER_BYTES,
  readRanges,
  readRequest,
  readWords,
} from './feature-payload.ts';

/**
 * Bits of the header's flags.
 * @public
 */
export const VFIO_FEATURE_FLAG: {
  readonly mask: 0xffff;
  readonly get: 0x10000;
  readonly set: 0x20000;
  readonly probe: 0x40000;
} = { mask: 0xffff, get: 0x10000, set: 0x20000, probe: 0x40000 };

/**
 * Features that are understood.
 * @public
 */
export const VFIO_FEATURE: {
  readonly lowPowerEntry: 3;
  readonly lowPowerEntryWithWakeup: 4;
  readonly lowPowerExit: 5;
  readonly dmaBuf: 11;
} = { lowPowerEntry: 3, lowPowerEntryWithWakeup: 4, lowPowerExit: 5, dmaBuf: 11 };

const { get: GET, set: SET, probe: PROBE, mask: MASK } = VFIO_FEATURE_FLAG;
const WAKEUP_PAYLOAD_BYTES = 8;
/** The largest physically contiguous allocation: order 10 pages. */
const MOST_KMALLOC_BYTES = 2 ** 22;

/**
 * The ioctl: a descriptor or 0, or a negative errno.
 * @kernel vfio_ioctl_device_feature
 * @public
 */
export function* vfioIoctlDeviceFeature(vdev: VfioPciDevice, arg: Uint8Array): ModelTask<number> {
  const [argsz, flags] = readWords(arg, 0, 2) ?? [];
  if (argsz === undefined || flags === undefined) return -Errno.EFAULT;
  if (argsz < FEATURE_HEADER_BYTES) return -Errno.EINVAL;
  if ((flags & ~(MASK | GET | SET | PROBE)) !== 0) return -Errno.EINVAL;
  if ((flags & PROBE) === 0 && (flags & GET) !== 0 && (flags & SET) !== 0) return -Errno.EINVAL;
  const bytes = argsz - FEATURE_HEADER_BYTES;
  const { lowPowerEntry, lowPowerEntryWithWakeup, lowPowerExit, dmaBuf } = VFIO_FEATURE;
  switch (flags & MASK) {
    case dmaBuf:
      return yield* dmaBufFeature(vdev, arg, flags, bytes);
    case lowPowerEntry:
    case lowPowerEntryWithWakeup:
    case lowPowerExit:
      return yield* lowPowerFeature(vdev, flags, bytes);
    default:
      return -Errno.ENOTTY;
  }
}

/** 1 = go on; 0 = only asked whether it is there; else a negative errno. */
function vfioCheckFeature(flags: number, bytes: number, supported: number, minBytes: number): number {
  if ((flags & (GET | SET) & ~supported) !== 0) return -Errno.EINVAL;
  if ((flags & PROBE) !== 0) return 0;
  if ((flags & (GET | SET)) === 0 || bytes < minBytes) return -Errno.EINVAL;
  return 1;
}

function* dmaBufFeature(
  vdev: VfioPciDevice,
  arg: Uint8Array,
  flags: number,
  bytes: number,
): ModelTask<number> {
  if (vdev.getDmabufPhys === null) return -Errno.EOPNOTSUPP;
  const go = vfioCheckFeature(flags, bytes, GET, DMA_BUF_PAYLOAD_BYTES);
  if (go !== 1) return go;
  const request = readRequest(arg);
  if (request === null) return -Errno.EFAULT;
  const error = checkDmaBufRequest(vdev, request);
  if (error !== 0) return error;
  const rangeBytes = request.nrRanges * DMA_RANGE_BYTES;
  if (rangeBytes > MOST_KMALLOC_BYTES || !vdev.platform.allocate(rangeBytes)) return -Errno.ENOMEM;
  const ranges = readRanges(arg, request.nrRanges);
  if (ranges === null) return -Errno.EFAULT;
  const fd = yield* vfioPciCoreFeatureDmaBuf(vdev, request, ranges);
  return fd.ok ? fd.value : -fd.errno;
}

function* lowPowerFeature(vdev: VfioPciDevice, flags: number, bytes: number): ModelTask<number> {
  const feature = flags & MASK;
  const wakes = feature === VFIO_FEATURE.lowPowerEntryWithWakeup;
  const go = vfioCheckFeature(flags, bytes, SET, wakes ? WAKEUP_PAYLOAD_BYTES : 0);
  if (go !== 1) return go;
  if (feature !== VFIO_FEATURE.lowPowerExit) {
    return yield* vfioPciRuntimePmEntry(vdev, wakes ? () => countWakeUp(vdev) : null);
  }
  yield* vfioPciRuntimePmExit(vdev);
  return 0;
}

function countWakeUp({ counters }: VfioPciDevice): void {
  counters.wakeUps += 1;
}
