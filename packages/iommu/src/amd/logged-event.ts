// AmdLoggedEvent: one entry of the event log as the driver reads it, and the console line it prints.
// Source followed: drivers/iommu/amd/iommu.c (iommu_print_event, amd_iommu_report_page_fault); AMD I/O Virtualization
// Technology specification 2.5.
// Simplified: no rate limit; dumps of the device table entry or command that follow some lines are left out.

import { AmdEventType } from '@sgfree/hw-model';

/**
 * One event.
 * @public
 */
export interface AmdLoggedEvent {
  /** Event code: an {@link @sgfree/hw-model#AmdEventType} or one the model does not raise. */
  readonly type: number;
  readonly deviceId: number;
  /** Domain id of page faults; PASID of other events. */
  readonly domainId: number;
  /** The 12 flag bits. */
  readonly flags: number;
  /** The address that the device used, or where the command or table entry lies. */
  readonly address: number;
}

/**
 * How the kernel names a device; null where no driver is bound.
 * @public
 */
export interface AmdDeviceName {
  readonly driver: string;
  readonly device: string;
}

/**
 * Reads the four words of an entry.
 * @internal
 */
export function decodeLoggedEvent(words: Uint32Array): AmdLoggedEvent {
  const word = (at: number): number => words[at] as number;
  return {
    type: word(1) >>> 28,
    deviceId: word(0) & 0xffff,
    domainId: (word(0) & 0xf0000) + (word(1) & 0xffff),
    flags: (word(1) >>> 16) & 0xfff,
    address: word(3) * 2 ** 32 + word(2),
  };
}

const hex = (value: number, digits: number): string => `0x${value.toString(16).padStart(digits, '0')}`;

/**
 * The name of a PCI device by its id, segment 0: `0000:bb:dd.f`.
 * @internal
 */
export function pciName(deviceId: number): string {
  const part = (value: number): string => value.toString(16).padStart(2, '0');
  return `0000:${part(deviceId >>> 8)}:${part((deviceId >>> 3) & 0x1f)}.${deviceId & 7}`;
}

const NAMES: Readonly<Record<number, string>> = {
  [AmdEventType.illegalDeviceTableEntry]: 'ILLEGAL_DEV_TABLE_ENTRY',
  [AmdEventType.deviceTableHardwareError]: 'DEV_TAB_HARDWARE_ERROR',
  [AmdEventType.pageTableHardwareError]: 'PAGE_TAB_HARDWARE_ERROR',
  [AmdEventType.illegalCommand]: 'ILLEGAL_COMMAND_ERROR',
  [AmdEventType.commandHardwareError]: 'COMMAND_HARDWARE_ERROR',
  [AmdEventType.invalidDeviceRequest]: 'INVALID_DEVICE_REQUEST',
};

/**
 * The console line of an event; page faults of a known device begin with its names.
 * @public
 */
export function amdEventText(event: AmdLoggedEvent, name: AmdDeviceName | null): string {
  const { type, deviceId, domainId, flags, address } = event;
  const where = `address=${hex(address, 1)}`;
  const flagged = `flags=${hex(flags, 4)}`;
  const logged = (...fields: string[]): string => `AMD-Vi: Event logged [${fields.join(' ')}]`;
  const device = `device=${pciName(deviceId)}`;
  const kind = NAMES[type];
  switch (type) {
    case AmdEventType.ioPageFault: {
      const fault = [`domain=${hex(domainId, 4)}`, where, flagged];
      if (name === null) return logged('IO_PAGE_FAULT', device, ...fault);
      return `${name.driver} ${name.device}: ${logged('IO_PAGE_FAULT', ...fault)}`;
    }
    case AmdEventType.illegalDeviceTableEntry:
    case AmdEventType.invalidDeviceRequest:
      return logged(`${kind}`, device, `pasid=${hex(domainId, 5)}`, where, flagged);
    case AmdEventType.pageTableHardwareError:
      return logged(`${kind}`, device, `pasid=${hex(domainId, 4)}`, where, flagged);
    case AmdEventType.deviceTableHardwareError:
      return logged(`${kind}`, device, where, flagged);
    case AmdEventType.illegalCommand:
      return logged(`${kind}`, where);
    case AmdEventType.commandHardwareError:
      return logged(`${kind}`, where, flagged);
    default:
      return logged('UNKNOWN', `event type ${type}`);
  }
}
