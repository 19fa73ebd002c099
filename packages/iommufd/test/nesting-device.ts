// NestingDevice: a mock device whose driver takes one kind of data for a nested table, of four bytes.
// Source followed: mock_domain_alloc_nested in drivers/iommu/iommufd/selftest.c.
// Simplified: for tests only; the table translates nothing.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { type IommuUserData, type IoptDomain, MockDevice } from '../src/index.ts';

/** IOMMU_HWPT_DATA_SELFTEST. */
export const SELFTEST = 0xdead;
/** Bytes of its data. */
export const DATA_BYTES = 4;

/** A mock device that can nest. */
export class NestingDevice extends MockDevice {
  nested: object | null = null;

  *allocNestedDomain(_parent: IoptDomain, _flags: number, data: IommuUserData): ModelTask<Outcome<object>> {
    if (data.type !== SELFTEST) return failure(Errno.EOPNOTSUPP);
    if (data.length < DATA_BYTES) return failure(Errno.EINVAL);
    const bytes = new Uint8Array(DATA_BYTES);
    const error = yield* data.read(bytes);
    return error === 0 ? success({ bytes }) : failure(Errno.EFAULT);
  }

  attachGroupNested(nested: object): number {
    this.nested = nested;
    return 0;
  }
}
