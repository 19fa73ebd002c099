// VtdDeviceTables: root, context and PASID tables of one unit, as the driver writes them into memory.
// Source followed: drivers/iommu/intel/iommu.c iommu_context_addr() and domain_context_mapping_one();
// drivers/iommu/intel/pasid.c intel_pasid_setup_first_level(), _second_level() and _pass_through().
// Simplified: no copied tables of a crashed kernel, no PASID but RID_PASID 0, no accessed/dirty tracking.

import type { PhysicalMemory, VtdCapabilities } from '@sgfree/hw-model';
import { Errno, type FrameAllocator } from '@sgfree/mm';
import { IDENTITY_DOMAIN_ID } from './domain-ids.ts';

/**
 * What a function's entry leads to: page tables of `levels` levels at `rootFrame`, or nothing (identity).
 * @internal
 */
export interface DeviceMapping {
  readonly stage: 'first' | 'second' | 'pass-through';
  readonly domainId: number;
  readonly rootFrame: number;
  readonly levels: number;
  /** Device-TLB requests are allowed (usable ATS). */
  readonly deviceTlb: boolean;
}

const PRESENT = 1;
/** Scalable context entry: PASID directory of 2^(2+7) entries (bits 11:9). */
const PASID_DIRECTORY_SIZE = 2 << 9;
const CONTEXT_DEVICE_TLB = 4;
const LEGACY_TYPE_DEVICE_TLB = 1 << 2;
const LEGACY_TYPE_PASS_THROUGH = 2 << 2;
const PASID_FIRST_STAGE = 1 << 6;
const PASID_SECOND_STAGE = 2 << 6;
const PASID_PASS_THROUGH = 4 << 6;
const PASID_WALK_SNOOP = 1 << 23;
const PASID_5_LEVELS = 1 << 2;
const FIRST_STAGE_5_LEVELS = 5;

/** The low and high word of a page frame's address, with `bits` in the low 12. */
const lowWord = (frame: number, bits: number): number => (frame % 0x100000) * 4096 + bits;
const highWord = (frame: number): number => Math.floor(frame / 0x100000);

/**
 * Device tables of one unit.
 * @internal
 */
export class VtdDeviceTables {
  readonly rootFrame: number;
  readonly scalable: boolean;
  readonly #memory: PhysicalMemory;
  readonly #frames: FrameAllocator;
  readonly #capabilities: VtdCapabilities;

  constructor(
    memory: PhysicalMemory,
    frames: FrameAllocator,
    capabilities: VtdCapabilities,
    scalable: boolean,
    rootFrame: number,
  ) {
    this.#memory = memory;
    this.#frames = frames;
    this.#capabilities = capabilities;
    this.scalable = scalable;
    this.rootFrame = rootFrame;
  }

  /**
   * Scalable mode: makes the context entry of `sourceId` present, with an empty PASID directory. Returns 1 when it was
   * not present before, 0 when there was nothing to do, or -ENOMEM.
   */
  prepare(sourceId: number, deviceTlb: boolean): number {
    if (!this.scalable) return 0;
    const context = this.#contextEntry(sourceId);
    if (context === undefined) return -Errno.ENOMEM;
    if (((context[0] as number) & PRESENT) !== 0) return 0;
    const directory = this.#frames.alloc();
    if (directory < 0) return -Errno.ENOMEM;
    context[1] = highWord(directory);
    context[0] = lowWord(directory, PRESENT | PASID_DIRECTORY_SIZE | (deviceTlb ? CONTEXT_DEVICE_TLB : 0));
    return 1;
  }

  /** Writes the entry of `sourceId` and makes it present; scalable mode: after `prepare`. Returns 0 or -ENOMEM. */
  write(sourceId: number, mapping: DeviceMapping): number {
    const entry = this.scalable ? this.#pasidEntry(sourceId, true) : this.#contextEntry(sourceId);
    if (entry === undefined) return -Errno.ENOMEM;
    if (this.scalable) this.#fillPasidEntry(entry, mapping);
    else fillContextEntry(entry, mapping);
    entry[0] = (entry[0] as number) | PRESENT;
    return 0;
  }

