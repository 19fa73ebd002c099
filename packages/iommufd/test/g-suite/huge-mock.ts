// HugeMock: a mock device whose page table has entries of 4 KiB and of 1 MiB only, and takes any IOVA.
// Source followed: MOCK_FLAGS_DEVICE_HUGE_IOVA in drivers/iommu/iommufd/selftest.c.
// Simplified: for tests only.

import { EventLog, type ModelTask, type PhysicalMemory } from '@sgfree/hw-model';
import { AmdV1Format, DirtyBits, PageTable, PagingDomain } from '@sgfree/iommu';
import { type FrameAllocator, type Outcome, success } from '@sgfree/mm';
import { IommuHwptAllocFlag, IoptDomain, MOCK_PAGE_SIZE, MockDevice } from '../../src/index.ts';

/** In units of a table that takes 2 KiB for 4. */
const SIZES = 2 * 4096 + 2 * 2 ** 20;

/** The device. */
export class HugeMock extends MockDevice {
  readonly #parts: { readonly memory: PhysicalMemory; readonly frames: FrameAllocator };

  constructor(parts: { readonly memory: PhysicalMemory; readonly frames: FrameAllocator }) {
    super(parts);
    this.#parts = parts;
  }

  override *allocPagingDomain(flags: number): ModelTask<Outcome<IoptDomain>> {
    yield { at: 'huge-mock:alloc-domain' };
    const table = PageTable.open({
      format: new AmdV1Format({ dynamicTop: true, flushRange: true }),
      ...this.#parts,
      ...{ vaBits: 57, oaBits: 52, topLevel: 2, pgsizeBitmap: SIZES },
    });
    if (!table.ok) return table;
    const ops = { iotlbSync(): void {}, flushIotlbAll(): void {}, iotlbSyncMap: null };
    const tracked = (flags & IommuHwptAllocFlag.DIRTY_TRACKING) !== 0;
    const bits = new DirtyBits(table.value, this.#parts.memory);
    const dirtyOps = tracked ? { bits, setDirtyTracking: () => 0 } : null;
    const domain = new PagingDomain({ table: table.value, ops, dirtyOps, log: new EventLog() });
    return success(new IoptDomain(domain, { granule: MOCK_PAGE_SIZE }));
  }
}
