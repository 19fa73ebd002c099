// What the mock driver says of its hardware: two words, and a type of its own that user space may ask for.
// Source followed: mock_domain_hw_info and struct iommu_test_hw_info of the kernel's iommufd selftest.
// Simplified: for tests only.

import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { IommuHardwareInfo, MockDevice } from '../src/index.ts';

/** IOMMU_HW_INFO_TYPE_SELFTEST. */
export const MOCK_INFO_TYPE = 0xfeedbeef;
/** The words: flags, and the value of the test register. */
export const MOCK_INFO_BYTES: readonly number[] = [0, 0, 0, 0, 0xef, 0xbe, 0xad, 0xde];

/** The driver's answer to a wish; 0 = whatever it has. */
export function mockHardwareInfo(wanted: number): Outcome<IommuHardwareInfo> {
  if (wanted !== 0 && wanted !== MOCK_INFO_TYPE) return failure(Errno.EOPNOTSUPP);
  return success({ type: MOCK_INFO_TYPE, data: Uint8Array.from(MOCK_INFO_BYTES) });
}

/** The device with a driver that answers. */
export const informedMock = (device: MockDevice): MockDevice =>
  Object.assign(device, { hardwareInfo: mockHardwareInfo });
