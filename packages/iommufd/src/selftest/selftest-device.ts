// SelftestDevice: a mock device as an object of a context, and the commands that the kernel's tests have beside the real ones.
// Source followed: drivers/iommu/iommufd/selftest.c (iommufd_test_mock_domain, iommufd_selftest_destroy,
// iommufd_test_add_reserved, iommufd_test_md_check_pa).
// Simplified: the commands are calls; they have no ioctl numbers here.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno, type Outcome, type ProcessMemory, success } from '@sgfree/mm';
import type { IoptDomain } from '../domain/iopt-domain.ts';
import type { IoPagetable } from '../io-pagetable/io-pagetable.ts';
import { ioptReserveIova } from '../io-pagetable/reserve-iova.ts';
import { iommufdDeviceAttach, iommufdDeviceDetach } from '../objects/device-attach.ts';
import type { IommufdContext } from '../objects/iommufd-context.ts';
import { type IommufdDevice, iommufdDeviceBind, iommufdDeviceUnbind } from '../objects/iommufd-device.ts';
import { IommufdObject } from '../objects/iommufd-object.ts';
import { iommufdObjectAbort, iommufdObjectAlloc, iommufdObjectFinalize } from '../objects/object-life.ts';
import {
  type U64,
  u64,
  u64IsZero,
  u64Number,
  u64Plus,
  u64RangeOf,
  u64SumWraps,
  u64Within,
} from '../u64/u64.ts';
import { MOCK_PAGE_SIZE, type MockDevice } from './mock-device.ts';

/** A mock device that is bound and attached; destroying it detaches and unbinds. */
class SelftestDevice extends IommufdObject {
  readonly type = 'selftest';
  idev: IommufdDevice | null = null;

  *destroy(): ModelTask<void> {
    if (this.idev === null) return;
    yield* iommufdDeviceDetach(this.idev);
    yield* iommufdDeviceUnbind(this.idev);
  }
}

/**
 * The numbers that a new mock device got.
 * @public
 */
export interface MockDomainIds {
  /** Of the mock device; destroying it detaches it. */
  readonly stdevId: number;
  /** Of the bound device. */
  readonly idevId: number;
  /** Of the page table it is attached to. */
  readonly hwptId: number;
}

/**
 * Binds a mock device and attaches it to an address space or page table. Errors of both; then no number is taken.
 * @kernel iommufd_test_mock_domain
 * @public
 */
export function* iommufdTestMockDomain(
  ctx: IommufdContext,
  ptId: number,
  device: MockDevice,
): ModelTask<Outcome<MockDomainIds>> {
  const made = iommufdObjectAlloc(ctx, new SelftestDevice());
  if (!made.ok) return made;
  const stdev = made.value;
  const ids = yield* bindAndAttach(ctx, stdev, ptId, device);
  if (ids.ok) iommufdObjectFinalize(ctx, stdev);
  else iommufdObjectAbort(ctx, stdev);
  return ids;
}

function* bindAndAttach(
  ctx: IommufdContext,
  stdev: SelftestDevice,
  ptId: number,
  device: MockDevice,
): ModelTask<Outcome<MockDomainIds>> {
  const bound = iommufdDeviceBind(ctx, device);
  if (!bound.ok) return bound;
  const attached = yield* iommufdDeviceAttach(bound.value, ptId);
  if (!attached.ok) {
    yield* iommufdDeviceUnbind(bound.value);
    return attached;
  }
  stdev.idev = bound.value;
  return success({ stdevId: stdev.id, idevId: bound.value.id, hwptId: attached.value });
}

/**
 * Reserves IOVAs for nobody: 0, -EINVAL for no length, -EOVERFLOW, -EADDRINUSE.
 * @kernel iommufd_test_add_reserved
 * @public
 */
export function* iommufdTestAddReserved(iopt: IoPagetable, start: U64, length: U64): ModelTask<number> {
  if (u64IsZero(length)) return -Errno.EINVAL;
  const range = u64RangeOf(start, length);
  if (range === null) return -Errno.EOVERFLOW;
  yield* iopt.iovaRwsem.writeLock();
  const errno = ioptReserveIova(iopt, range, null);
  iopt.iovaRwsem.writeUnlock();
  return errno;
}

/**
 * Compares a page table with the memory of a process, in steps of a mock page: 0, or -EINVAL when something is not a
 * multiple of it, or when one of them leads to another place than user address `uptr` and on.
 * @kernel iommufd_test_md_check_pa
 * @public
 */
export function iommufdTestMdCheckPa(
  domain: IoptDomain,
  mm: ProcessMemory,
  iova: U64,
  length: U64,
  uptr: U64,
): number {
  if ([iova, length, uptr].some((value) => u64Within(value, MOCK_PAGE_SIZE) !== 0)) return -Errno.EINVAL;
  if (u64SumWraps(uptr, length)) return -Errno.EINVAL;
  const bytes = u64Number(length);
  for (let at = 0; at < bytes; at += MOCK_PAGE_SIZE) {
    const user = u64Plus(uptr, u64(at));
    const shown = u64Plus(iova, u64(at));
    const frame = mm.ptes.get(user.page)?.frame ?? -1;
    if (frame < 0 || domain.frameAt(shown) !== frame) return -Errno.EINVAL;
    if (domain.byteAt(shown) !== user.byte) return -Errno.EINVAL;
  }
  return 0;
}
