// SkippedInvalidation: an invalidation that has no effect, planted so that it does harm: the device goes on using the
// translation of a page that was unmapped, and its I/O address is handed out again for another page.
// Source followed: VT-d specification 6.5 (software must invalidate before it uses an address again).
// A skipped invalidation alone harms nobody: the address must be used again, in the same direction (the stale entry
// grants no other), for another page. The last request of an I/O gives back the address that is handed out first; so
// one invalidation is skipped there, I/O after I/O, until one of them does harm.
// Simplified: the first page of a request speaks for all of it.

import type { DmaAddr } from '@sgfree/hw-model';
import type { NvmeMachine } from './nvme-machine.ts';
import type { Plant } from './planted-fault.ts';
import { frameOfSlot } from './second-stage-slot.ts';
import type { StackCommand } from './storage-stack.ts';
import type { WorkLedger } from './work-ledger.ts';

/** A translation that stayed behind. */
interface Stale {
  readonly frame: number;
  readonly operation: 'read' | 'write';
}

/**
 * The fault, armed for one run.
 * @internal
 */
export class SkippedInvalidation implements Plant {
  planted = false;
  readonly #machine: NvmeMachine;
  /** By DMA address of the page. */
  readonly #stale = new Map<DmaAddr, Stale>();
  #inFlight = 0;

  constructor(machine: NvmeMachine, ledger: WorkLedger) {
    this.#machine = machine;
    ledger.onCompleted = (_kind, command) => this.#beforeUnmap(command);
    ledger.onMapped = (_kind, command) => this.#afterMap(command);
  }

  #beforeUnmap(command: StackCommand): void {
    this.#inFlight -= 1;
    if (this.planted || this.#inFlight > 0) return;
    const address = this.#machine.firstDataAddress(command);
    const slot = this.#machine.leafSlot(address);
    if (slot === null) return;
    this.#stale.set(address, { frame: frameOfSlot(slot), operation: command.request.operation });
    this.#machine.unit?.dropNextInvalidations(1);
  }

  #afterMap(command: StackCommand): void {
    this.#inFlight += 1;
    if (this.planted) return;
    for (const [address, stale] of this.#stale) {
      const slot = this.#machine.leafSlot(address);
      if (slot === null) continue;
      // Mapped again: it either does harm now, or the next unmap of this address takes the stale entry away.
      this.#stale.delete(address);
      this.planted ||= command.request.operation === stale.operation && frameOfSlot(slot) !== stale.frame;
    }
  }
}
