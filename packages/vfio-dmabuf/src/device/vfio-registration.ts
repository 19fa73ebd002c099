// VfioRegistration: who keeps a VFIO device registered; its driver cannot leave before everybody has let go.
// Source followed: vfio_device_try_get_registration, vfio_device_put_registration and vfio_unregister_group_dev in
// drivers/vfio/vfio_main.c.
// Simplified: user space is asked to let go once, not again every ten seconds.

import { InternalError, type ModelTask, TaskCompletion } from '@sgfree/hw-model';

/**
 * References of a registered device.
 * @public
 */
export class VfioRegistration {
  /** The registration itself counts as one; 0 = gone. */
  refs = 1;
  /** Times that users were asked to let go. */
  requests = 0;
  /** Called when users are asked to let go. */
  onRequest: (() => void) | null = null;
  readonly #gone: TaskCompletion;

  constructor(deviceName: string) {
    this.#gone = new TaskCompletion(`vfio-registration of ${deviceName}`);
  }

  /** Takes a reference; false when the device is being removed. */
  tryGet(): boolean {
    if (this.refs === 0) return false;
    this.refs += 1;
    return true;
  }

  /** Gives a reference back. */
  put(): void {
    if (this.refs === 0) throw new InternalError('a registration is given back that nobody has');
    this.refs -= 1;
    if (this.refs === 0) this.#gone.completeAll();
  }

  /** The driver leaves: drops the first reference and waits, without bound, for the others. */
  *unregister(): ModelTask<void> {
    this.put();
    if (!this.#gone.done) {
      this.requests += 1;
      this.onRequest?.();
    }
    yield* this.#gone.wait();
  }
}
