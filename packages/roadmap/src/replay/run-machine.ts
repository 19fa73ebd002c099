// RunMachine: the computer of one run: a VT-d unit with its driver, memory for its tables, a clock that follows the trace.
// Source followed: the recorded q35 machine (48-bit second-stage tables, one unit for all devices).
// The memory that the trace maps is not there: no byte of it is moved, only its addresses are used.
// Simplified: no bounce pool, so that what would bounce is mapped where it lies; no bridge windows are reserved.

import { DmaPlatform } from '@sgfree/dma-core';
import {
  Clock,
  PhysicalMemory,
  type PhysRange,
  physAddr,
  recordedVtdCapabilities,
  VtdUnit,
} from '@sgfree/hw-model';
import { IntelIommu } from '@sgfree/iommu';
import { FrameAllocator, PageFrames } from '@sgfree/mm';
import type { ReplayMode } from './replay-plan.ts';
import { ViolationLog } from './violation-log.ts';

/** Page tables and the queue; only what is used takes space. */
const TABLES: PhysRange = { base: physAddr(2 ** 20), bytes: 256 * 2 ** 20 };

/** CPUs of the machine; those of a trace are numbered as they appear, and further ones share. */
export const REPLAY_CPUS = 64;

/** The machine of one run. */
export class RunMachine {
  readonly mode: ReplayMode;
  readonly clock: Clock = new Clock();
  readonly log: ViolationLog = new ViolationLog();
  readonly frames: FrameAllocator;
  readonly unit: VtdUnit;
  readonly iommu: IntelIommu;
  readonly platform: DmaPlatform;

  constructor(mode: ReplayMode) {
    this.mode = mode;
    const { clock, log } = this;
    const memory = new PhysicalMemory();
    memory.addRam(TABLES.base, TABLES.bytes);
    this.frames = new FrameAllocator(memory, TABLES);
    this.unit = new VtdUnit(memory, { capabilities: recordedVtdCapabilities, log });
    this.iommu = new IntelIommu({ unit: this.unit, memory, frames: this.frames, log });
    this.platform = new DmaPlatform({ memory, frames: new PageFrames(), log, clock, cpus: REPLAY_CPUS });
  }
}