  /** Clears the present bit of the entry of `sourceId`. */
  clearPresent(sourceId: number): void {
    const entry = this.#existing(sourceId);
    if (entry !== undefined) entry[0] = (entry[0] as number) & ~PRESENT;
  }

  /** Zeroes the entry of `sourceId`. */
  clear(sourceId: number): void {
    this.#existing(sourceId)?.fill(0);
  }

  #existing(sourceId: number): Uint32Array | undefined {
    return this.scalable ? this.#pasidEntry(sourceId, false) : this.#contextEntry(sourceId, false);
  }

  /** The context entry of `sourceId`: 4 words, or 8 in scalable mode; undefined = no table and none made. */
  #contextEntry(sourceId: number, allocate = true): Uint32Array | undefined {
    const perTable = this.scalable ? 128 : 256;
    const words = 1024 / perTable;
    // Scalable mode: each half of a root entry serves 128 functions.
    const rootSlot = this.scalable ? (sourceId >>> 7) * 2 : (sourceId >>> 8) * 4;
    const table = this.#table(this.rootFrame, rootSlot, allocate);
    if (table < 0) return undefined;
    const at = (sourceId & (perTable - 1)) * words;
    return this.#memory.frameWords(table).subarray(at, at + words);
  }

  /** The PASID entry (PASID 0) of `sourceId`: 16 words; undefined = no context entry, or no table and none made. */
  #pasidEntry(sourceId: number, allocate: boolean): Uint32Array | undefined {
    const context = this.#contextEntry(sourceId, false);
    if (context === undefined) return undefined;
    const low = context[0] as number;
    if ((low & PRESENT) === 0) return undefined;
    const directory = (context[1] as number) * 0x100000 + (low >>> 12);
    const table = this.#table(directory, 0, allocate);
    return table < 0 ? undefined : this.#memory.frameWords(table).subarray(0, 16);
  }

  /** The table that the two words at `slot` of `frame` point to; made when missing and wanted; -1 = none. */
  #table(frame: number, slot: number, allocate: boolean): number {
    const words = this.#memory.frameWords(frame);
    const low = words[slot] as number;
    if ((low & PRESENT) !== 0) return (words[slot + 1] as number) * 0x100000 + (low >>> 12);
    const table = allocate ? this.#frames.alloc() : -1;
    if (table < 0) return -1;
    words[slot + 1] = highWord(table);
    words[slot] = lowWord(table, PRESENT);
    return table;
  }

  #fillPasidEntry(entry: Uint32Array, mapping: DeviceMapping): void {
    entry.fill(0);
    const width = (mapping.levels - 2) << 2;
    entry[2] = mapping.domainId | (this.#capabilities.scalableCoherent ? PASID_WALK_SNOOP : 0);
    if (mapping.stage === 'pass-through') {
      entry[0] = width | PASID_PASS_THROUGH;
      entry[2] = (entry[2] & ~0xffff) | IDENTITY_DOMAIN_ID;
    } else if (mapping.stage === 'second') {
      entry[1] = highWord(mapping.rootFrame);
      entry[0] = lowWord(mapping.rootFrame, width | PASID_SECOND_STAGE);
    } else {
      entry[5] = highWord(mapping.rootFrame);
      entry[4] = lowWord(mapping.rootFrame, mapping.levels === FIRST_STAGE_5_LEVELS ? PASID_5_LEVELS : 0);
      entry[0] = width | PASID_FIRST_STAGE;
    }
  }
}

function fillContextEntry(entry: Uint32Array, mapping: DeviceMapping): void {
  entry[2] = (mapping.domainId << 8) | (mapping.levels - 2);
  entry[3] = 0;
  if (mapping.stage === 'pass-through') {
    entry[1] = 0;
    entry[0] = LEGACY_TYPE_PASS_THROUGH;
    return;
  }
  entry[1] = highWord(mapping.rootFrame);
  entry[0] = lowWord(mapping.rootFrame, mapping.deviceTlb ? LEGACY_TYPE_DEVICE_TLB : 0);
}
