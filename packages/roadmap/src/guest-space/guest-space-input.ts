// GuestSpaceInput: by which door a guest gets at a lent BAR, how the BAR is taken back, and where everybody sits.
// Source followed: the three doors of the project's stage 7: the interconnect of Linux 7.3.4, the physical address list of the RFC, and
// the counter-proposal of its review; the triggers of a revoke in drivers/vfio/pci.
// Simplified: one guest, one passed-through device, one lent buffer.

import type { PeerPlace } from '../peer-tree-site.ts';
import type { RevokeTrigger } from '../revoke/revoke-input.ts';

/**
 * How iommufd gets at the memory. `interconnect`: one physical range, told privately; `pal`: a list of physical ranges;
 * `converter`: the core shows the memory in the guest's page table and iommufd is told nothing.
 * @beta
 */
export type GuestSpaceDoor = 'interconnect' | 'pal' | 'converter';

/**
 * The doors in the order of reports.
 * @beta
 */
export const GUEST_SPACE_DOORS: readonly GuestSpaceDoor[] = ['interconnect', 'pal', 'converter'];

/**
 * Faults that can be put in on purpose, each against one check of the verdict.
 * @beta
 */
export const GUEST_SPACE_PLANTS = [
  'never-shown',
  'records-unread',
  'skipped-invalidation',
  'wrong-byte',
  'wrong-ram-byte',
  'wrong-read',
  'swapped-ranges',
  'moved-untold',
  'not-counted',
  'no-redirect',
  'device-stops',
  'area-comes-back',
  'early-return',
  'ram-unmapped',
  'unmap-cut',
  'pin-lost',
  'other-door',
  'lock-missing',
  'left-attached',
] as const;

/**
 * The name of a fault.
 * @beta
 */
export type GuestSpacePlant = (typeof GUEST_SPACE_PLANTS)[number];

/**
 * What a run is made with.
 * @beta
 */
export interface GuestSpaceInput {
  readonly door: GuestSpaceDoor;
  readonly trigger: RevokeTrigger;
  /** Where the owner's device sits, seen from the passed-through one. */
  readonly place: PeerPlace;
  /** Seed of the data and of the order of events. */
  readonly seed: number;
  /** Transfers of the device to RAM, and as many to the BAR, writes and reads in turn. Default 24. */
  readonly jobs?: number;
  /** Bytes of a transfer, a multiple of 4. Default 1024. */
  readonly jobBytes?: number;
  /** Transfers to the BAR after which the owner acts. Default a quarter of them. */
  readonly actAfter?: number;
  readonly plant?: GuestSpacePlant;
}

/** A run's settings, every default filled in. @internal */
export type GuestSpaceSettings = Required<Omit<GuestSpaceInput, 'plant'>> & Pick<GuestSpaceInput, 'plant'>;

const DEFAULT_JOBS = 24;
const DEFAULT_JOB_BYTES = 1024;

/** @internal */
export function guestSpaceSettings(input: GuestSpaceInput): GuestSpaceSettings {
  const { jobs = DEFAULT_JOBS, jobBytes = DEFAULT_JOB_BYTES } = input;
  return { ...input, jobs, jobBytes, actAfter: input.actAfter ?? Math.ceil(jobs / 4) };
}
