// The `devices` of a p2p header: configuration bytes made of what is written of each function.
// Field meanings: vectors/kernel/README.md, section p2p.
// Simplified: only the registers that are recorded are there: identity, header type, PCI Express type and ACS.

import { ConfigSpace } from '@sgfree/hw-model';
import {
  count,
  flag,
  hexNumber,
  listOf,
  matching,
  objectOf,
  orNull,
  type Reader,
  read,
  tupleOf,
  within,
} from '../recorded-value.ts';
import type { JsonRecord } from '../suite.ts';
import { busAddress } from './recorded-device.ts';
import type { RecordedBar, RecordedFunction } from './recorded-fabric.ts';

const IORESOURCE_MEM = 0x200;
const IORESOURCE_PREFETCH = 0x2000;
const IORESOURCE_MEM_64 = 0x100000;
const STATUS_CAPABILITY_LIST = 0x10;
const FIRST_CAPABILITY = 0x40;
const PCI_EXPRESS = 0x10;
const FIRST_EXTENDED = 0x100;
const ACS_VERSION_1 = 0x1000d;
const LAST_BAR = 5;

const hexBelow =
  (limit: number): Reader<number> =>
  (value) =>
    within(0, limit - 1)(hexNumber(value));

const writtenFunction = objectOf({
  dev: busAddress,
  vendor: hexBelow(2 ** 16),
  device: hexBelow(2 ** 16),
  class: hexBelow(2 ** 24),
  hdr: within(0, 2),
  pcie_type: within(-1, 15),
  upstream: orNull(busAddress),
  root_bus: matching(/^[0-9a-f]{4,}:[0-9a-f]{2}$/, 'domain:bus'),
  acs_cap: within(0, 4095),
  acs_caps: hexBelow(2 ** 16),
  acs_ctrl: hexBelow(2 ** 16),
  multifunction: flag,
  bars: listOf(tupleOf(within(0, 12), hexBelow(2 ** 52), hexBelow(2 ** 52), hexNumber)),
  iommu_group: within(-1, Number.MAX_SAFE_INTEGER),
});

type WrittenFunction = ReturnType<typeof writtenFunction>;

/** The functions of a header; throws MalformedValue. */
export const functionsOfHeader = (header: JsonRecord): RecordedFunction[] =>
  read(header, 'devices', listOf(writtenFunction)).map((written) => ({
    name: written.dev,
    upstream: written.upstream,
    rootBus: written.root_bus,
    isBridge: written.hdr !== 0,
    config: configOf(written),
    bars: written.bars.flatMap(([index, start, bytes, flags]) => memoryBar(index, start, bytes, flags)),
  }));

/** The memory BAR that a resource is; nothing for I/O ports, ROMs and windows. */
export function memoryBar(index: number, start: number, bytes: number, flags: number): RecordedBar[] {
  if (index > LAST_BAR || (flags & IORESOURCE_MEM) === 0) return [];
  const is64Bit = (flags & IORESOURCE_MEM_64) !== 0;
  return [{ index, start, bytes, is64Bit, prefetchable: (flags & IORESOURCE_PREFETCH) !== 0 }];
}

function configOf(written: WrittenFunction): ConfigSpace {
  const config = new ConfigSpace();
  config.preset(0x00, 2, written.vendor);
  config.preset(0x02, 2, written.device);
  config.preset(0x08, 4, written.class * 256);
  config.preset(0x0e, 1, written.hdr + (written.multifunction ? 0x80 : 0));
  if (written.pcie_type >= 0) {
    config.preset(0x06, 2, STATUS_CAPABILITY_LIST);
    config.preset(0x34, 1, FIRST_CAPABILITY);
    config.preset(FIRST_CAPABILITY, 1, PCI_EXPRESS);
    config.preset(FIRST_CAPABILITY + 2, 2, written.pcie_type * 16 + 2);
  }
  if (written.acs_cap !== 0) {
    config.preset(FIRST_EXTENDED, 4, ACS_VERSION_1);
    config.preset(FIRST_EXTENDED + 4, 2, written.acs_caps);
    config.preset(FIRST_EXTENDED + 6, 2, written.acs_ctrl);
  }
  return config;
}

/** The CPU that the header names by vendor number and family. */
export function cpuOfHeader(header: JsonRecord): { readonly vendor: string; readonly family: number } {
  const vendor = vendors.get(read(header, 'cpu_vendor', count)) ?? 'other';
  return { vendor, family: read(header, 'cpu_family', count) };
}

/** Vendor strings by the kernel's vendor numbers. */
const vendors: ReadonlyMap<number, string> = new Map([
  [0, 'GenuineIntel'],
  [2, 'AuthenticAMD'],
  [9, 'HygonGenuine'],
]);
