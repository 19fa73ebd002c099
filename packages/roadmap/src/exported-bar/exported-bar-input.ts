// ExportedBarInput: what a stage that exports a BAR is run on, and the faults that can be put into such a run.
// Source followed: the project's design; drivers/dma-buf/dma-buf-mapping.c as recorded for the quirk.
// Simplified: the machine is the project's own; no dump of a real one has an RDMA adapter in the disk's place.

import type { EventLog } from '@sgfree/hw-model';
import type { IoRecord } from '../io-record.ts';
import type { MachineObserver } from '../machine-observer.ts';
import type { PeerPlace } from '../peer-tree-site.ts';

/**
 * A fault of a run over an exported BAR. `forced-bus-address`: the exporter hands out bus addresses whatever the way is;
 * `phys-vec-leaks`: the quirk of Linux 7.3.4 of that name is kept: entry arrays outlive their tables.
 * @public
 */
export type ExportedBarFault = 'forced-bus-address' | 'phys-vec-leaks';

/**
 * What a stage that exports a BAR is run on.
 * @public
 */
export interface ExportedBarInput {
  readonly ios: readonly IoRecord[];
  /** Seed of the data and of the order of events. */
  readonly seed: number;
  /** True: an IOMMU in strict mode translates; false: nothing does. */
  readonly iommu: boolean;
  /** Where the exporter is, seen from the adapter. */
  readonly peer: PeerPlace;
  /** Ports send peers' requests up, as with the ACS bits that Linux sets for an IOMMU. Default false. */
  readonly redirect?: boolean;
  /** Ids of the host bridge; default one that Linux 7.3.4 lists. */
  readonly hostIdentity?: { readonly vendorId: number; readonly deviceId: number };
  /** Gets the events of hardware and kernel while it is enabled. */
  readonly log?: EventLog;
  /** Breaks one thing on purpose. */
  readonly plant?: ExportedBarFault;
  /** Called after each I/O with the number done. */
  readonly onIo?: (done: number) => void;
  /** Looks at the exporter's machine from its first request on. */
  readonly observe?: MachineObserver;
}
