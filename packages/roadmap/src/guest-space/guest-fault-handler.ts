// GuestFaultHandler: what the host does when the unit has recorded a fault: each pending record is read, kept and cleared, so that
// the unit, which may have room for a single one, can record the next.
// Source followed: dmar_fault() in drivers/iommu/intel/dmar.c; VT-d specification 7 (fault recording).
// Simplified: runs between two steps of the machine, as an interrupt would; no rate limit.

import { hex, VtdFaultStatus, type VtdUnit } from '@sgfree/hw-model';
import type { GuestFault } from './guest-space-report.ts';

const FAULT_PENDING = 0x80000000;
const FAULT_READ = 0x40000000;

/** @internal */
export class GuestFaultHandler {
  /** What was recorded, in order. */
  readonly records: GuestFault[] = [];
  readonly #unit: VtdUnit;
  #next = 0;

  constructor(unit: VtdUnit) {
    this.#unit = unit;
  }

  /** Takes every pending record out of the unit; what it had no room for stays lost. */
  service(): void {
    const { faults } = this.#unit;
    for (let left = faults.recordCount; left > 0; left -= 1) {
      const record = this.#take(this.#next);
      if (record === null) break;
      this.#next = (this.#next + 1) % faults.recordCount;
      this.records.push(record);
    }
    if ((faults.status & VtdFaultStatus.overflow) !== 0) faults.writeStatus(VtdFaultStatus.overflow);
  }

  /** Record `index`, which is cleared; null when it is not pending. */
  #take(index: number): GuestFault | null {
    const { faults } = this.#unit;
    const flags = faults.readWord(index, 3);
    if ((flags & FAULT_PENDING) === 0) return null;
    const page = faults.readWord(index, 1) * 2 ** 32 + faults.readWord(index, 0);
    const requesterId = faults.readWord(index, 2) & 0xffff;
    faults.writeWord(index, 3, FAULT_PENDING);
    return { requesterId, page: hex(page), write: (flags & FAULT_READ) === 0, reason: flags & 0xff };
  }
}
