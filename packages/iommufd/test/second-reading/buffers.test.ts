// Imported buffers at every door, read anew from pages.c of iommufd: who is still remembered after something failed, what a
// revoke reaches and what it leaves alone.
import { frameOf } from '@sgfree/hw-model';
import { Errno, type Outcome } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import {
  encodeIommufdStruct,
  type IommufdDoor,
  iommufdFopsIoctl,
  iommufdStruct,
  ioptCutIova,
  ioptDisableLargePages,
  ioptMapUserPages,
  type U64,
  u64,
  u64Number,
} from '../../src/index.ts';
import { CoreMachine, READ_WRITE } from '../core-machine.ts';
import { DoorMachine } from '../door-machine.ts';
import type { LendingExporter } from '../lending-exporter.ts';

const P = 4096;
const AT = 0x1000000;
const DOORS: readonly IommufdDoor[] = ['interconnect', 'pal', 'converter'];
const numberOf = (outcome: Outcome<U64>): number => (outcome.ok ? u64Number(outcome.value) : -outcome.errno);

/** One address space, and a buffer of pages 2 to 9 of the BAR. */
function bench(door: IommufdDoor) {
  const machine = new DoorMachine({ door });
  const ioas = machine.ioas();
  const lender = machine.lend([[2 * P, 8 * P]]);
  const map = (start: number, length: number, iova: number | null = null): number =>
    numberOf(machine.run(machine.mapFile(ioas, lender.fd, start, length, iova)));
  const unmap = (iova: number, length: number): number =>
    numberOf(machine.run(machine.unmap(ioas, iova, length)));
  const add = (): number => machine.run(machine.addDomain(ioas));
  return { machine, ioas, lender, map, unmap, add };
}

const nothingLeft = (machine: DoorMachine, lender: LendingExporter, leaves = 0): void => {
  const { attachments, refs } = lender.dmabuf;
  const left = [machine.leaves, lender.kref, attachments.length, refs, machine.rules()];
  expect(left).toEqual([leaves, 1, 0, 1, []]);
};

describe.each(DOORS)('%s', (door) => {
  it('a window is checked against the buffer before anybody is asked', () => {
    const { machine, lender, map } = bench(door);
    const answers = [
      map(0, 0),
      map(0, 8 * P + 1),
      map(8 * P, 1),
      map(7 * P, P + 1),
      map(2 ** 40, P),
      map(8 * P - 1, 1, 0x500fff),
      map(4 * P + 1, 2, 0x600001),
    ];
    const { EINVAL } = Errno;
    expect(answers).toEqual([-EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, 0x500fff, 0x600001]);
    expect(lender.counters.attached).toBe(2);
    machine.run(lender.take());
    expect(lender.kref).toBe(1);
  });

  it('what fails when the area is filled is forgotten everywhere', () => {
    const { machine, lender, map, unmap, add } = bench(door);
    expect([add(), add()]).toEqual([0, 0]);
    const second = machine.domains[1];
    expect(second?.map(u64(AT + 5 * P), frameOf(machine.barBase), 0, P, 3)).toBe(0);
    expect(map(0, 8 * P, AT)).toBeLessThan(0);
    expect([machine.leaves, lender.dmabuf.attachments.length]).toEqual([1, 0]);
    machine.run(lender.take());
    machine.run(lender.giveOut());
    second?.unmap(u64(AT + 5 * P), P);
    expect([map(0, 8 * P, AT), machine.leaves]).toEqual([AT, 16]);
    expect(unmap(AT, 8 * P)).toBe(8 * P);
    nothingLeft(machine, lender);
  });

  it('a table that could not be added is not asked for anything when the buffer is taken back', () => {
    const { machine, ioas, lender, map, unmap, add } = bench(door);
    expect(add()).toBe(0);
    expect(map(0, 4 * P, AT)).toBe(AT);
    const request = {
      length: u64(P),
      prot: READ_WRITE,
      iova: u64(AT + 0x10000),
      accountMode: 'user',
    } as const;
    machine.process.mm.mmap(P, { at: 2 ** 31 });
    expect(machine.run(ioptMapUserPages(machine.process, ioas.iopt, u64(2 ** 31), request)).ok).toBe(true);
    machine.run(machine.removeDomain(ioas));
    machine.process.mm.ptes.delete(2 ** 19);
    machine.process.mm.areas.splice(0);
    expect(add()).toBe(-Errno.EFAULT);
    expect(machine.leaves).toBe(0);
    machine.run(lender.take());
    expect([lender.kref, machine.rules()]).toEqual([1, []]);
    expect(unmap(AT + 0x10000, P)).toBe(P);
    expect([add(), machine.leaves, unmap(AT, 4 * P)]).toEqual([0, 0, 4 * P]);
    nothingLeft(machine, lender);
  });

  it('every area of every import goes at once, other buffers stay', () => {
    const { machine, ioas, lender, map, add } = bench(door);
    const other = machine.lend([[16 * P, 4 * P]]);
    add();
    add();
    expect([map(0, 2 * P, AT), map(P, 3 * P, AT + 0x10000), map(0, 8 * P, AT + 0x20000)]).toEqual([
      AT,
      AT + 0x10000,
      AT + 0x20000,
    ]);
    const kept = numberOf(machine.run(machine.mapFile(ioas, other.fd, 0, 4 * P, AT + 0x30000)));
    expect([kept, machine.leaves, lender.dmabuf.attachments.length]).toEqual([AT + 0x30000, 34, 3]);
    machine.run(lender.take());
    expect([machine.leaves, machine.barPage(machine.domains[1] as never, AT + 0x30000)]).toEqual([8, 16]);
    machine.run(lender.giveOut());
    machine.run(lender.take());
    expect([machine.leaves, machine.rules()]).toEqual([8, []]);
    for (const [iova, pages] of [
      [AT, 2],
      [AT + 0x10000, 3],
      [AT + 0x20000, 8],
      [AT + 0x30000, 4],
    ] as const) {
      expect(numberOf(machine.run(machine.unmap(ioas, iova, pages * P)))).toBe(pages * P);
    }
    nothingLeft(machine, lender);
  });

  it('a copy of a part outlives its source, and dies with the buffer', () => {
    const { machine, ioas, lender, map, unmap, add } = bench(door);
    add();
    map(P, 4 * P, AT);
    const copied = machine.run(machine.copy(ioas, AT + P, 2 * P, machine.ioas()));
    expect(numberOf(copied)).toBe(AT + P);
    expect([unmap(AT, 4 * P), lender.dmabuf.attachments.length]).toEqual([4 * P, 1]);
    machine.run(lender.take());
    machine.run(machine.removeDomain(ioas));
    machine.run(machine.ctx.release());
    nothingLeft(machine, lender);
  });

  it('a revoked import comes into later tables as nothing, however they come and go', () => {
    const { machine, ioas, lender, map, unmap, add } = bench(door);
    map(0, 4 * P, AT);
    expect([add(), add(), machine.leaves]).toEqual([0, 0, 8]);
    machine.run(machine.removeDomain(ioas));
    expect(machine.leaves).toBe(4);
    machine.run(lender.take());
    expect([add(), machine.leaves]).toEqual([0, 0]);
    machine.run(machine.removeDomain(ioas));
    machine.run(lender.giveOut());
    expect([add(), machine.leaves, map(0, P, AT)]).toEqual([0, 0, -Errno.EEXIST]);
    expect(unmap(AT + P, P)).toBe(-Errno.ENOENT);
    expect(unmap(AT, 4 * P)).toBe(4 * P);
    nothingLeft(machine, lender);
  });

  it('is not cut, also when small pages would allow it', () => {
    const { machine, ioas, lender, map, unmap } = bench(door);
    expect(machine.run(ioptDisableLargePages(ioas.iopt))).toBe(0);
    map(0, 4 * P, AT);
    expect(machine.run(ioptCutIova(ioas.iopt, [u64(AT + P - 1)]))).toBe(-Errno.EOPNOTSUPP);
    expect(machine.run(ioptCutIova(ioas.iopt, [u64(AT + 4 * P - 1), u64(AT - 1)]))).toBe(0);
    expect(unmap(AT, 4 * P)).toBe(4 * P);
    nothingLeft(machine, lender);
  });

  it('is mapped in small pages where large ones are off', () => {
    const { machine, ioas, lender, map, add } = bench(door);
    expect(machine.run(ioptDisableLargePages(ioas.iopt))).toBe(0);
    add();
    expect([map(0, 8 * P, AT), machine.leaves]).toEqual([AT, 8]);
    const before = machine.domains[0]?.domain.mapCalls;
    machine.run(lender.take());
    expect([machine.leaves, before]).toEqual([0, 8]);
  });
});

