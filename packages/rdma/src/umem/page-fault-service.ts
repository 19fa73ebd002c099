// PageFaultService: software's side of a NIC's page faults: each fault is served by a task of its own.
// Source followed: drivers/infiniband/hw/mlx5/odp.c (mlx5_ib_eq_pf_action): an event, a worker, an answer.
// Simplified: no pool of workers and no merging; the key finds the server directly.

import type { ModelTask, RdmaKeyEntry, RdmaPageFault, Scheduler } from '@sgfree/hw-model';
import type { IbDevice } from '../verbs/ib-device.ts';
import type { IbMr } from '../verbs/ib-mr.ts';

/** Brings what a fault wants: 0 or a negative errno. @internal */
export type PageFaultServer = (fault: RdmaPageFault) => ModelTask<number>;

/**
 * Serves the page faults of one device.
 * @public
 */
export class PageFaultService {
  readonly #servers = new Map<RdmaKeyEntry, PageFaultServer>();
  /** Faults of each key that are being served now. */
  readonly #busy = new Map<RdmaKeyEntry, number>();
  /** Faults served so far, failed ones included. */
  served = 0;

  constructor(device: IbDevice, scheduler: Scheduler) {
    device.nic.onPageFault = (fault) => {
      scheduler.spawn(`page fault of ${device.name}`, this.#serve(fault));
    };
  }

  /** @internal */
  watch(mr: IbMr, server: PageFaultServer): void {
    this.#servers.set(mr.entry, server);
  }

  /** @internal */
  forget(mr: IbMr): void {
    this.#servers.delete(mr.entry);
  }

  /** Waits until no fault of the region is being served; none starts once it is forgotten. @internal */
  *settle(mr: IbMr): ModelTask<void> {
    yield { at: 'page-fault:settle', until: () => (this.#busy.get(mr.entry) ?? 0) === 0 };
  }

  *#serve(fault: RdmaPageFault): ModelTask<void> {
    const { entry } = fault;
    const server = this.#servers.get(entry);
    this.#busy.set(entry, (this.#busy.get(entry) ?? 0) + 1);
    const error = server === undefined ? -1 : yield* server(fault);
    const left = (this.#busy.get(entry) ?? 0) - 1;
    if (left > 0) this.#busy.set(entry, left);
    else this.#busy.delete(entry);
    this.served += 1;
    fault.resolve(error < 0 ? 'failed' : 'resumed');
  }
}
