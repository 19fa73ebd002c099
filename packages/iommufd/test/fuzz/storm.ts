// Storm: several tasks make fuzzed calls on one context at once, while drivers come and go: no order may lose anything.
// Source followed: iommufd_fops_ioctl in drivers/iommu/iommufd/main.c; the errnos of each call as its ladder has them.
// Simplified: for tests only.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno, type ErrnoName } from '@sgfree/mm';
import * as fc from 'fast-check';
import {
  iommufdDeviceAttach,
  iommufdDeviceBind,
  iommufdDeviceDetach,
  iommufdDeviceUnbind,
  iommufdFopsIoctl,
  iommufdStruct,
} from '../../src/index.ts';
import { AbiWorld, NOTHING_LEFT } from '../abi-world.ts';
import { revokeTestBuffer } from '../test-exporter.ts';
import { VALID_CALLS } from '../valid-calls.ts';
import { bytesOfCall, type FuzzedCall, fuzzedCall } from './mutate.ts';

const EVERYWHERE: readonly ErrnoName[] = ['EFAULT', 'EINVAL', 'E2BIG'];

/** What else each call may answer. */
const DOCUMENTED: Readonly<Record<string, readonly ErrnoName[]>> = {
  iommu_destroy: ['ENOENT', 'EBUSY'],
  iommu_ioas_alloc: ['EOPNOTSUPP', 'ENOMEM'],
  iommu_ioas_allow_iovas: ['EOPNOTSUPP', 'ENOENT', 'EADDRINUSE', 'ENOMEM'],
  iommu_ioas_copy: ['EOPNOTSUPP', 'EOVERFLOW', 'ENOENT', 'EEXIST', 'ENOSPC', 'EPERM', 'ENOMEM'],
  iommu_ioas_iova_ranges: ['EOPNOTSUPP', 'ENOENT', 'EMSGSIZE'],
  iommu_ioas_map: ['EOPNOTSUPP', 'EOVERFLOW', 'ENOENT', 'EEXIST', 'ENOSPC', 'ENOMEM'],
  iommu_ioas_unmap: ['ENOENT', 'EOVERFLOW', 'EBUSY'],
  iommu_option: ['EOPNOTSUPP', 'ENOENT', 'EBUSY', 'EADDRINUSE'],
  iommu_vfio_ioas: ['EOPNOTSUPP', 'ENODEV', 'ENOENT'],
  iommu_hwpt_alloc: ['EOPNOTSUPP', 'ENOENT', 'EADDRINUSE', 'ENOMEM'],
  iommu_hw_info: ['EOPNOTSUPP', 'ENOENT'],
  iommu_hwpt_set_dirty_tracking: ['EOPNOTSUPP', 'ENOENT'],
  iommu_hwpt_get_dirty_bitmap: ['EOPNOTSUPP', 'ENOENT', 'EOVERFLOW'],
  iommu_hwpt_invalidate: ['EOPNOTSUPP', 'ENOENT'],
  iommu_fault_alloc: ['EOPNOTSUPP', 'ENOMEM'],
  iommu_ioas_map_file: ['EOPNOTSUPP', 'EOVERFLOW', 'ENOENT', 'EBADF', 'ENODEV', 'EEXIST', 'ENOSPC', 'ENOMEM'],
  iommu_viommu_alloc: ['EOPNOTSUPP', 'ENOENT'],
  iommu_vdevice_alloc: ['ENOENT'],
  iommu_ioas_change_process: ['EOPNOTSUPP', 'EBUSY'],
  iommu_veventq_alloc: ['EOPNOTSUPP', 'ENOENT'],
  iommu_hw_queue_alloc: ['EOPNOTSUPP', 'ENOENT'],
  iommu_ioas_noiommu_get_pa: ['EOPNOTSUPP', 'ENOENT'],
};

/** Who does what, in which order they take turns, and which allocation fails. */
export interface Storm {
  readonly seed: number;
  readonly callers: readonly (readonly FuzzedCall[])[];
  /** What a driver attaches its device to, again and again. */
  readonly driver: readonly number[];
  /** Whether the owner of a buffer takes it back (true) or gives it out, again and again. */
  readonly owner: readonly boolean[];
  /** Allocations before one fails; null = none does. */
  readonly failing: number | null;
}

/** Any storm of up to three callers. */
export const storm: fc.Arbitrary<Storm> = fc.record({
  seed: fc.nat(),
  callers: fc.array(fc.array(fuzzedCall, { minLength: 1, maxLength: 12 }), { minLength: 2, maxLength: 3 }),
  driver: fc.array(fc.nat(9), { maxLength: 4 }),
  owner: fc.array(fc.boolean(), { maxLength: 6 }),
  failing: fc.option(fc.nat(40)),
});

interface Answered {
  readonly name: string;
  readonly errno: number;
}

function* caller(world: AbiWorld, calls: readonly FuzzedCall[], answers: Answered[]): ModelTask<void> {
  for (const call of calls) {
    const { name, bytes } = bytesOfCall(world, call);
    const result = yield* iommufdFopsIoctl(world.ctx, iommufdStruct(name).request, bytes);
    answers.push({ name, errno: -result });
  }
}

function* driver(world: AbiWorld, tables: readonly number[]): ModelTask<void> {
  for (const pt of tables) {
    const idev = iommufdDeviceBind(world.ctx, world.newDevice());
    if (!idev.ok) continue;
    const attached = yield* iommufdDeviceAttach(idev.value, pt);
    if (attached.ok) yield* iommufdDeviceDetach(idev.value);
    yield* iommufdDeviceUnbind(idev.value);
  }
}

function* owner(world: AbiWorld, changes: readonly boolean[]): ModelTask<void> {
  for (const revoked of changes) {
    yield* revokeTestBuffer(world.lent, revoked);
    for (let turn = 0; turn < 10; turn += 1) yield { at: 'storm:owner' };
  }
}

/** Lets the storm happen; throws when a call answers what it cannot, tasks wait for ever, or something is left. */
export function weather({ seed, callers, driver: tables, owner: changes, failing }: Storm): void {
  const world = new AbiWorld(seed).populate();
  // Lists that calls read are written before tasks run, because writing them takes a task of its own.
  for (let index = 0; index < VALID_CALLS.length; index += 1) bytesOfCall(world, { index, mutations: [] });
  const answers: Answered[] = [];
  let left = failing ?? Number.POSITIVE_INFINITY;
  world.dmaBufs.allocate = () => {
    left -= 1;
    return left !== 0;
  };
  const prepared = callers.map((calls) =>
    calls.filter(({ index }) => VALID_CALLS[index]?.[0] !== 'iommu_ioas_allow_iovas'),
  );
  for (const [index, calls] of prepared.entries()) {
    world.scheduler.spawn(`caller ${index}`, caller(world, calls, answers));
  }
  world.scheduler.spawn('driver', driver(world, tables));
  world.scheduler.spawn('owner', owner(world, changes));
  const { status, blocked } = world.scheduler.run();
  if (status !== 'idle') throw new Error(`${status}: ${JSON.stringify(blocked)}`);
  for (const { name, errno } of answers) {
    const allowed = [...EVERYWHERE, ...(DOCUMENTED[name] ?? [])].map((one) => Errno[one] as number);
    if (errno !== 0 && !allowed.includes(errno)) throw new Error(`${name} answers ${errno}`);
  }
  world.dmaBufs.allocate = () => true;
  world.unmapAll();
  const rest = world.close();
  if (JSON.stringify(rest) !== JSON.stringify(NOTHING_LEFT)) throw new Error(`left: ${JSON.stringify(rest)}`);
}
