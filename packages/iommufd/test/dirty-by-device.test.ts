// A device behind an AMD-Vi unit writes to a guest's memory through the fabric while iommufd records what it writes: the
// bitmap names exactly the pages whose bytes have changed, and a flush that gets lost loses pages, as it does for a migration.
import { fc, test as propertyTest } from '@fast-check/vitest';
import {
  AmdIommuUnit,
  bareMetalAmdFeatures,
  Clock,
  DmaEngine,
  dirtyTrackingAmdFeatures,
  dmaAddr,
  type ModelTask,
  PciFabric,
  physAddr,
} from '@sgfree/hw-model';
import { AmdIommu } from '@sgfree/iommu';
import { Errno } from '@sgfree/mm';
import { expect, test } from 'vitest';
import {
  AmdBoundDevice,
  type IommufdDevice,
  type IommufdHwptAllocation,
  IommuHwptAllocFlag,
  iommufdDeviceAttach,
  iommufdDeviceBind,
  iommufdDeviceDetach,
  iommufdDeviceUnbind,
  iommufdHwptAlloc,
  iommufdHwptGetDirtyBitmap,
  iommufdHwptSetDirtyTracking,
  u64,
} from '../src/index.ts';
import { CoreMachine, numberOf } from './core-machine.ts';

const P = 4096;
const VA = 2 ** 31;
const AT = 0x40000000;
const PAGES = 32;
/** No driver data comes with the call. */
const NO_DATA: IommufdHwptAllocation['data'] = { type: 0, length: 0, read: () => noRead() };

function* noRead(): ModelTask<number> {
  yield { at: 'test:no-data' };
  return -Errno.EFAULT;
}

/** A guest's memory behind a table that records writes, and the engine of a device that reaches it. */
class Migration {
  readonly machine = new CoreMachine();
  readonly unit: AmdIommuUnit;
  readonly hwptId: number;
  readonly #engine: DmaEngine;
  readonly #idev: IommufdDevice;

