// PciIds: the database that gives PCI vendors and devices their names, as distributions ship and maintain it.
// Source followed: the format of pci.ids of the PCI ID Repository, described in the file's own head: a vendor in the first
// column, its devices behind one tab, subsystems behind two; classes under lines that begin with C.
// Simplified: subsystems and classes are not kept; a line that breaks the format is left out.

import type { NameLookup, TitleLookup } from '@sgfree/topology';

interface Vendor {
  readonly name: string;
  readonly devices: Map<number, string>;
  /** Numbers by name; a name that several devices have is no name. Made when it is first needed. */
  byName: Map<string, number | null> | null;
}

const VENDOR = /^([0-9a-f]{4})[ \t]+(\S.*)$/i;
const DEVICE = /^\t([0-9a-f]{4})[ \t]+(\S.*)$/i;

/** The database, to be asked in both directions. */
export class PciIds {
  readonly #vendors = new Map<number, Vendor>();
  #vendorsByName: Map<string, number | null> | null = null;

  /** Reads the text of the database. */
  constructor(text: string) {
    let vendor: Vendor | null = null;
    for (const raw of text.split('\n')) {
      const line = raw.trimEnd();
      if (line === '' || line.startsWith('#') || line.startsWith('\t\t')) continue;
      if (line.startsWith('\t')) addDevice(vendor, line);
      else vendor = this.#addVendor(line);
    }
  }

  /** Vendors known. */
  get vendorCount(): number {
    return this.#vendors.size;
  }

  /** `Vendor Device` as lspci says it; the vendor with the device's number when only the vendor is known. */
  readonly titleOf: TitleLookup = (vendorId, deviceId) => {
    const vendor = this.#vendors.get(vendorId);
    if (vendor === undefined) return undefined;
    const device = vendor.devices.get(deviceId) ?? `Device ${deviceId.toString(16).padStart(4, '0')}`;
    return `${vendor.name} ${device}`;
  };

  /** The numbers of a title that lspci printed. A name that stands for several numbers tells nothing. */
  readonly lookup: NameLookup = (title) => {
    this.#vendorsByName ??= numbersByName([...this.#vendors].map(([id, { name }]) => [name, id]));
    for (let end = title.length; end > 0; end = title.lastIndexOf(' ', end - 1)) {
      const vendorId = this.#vendorsByName.get(title.slice(0, end));
      if (vendorId === undefined) continue;
      if (vendorId === null) return undefined;
      const deviceId = this.#deviceNamed(vendorId, title.slice(end + 1));
      return deviceId === null ? { vendorId } : { vendorId, deviceId };
    }
    return undefined;
  };

  #addVendor(line: string): Vendor | null {
    const match = VENDOR.exec(line);
    if (match === null) return null;
    const vendor: Vendor = { name: match[2] ?? '', devices: new Map(), byName: null };
    this.#vendors.set(Number.parseInt(match[1] ?? '', 16), vendor);
    return vendor;
  }

  #deviceNamed(vendorId: number, name: string): number | null {
    const vendor = this.#vendors.get(vendorId);
    if (vendor === undefined) return null;
    vendor.byName ??= numbersByName([...vendor.devices].map(([id, device]) => [device, id]));
    return vendor.byName.get(name) ?? null;
  }
}

function addDevice(vendor: Vendor | null, line: string): void {
  const match = DEVICE.exec(line);
  if (match === null || vendor === null) return;
  vendor.devices.set(Number.parseInt(match[1] ?? '', 16), match[2] ?? '');
}

/** Null where several numbers have one name. */
function numbersByName(pairs: readonly (readonly [string, number])[]): Map<string, number | null> {
  const found = new Map<string, number | null>();
  for (const [name, id] of pairs) found.set(name, found.has(name) ? null : id);
  return found;
}
