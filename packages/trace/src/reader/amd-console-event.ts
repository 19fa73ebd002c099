// The console lines of AMD-Vi: one entry of the event log of the unit, printed as `Event logged [NAME key=value ...]`.
// Source followed: drivers/iommu/amd/iommu.c (iommu_print_event and the reports of page and RMP faults); older kernels
// end the first line behind the bracket and go on in the next.
// Simplified: entries without an address are not taken apart, nor are tags of guests and requests.

/** An entry, its numbers still as digits. */
export interface AmdConsoleEvent {
  /** `IO_PAGE_FAULT` and so on. */
  readonly name: string;
  /** Where the entry begins in the text. */
  readonly index: number;
  readonly device: string | undefined;
  readonly domain: string | undefined;
  readonly pasid: string | undefined;
  readonly flags: string | undefined;
  /** The address, whatever it is called, without 0x. */
  readonly address: string;
}

const NAMES = [
  ...['ILLEGAL_DEV_TABLE_ENTRY', 'IO_PAGE_FAULT', 'DEV_TAB_HARDWARE_ERROR', 'PAGE_TAB_HARDWARE_ERROR'],
  ...['ILLEGAL_COMMAND_ERROR', 'COMMAND_HARDWARE_ERROR', 'IOTLB_INV_TIMEOUT', 'INVALID_DEVICE_REQUEST'],
  ...['INVALID_PPR_REQUEST', 'RMP_PAGE_FAULT', 'RMP_HW_ERROR'],
];
const ENTRY = new RegExp(`(?:AMD-Vi: Event logged \\[|^|\\s)(${NAMES.join('|')}) ([^\\]]*)\\]`);

const field = (pairs: string, key: string, value = '0x([\\da-f]+)'): string | undefined =>
  new RegExp(`(?:^|[ ,])${key}=${value}(?=[ ,]|$)`, 'i').exec(pairs)?.[1];

/** The entry in the text of a line; undefined when there is none with an address. */
export function amdConsoleEvent(text: string): AmdConsoleEvent | undefined {
  const found = ENTRY.exec(text);
  if (found === null) return undefined;
  const [, name = '', pairs = ''] = found;
  const address = field(pairs, '(?:address|gpa|spa)');
  if (address === undefined) return undefined;
  return {
    ...{ name, index: found.index, address },
    device: field(pairs, 'device', '([^ ,]+)'),
    domain: field(pairs, 'domain'),
    pasid: field(pairs, 'pasid'),
    flags: field(pairs, 'flags'),
  };
}