  constructor(features = dirtyTrackingAmdFeatures) {
    const { machine } = this;
    const { memory, log, tables } = machine;
    const fabric = new PciFabric({ memory, clock: new Clock(), log });
    const host = fabric.addHostBridge({ memoryAperture: { base: physAddr(0xc0000000), bytes: 2 ** 28 } });
    const identity = { vendorId: 0x1234, deviceId: 1, classCode: 0x020000 };
    const nic = fabric.addEndpoint(fabric.addRootPort(host), { name: 'nic', identity, bars: [] });
    fabric.enumerate();
    nic.setCommand({ memory: true, busMaster: true });
    this.unit = new AmdIommuUnit(memory, { features });
    fabric.setTranslationAgent(this.unit);
    const iommu = new AmdIommu({ unit: this.unit, memory, frames: tables, log, lastDeviceId: 0x3ff });
    const device = new AmdBoundDevice({ name: 'nic', iommu, requesterId: nic.requesterId });
    this.#engine = new DmaEngine(fabric, nic);
    const bound = iommufdDeviceBind(machine.ctx, device);
    if (!bound.ok) throw new Error('not bound');
    this.#idev = bound.value;
    machine.mmap(PAGES * P, VA, true);
    const ioas = machine.ioas();
    ioas.iopt.disableLargePages = true;
    expect(numberOf(machine.map(ioas, u64(VA), u64(PAGES * P), u64(AT)))).toBe(AT);
    const hwpt = machine.run(
      iommufdHwptAlloc(machine.ctx, {
        ...{ flags: IommuHwptAllocFlag.DIRTY_TRACKING, devId: this.#idev.id, ptId: ioas.id },
        ...{ data: NO_DATA, faultId: 0 },
      }),
    );
    this.hwptId = hwpt.ok ? hwpt.value : -hwpt.errno;
    if (hwpt.ok) expect(machine.run(iommufdDeviceAttach(this.#idev, this.hwptId)).ok).toBe(true);
  }

  track(on: boolean): number {
    return this.machine.run(iommufdHwptSetDirtyTracking(this.machine.ctx, on ? 1 : 0, this.hwptId));
  }

  /** The device writes `bytes` bytes at an offset in the guest's memory. */
  write(offset: number, bytes: number, value: number): void {
    const data = new Uint8Array(bytes).fill(value);
    expect(this.machine.run(this.#engine.write(dmaAddr(AT + offset), data))).toBe('success');
  }

  read(offset: number, bytes: number): Uint8Array {
    const data = new Uint8Array(bytes);
    expect(this.machine.run(this.#engine.read(dmaAddr(AT + offset), data))).toBe('success');
    return data;
  }

  /** Pages that the record names; they are clean afterwards unless `keep`. */
  dirty(keep = false): number[] {
    const window = { hwptId: this.hwptId, flags: keep ? 1 : 0, iova: u64(AT), length: u64(PAGES * P) };
    const bits = this.machine.run(
      iommufdHwptGetDirtyBitmap(this.machine.ctx, { ...window, pageSize: u64(P) }),
    );
    if (!bits.ok) throw new Error(`errno ${bits.errno}`);
    return bits.value.flatMap(({ first, last }) =>
      Array.from({ length: last - first + 1 }, (_, at) => first + at),
    );
  }

  /** What the guest's memory holds, page by page. */
  contents(): Buffer[] {
    const { mm } = this.machine.process;
    return Array.from({ length: PAGES }, (_, page) => {
      const frame = mm.ptes.get(VA / P + page)?.frame ?? 0;
      return Buffer.from(this.machine.memory.frameBytes(frame));
    });
  }

  close(): number[] {
    this.machine.run(iommufdDeviceDetach(this.#idev));
    this.machine.run(iommufdDeviceUnbind(this.#idev));
    return this.machine.close().slice(0, 2);
  }
}

test('a unit without the feature makes no such table', () => {
  expect(new Migration(bareMetalAmdFeatures).hwptId).toBe(-Errno.EOPNOTSUPP);
});

test('nothing is recorded before and after; reads are no writes', () => {
  const guest = new Migration();
  guest.write(0, 3 * P, 1);
  expect(guest.dirty()).toEqual([]);
  expect(guest.track(true)).toBe(0);
  expect([...guest.read(P, 2)]).toEqual([1, 1]);
  guest.write(5 * P + 4000, 200, 2);
  expect([guest.dirty(true), guest.dirty(), guest.dirty()]).toEqual([[5, 6], [5, 6], []]);
  guest.write(6 * P, 1, 3);
  expect(guest.dirty(true)).toEqual([6]);
  expect(guest.track(false)).toBe(0);
  guest.write(9 * P, 1, 4);
  expect(guest.dirty()).toEqual([6]);
  expect(guest.close()).toEqual([0, 0]);
});

const transfer = fc.record({
  offset: fc.nat(PAGES * P - 2 * P - 1),
  bytes: fc.integer({ min: 1, max: 2 * P }),
  value: fc.integer({ min: 1, max: 255 }),
});

propertyTest.prop([fc.array(fc.array(transfer, { maxLength: 6 }), { minLength: 1, maxLength: 5 })], {
  numRuns: 40,
})('copying the pages of each round yields the guest, byte for byte', (rounds) => {
  const guest = new Migration();
  expect(guest.track(true)).toBe(0);
  const copy = guest.contents();
  for (const round of rounds) {
    for (const { offset, bytes, value } of round) guest.write(offset, bytes, value);
    const named = guest.dirty();
    const written = new Set(
      round.flatMap(({ offset, bytes }) => {
        const first = Math.floor(offset / P);
        return Array.from(
          { length: Math.floor((offset + bytes - 1) / P) - first + 1 },
          (_, at) => first + at,
        );
      }),
    );
    expect(named).toEqual([...written].sort((a, b) => a - b));
    const now = guest.contents();
    for (const page of named) copy[page] = now[page] as Buffer;
    expect(copy.findIndex((page, at) => !page.equals(now[at] as Buffer))).toBe(-1);
  }
  expect(guest.close()).toEqual([0, 0]);
});

test('a flush that gets lost loses the next write to the page, and the copy differs', () => {
  const guest = new Migration();
  guest.track(true);
  const copy = guest.contents();
  guest.write(7 * P, P, 1);
  guest.unit.dropNextInvalidations(1);
  expect(guest.dirty()).toEqual([7]);
  copy[7] = guest.contents()[7] as Buffer;
  guest.write(7 * P, P, 2);
  expect(guest.dirty()).toEqual([]);
  expect(copy[7]?.equals(guest.contents()[7] as Buffer)).toBe(false);
});