describe('on the byte face', () => {
  const call = (machine: CoreMachine, fields: Record<string, number | bigint>) => {
    const bytes = encodeIommufdStruct('iommu_ioas_map_file', { flags: 6, ...fields });
    const { request } = iommufdStruct('iommu_ioas_map_file');
    const errno = 0 - machine.run(iommufdFopsIoctl(machine.ctx, request, bytes));
    return [errno, new DataView(bytes.buffer).getBigUint64(32, true)] as const;
  };

  it.each([0, 1])('the range and the revoke, with %d devices', (devices) => {
    const machine = new CoreMachine();
    const ioas = machine.ioas();
    for (let made = 0; made < devices; made += 1) expect(machine.attach(ioas).ok).toBe(true);
    const base = devices === 0 ? 0n : BigInt(AT);
    const buffer = machine.buffer(4 * P);
    const file = { ioas_id: ioas.id, fd: buffer.fd };
    expect(call(machine, { ...file, length: 0n })[0]).toBe(Errno.EINVAL);
    expect(call(machine, { ...file, start: 0x4000n, length: 0x4000n })[0]).toBe(Errno.EINVAL);
    expect(call(machine, { ...file, length: 0x4001n })[0]).toBe(Errno.EINVAL);
    expect(call(machine, { ...file, start: 1n, length: 2n ** 64n - 2n })).toEqual([Errno.EINVAL, 0n]);
    expect(call(machine, { ...file, start: 3n, length: 2n ** 64n - 2n })[0]).toBe(Errno.EOVERFLOW);
    expect(call(machine, { ...file, length: 0x4000n })).toEqual([0, devices === 0 ? 0x4000n : base]);
    machine.revoke(buffer, true);
    expect(call(machine, { ...file, length: 0x4000n })).toEqual([Errno.ENODEV, 0n]);
    machine.revoke(buffer, false);
    expect(call(machine, { ...file, length: 0x4000n })).toEqual([
      0,
      devices === 0 ? 0x8000n : base + 0x4000n,
    ]);
    expect(machine.process.mm.pinnedVm).toBe(0);
    expect(machine.rules()).toEqual([]);
  });
});
