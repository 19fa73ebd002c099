// The scenarios of the kernel's iommufd_fail_nth selftest: the n-th allocation fails, for n = 1, 2 and so on until all is well.
// After each failure nothing stays mapped, pinned or reserved, and the scenario can be run again.
import type { ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import {
  type IommufdIoas,
  IoptAccess,
  iommufdAccessAttach,
  iommufdAccessDetach,
  iommufdAccessPinPages,
  iommufdAccessRw,
  iommufdAccessUnpinPages,
  iommufdDeviceAttach,
  iommufdDeviceBind,
  iommufdDeviceDetach,
  iommufdDeviceReplace,
  iommufdDeviceUnbind,
  iommufdGetHwInfo,
  iommufdHwptAlloc,
  ioptSetAllowIova,
  ioptUnmapAll,
  u64,
} from '../src/index.ts';
import { CoreMachine } from './core-machine.ts';

const P = 4096;
const VA = 2 ** 31;
const BUF = 16 * P;

/** No driver data comes with the call. */
const NO_DATA = {
  type: 0,
  length: 0,
  *read(): ModelTask<number> {
    yield* [];
    return -Errno.EFAULT;
  },
};

/** Runs to its end, or stops at the first failure: true when all went well. */
type Scenario = (machine: CoreMachine, ioas: IommufdIoas) => boolean;

const attached = (machine: CoreMachine, ioas: IommufdIoas): number => {
  const made = machine.attach(ioas);
  return made.ok ? made.value.stdevId : 0;
};

const scenarios: Readonly<Record<string, Scenario>> = {
  basic(machine, ioas) {
    const allowed = { first: u64(16384), last: u64(BUF + 9600 * 1024 - 1) };
    if (machine.run(ioptSetAllowIova(ioas.iopt, [allowed])) !== 0) return false;
    const mapped = machine.map(ioas, u64(VA), u64(BUF));
    if (!mapped.ok) return false;
    return machine.copy(ioas, mapped.value, u64(160), ioas, null).ok;
  },
  'map, then a domain'(machine, ioas) {
    if (!machine.map(ioas, u64(VA), u64(BUF), u64(0x1000000)).ok) return false;
    const device = attached(machine, ioas);
    return device !== 0 && machine.destroy(device) === 0;
  },
  'two domains, then a map in small batches'(machine, ioas) {
    machine.platform.tempMemoryLimit = 32;
    const devices = [attached(machine, ioas), attached(machine, ioas)];
    const mapped = devices.every((id) => id !== 0) && machine.map(ioas, u64(VA), u64(BUF)).ok;
    for (const id of devices) if (id !== 0) machine.destroy(id);
    return mapped;
  },
  'a file'(machine, ioas) {
    const device = attached(machine, ioas);
    const { fd } = machine.memfd(BUF);
    const mapped = device !== 0 && machine.mapFile(ioas, fd, 0, BUF).ok;
    machine.run(machine.dmaBufs.files.close(fd));
    if (device !== 0) machine.destroy(device);
    return mapped;
  },
  'a buffer'(machine, ioas) {
    const device = attached(machine, ioas);
    const buffer = machine.buffer(4 * P);
    const mapped = device !== 0 && machine.mapFile(ioas, buffer.fd, 0, 4 * P).ok;
    if (mapped) machine.revoke(buffer, true);
    machine.run(machine.dmaBufs.files.close(buffer.fd));
    if (device !== 0) machine.destroy(device);
    return mapped;
  },
  'a device': boundAndMoved,
  'an access'(machine, ioas) {
    const access = new IoptAccess(machine.platform, { needsPinPages: true, *unmap() {} });
    if (machine.run(iommufdAccessAttach(access, ioas.iopt)) !== 0) return false;
    const at = u64(0x1000000);
    let well = machine.map(ioas, u64(VA), u64(BUF), at).ok;
    if (well) {
      const pinned = machine.run(iommufdAccessPinPages(access, at, u64(BUF), true)).ok;
      const moved = machine.run(iommufdAccessRw(access, at, new Uint8Array(32768), true)) === 0;
      const device = attached(machine, ioas);
      if (device !== 0) machine.destroy(device);
      if (pinned) machine.run(iommufdAccessUnpinPages(access, at, u64(BUF)));
      well = pinned && moved && device !== 0;
    }
    machine.run(iommufdAccessDetach(access));
    return well;
  },
};

/** Binds a device, asks its hardware, attaches it, makes a table by hand, and moves it there and back again. */
function boundAndMoved(machine: CoreMachine, ioas: IommufdIoas): boolean {
  const { ctx } = machine;
  const bound = iommufdDeviceBind(ctx, machine.mock());
  if (!bound.ok) return false;
  const idev = bound.value;
  const steps = (): boolean => {
    if (!iommufdGetHwInfo(ctx, 0, idev.id, 0).ok) return false;
    if (!machine.run(iommufdDeviceAttach(idev, ioas.id)).ok) return false;
    const table = { flags: 1, devId: idev.id, ptId: ioas.id, data: NO_DATA, faultId: 0 };
    const hwpt = machine.run(iommufdHwptAlloc(ctx, table));
    const moves = hwpt.ok ? [hwpt.value, ioas.id] : [];
    const well = moves.every((pt) => machine.run(iommufdDeviceReplace(idev, pt)).ok);
    machine.run(iommufdDeviceDetach(idev));
    if (hwpt.ok) machine.destroy(hwpt.value);
    return hwpt.ok && well;
  };
  const well = machine.map(ioas, u64(VA), u64(BUF), u64(0x1000000)).ok && steps();
  machine.run(iommufdDeviceUnbind(idev));
  return well;
}

/** What a machine holds that a failed call must not have kept. */
function held(machine: CoreMachine): number[] {
  const { mm } = machine.process;
  const pins = [...mm.ptes.values()].reduce((sum, { folio }) => sum + folio.pins, 0);
  return [
    mm.pinnedVm,
    pins,
    machine.process.user.lockedVm,
    machine.tables.liveFrames,
    machine.dmaBufs.buffers.size,
  ];
}

/** Each kind of allocation that can fail. */
const faults = {
  'kernel memory': (machine: CoreMachine, nth: number): void => {
    let left = nth;
    machine.dmaBufs.allocate = () => {
      left -= 1;
      return left !== 0;
    };
  },
  'table pages': (machine: CoreMachine, nth: number): void => {
    machine.tables.failAfter = nth - 1;
  },
  'user pages': (machine: CoreMachine, nth: number): void => {
    machine.pages.failAfter = nth - 1;
  },
} as const;

const MOST = 400;
const cases = Object.keys(faults).flatMap((fault) =>
  Object.keys(scenarios).map((name) => [fault, name] as const),
);

describe('fault sweeps', () => {
  it.each(cases)('%s fail: %s', (fault, name) => {
    const scenario = scenarios[name];
    const plant = faults[fault as keyof typeof faults];
    let passed = false;
    let failures = 0;
    for (let nth = 1; nth <= MOST && !passed; nth += 1) {
      const machine = new CoreMachine();
      machine.mmap(BUF, VA);
      const ioas = machine.ioas();
      plant(machine, nth);
      passed = scenario?.(machine, ioas) ?? false;
      if (!passed) failures += 1;
      machine.dmaBufs.allocate = () => true;
      machine.tables.failAfter = -1;
      machine.pages.failAfter = -1;
      machine.run(ioptUnmapAll(ioas.iopt));
      expect([nth, ...held(machine)]).toEqual([nth, 0, 0, 0, 0, 0]);
      expect([ioas.iopt.domains.length, ioas.iopt.reserved.count, ioas.iopt.areas.ranges.length]).toEqual([
        0, 0, 0,
      ]);
      expect(scenario?.(machine, ioas)).toBe(true);
      expect(machine.close()).toEqual([0, 0, 0]);
      expect(machine.rules()).toEqual([]);
    }
    expect(passed).toBe(true);
    // Scenarios that allocate nothing of a kind pass at once.
    if (fault === 'kernel memory') expect(failures).toBeGreaterThan(0);
  });
});
