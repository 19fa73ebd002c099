// The VT-d unit of a recorded machine: its capability registers, rebuilt from the header of a file and the command
// lines in the RUN.txt beside it, and the driver on top of it.
// Source followed: vectors/kernel/README.md (RUN.txt; QEMU's unit, register CAP = 0xd2008c222f0606); VT-d specification
// 11.4.2 and 11.4.3. Width and page sizes are in the header; caching mode and scalable mode only in the command lines.
// Simplified: one unit for all devices, with the domain count, address masks and draining of QEMU's.

import type { EventLog } from '@sgfree/hw-model';
import {
  type PhysicalMemory,
  recordedVtdCapabilities,
  recordedVtdCapabilitiesScalable,
  type VtdCapabilityRegisters,
  VtdUnit,
} from '@sgfree/hw-model';
import { IntelIommu } from '@sgfree/iommu';
import type { FrameAllocator } from '@sgfree/mm';
import type { FileContext } from '../suite.ts';
import type { RecordedTableShape } from './recorded-table-shape.ts';

const CACHING_MODE = 1 << 7;
const WIDTH_FIELDS = (0x1f << 8) | (0x3f << 16);
const ADJUSTED_39 = 1 << 1;
const ADJUSTED_48 = 1 << 2;
const ADJUSTED_57 = 1 << 3;
/** In the upper word of CAP. */
const LARGE_PAGES = 0xf << 2;
const DRAINS = 3 << 22;
const FIRST_STAGE_GIGABYTE = 1 << 24;
const FIRST_STAGE_5_LEVELS = 1 << 28;
/** In the upper word of ECAP. */
const FIRST_STAGE = 1 << 15;
const TWO_MIB = 2 ** 21;
const ONE_GIB = 2 ** 30;

/** What the command lines say of the unit. */
interface UnitSwitches {
  readonly cachingMode: boolean;
  readonly scalableHardware: boolean;
  readonly scalableKernel: boolean;
  readonly drains: boolean;
}

function switchesOf(run: string): UnitSwitches {
  const device = /-device\s+(intel-iommu\S*)/.exec(run)?.[1] ?? '';
  const is = (option: string, value: RegExp): boolean =>
    device
      .split(',')
      .some((word) => word.startsWith(`${option}=`) && value.test(word.slice(option.length + 1)));
  const on = /^(?:on|yes|true)$/;
  return {
    cachingMode: is('caching-mode', on),
    scalableHardware: is('x-scalable-mode', on) || is('scalable-mode', /./),
    scalableKernel: /\bintel_iommu=\S*\bsm_on\b/.test(run),
    drains: !is('dma-drain', /^(?:off|no|false)$/),
  };
}

const hasPages = (bitmap: number, bytes: number): boolean => Math.floor(bitmap / bytes) % 2 === 1;

const adjustedWidths = (bits: number): number =>
  ADJUSTED_39 | (bits > 39 ? ADJUSTED_48 : 0) | (bits > 48 ? ADJUSTED_57 : 0);

/** The registers of a unit whose driver makes tables of this shape. */
function registersOf(
  { vaBits, pgsizeBitmap, format }: RecordedTableShape,
  switches: UnitSwitches,
): VtdCapabilityRegisters {
  const firstStage = format.features.signExtend === true;
  const [low, high] = recordedVtdCapabilities.cap;
  const ecap =
    firstStage || switches.scalableHardware ? recordedVtdCapabilitiesScalable : recordedVtdCapabilities;
  const gigabytes = hasPages(pgsizeBitmap, ONE_GIB);
  const pages = (hasPages(pgsizeBitmap, TWO_MIB) ? 1 : 0) | (gigabytes ? 2 : 0);
  return {
    cap: [
      ((low & ~WIDTH_FIELDS) |
        (adjustedWidths(vaBits) << 8) |
        ((vaBits - 1) << 16) |
        (switches.cachingMode ? CACHING_MODE : 0)) >>>
        0,
      ((high & ~(LARGE_PAGES | (switches.drains ? 0 : DRAINS))) |
        (pages << 2) |
        (firstStage && gigabytes ? FIRST_STAGE_GIGABYTE : 0) |
        (firstStage && vaBits > 48 ? FIRST_STAGE_5_LEVELS : 0)) >>>
        0,
    ],
    ecap: [ecap.ecap[0], ecap.ecap[1] | (firstStage ? FIRST_STAGE : 0)],
  };
}

/** Where the unit and its driver live. */
export interface UnitSurroundings {
  readonly memory: PhysicalMemory;
  readonly frames: FrameAllocator;
  readonly log: EventLog;
}

/** Brings up the unit of the machine on which a file with tables of this shape was recorded. */
export function recordedVtdUnit(
  shape: RecordedTableShape,
  context: FileContext | undefined,
  { memory, frames, log }: UnitSurroundings,
): IntelIommu {
  const switches = switchesOf(context?.readInput('RUN.txt') ?? '');
  const unit = new VtdUnit(memory, { capabilities: registersOf(shape, switches) });
  const scalableMode = switches.scalableKernel || shape.format.features.signExtend === true;
  return new IntelIommu({ unit, memory, frames, log, scalableMode });
}
