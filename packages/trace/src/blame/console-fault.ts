// Console faults: what AMD-Vi and VT-d print into the kernel log for a fault, as the reader took it apart.
// Source followed: drivers/iommu/amd/iommu.c (iommu_print_event), AMD I/O Virtualization Technology specification (event
// log), drivers/iommu/intel/dmar.c (dmar_fault_do_one).
// Simplified: flags are read for page faults only; those of other events are shown as a number.

import type { TraceEvent } from '../trace-event.ts';
import { amdFlagBits, amdFlagsReading } from './amd-fault-flags.ts';
import { dmarReading } from './dmar-fault-reason.ts';
import type { FaultAccess, FaultClass, FaultReading } from './fault-reading.ts';

/**
 * What a console line says of a fault, without place and device.
 * @internal
 */
export interface ConsoleFault {
  readonly source: 'amd-vi' | 'dmar';
  /** 1 when the address is exact, 4096 when it is that of the page. */
  readonly addressBytes: 1 | 4096;
  /** Flags (AMD-Vi) or reason (VT-d). */
  readonly code: number;
  readonly codeText: string;
  readonly reading: FaultReading;
}

const AMD = 'amd_';
/** Events that are no page fault, with their class and what they say. */
const AMD_EVENTS: Readonly<Record<string, readonly [FaultClass, string]>> = {
  amd_illegal_dev_table_entry: ['device-entry', 'the device table entry is not valid'],
  amd_dev_tab_hardware_error: ['device-entry', 'the device table entry could not be read'],
  amd_page_tab_hardware_error: ['table', 'a page table entry could not be read'],
  amd_illegal_command_error: ['command', 'a command of the driver to the unit is not valid'],
  amd_command_hardware_error: ['command', 'a command of the driver to the unit could not be read'],
  amd_iotlb_inv_timeout: ['timeout', 'the device did not answer an invalidation of its own cache'],
  amd_invalid_device_request: ['request', 'a request of a kind that the device may not make there'],
  amd_invalid_ppr_request: ['request', 'a page request that is not valid'],
  amd_rmp_page_fault: ['reverse-map', 'the reverse map table refuses the access'],
  amd_rmp_hw_error: ['reverse-map', 'the reverse map table could not be used'],
};

/** Reads a console event; undefined when it tells no fault. */
export function consoleFault(event: TraceEvent): ConsoleFault | undefined {
  if (event.system !== 'console') return undefined;
  if (event.name === 'dmar_fault') return dmarFault(event);
  return event.name.startsWith(AMD) ? amdFault(event) : undefined;
}

function amdFault({ name, code }: TraceEvent): ConsoleFault {
  const [kind, words] = AMD_EVENTS[name] ?? [];
  const common = { source: 'amd-vi', addressBytes: 1, code } as const;
  const flags = `flags 0x${code.toString(16).padStart(4, '0')}`;
  if (kind === undefined || words === undefined) {
    return { ...common, codeText: `${flags} (${amdFlagBits(code)})`, reading: amdFlagsReading(code) };
  }
  const title = name.slice(AMD.length).toUpperCase();
  // Not every event has flags, and 0 stands for none too.
  const codeText = code === 0 ? title : `${title}, ${flags}`;
  return { ...common, codeText, reading: { access: 'unknown', kind, words, others: [] } };
}

const ACCESS: Readonly<Record<string, FaultAccess>> = { 'dma read': 'read', 'dma write': 'write' };

function dmarFault({ type, code }: TraceEvent): ConsoleFault {
  const reading = dmarReading(code, ACCESS[type.toLowerCase()] ?? 'unknown');
  const codeText = code === 0 ? 'no reason' : `reason 0x${code.toString(16).padStart(2, '0')}`;
  return { source: 'dmar', addressBytes: 4096, code, codeText, reading };
}
