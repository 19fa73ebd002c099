// Global commands: how the driver changes one bit of a unit's global state without touching the others.
// Source followed: drivers/iommu/intel/iommu.c, iommu_enable_translation(), iommu_set_root_entry(),
// iommu_flush_write_buffer(); VT-d specification 11.4.4 (GCMD): bits 30, 29, 27 and 24 are one-shot and must not be
// written back from GSTS.
// Simplified: the unit has done the command when the write returns, so that nothing is polled.

import { VtdCommand, VtdRegister, type VtdUnit } from '@sgfree/hw-model';

/** Bits of GSTS that are state; the others only tell that a one-shot command is done. */
const STATE_BITS = 0x96ffffff;

/**
 * Writes `command` to GCMD next to the state that is in force.
 * @internal
 */
export function issueCommand(unit: VtdUnit, command: number): void {
  const state = unit.readRegister32(VtdRegister.GSTS) & STATE_BITS;
  unit.writeRegister32(VtdRegister.GCMD, (state | command) >>> 0);
}

/**
 * Has the unit write its internal buffers back, where it needs to be told (CAP.RWBF).
 * @internal
 * @kernel iommu_flush_write_buffer
 */
export function iommuFlushWriteBuffer(unit: VtdUnit): void {
  if (unit.capabilities.writeBufferFlush) issueCommand(unit, VtdCommand.writeBufferFlush);
}
