// A group of functions that a unit cannot tell apart: all of them go through a table, or none does.
import {
  AmdIommuUnit,
  bareMetalAmdFeatures,
  dmaAddr,
  PhysicalMemory,
  physAddr,
  Scheduler,
} from '@sgfree/hw-model';
import { AmdIommu, IOMMU_READ, IOMMU_WRITE } from '@sgfree/iommu';
import { Errno, FrameAllocator } from '@sgfree/mm';
import { expect, it } from 'vitest';
import { u64 } from '../u64/u64.ts';
import { AmdBoundDevice } from './amd-bound-device.ts';
import type { IoptDomain } from './iopt-domain.ts';

const IOVA = 0x40000;
const FRAME = 0x123;
const LAST_DEVICE = 0xff;

function group(...requesterIds: readonly [number, ...number[]]) {
  const memory = new PhysicalMemory();
  const ram = { base: physAddr(0), bytes: 2 ** 24 };
  memory.addRam(ram.base, ram.bytes);
  const frames = new FrameAllocator(memory, ram);
  const unit = new AmdIommuUnit(memory, { features: bareMetalAmdFeatures });
  const iommu = new AmdIommu({ unit, memory, frames, lastDeviceId: LAST_DEVICE });
  const [requesterId] = requesterIds;
  const device = new AmdBoundDevice({ name: 'pair', iommu, requesterId, groupRequesterIds: requesterIds });
  const made = new Scheduler().runTask('table', device.allocPagingDomain(0, null));
  if (!made.ok) throw new Error('no table');
  const table: IoptDomain = made.value;
  expect(table.map(u64(IOVA), FRAME, 0, 4096, IOMMU_READ | IOMMU_WRITE)).toBe(0);
  const reached = (): number[] => requesterIds.map((id) => unit.translate(id, dmaAddr(IOVA), true));
  return { device, table, reached };
}

it('goes through the table as a whole, and is blocked as a whole', () => {
  const { device, table, reached } = group(0x10, 0x11);
  expect(reached()).toEqual([-1, -1]);
  expect(device.attachGroup(table)).toBe(0);
  expect(reached()).toEqual([FRAME * 4096, FRAME * 4096]);
  expect(device.domain).toBe(table);
  device.detachGroup();
  expect(reached()).toEqual([-1, -1]);
  expect(device.domain).toBeNull();
});

it('is blocked as a whole when one of it cannot be attached', () => {
  const { device, table, reached } = group(0x10, LAST_DEVICE + 1);
  expect(device.attachGroup(table)).toBe(-Errno.ENODEV);
  expect(reached()[0]).toBe(-1);
  expect(device.domain).toBeNull();
});
