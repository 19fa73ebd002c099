// Where a PCI function sits: domain, bus, device, function.
// Source followed: the printed form `domain:bus:device.function` of sysfs and lspci; domains have up to 32 bits there
// (firmware numbers below 2^16, virtual host bridges such as VMD above).
// Simplified: no ARI form (eight function bits): dumps print five device and three function bits always.

/**
 * Place of a PCI function.
 * @public
 */
export interface PciAddress {
  /** 0 to 2^32 - 1. */
  readonly domain: number;
  /** 0 to 255. */
  readonly bus: number;
  /** 0 to 31. */
  readonly device: number;
  /** 0 to 7. */
  readonly fn: number;
}

const form = /^(?:([0-9a-f]{1,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})[.]([0-7])$/i;

/**
 * Reads `[domain:]bus:device.function` in hexadecimal; undefined for anything else. A missing domain is 0.
 * @public
 */
export function parsePciAddress(text: string): PciAddress | undefined {
  const match = form.exec(text);
  if (match === null) return undefined;
  const [, domain = '0', bus = '', device = '', fn = ''] = match;
  return pciAddress(
    Number.parseInt(domain, 16),
    Number.parseInt(bus, 16),
    Number.parseInt(device, 16),
    Number(fn),
  );
}

/**
 * The address of these numbers, or undefined when the device number has more than five bits.
 * @internal
 */
export function pciAddress(domain: number, bus: number, device: number, fn: number): PciAddress | undefined {
  return device > 31 ? undefined : { domain, bus, device, fn };
}

const hexDigits = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

/**
 * Prints an address as sysfs does: `0000:03:00.0`, with as many digits of the domain as it needs (at least four).
 * @public
 */
export function formatPciAddress({ domain, bus, device, fn }: PciAddress): string {
  return `${hexDigits(domain, 4)}:${hexDigits(bus, 2)}:${hexDigits(device, 2)}.${fn}`;
}

/**
 * A number that sorts functions in enumeration order of a firmware-numbered machine; below 2^48.
 * @internal
 */
export function addressKey({ domain, bus, device, fn }: PciAddress): number {
  return busKey(domain, bus) * 256 + device * 8 + fn;
}

/**
 * A number for a bus of a domain; below 2^40.
 * @internal
 */
export function busKey(domain: number, bus: number): number {
  return domain * 256 + bus;
}
