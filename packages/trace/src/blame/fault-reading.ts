// FaultReading: what the number that comes with a fault says: read or write, and which kind of refusal.
// Source followed: include/linux/iommu.h (IOMMU_FAULT_READ, IOMMU_FAULT_WRITE), drivers/iommu/iommu.c
// (report_iommu_fault), drivers/iommu/amd/iommu.c (amd_iommu_report_page_fault).
// Simplified: the event carries no name of its flags; values above 1 are read in both ways and called unsure.

import { amdFlagBits, amdFlagsReading } from './amd-fault-flags.ts';

/**
 * What the device tried; `unknown` when the trace does not say it clearly.
 * @public
 */
export type FaultAccess = 'read' | 'write' | 'unknown';

/**
 * What refused the access; `request` is the kind of request, `reverse-map` the table that says whose memory is, `timeout`
 * and `command` are no accesses but troubles of the unit. `not-mapped` and `denied` are told apart only by units that report it; `translation` is
 * either of the two.
 * @public
 */
export type FaultClass =
  | 'translation'
  | 'not-mapped'
  | 'denied'
  | 'device-entry'
  | 'table'
  | 'width'
  | 'interrupt'
  | 'request'
  | 'reverse-map'
  | 'timeout'
  | 'command'
  | 'unknown';

/**
 * The reading of one fault code.
 * @public
 */
export interface FaultReading {
  readonly access: FaultAccess;
  readonly kind: FaultClass;
  /** The reading that was used, in words. */
  readonly words: string;
  /** Other readings that the number allows, in words. */
  readonly others: readonly string[];
}

/**
 * Reads the flags of `iommu:io_page_fault`. The core makes the event in `report_iommu_fault`, and the drivers hand it
 * the generic kinds 0 (read) and 1 (write), AMD-Vi too: the hardware's own flags stand in its console line only.
 * @public
 */
export function ioPageFaultReading(flags: number): FaultReading {
  const generic = flags % 2 === 1 ? 'write' : 'read';
  if (flags === 0 || flags === 1) {
    const words = `generic fault kind ${flags}: ${generic}`;
    return { access: generic, kind: 'translation', words, others: [] };
  }
  const amd = amdFlagsReading(flags);
  return {
    access: amd.access === generic ? generic : 'unknown',
    kind: 'translation',
    words: `not one of the generic kinds 0 and 1: unsure (bit 0 alone would say ${generic})`,
    others: [amdAside(flags)],
  };
}

const amdAside = (flags: number): string =>
  `as AMD-Vi hardware flags it would be ${amdFlagBits(flags)}: ${amdFlagsReading(flags).words}`;
