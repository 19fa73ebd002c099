// What each door can express, as data, for reports that put the three side by side.
// Source followed: none; the tests compute each value from runs and compare it with this table.
// Simplified: none.

import type { IommufdDoor } from './iommufd-door.ts';

/**
 * What a door can express and what it costs.
 * @beta
 */
export interface IommufdDoorTraits {
  /** What iommufd keeps of an import holds the buffer's physical addresses. */
  readonly exposesPhysicalAddresses: boolean;
  /** Buffers of several ranges can be imported. */
  readonly severalRanges: boolean;
  /** Taking the memory back empties every page table before the exporter is through. */
  readonly revoke: boolean;
  /** After the memory was moved, that is invalidated and given out again, an import shows it anew. */
  readonly move: boolean;
  /** The exporter counts an import that is in a page table as a mapping, and waits for it. */
  readonly counted: boolean;
  /** Times the exporter is asked where the memory lies, for an import that one domain shows. */
  readonly asksForImport: number;
  /** The same for each further domain or copy that shows it. */
  readonly asksForDomain: number;
}

/**
 * The three doors.
 * @beta
 */
export const doorTraits: Readonly<Record<IommufdDoor, IommufdDoorTraits>> = {
  interconnect: {
    exposesPhysicalAddresses: true,
    severalRanges: false,
    revoke: true,
    move: false,
    counted: false,
    asksForImport: 1,
    asksForDomain: 0,
  },
  pal: {
    exposesPhysicalAddresses: true,
    severalRanges: true,
    revoke: true,
    move: false,
    counted: true,
    asksForImport: 1,
    asksForDomain: 0,
  },
  converter: {
    exposesPhysicalAddresses: false,
    severalRanges: true,
    revoke: true,
    move: false,
    counted: true,
    asksForImport: 2,
    asksForDomain: 1,
  },
};
