// Mock device: the device of the kernel's own iommufd tests: no hardware behind it, but a real page table of 2 KiB units.
// Source followed: drivers/iommu/iommufd/selftest.c (mock_domain_alloc_paging_flags, mock_domain_map_pages and the
// amdv1_mock format of generic_pt).
// The table is AMD v1 with 2 KiB in place of 4 KiB; IOVAs have 56 bits, output addresses 51.
// Simplified: tables have 512 entries; no PASIDs, no nesting, no page faults.

import { EventLog, type ModelTask, type PhysicalMemory } from '@sgfree/hw-model';
import {
  AmdV1Format,
  DirtyBits,
  type IommuDirtyOps,
  type IommuDomainOps,
  iommuDomainFree,
  PageTable,
  PagingDomain,
  type ReservedRegion,
} from '@sgfree/iommu';
import { Errno, type FrameAllocator, failure, type Outcome, success } from '@sgfree/mm';
import { IoptDomain } from '../domain/iopt-domain.ts';
import {
  type IommufdBoundDevice,
  type IommuHardwareInfo,
  IommuHwptAllocFlag,
  type IommuUserData,
} from '../objects/bound-device.ts';
import { IommuGroup } from '../objects/iommu-group.ts';
import { type U64Range, u64 } from '../u64/u64.ts';

/**
 * Bytes of a page of the mock table.
 * @public
 */
export const MOCK_PAGE_SIZE = 2048;

/**
 * The IOVAs that a mock device can address.
 * @public
 */
export const MOCK_APERTURE: U64Range = { first: u64(0x1000000), last: u64(0x7fffffff) };

/** IOMMU_HW_INFO_TYPE_SELFTEST. */
const INFO_TYPE = 0xfeedbeef;
/** struct iommu_test_hw_info: flags 0, and the test register 0xdeadbeef. */
const INFO_DATA = [0, 0, 0, 0, 0xef, 0xbe, 0xad, 0xde];

/** 56 IOVA and 51 output bits, in a table whose unit counts as 4 KiB. */
const IOVA_BITS = 57;
const OUTPUT_BITS = 52;

const MOCK_OPS: IommuDomainOps = {
  iotlbSync(): void {},
  flushIotlbAll(): void {},
  iotlbSyncMap: null,
};

/** No hardware: tests mark the entries themselves. */
const mockDirtyOps = (bits: DirtyBits): IommuDirtyOps => ({ bits, setDirtyTracking: () => 0 });

/** One driver for all mock devices, so that their page tables fit each other. */
const MOCK_DRIVER: object = { name: 'mock' };

/**
 * Where a mock device's page tables are.
 * @public
 */
export interface MockDeviceOptions {
  readonly memory: PhysicalMemory;
  readonly frames: FrameAllocator;
  readonly name?: string;
  /** Default true. */
  readonly dirtyTracking?: boolean;
  /** Default none. */
  readonly reservedRegions?: readonly ReservedRegion[];
}

/**
 * A mock device, in a group of its own.
 * @public
 */
export class MockDevice implements IommufdBoundDevice {
  readonly name: string;
  readonly group: IommuGroup;
  readonly reservedRegions: readonly ReservedRegion[];
  readonly cacheCoherent = true;
  readonly selftest = true;
  readonly dirtyTracking: boolean;
  readonly iommuDriver: object = MOCK_DRIVER;
  /** What the device's DMA goes through; null = blocked. */
  domain: IoptDomain | null = null;
  readonly #memory: PhysicalMemory;
  readonly #frames: FrameAllocator;

  constructor(options: MockDeviceOptions) {
    this.name = options.name ?? 'mock';
    this.group = new IommuGroup(this.name);
    this.dirtyTracking = options.dirtyTracking ?? true;
    this.reservedRegions = options.reservedRegions ?? [];
    this.#memory = options.memory;
    this.#frames = options.frames;
  }

  *allocPagingDomain(flags: number, data: IommuUserData | null): ModelTask<Outcome<IoptDomain>> {
    yield { at: 'mock:alloc-domain' };
    const { NEST_PARENT, DIRTY_TRACKING, PASID } = IommuHwptAllocFlag;
    if (data !== null || (flags & ~(NEST_PARENT | DIRTY_TRACKING | PASID)) !== 0) {
      return failure(Errno.EOPNOTSUPP);
    }
    const table = PageTable.open({
      format: new AmdV1Format({ dynamicTop: true, flushRange: true }),
      memory: this.#memory,
      frames: this.#frames,
      vaBits: IOVA_BITS,
      oaBits: OUTPUT_BITS,
      topLevel: 2,
    });
    if (!table.ok) return table;
    const tracked = (flags & DIRTY_TRACKING) !== 0;
    const dirtyOps = tracked ? mockDirtyOps(new DirtyBits(table.value, this.#memory)) : null;
    // Events would name addresses in units of the table.
    const domain = new PagingDomain({ table: table.value, ops: MOCK_OPS, dirtyOps, log: new EventLog() });
    return success(new IoptDomain(domain, { granule: MOCK_PAGE_SIZE, aperture: MOCK_APERTURE }));
  }

  /** Type 0xfeedbeef; -EOPNOTSUPP for any other but 0. */
  hardwareInfo(wanted: number): Outcome<IommuHardwareInfo> {
    if (wanted !== 0 && wanted !== INFO_TYPE) return failure(Errno.EOPNOTSUPP);
    return success({ type: INFO_TYPE, data: Uint8Array.from(INFO_DATA) });
  }

  freeDomain({ domain }: IoptDomain): void {
    iommuDomainFree(domain);
  }

  /** -EINVAL: the table records writes, which this device cannot. */
  attachGroup(domain: IoptDomain): number {
    if (domain.recordsDirty && !this.dirtyTracking) return -Errno.EINVAL;
    this.domain = domain;
    return 0;
  }

  detachGroup(): void {
    this.domain = null;
  }
}
