// AmdTarget: the unit that a domain's flushes go to: its commands and its device table.
// Source followed: the parts of struct amd_iommu that drivers/iommu/amd/iommu.c uses to invalidate.
// Simplified: one PCI segment.

import type { CommandQueue } from './command-queue.ts';
import { buildInvDte, buildInvIotlbPages, buildInvWholeDomain, COMMAND_WORDS } from './command-words.ts';
import type { DeviceTable } from './device-table.ts';

/**
 * A unit as the flush code sees it.
 * @internal
 */
export interface AmdTarget {
  /** Place among the units of the machine; flushes go through them in this order. */
  readonly index: number;
  readonly queue: CommandQueue;
  readonly table: DeviceTable;
}

/**
 * A device behind a unit, as long as it is attached.
 * @internal
 */
export interface AmdAttachedDevice {
  readonly deviceId: number;
  readonly target: AmdTarget;
  /** Invalidations the device's TLB can queue; -1 = it has none. */
  readonly queueDepth: number;
}

const LAST_FRAME = 2 ** 52 - 1;
const words = (): Uint32Array => new Uint32Array(COMMAND_WORDS);

/**
 * Makes the unit read the entry of a device again, and its TLB forget everything; the wait is the caller's.
 * @internal
 * @kernel device_flush_dte
 */
export function deviceFlushDte({ deviceId, target, queueDepth }: AmdAttachedDevice): void {
  const command = words();
  buildInvDte(command, deviceId);
  target.queue.queue(command);
  if (queueDepth < 0) return;
  buildInvIotlbPages(command, deviceId, queueDepth, 0, LAST_FRAME);
  target.queue.queue(command);
}

/**
 * Makes a unit forget all translations of a domain, and waits.
 * @internal
 * @kernel amd_iommu_flush_tlb_domid
 */
export function amdIommuFlushTlbDomid({ queue }: AmdTarget, domainId: number): void {
  const command = words();
  buildInvWholeDomain(command, domainId);
  queue.queue(command);
  queue.completionWait();
}
