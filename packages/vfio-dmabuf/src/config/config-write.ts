// The user writes configuration registers: the write is cut into aligned fields, and those that reach the memory take the
// buffers back first.
// Source followed: vfio_config_do_rw, vfio_basic_config_write, vfio_pm_config_write, vfio_exp_config_write and
// vfio_af_config_write in drivers/vfio/pci/vfio_pci_config.c.
// Simplified: as the virtual configuration space.

import type { ConfigWidth, ModelTask } from '@sgfree/hw-model';
import { CONFIG_SPACE_BYTES } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { registerReset } from '../device/device-reset.ts';
import { PCI_COMMAND, PCI_COMMAND_MEMORY } from '../device/memory-decoding.ts';
import { vfioPciMemoryEnabled, vfioPciZapAndDownWriteMemoryLock } from '../device/memory-enabled.ts';
import type { PciPowerState } from '../device/pci-power-state.ts';
import { vfioLockAndSetPowerState } from '../device/power-state.ts';
import { vfioPmRuntimeGet, vfioPmRuntimePut } from '../device/runtime-power.ts';
import type { VfioPciDevice } from '../device/vfio-pci-device.ts';
import { vfioPciDmaBufMove } from '../export/dma-buf-move.ts';
import { PCI_AF_CTRL_FLR, PCI_EXP_DEVCTL_BCR_FLR, PM_CTRL } from './virtual-config.ts';

const PCI_COMMAND_IO = 0x1;
const EXP_DEVCAP = 4;
const EXP_DEVCTL = 8;
const EXP_BYTES = 60;
const EXP_DEVCAP_FLR = 0x10000000;
const AF_CAP = 3;
const AF_CTRL = 4;
const AF_BYTES = 6;
/** The capability says that transactions can be seen pending, and that it can reset. */
const AF_CAP_TP_FLR = 0x3;

/**
 * Writes `bytes` at `pos`: how many were written, or a negative errno: -EFAULT outside the space, or hardware's own. Buffers
 * that were taken back before a write that fails stay so.
 * @public
 */
export function* vfioPciConfigWrite(vdev: VfioPciDevice, pos: number, bytes: Uint8Array): ModelTask<number> {
  if (pos < 0 || pos + bytes.length > CONFIG_SPACE_BYTES) return -Errno.EFAULT;
  yield* vfioPmRuntimeGet(vdev);
  let error = 0;
  for (let done = 0; done < bytes.length && error === 0; ) {
    const width = fieldWidth(pos + done, bytes.length - done);
    error = yield* writeField(vdev, pos + done, width, fieldAt(bytes, done, width));
    done += width;
  }
  vfioPmRuntimePut(vdev);
  return error === 0 ? bytes.length : error;
}

/**
 * Reads an aligned register as the user sees it.
 * @public
 */
export function vfioPciConfigRead(vdev: VfioPciDevice, pos: number, width: ConfigWidth): number {
  return vdev.config.userRead(pos, width);
}

/** The largest aligned field that fits. */
function fieldWidth(pos: number, left: number): ConfigWidth {
  if (left >= 4 && pos % 4 === 0) return 4;
  return left >= 2 && pos % 2 === 0 ? 2 : 1;
}

function fieldAt(bytes: Uint8Array, at: number, width: ConfigWidth): number {
  let value = 0;
  for (let i = width - 1; i >= 0; i -= 1) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}

function* writeField(vdev: VfioPciDevice, pos: number, width: ConfigWidth, value: number): ModelTask<number> {
  const { config } = vdev;
  if (pos === PCI_COMMAND) return yield* commandWrite(vdev, width, value);
  const error = config.userWrite(pos, width, value);
  if (error !== 0) return error;
  if (config.pmAt !== 0 && pos === config.pmAt + PM_CTRL) {
    yield* vfioLockAndSetPowerState(vdev, (value & 0x3) as PciPowerState);
  }
  if (within(pos, config.expAt, EXP_BYTES)) yield* deviceControlWritten(vdev);
  if (within(pos, config.afAt, AF_BYTES)) yield* afControlWritten(vdev);
  return 0;
}

const within = (pos: number, at: number, bytes: number): boolean => at !== 0 && pos >= at && pos < at + bytes;

function* commandWrite(vdev: VfioPciDevice, width: ConfigWidth, value: number): ModelTask<number> {
  const { config, memoryLock } = vdev;
  if ((value & PCI_COMMAND_MEMORY) === 0) {
    yield* vfioPciZapAndDownWriteMemoryLock(vdev);
    yield* vfioPciDmaBufMove(vdev, true);
  } else {
    yield* memoryLock.writeLock();
  }
  const error = config.userWrite(PCI_COMMAND, width, value);
  if (error === 0) {
    const bits = PCI_COMMAND_MEMORY | PCI_COMMAND_IO;
    // The copy follows the user; a function without the bit counts as on whatever was written.
    config.set(PCI_COMMAND, 1, (config.read(PCI_COMMAND, 1) & ~bits) | (value & bits));
    if (vfioPciMemoryEnabled(vdev)) yield* vfioPciDmaBufMove(vdev, false);
  }
  memoryLock.writeUnlock();
  return error;
}

/** A reset that was asked for happens if the function says that it can; the bit reads as 0 again. */
function* deviceControlWritten(vdev: VfioPciDevice): ModelTask<void> {
  const { config } = vdev;
  const at = config.expAt + EXP_DEVCTL;
  const control = config.read(at, 2);
  if ((control & PCI_EXP_DEVCTL_BCR_FLR) === 0) return;
  config.set(at, 2, control & ~PCI_EXP_DEVCTL_BCR_FLR);
  const can = config.hardware(config.expAt + EXP_DEVCAP, 4) & EXP_DEVCAP_FLR;
  if (can !== 0) yield* registerReset(vdev);
}

function* afControlWritten(vdev: VfioPciDevice): ModelTask<void> {
  const { config } = vdev;
  const at = config.afAt + AF_CTRL;
  const control = config.read(at, 1);
  if ((control & PCI_AF_CTRL_FLR) === 0) return;
  config.set(at, 1, control & ~PCI_AF_CTRL_FLR);
  const can = config.hardware(config.afAt + AF_CAP, 1) & AF_CAP_TP_FLR;
  if (can === AF_CAP_TP_FLR) yield* registerReset(vdev);
}
