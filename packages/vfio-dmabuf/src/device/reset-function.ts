// Resetting a function: its memory answers nothing and it issues nothing until the reset is over; then software restores
// what the reset cleared.
// Source followed: pci_try_reset_function in drivers/pci/pci.c; PCI Express Base Specification 6.0, section 6.6.2.
// Simplified: one method for all functions; only the command register is cleared, and BARs keep their addresses.

import type { ModelTask, YieldPoint } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { PCI_COMMAND, PCI_COMMAND_MASTER } from './memory-decoding.ts';
import type { VfioPciDevice } from './vfio-pci-device.ts';

/**
 * Resets a function; 0 or a negative errno.
 * @public
 */
export type PciResetMethod = (vdev: VfioPciDevice) => ModelTask<number>;

const RESET: YieldPoint = { at: 'pci:function-reset' };

/**
 * A function-level reset: between its two points the function answers no memory request and issues none.
 * @public
 */
export function* functionReset(vdev: VfioPciDevice): ModelTask<number> {
  const { config } = vdev.pdev.fn;
  vdev.decoding.stop('reset');
  const saved = config.read(PCI_COMMAND, 2);
  config.write(PCI_COMMAND, 2, saved & ~PCI_COMMAND_MASTER);
  yield RESET;
  config.write(PCI_COMMAND, 2, saved);
  vdev.decoding.resume('reset');
  return 0;
}

/**
 * Resets the function if it can be; -ENOTTY when it cannot, or the errno of its method.
 * @kernel pci_try_reset_function
 * @internal
 */
export function* pciTryResetFunction(vdev: VfioPciDevice): ModelTask<number> {
  if (vdev.reset === null) return -Errno.ENOTTY;
  const error = yield* vdev.reset(vdev);
  if (error === 0) vdev.counters.resets += 1;
  return error;
}
