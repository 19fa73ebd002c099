// RecordedFault: one fault of the trace, whichever line told it, or an address that somebody asks about.
// Source followed: include/trace/events/iommu.h (io_page_fault) and the console lines of AMD-Vi and VT-d.
// Simplified: addresses from 2^52 on are numbers of pages; their text is exact.

import type { TraceEvent } from '../trace-event.ts';
import { consoleFault } from './console-fault.ts';
import { addressOfEvent } from './fault-address.ts';
import { type FaultReading, ioPageFaultReading } from './fault-reading.ts';

/**
 * Where a fault was told: the trace event, the console line of either kind of unit, or nowhere (an address asked about).
 * @public
 */
export type FaultSource = 'io_page_fault' | 'amd-vi' | 'dmar' | 'asked';

/**
 * A fault. Times are nanoseconds; -1 stands for unknown.
 * @public
 */
export interface RecordedFault {
  readonly source: FaultSource;
  readonly line: number;
  readonly time: number;
  /** Empty when the line names none. */
  readonly device: string;
  /** Driver, or the unit itself when the event is about no device. */
  readonly driver: string;
  /** From 2^52 on the start of the page: `addressText` is always exact. */
  readonly address: number;
  /** `0x…`, without zeros before the digits. */
  readonly addressText: string;
  /** 1 when the address is exact, 4096 when only its page is told. */
  readonly addressBytes: 1 | 4096;
  readonly code: number;
  readonly codeText: string;
  readonly reading: FaultReading;
}

/** True when the unit had trouble of its own: no device was refused an access to memory. */
export const isAboutUnit = ({ reading: { kind } }: Pick<RecordedFault, 'reading'>): boolean =>
  kind === 'command' || kind === 'timeout';

/**
 * The fault that an event tells; undefined when it tells none.
 * @internal
 */
export function recordedFault(event: TraceEvent): RecordedFault | undefined {
  if (event.system === 'iommu') return event.name === 'io_page_fault' ? traced(event) : undefined;
  return printed(event);
}

function traced(event: TraceEvent): RecordedFault {
  return {
    ...{ source: 'io_page_fault', line: event.line, time: event.time },
    ...{ device: fullDeviceName(event.device), driver: event.unit, ...addressOfEvent(event) },
    ...{ addressBytes: 1, code: event.code },
    codeText: `flags 0x${event.code.toString(16).padStart(4, '0')}`,
    reading: ioPageFaultReading(event.code),
  };
}

function printed(event: TraceEvent): RecordedFault | undefined {
  const found = consoleFault(event);
  if (found === undefined) return undefined;
  const { line, time, device, unit } = event;
  return {
    ...found,
    ...{ line, time, device: fullDeviceName(device), driver: unit, ...addressOfEvent(event) },
  };
}

/**
 * A PCI device with its segment: old console lines leave it out, and 0 is what they mean.
 * @internal
 */
export const fullDeviceName = (device: string): string =>
  /^[0-9a-f]{2}:[0-9a-f]{2}[.][0-9a-f]$/i.test(device)
    ? `0000:${device.toLowerCase()}`
    : /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}[.][0-9a-f]$/i.test(device)
      ? device.toLowerCase()
      : device;
